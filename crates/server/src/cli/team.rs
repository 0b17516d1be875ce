//! `tegata team`: groups of members.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Args, Subcommand};
use tegata_core::operations;
use tegata_core::operations::Operation;

const COLUMNS: &[Column] = &[("KEY", "/key"), ("NAME", "/name"), ("ID", "/id"), ("CREATED", "/created_at")];

/// What is done with teams.
#[derive(Debug, Subcommand)]
pub enum Team {
    #[command(about = operations::TEAM_CREATE.summary)]
    Create {
        /// What stands in URLs: lower-case letters, digits, `.`, `_` and `-`
        #[arg(long)]
        key: String,
        /// What people call it
        #[arg(long)]
        name: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::TEAM_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::TEAM_SHOW.summary)]
    Show(Which),
    #[command(about = operations::TEAM_MEMBER_ADD.summary)]
    AddMember(Joining),
    #[command(about = operations::TEAM_MEMBER_REMOVE.summary)]
    RemoveMember(Joining),
    #[command(about = operations::TEAM_DELETE.summary)]
    Delete(Which),
}

/// A team.
#[derive(Debug, Args)]
pub struct Which {
    /// Key or id
    team: String,
    #[command(flatten)]
    org: InOrg,
}

/// A team and a member.
#[derive(Debug, Args)]
pub struct Joining {
    /// Key or id of the team
    team: String,
    /// Id or e-mail address of the member
    user: String,
    #[command(flatten)]
    org: InOrg,
}

impl Verb for Team {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { key, name, org } => {
                let call = Call::to(operations::TEAM_CREATE).at("org", desk.org(&org).await?);
                desk.show(call.with("key", key).with("name", name)).await
            }
            Self::List { org, paging } => {
                let call = Call::to(operations::TEAM_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show(which) => one(desk, operations::TEAM_SHOW, which).await,
            Self::Delete(which) => one(desk, operations::TEAM_DELETE, which).await,
            Self::AddMember(joining) => join(desk, operations::TEAM_MEMBER_ADD, joining).await,
            Self::RemoveMember(joining) => join(desk, operations::TEAM_MEMBER_REMOVE, joining).await,
        }
    }
}

async fn one(desk: &Desk, operation: &'static Operation, which: Which) -> Result<(), CliError> {
    desk.show(Call::to(operation).at("org", desk.org(&which.org).await?).at("team", which.team)).await
}

async fn join(desk: &Desk, operation: &'static Operation, joining: Joining) -> Result<(), CliError> {
    let org = desk.org(&joining.org).await?;
    let user = desk.member(&org, &joining.user).await?;
    desk.show(Call::to(operation).at("org", org).at("team", joining.team).at("user", user)).await
}
