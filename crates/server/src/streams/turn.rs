//! A turn of a stream: a batch is read and delivered, or not.

use super::batch::{Batch, Reader, data_id, time_text};
use super::settings::{Format, Settings, Target};
use crate::app::App;
use crate::authn::WebhookSecret;
use crate::authn::sealing::SealError;
use crate::db::streams::Stream;
use crate::ops::records::filters::unreadable;
use crate::send::syslog::{Entry, Header};
use crate::send::webhook::{Answer, Message};
use crate::send::{Destination, SendError, syslog, webhook};
use axum::body::Bytes;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::ids::RecordStreamId;
use tegata_core::time::Timestamp;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

/// What became of a turn.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There was nothing of the stream's up to this sequence.
    Nothing { through: u64 },
    /// The receiver has it.
    Delivered { through: u64, records: u64, last: Option<(String, Timestamp)>, told: u64 },
    /// It does not, or nobody knows. `until` is the end of the batch, which stays the same when it is tried again.
    Failed { failure: String, retry_after: Option<Duration>, until: Option<u64> },
    /// It wants no more.
    Gone,
}

/// A turn that ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: RecordStreamId,
    pub(super) pass: i64,
    pub(super) outcome: Outcome,
}

/// What a turn needs.
pub(super) struct Turn {
    pub(super) app: Arc<App>,
    pub(super) stream: Stream,
    pub(super) settings: Arc<Settings>,
    pub(super) newest: u64,
    pub(super) until: Option<u64>,
    pub(super) reading: Arc<Semaphore>,
}

impl Turn {
    /// Reads a batch and delivers it.
    pub(super) async fn take(self) -> Done {
        let (id, pass) = (self.stream.id, self.stream.pass);
        Done { id, pass, outcome: self.outcome().await }
    }

    async fn outcome(self) -> Outcome {
        let failed = |failure: &str, until| Outcome::Failed { failure: failure.to_owned(), retry_after: None, until };
        let Self { app, stream, settings, newest, until, reading } = self;
        let Ok(permit) = reading.acquire_owned().await else { return failed("stopped", until) };
        let (log, its, header) = (Arc::clone(app.verify.journal()), Arc::clone(&settings), header(&app));
        let read = tokio::task::spawn_blocking(move || {
            let batch = Reader { stream: &stream, settings: &its, header: &header(&its) }.read(&log, newest, until);
            drop(permit);
            (batch, stream)
        });
        let (batch, stream) = match read.await {
            Ok((Ok(batch), stream)) => (batch, stream),
            Ok((Err(error), _)) => {
                unreadable(&error);
                return failed("log_not_readable", until);
            }
            Err(_) => return failed("log_not_readable", until),
        };
        if batch.is_empty() {
            return Outcome::Nothing { through: batch.through };
        }
        let (through, records, told) = (batch.through, batch.records, batch.missed);
        let last = batch.last.map(|(id, time)| (id.to_string(), time));
        match deliver(&app, &stream, &settings, Load::Batch(batch)).await {
            Said::Accepted(_) => Outcome::Delivered { through, records, last, told },
            Said::Gone => Outcome::Gone,
            Said::Refused { failure, retry_after, .. } => {
                Outcome::Failed { failure, retry_after, until: Some(through) }
            }
        }
    }
}

/// How messages of syslog begin here.
fn header(app: &App) -> impl FnOnce(&Settings) -> Header + Send + 'static {
    let host = url::Url::parse(&app.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    move |settings| Header {
        facility: match &settings.target {
            Target::Syslog { syslog, .. } => syslog.facility,
            Target::Webhook { .. } => 0,
        },
        host: host.unwrap_or_default(),
        process: std::process::id().to_string(),
    }
}

/// What is delivered.
enum Load {
    Batch(Batch),
    /// A test, with something that makes its id the only one.
    Test(u64),
}

/// What was said to it.
enum Said {
    Accepted(Option<u16>),
    Gone,
    Refused { failure: String, status: Option<u16>, retry_after: Option<Duration> },
}

impl Said {
    fn refused(failure: impl Into<String>) -> Self {
        Self::Refused { failure: failure.into(), status: None, retry_after: None }
    }
}

async fn deliver(app: &App, stream: &Stream, settings: &Settings, load: Load) -> Said {
    let Some(there) = settings.target.destination() else { return Said::refused("no_destination") };
    let said = match &settings.target {
        Target::Webhook { .. } => match secrets(app, stream) {
            Ok(secrets) => post(app, stream, settings.format, &there, secrets, load).await,
            Err(error) => {
                tracing::error!(stream = %stream.id, %error, "a record stream cannot sign; give it a new secret");
                return Said::refused("secret_not_readable");
            }
        },
        Target::Syslog { syslog, .. } => {
            let messages = match load {
                Load::Batch(batch) => batch.messages(),
                Load::Test(_) => test_message(app, settings, &data_id(syslog)),
            };
            let sent = syslog::deliver(&app.streams.sender, &there, &messages, syslog.confirm.into()).await;
            sent.map(|()| Said::Accepted(None))
        }
    };
    said.unwrap_or_else(|error| {
        tracing::debug!(stream = %stream.id, %error, "a delivery failed");
        Said::refused(error.word())
    })
}

async fn post(
    app: &App,
    stream: &Stream,
    format: Format,
    there: &Destination,
    secrets: Vec<WebhookSecret>,
    load: Load,
) -> Result<Said, SendError> {
    let now = app.clock.now();
    let message = match load {
        Load::Batch(batch) => Message { id: batch.id(stream), body: Bytes::from(batch.body(stream, format)), secrets },
        Load::Test(number) => {
            let data = json!({"organization": stream.org.to_string(), "stream": stream.id.to_string(), "test": true});
            let body = json!({"type": "records.test", "timestamp": now.to_string(), "data": data});
            Message { id: format!("{}-test-{number}", stream.id), body: Bytes::from(body.to_string()), secrets }
        }
    };
    Ok(match webhook::deliver(&app.streams.sender, there, &message, now).await? {
        Answer::Accepted(status) => Said::Accepted(Some(status)),
        Answer::Gone => Said::Gone,
        Answer::Refused { status, retry_after } => {
            Said::Refused { failure: format!("status_{status}"), status: Some(status), retry_after }
        }
    })
}

/// The secrets that sign at this moment.
fn secrets(app: &App, stream: &Stream) -> Result<Vec<WebhookSecret>, SealError> {
    let stored = stream.secrets.as_ref().ok_or(SealError::Altered)?;
    let former = stored.former.as_ref().map(|(former, until)| (former.as_str(), *until));
    WebhookSecret::signing(&app.sealer, &stream.id.to_string(), &stored.current, former, app.clock.now())
}

fn test_message(app: &App, settings: &Settings, id: &str) -> Vec<u8> {
    let time = time_text(app.clock.now().as_micros());
    let parameters = [("test", "true".to_owned())];
    let data = Some((id, parameters.as_slice()));
    let text = "this is a test; no record is sent with it";
    let mut out = Vec::new();
    header(app)(settings).write(&Entry { severity: 6, time: &time, kind: "test", data, text }, &mut out);
    out
}

/// What came back from a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReceiverTest)]
pub struct Tested {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The status of its answer; none where there was no answer, or where the receiver gives none.
    pub status: Option<u16>,
    /// Why it was not delivered, in a word.
    pub failure: Option<String>,
}

/// Sends a test to a stream's receiver, now. Nothing is tried again.
pub async fn test(app: &App, stream: &Stream, settings: &Settings) -> Tested {
    match deliver(app, stream, settings, Load::Test(u64::from_le_bytes(app.entropy.bytes()))).await {
        Said::Accepted(status) => Tested { delivered: true, status, failure: None },
        Said::Gone => Tested { delivered: false, status: Some(410), failure: Some("status_410".to_owned()) },
        Said::Refused { failure, status, .. } => Tested { delivered: false, status, failure: Some(failure) },
    }
}
