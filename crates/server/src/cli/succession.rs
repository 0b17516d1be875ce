//! `tegata succession`: what leavers answered for.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::Subcommand;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("STATE", "/state"),
    ("SUBJECT", "/subject/name"),
    ("LEAVER", "/leaver/email"),
    ("DUE", "/due_at"),
    ("SUCCESSOR", "/successor/email"),
];

/// What is done with successions.
#[derive(Debug, Subcommand)]
pub enum Succession {
    #[command(about = operations::SUCCESSION_LIST.summary)]
    List {
        /// Only those of one state: `waiting`, `handed_over` or `lapsed`
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::SUCCESSION_SHOW.summary)]
    Show {
        /// The succession's id
        succession: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::SUCCESSION_HAND_OVER.summary)]
    HandOver {
        /// The succession's id
        succession: String,
        /// The active member who answers for it from now on, by id or e-mail address
        #[arg(long, value_name = "WHO")]
        to: String,
        #[command(flatten)]
        org: InOrg,
    },
}

impl Verb for Succession {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { state, org, paging } => {
                let call = Call::to(operations::SUCCESSION_LIST).at("org", desk.org(&org).await?);
                desk.list(call.ask("state", state), COLUMNS, paging).await
            }
            Self::Show { succession, org } => {
                let call = Call::to(operations::SUCCESSION_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("succession", succession)).await
            }
            Self::HandOver { succession, to, org } => {
                let call = Call::to(operations::SUCCESSION_HAND_OVER).at("org", desk.org(&org).await?);
                desk.show(call.at("succession", succession).with("successor", to)).await
            }
        }
    }
}
