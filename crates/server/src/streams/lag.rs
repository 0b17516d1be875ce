//! How far a stream is behind.

use super::settings::Settings;
use crate::db::streams::Stream;
use serde::Serialize;
use tegata_core::time::Timestamp;
use tegata_record::{AccessLog, Order, Query, ReadError};
use utoipa::ToSchema;

/// How far a stream is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RecordStreamLag)]
pub struct Lag {
    /// Records that are not known to be delivered yet.
    pub records: u64,
    /// How long the oldest of them has waited.
    pub seconds: u64,
}

/// How far a stream was behind at a moment, by what is stored of it. Blocks.
pub fn lag(log: &AccessLog, stream: &Stream, settings: &Settings, now: Timestamp) -> Result<Lag, ReadError> {
    let query = Query { to_us: Some(now.as_micros()), ..rest(stream, settings) };
    let Some(oldest) = log.stream(&query, Order::OldestFirst).next().transpose()? else {
        return Ok(Lag { records: 0, seconds: 0 });
    };
    let waited = now.as_micros().saturating_sub(oldest.time_us) / 1_000_000;
    Ok(Lag { records: log.count(&query)?, seconds: u64::try_from(waited).unwrap_or(0) })
}

/// What a stream has not delivered yet.
pub(super) fn rest<'a>(stream: &'a Stream, settings: &'a Settings) -> Query<'a> {
    Query {
        after_sequence: Some(stream.progress.position),
        from_us: stream.from.map(Timestamp::as_micros),
        ..settings.asked.query()
    }
}
