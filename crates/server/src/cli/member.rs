//! `tegata member`: people in an organization.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Args, Subcommand};
use tegata_core::operations;
use tegata_core::operations::Operation;

const COLUMNS: &[Column] = &[
    ("EMAIL", "/email"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("ACCOUNT", "/account_state"),
    ("ID", "/id"),
    ("SINCE", "/created_at"),
];

/// What is done with members.
#[derive(Debug, Subcommand)]
pub enum Member {
    #[command(about = operations::MEMBER_ADD.summary)]
    Add {
        #[command(flatten)]
        who: Who,
        /// The key of the role they get in the whole organization; `none` for none
        #[arg(long, default_value = "member")]
        role: String,
    },
    #[command(about = operations::MEMBER_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::MEMBER_SHOW.summary)]
    Show(Who),
    #[command(about = operations::MEMBER_DEACTIVATE.summary)]
    Deactivate(Who),
    #[command(about = operations::MEMBER_ACTIVATE.summary)]
    Activate(Who),
}

/// A person in an organization.
#[derive(Debug, Args)]
pub struct Who {
    /// Id or e-mail address
    user: String,
    #[command(flatten)]
    org: InOrg,
}

impl Verb for Member {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Add { who, role } => {
                let call = Call::to(operations::MEMBER_ADD).at("org", desk.org(&who.org).await?);
                desk.show(call.with("user", who.user).with("role", role)).await
            }
            Self::List { org, paging } => {
                let call = Call::to(operations::MEMBER_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show(who) => one(desk, operations::MEMBER_SHOW, &who).await,
            Self::Deactivate(who) => one(desk, operations::MEMBER_DEACTIVATE, &who).await,
            Self::Activate(who) => one(desk, operations::MEMBER_ACTIVATE, &who).await,
        }
    }
}

async fn one(desk: &Desk, operation: &'static Operation, who: &Who) -> Result<(), CliError> {
    let org = desk.org(&who.org).await?;
    let user = desk.member(&org, &who.user).await?;
    desk.show(Call::to(operation).at("org", org).at("user", user)).await
}
