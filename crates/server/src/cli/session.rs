//! `tegata session`: where one is signed in.

use super::call::Call;
use super::desk::{Desk, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::Subcommand;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("THIS ONE", "/current"),
    ("ADDRESS", "/address"),
    ("PROGRAM", "/user_agent"),
    ("SINCE", "/created_at"),
    ("EXPIRES", "/expires_at"),
];

/// What is done with sessions.
#[derive(Debug, Subcommand)]
pub enum Session {
    #[command(about = operations::SESSION_LIST.summary)]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::SESSION_END.summary)]
    End {
        /// The session's id, or `current`
        session: String,
    },
}

impl Verb for Session {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { paging } => desk.list(Call::to(operations::SESSION_LIST), COLUMNS, paging).await,
            Self::End { session } => desk.show(Call::to(operations::SESSION_END).at("session", session)).await,
        }
    }
}
