//! `tegata record`: the access log: who called what, and what was answered.

mod export;

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::{Moment, moment};
use super::proof::{Checkpoints, Prove, PublicKey, VerifyLog, VerifyProof};
use super::render::Column;
use crate::app::Clock;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use export::Target;
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
    #[command(about = operations::RECORD_EXPORT.summary)]
    Export {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        filters: Box<Filters>,
        #[command(flatten)]
        org: InOrg,
    },
}

/// Which records.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Only at this moment or later: a span ago (24h), a date, or RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: Option<Moment>,
    /// Only before this moment
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    to: Option<Moment>,
    /// Only of this API
    #[arg(long)]
    api: Option<String>,
    /// Only of this credential
    #[arg(long, value_name = "ID")]
    credential: Option<String>,
    /// Only of credentials of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only of this user (id, or e-mail address of a member)
    #[arg(long, value_name = "WHO")]
    principal: Option<String>,
    /// Only for this permission
    #[arg(long)]
    permission: Option<String>,
    /// Only in this context
    #[arg(long)]
    context: Option<String>,
    /// Only with this decision
    #[arg(long, value_parser = PossibleValuesParser::new(["allow", "deny"]))]
    decision: Option<String>,
    /// Only with this reason
    #[arg(long)]
    reason: Option<String>,
    /// Only of calls with this method
    #[arg(long)]
    method: Option<String>,
    /// Only of paths that begin so
    #[arg(long)]
    path: Option<String>,
    /// Only of this endpoint, as the catalogue writes it
    #[arg(long)]
    endpoint: Option<String>,
    /// Only from this address
    #[arg(long)]
    address: Option<String>,
    /// Only of this request
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
}

impl Filters {
    /// Adds the filters to a call.
    fn ask(self, call: Call) -> Call {
        let when = |moment: Option<Moment>| moment.map(|moment| moment.ago(Clock::System.now()).to_string());
        call.ask("from", when(self.from))
            .ask("to", when(self.to))
            .ask("api", self.api)
            .ask("credential", self.credential)
            .ask("kind", self.kind)
            .ask("principal", self.principal)
            .ask("permission", self.permission)
            .ask("context", self.context)
            .ask("decision", self.decision)
            .ask("reason", self.reason)
            .ask("method", self.method)
            .ask("path", self.path)
            .ask("endpoint", self.endpoint)
            .ask("address", self.address)
            .ask("request_id", self.request_id)
    }
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
            Self::Export { target, filters, org } => {
                let call = Call::to(operations::RECORD_EXPORT).at("org", desk.org(&org).await?);
                target.run(desk, filters.ask(call)).await
            }
        }
    }
}
