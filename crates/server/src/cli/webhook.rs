//! `tegata webhook`: where changes are told to.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::span;
use super::record::stream::test;
use super::render::Column;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use std::time::Duration;
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("URL", "/url"),
    ("STATE", "/state"),
    ("REASON", "/reason"),
    ("DELIVERED", "/delivered"),
    ("LAST", "/delivered_at"),
];

const DELIVERY_COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("EVENT", "/event"),
    ("STATE", "/state"),
    ("ATTEMPTS", "/attempts"),
    ("NEXT", "/next_attempt_at"),
    ("FAILURE", "/failure"),
    ("CREATED", "/created_at"),
];

/// What is done with webhooks.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    #[command(about = operations::WEBHOOK_CREATE.summary)]
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// Where to: https://…
        #[arg(long, value_name = "URL")]
        to: String,
        /// A type of events, such as org.token.revoke or token.*; may be repeated [default: all]
        #[arg(long = "event", value_name = "TYPE")]
        events: Vec<String>,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::WEBHOOK_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::WEBHOOK_SHOW.summary)]
    Show {
        #[command(flatten)]
        which: Which,
    },
    #[command(about = operations::WEBHOOK_UPDATE.summary)]
    Update {
        #[command(flatten)]
        which: Which,
        /// What people call it
        #[arg(long)]
        name: Option<String>,
        /// Where to
        #[arg(long, value_name = "URL")]
        to: Option<String>,
        /// A type of events, in place of those there are; may be repeated
        #[arg(long = "event", value_name = "TYPE")]
        events: Vec<String>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::WEBHOOK_PAUSE.summary)]
    Pause(Reasoned),
    #[command(about = operations::WEBHOOK_RESUME.summary)]
    Resume(Reasoned),
    #[command(about = operations::WEBHOOK_TEST.summary)]
    Test {
        #[command(flatten)]
        which: Which,
    },
    #[command(about = operations::WEBHOOK_ROTATE.summary)]
    Rotate {
        #[command(flatten)]
        which: Which,
        /// How long the former secret signs as well: 1h, 7d
        #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span)]
        overlap: Duration,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::WEBHOOK_DELIVERY_LIST.summary)]
    Deliveries {
        #[command(flatten)]
        which: Which,
        /// Only those in this state
        #[arg(long, value_parser = PossibleValuesParser::new(["pending", "delivered", "failed"]))]
        state: Option<String>,
        /// Only of this type of event
        #[arg(long, value_name = "TYPE")]
        event: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Send again one delivery, or all that were given up since a moment
    #[command(group = clap::ArgGroup::new("what").required(true).args(["delivery", "since"]))]
    Replay {
        #[command(flatten)]
        which: Which,
        /// This delivery, whatever came of it
        #[arg(long, value_name = "DELIVERY")]
        delivery: Option<String>,
        /// What was made at this moment or later and was given up (RFC 3339)
        #[arg(long, value_name = "MOMENT")]
        since: Option<String>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::WEBHOOK_DELETE.summary)]
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

/// A webhook.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The webhook's id
    webhook: String,
    #[command(flatten)]
    org: InOrg,
}

/// A webhook, and why.
#[derive(Debug, Clone, Args)]
pub struct Reasoned {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    because: Because,
}

impl Which {
    async fn call(self, desk: &Desk, operation: &'static Operation) -> Result<Call, CliError> {
        Ok(Call::to(operation).at("org", desk.org(&self.org).await?).at("webhook", self.webhook))
    }
}

impl Reasoned {
    async fn show(self, desk: &Desk, operation: &'static Operation) -> Result<(), CliError> {
        desk.show(self.which.call(desk, operation).await?.with("reason", self.because.reason)).await
    }
}

/// Adds types of events, where any were named.
fn with_events(call: Call, events: Vec<String>) -> Call {
    if events.is_empty() { call } else { call.with("events", events) }
}

impl Verb for Webhook {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, to, events, org } => {
                let call = Call::to(operations::WEBHOOK_CREATE).at("org", desk.org(&org).await?);
                let call = with_events(call.with("name", name).with("url", to), events);
                desk.show_secret(call, "the signing secret").await
            }
            Self::List { org, paging } => {
                let call = Call::to(operations::WEBHOOK_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show { which } => desk.show(which.call(desk, operations::WEBHOOK_SHOW).await?).await,
            Self::Update { which, name, to, events, because } => {
                let call = which.call(desk, operations::WEBHOOK_UPDATE).await?;
                let call = call.with("name", name).with("url", to).with("reason", because.reason);
                desk.show(with_events(call, events)).await
            }
            Self::Pause(which) => which.show(desk, operations::WEBHOOK_PAUSE).await,
            Self::Resume(which) => which.show(desk, operations::WEBHOOK_RESUME).await,
            Self::Test { which } => test(desk, which.call(desk, operations::WEBHOOK_TEST).await?).await,
            Self::Rotate { which, overlap, because } => {
                let call = which.call(desk, operations::WEBHOOK_ROTATE).await?;
                let call = call.with("overlap_seconds", overlap.as_secs()).with("reason", because.reason);
                desk.show_secret(call, "the new signing secret").await
            }
            Self::Deliveries { which, state, event, paging } => {
                let call = which.call(desk, operations::WEBHOOK_DELIVERY_LIST).await?;
                desk.list(call.ask("state", state).ask("event", event), DELIVERY_COLUMNS, paging).await
            }
            Self::Replay { which, delivery: Some(delivery), because, .. } => {
                let call = which.call(desk, operations::WEBHOOK_DELIVERY_REPLAY).await?;
                desk.show(call.at("delivery", delivery).with("reason", because.reason)).await
            }
            Self::Replay { which, since, because, .. } => {
                let call = which.call(desk, operations::WEBHOOK_REPLAY).await?;
                desk.show(call.with("since", since).with("reason", because.reason)).await
            }
            Self::Delete { which } => desk.show(which.call(desk, operations::WEBHOOK_DELETE).await?).await,
        }
    }
}
