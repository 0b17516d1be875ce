//! `tegata record stream`: where access records are sent on to.

use crate::cli::call::Call;
use crate::cli::desk::{Because, Desk, InOrg, Paging};
use crate::cli::error::CliError;
use crate::cli::moment::span;
use crate::cli::render::Column;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("KIND", "/kind"),
    ("URL", "/url"),
    ("STATE", "/state"),
    ("REASON", "/reason"),
    ("DELIVERED", "/delivered"),
    ("LAST", "/position/delivered_at"),
];

/// What is done with record streams.
#[derive(Debug, Subcommand)]
pub enum Stream {
    #[command(about = operations::RECORD_STREAM_CREATE.summary)]
    Create(Create),
    #[command(about = operations::RECORD_STREAM_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::RECORD_STREAM_SHOW.summary)]
    Show {
        #[command(flatten)]
        which: Which,
    },
    #[command(about = operations::RECORD_STREAM_UPDATE.summary)]
    Update(Update),
    #[command(about = operations::RECORD_STREAM_PAUSE.summary)]
    Pause {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::RECORD_STREAM_RESUME.summary)]
    Resume {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::RECORD_STREAM_TEST.summary)]
    Test {
        #[command(flatten)]
        which: Which,
    },
    #[command(about = operations::RECORD_STREAM_ROTATE.summary)]
    Rotate {
        #[command(flatten)]
        which: Which,
        /// How long the former secret signs as well: 1h, 7d
        #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span)]
        overlap: Duration,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::RECORD_STREAM_REPLAY.summary)]
    Replay {
        #[command(flatten)]
        which: Which,
        /// The first record to send again: a moment (RFC 3339) or the id of an access record
        #[arg(long, value_name = "MOMENT|RECORD")]
        from: String,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::RECORD_STREAM_DELETE.summary)]
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

/// A stream.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The stream's id
    stream: String,
    #[command(flatten)]
    org: InOrg,
}

/// What a stream shall be.
#[derive(Debug, Clone, Args)]
pub struct Create {
    /// What people call it
    #[arg(long)]
    name: String,
    /// `webhook` or `syslog`
    #[arg(long, value_parser = PossibleValuesParser::new(["webhook", "syslog"]))]
    kind: String,
    /// Where to: https://… of a webhook, tls://host:port of a syslog receiver
    #[arg(long, value_name = "URL")]
    to: String,
    /// Where it begins: a moment (RFC 3339) or the id of an access record [default: the next record]
    #[arg(long, value_name = "MOMENT|RECORD")]
    from: Option<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    org: InOrg,
}

/// What to change of a stream; what is not named stays.
#[derive(Debug, Clone, Args)]
pub struct Update {
    #[command(flatten)]
    which: Which,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// Where to
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// All records again, whatever was filtered
    #[arg(long, conflicts_with = "only")]
    all_records: bool,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    because: Because,
}

/// How and which.
#[derive(Debug, Clone, Args)]
struct How {
    /// How records are written [default: json for a webhook, structured for syslog]
    #[arg(long, value_parser = PossibleValuesParser::new(["json", "ocsf", "structured"]))]
    format: Option<String>,
    /// Only records with this value, such as decision=deny or api=github; may be repeated. The names are those of the
    /// filters of `record list`
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    only: Vec<(String, String)>,
    /// How syslog messages look: `facility`, `severity_allowed`, `severity_denied`, `enterprise_number` or `confirm`; may
    /// be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    syslog: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl How {
    fn add(self, call: Call) -> Call {
        let number = |value: String| value.parse::<u32>().map_or_else(|_| json!(value), |number| json!(number));
        let only = self.only.into_iter().map(|(name, value)| (name, json!(value)));
        let syslog = self.syslog.into_iter().map(|(name, value)| (name, number(value)));
        call.with("format", self.format).with("filter", object(only)).with("syslog", object(syslog))
    }
}

/// An object; null where there is nothing in it.
fn object(fields: impl Iterator<Item = (String, Value)>) -> Value {
    let fields: Map<String, Value> = fields.collect();
    if fields.is_empty() { Value::Null } else { Value::Object(fields) }
}

impl Which {
    async fn call(self, desk: &Desk, operation: &'static Operation) -> Result<Call, CliError> {
        Ok(Call::to(operation).at("org", desk.org(&self.org).await?).at("stream", self.stream))
    }
}

impl Stream {
    /// Does it.
    pub async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create(create) => {
                let call = Call::to(operations::RECORD_STREAM_CREATE).at("org", desk.org(&create.org).await?);
                let call = call.with("name", create.name).with("kind", create.kind.clone()).with("url", create.to);
                let call = create.how.add(call.with("from", create.from));
                if create.kind == "syslog" {
                    desk.show(call).await
                } else {
                    desk.show_secret(call, "the signing secret").await
                }
            }
            Self::List { org, paging } => {
                let call = Call::to(operations::RECORD_STREAM_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show { which } => desk.show(which.call(desk, operations::RECORD_STREAM_SHOW).await?).await,
            Self::Update(update) => {
                let call = update.which.call(desk, operations::RECORD_STREAM_UPDATE).await?;
                let call = call.with("name", update.name).with("url", update.to).with("reason", update.because.reason);
                let call = if update.all_records { call.with("filter", json!({})) } else { call };
                desk.show(update.how.add(call)).await
            }
            Self::Pause { which, because } => {
                let call = which.call(desk, operations::RECORD_STREAM_PAUSE).await?;
                desk.show(call.with("reason", because.reason)).await
            }
            Self::Resume { which, because } => {
                let call = which.call(desk, operations::RECORD_STREAM_RESUME).await?;
                desk.show(call.with("reason", because.reason)).await
            }
            Self::Test { which } => test(desk, which.call(desk, operations::RECORD_STREAM_TEST).await?).await,
            Self::Rotate { which, overlap, because } => {
                let call = which.call(desk, operations::RECORD_STREAM_ROTATE).await?;
                let call = call.with("overlap_seconds", overlap.as_secs()).with("reason", because.reason);
                desk.show_secret(call, "the new signing secret").await
            }
            Self::Replay { which, from, because } => {
                let call = which.call(desk, operations::RECORD_STREAM_REPLAY).await?;
                desk.show(call.with("from", from).with("reason", because.reason)).await
            }
            Self::Delete { which } => desk.show(which.call(desk, operations::RECORD_STREAM_DELETE).await?).await,
        }
    }
}

/// A test that did not arrive is a failure of the command as well.
pub async fn test(desk: &Desk, call: Call) -> Result<(), CliError> {
    let answer = desk.client.call(&call).await?;
    desk.output.thing(&answer)?;
    if answer.get("delivered") == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let failure = answer.get("failure").and_then(Value::as_str).unwrap_or("unknown");
    Err(CliError::failed(format!("the receiver did not take it: {failure}")))
}
