//! Record streams as they are shown.

use crate::db::streams::Stream;
use crate::streams::Lag;
use crate::streams::settings::{Format, Settings, StreamFilter, Syslog, Target};
use serde::Serialize;
use utoipa::ToSchema;

/// A record stream.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecordStream)]
pub struct StreamView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `webhook` or `syslog`.
    pub kind: String,
    /// Where it sends. A query is not shown: it may hold what the receiver takes for a secret.
    pub url: String,
    /// How records are written.
    pub format: Format,
    /// Which records are sent.
    pub filter: StreamFilter,
    /// How syslog messages look; none of a webhook.
    pub syslog: Option<Syslog>,
    /// `active`, `failing` (it is tried again), or `paused`.
    pub state: String,
    /// Since when it fails or is paused.
    pub since: Option<String>,
    /// Why it fails, in a word, or why it is paused.
    pub reason: Option<String>,
    /// Deliveries in a row that failed.
    pub attempts: u32,
    /// When the next one is tried.
    pub next_attempt_at: Option<String>,
    /// How far it has come.
    pub position: PositionView,
    /// How far it is behind; only of a stream that is shown by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Lag>,
    /// Records that were delivered since it was made.
    pub delivered: u64,
    /// Records that were dropped, as their organization's retention says, before they could be delivered, and of which
    /// the receiver has not been told yet.
    pub missed: u64,
    /// Only records of this moment or later are sent, where that was said.
    pub from: Option<String>,
    /// Until when the former secret signs as well.
    pub former_secret_until: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// The id of whoever made it.
    pub created_by: String,
}

/// How far a stream has come. Stored once a second: what was delivered after it may be delivered again.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecordStreamPosition)]
pub struct PositionView {
    /// Every record up to this sequence was delivered, or is not for this stream.
    pub sequence: u64,
    /// The last record that was delivered.
    pub record: Option<String>,
    /// The time of that record.
    pub time: Option<String>,
    /// When it was delivered.
    pub delivered_at: Option<String>,
}

/// A stream with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecordStreamWithSecret)]
pub struct StreamWithSecret {
    /// The stream.
    #[serde(flatten)]
    pub stream: StreamView,
    /// The secret under which deliveries of a webhook are signed (`whsec_…`): shown here, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl StreamView {
    /// Shows a stream. `blocked`: the installation was restored and not opened yet.
    pub fn of(stream: &Stream, settings: &Settings, blocked: bool) -> Self {
        let progress = &stream.progress;
        let (state, since) = match (&stream.paused, &progress.failing) {
            (Some((since, because)), _) => ("paused", Some((since, because.clone()))),
            (None, _) if blocked => ("paused", None),
            (None, Some((since, failure))) => ("failing", Some((since, failure.clone()))),
            (None, None) => ("active", None),
        };
        let syslog = match &settings.target {
            Target::Syslog { syslog, .. } => Some(syslog.clone()),
            Target::Webhook { .. } => None,
        };
        let restored = (blocked && stream.paused.is_none()).then(|| "restored".to_owned());
        Self {
            id: stream.id.to_string(),
            name: stream.name.clone(),
            kind: settings.target.kind().to_owned(),
            url: settings.target.destination().map(|there| there.to_string()).unwrap_or_default(),
            format: settings.format,
            filter: settings.filter.clone(),
            syslog,
            state: state.to_owned(),
            since: since.as_ref().map(|(since, _)| since.to_string()),
            reason: since.map(|(_, why)| why).or(restored),
            attempts: progress.attempts,
            next_attempt_at: progress.next_attempt_at.map(|moment| moment.to_string()),
            position: PositionView {
                sequence: progress.position,
                record: progress.last_record.as_ref().map(|(record, _)| record.clone()),
                time: progress.last_record.as_ref().map(|(_, time)| time.to_string()),
                delivered_at: progress.delivered_at.map(|moment| moment.to_string()),
            },
            lag: None,
            delivered: progress.delivered,
            missed: stream.missed,
            from: stream.from.map(|moment| moment.to_string()),
            former_secret_until: stream
                .secrets
                .as_ref()
                .and_then(|secrets| secrets.former.as_ref())
                .map(|(_, until)| until.to_string()),
            created_at: stream.created_at.to_string(),
            created_by: stream.created_by.clone(),
        }
    }
}
