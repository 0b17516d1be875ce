//! `tegata organization-key`: keys that an organization owns, and that act for themselves.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::{Moment, moment};
use super::render::Column;
use crate::app::Clock;
use clap::{Args, Subcommand};
use serde_json::json;
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("RISKS", "/risks"),
    ("EXPIRES", "/expires_at"),
    ("MADE BY", "/created_by/name"),
    ("LAST USED", "/last_used_at"),
];

/// What is done with organization keys.
#[derive(Debug, Subcommand)]
pub enum OrganizationKey {
    #[command(about = operations::ORGANIZATION_KEY_CREATE.summary)]
    Create(Create),
    #[command(about = operations::ORGANIZATION_KEY_LIST.summary)]
    List {
        /// Only those that cover everything: the risk report
        #[arg(long)]
        unscoped: bool,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::ORGANIZATION_KEY_SHOW.summary)]
    Show {
        /// The key's id
        key: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ORGANIZATION_KEY_BLOCK.summary)]
    Block(Stopping),
    #[command(about = operations::ORGANIZATION_KEY_UNBLOCK.summary)]
    Unblock(Stopping),
    #[command(about = operations::ORGANIZATION_KEY_REVOKE.summary)]
    Revoke(Stopping),
}

/// A key to be.
#[derive(Debug, Args)]
pub struct Create {
    /// What people call it
    #[arg(long)]
    name: String,
    /// When it ends: a span from now (90d), a date (2026-12-31) or a moment, at most 365 days ahead
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Moment,
    /// A scope, such as `issues:read` or `project:key:MY-APP:Project.View`; may be repeated
    #[arg(long, value_name = "SCOPE", required_unless_present = "unscoped", conflicts_with = "unscoped")]
    scope: Vec<String>,
    /// The API's key or id; may be left out where the organization uses one only
    #[arg(long, value_name = "API", conflicts_with = "unscoped")]
    api: Option<String>,
    /// Everything of the organization's APIs, also what they come to have: a risk, where the policy takes it at all
    #[arg(long)]
    unscoped: bool,
    /// An address or range (CIDR) that it may be shown from; may be repeated. None for anywhere
    #[arg(long, value_name = "RANGE")]
    address: Vec<String>,
    /// Show what it could do, and make none
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    org: InOrg,
    #[command(flatten)]
    because: Because,
}

/// A key to be stopped or started.
#[derive(Debug, Args)]
pub struct Stopping {
    /// The key's id
    key: String,
    #[command(flatten)]
    org: InOrg,
    #[command(flatten)]
    because: Because,
}

impl Verb for OrganizationKey {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create(create) => create.run(desk).await,
            Self::List { unscoped, org, paging } => {
                let call = Call::to(operations::ORGANIZATION_KEY_LIST).at("org", desk.org(&org).await?);
                desk.list(call.ask("unscoped", unscoped.then(|| "true".to_owned())), COLUMNS, paging).await
            }
            Self::Show { key, org } => {
                let call = Call::to(operations::ORGANIZATION_KEY_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("key", key)).await
            }
            Self::Block(stopping) => stopping.run(desk, operations::ORGANIZATION_KEY_BLOCK).await,
            Self::Unblock(stopping) => stopping.run(desk, operations::ORGANIZATION_KEY_UNBLOCK).await,
            Self::Revoke(stopping) => stopping.run(desk, operations::ORGANIZATION_KEY_REVOKE).await,
        }
    }
}

impl Create {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let mut grant = json!({"scopes": self.scope});
        if let Some(api) = self.api {
            grant["api"] = json!(api);
        }
        let grants = if self.unscoped { json!([]) } else { json!([grant]) };
        let call = Call::to(operations::ORGANIZATION_KEY_CREATE)
            .at("org", desk.org(&self.org).await?)
            .ask("dry_run", self.dry_run.then(|| "true".to_owned()))
            .with("name", self.name)
            .with("expires_at", self.expires.ahead(Clock::System.now()).to_string())
            .with("reason", self.because.reason)
            .with("addresses", self.address)
            .with("unscoped", self.unscoped)
            .with("grants", grants);
        if self.dry_run { desk.show(call).await } else { desk.show_secret(call, "the key's secret").await }
    }
}

impl Stopping {
    async fn run(self, desk: &Desk, operation: &'static Operation) -> Result<(), CliError> {
        let call = Call::to(operation).at("org", desk.org(&self.org).await?).at("key", self.key);
        desk.show(call.with("reason", self.because.reason)).await
    }
}
