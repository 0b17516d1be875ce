//! `tegata assignment`: who has which role where.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Args, Subcommand};
use serde_json::json;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("ROLE", "/role/key"),
    ("FOR", "/principal/type"),
    ("NAME", "/principal/name"),
    ("CONTEXT TYPE", "/context/type"),
    ("CONTEXT", "/context/key"),
    ("ID", "/id"),
    ("SINCE", "/created_at"),
];

/// What is done with assignments.
#[derive(Debug, Subcommand)]
pub enum Assignment {
    #[command(about = operations::ASSIGNMENT_CREATE.summary)]
    Create {
        /// The role's key or id
        #[arg(long)]
        role: String,
        #[command(flatten)]
        principal: Principal,
        /// Where: a context's id, or a place as in scopes; left out for the whole organization
        #[arg(long, value_name = "CONTEXT")]
        context: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ASSIGNMENT_LIST.summary)]
    List {
        /// Only of this user (id or e-mail address), team (id or key) or service account (id or name)
        #[arg(long, value_name = "WHO")]
        principal: Option<String>,
        /// Only of this role
        #[arg(long)]
        role: Option<String>,
        /// Only in this context; `global` for those in the whole organization
        #[arg(long, value_name = "CONTEXT")]
        context: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::ASSIGNMENT_DELETE.summary)]
    Delete {
        /// The assignment's id
        assignment: String,
        #[command(flatten)]
        org: InOrg,
    },
}

/// Who gets a role.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Principal {
    /// A person, by id or e-mail address
    #[arg(long)]
    user: Option<String>,
    /// A team, by id or key
    #[arg(long)]
    team: Option<String>,
    /// A service account, by id or name
    #[arg(long, value_name = "ACCOUNT")]
    service_account: Option<String>,
}

impl Verb for Assignment {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { role, principal, context, org } => {
                let principal = match principal {
                    Principal { user: Some(user), .. } => json!({"type": "user", "id": user}),
                    Principal { service_account: Some(account), .. } => {
                        json!({"type": "service_account", "id": account})
                    }
                    Principal { team, .. } => json!({"type": "team", "id": team}),
                };
                let call = Call::to(operations::ASSIGNMENT_CREATE).at("org", desk.org(&org).await?);
                desk.show(call.with("role", role).with("principal", principal).with("context", context)).await
            }
            Self::List { principal, role, context, org, paging } => {
                let call = Call::to(operations::ASSIGNMENT_LIST).at("org", desk.org(&org).await?);
                let call = call.ask("principal", principal).ask("role", role).ask("context", context);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Delete { assignment, org } => {
                let call = Call::to(operations::ASSIGNMENT_DELETE).at("org", desk.org(&org).await?);
                desk.show(call.at("assignment", assignment)).await
            }
        }
    }
}
