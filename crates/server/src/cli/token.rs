//! `tegata token`: one's own personal tokens, and, with `--org`, an organization's part of those that are used in it.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::{Moment, moment, span};
use super::render::Column;
use crate::app::Clock;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tegata_core::operations;
use tegata_core::operations::Operation;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("KIND", "/kind"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("EXPIRES", "/expires_at"),
    ("CREATED", "/created_at"),
    ("LAST USED", "/last_used_at"),
];
const ORG_COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("KIND", "/kind"),
    ("NAME", "/name"),
    ("OWNER", "/owner/name"),
    ("STATE", "/state"),
    ("EXPIRES", "/expires_at"),
    ("CREATED", "/created_at"),
    ("LAST USED", "/last_used_at"),
];

/// What is done with tokens.
#[derive(Debug, Subcommand)]
pub enum Token {
    #[command(about = operations::TOKEN_CREATE.summary)]
    Create(Create),
    #[command(about = operations::TOKEN_LEGACY_CREATE.summary)]
    CreateLegacy(CreateLegacy),
    /// List one's own personal tokens; with --org, those that are used in an organization
    List {
        #[command(flatten)]
        part: Part,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one of one's own personal tokens; with --org, an organization's part of a token
    Show {
        /// The token's id
        token: String,
        #[command(flatten)]
        part: Part,
    },
    #[command(about = operations::TOKEN_REGENERATE.summary)]
    Regenerate {
        /// The token's id
        token: String,
        /// How long the old secret goes on working: 1h, 7d
        #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = span)]
        overlap: Duration,
        #[command(flatten)]
        because: Because,
    },
    /// Stop one of one's own tokens for good; with --org, an organization's part of a token
    Revoke {
        /// The token's id
        token: String,
        #[command(flatten)]
        part: Part,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::ORG_TOKEN_BLOCK.summary)]
    Block(Blocking),
    #[command(about = operations::ORG_TOKEN_UNBLOCK.summary)]
    Unblock(Blocking),
}

/// A token to be.
#[derive(Debug, Args)]
pub struct Create {
    /// What you call it
    #[arg(long)]
    name: String,
    /// When it ends: a span from now (90d), a date (2026-12-31) or a moment, at most 365 days ahead
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Moment,
    /// A scope, such as `issues:read` or `project:key:MY-APP:Project.View`; may be repeated
    #[arg(long, value_name = "SCOPE", required_unless_present = "grants")]
    scope: Vec<String>,
    /// The API's key or id; may be left out where the organization uses one only
    #[arg(long, value_name = "API")]
    api: Option<String>,
    #[command(flatten)]
    org: InOrg,
    /// For several organizations or APIs: a file with the list of `{"organization", "api", "scopes"}`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scope", "api"])]
    grants: Option<PathBuf>,
    /// An address or range (CIDR) that it may be shown from; may be repeated. None for anywhere
    #[arg(long, value_name = "RANGE")]
    address: Vec<String>,
    #[command(flatten)]
    because: Because,
}

/// A legacy token to be.
#[derive(Debug, Args)]
pub struct CreateLegacy {
    /// What you call it
    #[arg(long)]
    name: String,
    /// Everything of the level `write`, too, and not of `read` alone
    #[arg(long)]
    write: bool,
    /// When it ends: a span from now (90d), a date (2026-12-31) or a moment; left out for never, where that is taken
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Option<Moment>,
    /// An organization, by key or id; may be repeated. None for every one of yours that admits such tokens
    #[arg(long = "organization", value_name = "ORG")]
    organizations: Vec<String>,
    /// An address or range (CIDR) that it may be shown from; may be repeated. None for anywhere
    #[arg(long, value_name = "RANGE")]
    address: Vec<String>,
    #[command(flatten)]
    because: Because,
}

/// Whose view of a token. The environment does not decide it: the same command would mean another thing.
#[derive(Debug, Args)]
pub struct Part {
    /// As seen by this organization, for its administrators
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
}

/// An organization's part of a token, to be stopped or started.
#[derive(Debug, Args)]
pub struct Blocking {
    /// The token's id
    token: String,
    #[command(flatten)]
    org: InOrg,
    #[command(flatten)]
    because: Because,
}

impl Verb for Token {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create(create) => desk.show_secret(create.call()?, "the token's secret").await,
            Self::CreateLegacy(create) => desk.show_secret(create.call(), "the token's secret").await,
            Self::List { part: Part { org: None }, paging } => {
                desk.list(Call::to(operations::TOKEN_LIST), COLUMNS, paging).await
            }
            Self::List { part: Part { org: Some(org) }, paging } => {
                desk.list(Call::to(operations::ORG_TOKEN_LIST).at("org", org), ORG_COLUMNS, paging).await
            }
            Self::Show { token, part } => {
                desk.show(part.call(operations::TOKEN_SHOW, operations::ORG_TOKEN_SHOW, token)).await
            }
            Self::Regenerate { token, overlap, because } => {
                let call = Call::to(operations::TOKEN_REGENERATE).at("token", token);
                let call = call.with("overlap_seconds", overlap.as_secs()).with("reason", because.reason);
                desk.show_secret(call, "the token's new secret").await
            }
            Self::Revoke { token, part, because } => {
                let call = part.call(operations::TOKEN_REVOKE, operations::ORG_TOKEN_REVOKE, token);
                desk.show(call.with("reason", because.reason)).await
            }
            Self::Block(blocking) => blocking.run(desk, operations::ORG_TOKEN_BLOCK).await,
            Self::Unblock(blocking) => blocking.run(desk, operations::ORG_TOKEN_UNBLOCK).await,
        }
    }
}

impl CreateLegacy {
    fn call(self) -> Call {
        let expires_at = self.expires.map(|expires| expires.ahead(Clock::System.now()).to_string());
        let organizations = (!self.organizations.is_empty()).then_some(self.organizations);
        Call::to(operations::TOKEN_LEGACY_CREATE)
            .with("name", self.name)
            .with("levels", if self.write { "read write" } else { "read" })
            .with("expires_at", expires_at)
            .with("organizations", organizations)
            .with("reason", self.because.reason)
            .with("addresses", self.address)
    }
}

impl Create {
    fn call(self) -> Result<Call, CliError> {
        let grants = match &self.grants {
            Some(path) => read_grants(path)?,
            None => Value::Array(vec![self.grant()]),
        };
        let expires_at = self.expires.ahead(Clock::System.now()).to_string();
        Ok(Call::to(operations::TOKEN_CREATE)
            .with("name", self.name)
            .with("expires_at", expires_at)
            .with("reason", self.because.reason)
            .with("addresses", self.address)
            .with("grants", grants))
    }

    /// The one grant that the flags describe.
    fn grant(&self) -> Value {
        let mut grant = json!({"scopes": self.scope});
        for (name, value) in [("organization", &self.org.org), ("api", &self.api)] {
            if let Some(value) = value {
                grant[name] = json!(value);
            }
        }
        grant
    }
}

fn read_grants(path: &Path) -> Result<Value, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| CliError::usage(format!("{} is not JSON: {error}", path.display())))
}

impl Part {
    fn call(self, own: &'static Operation, of_org: &'static Operation, token: String) -> Call {
        match self.org {
            None => Call::to(own).at("token", token),
            Some(org) => Call::to(of_org).at("org", org).at("token", token),
        }
    }
}

impl Blocking {
    async fn run(self, desk: &Desk, operation: &'static Operation) -> Result<(), CliError> {
        let call = Call::to(operation).at("org", desk.org(&self.org).await?).at("token", self.token);
        desk.show(call.with("reason", self.because.reason)).await
    }
}
