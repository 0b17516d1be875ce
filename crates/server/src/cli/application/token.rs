//! `tegata application token`: permanent tokens of an application.

use super::{Stopping, Which, rights};
use crate::app::Clock;
use crate::cli::desk::{Because, Desk, Paging};
use crate::cli::error::CliError;
use crate::cli::moment::{Moment, moment};
use crate::cli::render::Column;
use clap::Subcommand;
use serde_json::json;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("COVERS", "/covers"),
    ("EXPIRES", "/expires_at"),
    ("LAST USED", "/last_used_at"),
];

/// What is done with permanent tokens.
#[derive(Debug, Subcommand)]
pub enum Token {
    #[command(about = operations::APPLICATION_TOKEN_CREATE.summary)]
    Create {
        #[command(flatten)]
        which: Which,
        /// What people call it
        #[arg(long)]
        name: String,
        /// A scope of what the application may do; may be repeated. Left out for all of it, also what comes later
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
        /// The API's key or id; may be left out where the organization uses one only
        #[arg(long, value_name = "API", requires = "scope")]
        api: Option<String>,
        /// When it ends: a span from now (90d), a date (2026-12-31) or a moment; left out for never, where that is taken
        #[arg(long, value_name = "WHEN", value_parser = moment)]
        expires: Option<Moment>,
        /// An address or range (CIDR) that it may be shown from; may be repeated. None for anywhere
        #[arg(long, value_name = "RANGE")]
        address: Vec<String>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::APPLICATION_TOKEN_LIST.summary)]
    List {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::APPLICATION_TOKEN_REVOKE.summary)]
    Revoke {
        #[command(flatten)]
        stopping: Stopping,
        /// The token's id
        token: String,
    },
}

impl Token {
    /// Does it.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { which, name, scope, api, expires, address, because } => {
                let call = which.call(desk, operations::APPLICATION_TOKEN_CREATE).await?;
                let chosen = if scope.is_empty() { json!([]) } else { rights(api, &scope) };
                let ends = expires.map(|expires| expires.ahead(Clock::System.now()).to_string());
                let call = call.with("name", name).with("rights", chosen).with("expires_at", ends);
                let call = call.with("addresses", address).with("reason", because.reason);
                desk.show_secret(call, "the token's secret").await
            }
            Self::List { which, paging } => {
                desk.list(which.call(desk, operations::APPLICATION_TOKEN_LIST).await?, COLUMNS, paging).await
            }
            Self::Revoke { stopping, token } => {
                let call = stopping.which.call(desk, operations::APPLICATION_TOKEN_REVOKE).await?;
                desk.show(call.at("token", token).with("reason", stopping.because.reason)).await
            }
        }
    }
}
