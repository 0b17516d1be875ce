//! `tegata record`: the access log: who called what, and what was answered.

mod ask;
mod export;
mod filters;
mod follow;
mod partial;
pub mod stream;

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::proof::{Checkpoints, Prove, PublicKey, VerifyLog, VerifyProof};
use super::render::Column;
use ask::{Histogram, Retention, Sql, Top};
use clap::Subcommand;
use export::Target;
use filters::Filters;
use follow::Tail;
use stream::Stream;
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("TIME", "/time"),
    ("DECISION", "/decision"),
    ("REASON", "/reason"),
    ("API", "/api"),
    ("METHOD", "/method"),
    ("PATH", "/path"),
    ("PERMISSION", "/permission"),
    ("PRINCIPAL", "/principal"),
    ("CREDENTIAL", "/credential"),
    ("ID", "/id"),
];

/// What is done with access records.
#[derive(Debug, Subcommand)]
pub enum Record {
    #[command(about = operations::RECORD_LIST.summary)]
    List {
        #[command(flatten)]
        filters: Box<Filters>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RECORD_SHOW.summary)]
    Show {
        /// The record's id
        record: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::RECORD_PROOF.summary)]
    Prove(Prove),
    #[command(about = operations::RECORD_CHECKPOINTS.summary)]
    Checkpoints(Checkpoints),
    /// Check an access log against what was signed about it: offline, on a backup or a data directory
    Verify(VerifyLog),
    /// Check the proof of one record: offline, with the public key
    VerifyProof(VerifyProof),
    /// Show the key with which others check what this installation signs, out of its key file
    PublicKey(PublicKey),
    /// Count access records by time and decision, as a chart
    Histogram(Histogram),
    /// Show what comes up most often in access records
    Top(Top),
    /// Follow access records as they are written, until interrupted
    Tail(Tail),
    /// Ask the access records in SQL: one SELECT over the table `records`
    Sql(Sql),
    /// Show how long access records are kept, or change it
    Retention(Retention),
    #[command(about = operations::RECORD_EXPORT.summary)]
    Export {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        filters: Box<Filters>,
        #[command(flatten)]
        org: InOrg,
    },
    /// Where access records are sent on to: webhooks and syslog
    #[command(subcommand)]
    Stream(Box<Stream>),
}

impl Verb for Record {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { filters, org, paging } => {
                let call = Call::to(operations::RECORD_LIST).at("org", desk.org(&org).await?);
                desk.list(filters.ask(call), COLUMNS, paging).await
            }
            Self::Show { record, org } => {
                let call = Call::to(operations::RECORD_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("record", record)).await
            }
            Self::Prove(prove) => {
                let call = Call::to(operations::RECORD_PROOF).at("org", desk.org(&prove.org).await?);
                prove.run(desk, call).await
            }
            Self::Checkpoints(checkpoints) => {
                let call = Call::to(operations::RECORD_CHECKPOINTS).at("org", desk.org(&checkpoints.org).await?);
                checkpoints.run(desk, call).await
            }
            Self::Verify(_) | Self::VerifyProof(_) | Self::PublicKey(_) => {
                Err(CliError::usage("this is done on a machine of its own, not at a server"))
            }
            Self::Histogram(histogram) => histogram.run(desk).await,
            Self::Top(top) => top.run(desk).await,
            Self::Tail(tail) => tail.run(desk).await,
            Self::Sql(sql) => sql.run(desk).await,
            Self::Retention(retention) => retention.run(desk).await,
            Self::Stream(stream) => stream.run(desk).await,
            Self::Export { target, filters, org } => {
                let org = desk.org(&org).await?;
                let call = || filters.clone().ask(Call::to(operations::RECORD_EXPORT).at("org", org.clone()));
                target.run(desk, call).await
            }
        }
    }
}
