//! `tegata request`: what was asked for and needs somebody's word: one's own, and with `--org` that of an organization.

mod wait;

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::{Moment, moment};
use super::render::Column;
use crate::app::Clock;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tegata_core::operations::{self, Operation};
use tegata_core::request::RequestState;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("ORGANIZATION", "/organization"),
    ("CREDENTIAL", "/credential/name"),
    ("REQUESTER", "/requester/email"),
    ("STATE", "/state"),
    ("REASON", "/reason"),
    ("EXPIRES", "/expires_at"),
];

/// What is done with requests.
#[derive(Debug, Subcommand)]
pub enum Request {
    /// List the requests of an organization that one may see; with --mine, what one has asked for oneself
    List {
        /// What one has asked for oneself, in every organization
        #[arg(long, conflicts_with_all = ["org", "decidable"])]
        mine: bool,
        /// Only those of which one can decide a line now
        #[arg(long)]
        decidable: bool,
        /// Only those in this state
        #[arg(long, value_parser = PossibleValuesParser::new(RequestState::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>()))]
        state: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a request with its lines and who is asked; with --mine, one of one's own
    Show {
        /// The request's id
        request: String,
        /// One of one's own
        #[arg(long, conflicts_with = "org")]
        mine: bool,
        #[command(flatten)]
        org: InOrg,
    },
    /// Wait until one of one's own requests is decided, and show it. Exit code 0: all of it was granted; 7: not all; 9: nobody
    /// decided it in that time
    Wait(wait::Wait),
    #[command(about = operations::REQUEST_FILE.summary)]
    File {
        /// The `request` of a denial, as it was given
        descriptor: String,
        /// What for; whoever answers for the place reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Grant what waits in places that one answers for, or only some lines; wholly or narrowed
    Approve {
        #[command(flatten)]
        deciding: Deciding,
        /// A narrower scope than what was asked for, for the one line that is named
        #[arg(long, value_name = "SCOPE", requires = "lines")]
        scope: Option<String>,
        /// When what is granted ends by itself: a span from now (8h), a date (2026-12-31) or a moment
        #[arg(long, value_name = "WHEN", value_parser = moment)]
        until: Option<Moment>,
        /// Name or id of the access policy that bounds what is granted
        #[arg(long, value_name = "POLICY")]
        access_policy: Option<String>,
    },
    /// Reject what waits in places that one answers for, or only some lines
    Reject(Deciding),
    #[command(about = operations::REQUEST_WITHDRAW.summary)]
    Withdraw {
        /// The request's id
        request: String,
        /// The number of a line; may be repeated. None for all that wait
        #[arg(long = "line", value_name = "N")]
        lines: Vec<i64>,
        /// Why; other people read it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    #[command(about = operations::REQUEST_UNGRANT.summary)]
    Ungrant {
        /// The request's id
        request: String,
        /// The number of a line; may be repeated. None for all that are in force in places that one answers for
        #[arg(long = "line", value_name = "N")]
        lines: Vec<i64>,
        /// Why; the requester reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
}

/// What is decided.
#[derive(Debug, Args)]
pub struct Deciding {
    /// The request's id
    request: String,
    /// The number of a line; may be repeated. None for all that wait in places that one answers for
    #[arg(long = "line", value_name = "N")]
    lines: Vec<i64>,
    /// What the requester is told
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    #[command(flatten)]
    org: InOrg,
}

impl Verb for Request {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { mine: true, state, paging, .. } => {
                desk.list(Call::to(operations::REQUEST_OWN_LIST).ask("state", state), COLUMNS, paging).await
            }
            Self::List { decidable, state, org, paging, .. } => {
                let call = Call::to(operations::REQUEST_LIST).at("org", desk.org(&org).await?).ask("state", state);
                desk.list(call.ask("decidable", decidable.then(|| "true".to_owned())), COLUMNS, paging).await
            }
            Self::Show { request, mine: true, .. } => {
                desk.show(Call::to(operations::REQUEST_OWN_SHOW).at("request", request)).await
            }
            Self::Show { request, org, .. } => {
                let call = Call::to(operations::REQUEST_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("request", request)).await
            }
            Self::Wait(waiting) => waiting.run(desk).await,
            Self::File { descriptor, reason } => {
                desk.show(Call::to(operations::REQUEST_FILE).with("request", descriptor).with("reason", reason)).await
            }
            Self::Approve { deciding, scope, until, access_policy } => {
                if scope.is_some() && deciding.lines.len() != 1 {
                    return Err(CliError::usage("--scope narrows one line: name that one with --line"));
                }
                let until = until.map(|until| until.ahead(Clock::System.now()).to_string());
                let call = deciding.call(desk, "grant", "approve_all", scope.as_deref()).await?;
                desk.show(call.with("until", until).with("access_policy", access_policy)).await
            }
            Self::Reject(deciding) => desk.show(deciding.call(desk, "reject", "reject_all", None).await?).await,
            Self::Withdraw { request, lines, reason } => {
                let call = Call::to(operations::REQUEST_WITHDRAW).at("request", request);
                desk.show(call.with("lines", lines).with("reason", reason)).await
            }
            Self::Ungrant { request, lines, reason, org } => {
                let call = in_org(desk, operations::REQUEST_UNGRANT, &org, request).await?;
                desk.show(call.with("lines", lines).with("reason", reason)).await
            }
        }
    }
}

async fn in_org(desk: &Desk, operation: &'static Operation, org: &InOrg, request: String) -> Result<Call, CliError> {
    Ok(Call::to(operation).at("org", desk.org(org).await?).at("request", request))
}

impl Deciding {
    async fn call(self, desk: &Desk, decision: &str, all: &str, scope: Option<&str>) -> Result<Call, CliError> {
        let call = in_org(desk, operations::REQUEST_DECIDE, &self.org, self.request).await?;
        let call = call.with("comment", self.comment);
        if self.lines.is_empty() {
            return Ok(call.with(all, true));
        }
        let line = |number: &i64| {
            let mut line = json!({"line": number, "decision": decision});
            if let Some(scope) = scope {
                line["scope"] = json!(scope);
            }
            line
        };
        Ok(call.with("lines", Value::from(self.lines.iter().map(line).collect::<Vec<_>>())))
    }
}
