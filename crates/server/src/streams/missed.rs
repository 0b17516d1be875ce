//! Records that are dropped because they were kept long enough, and that a stream has not delivered: its receiver is told
//! how many.
//!
//! They are counted before they go, as all that may go, and what is still there afterwards is taken back: a process
//! that dies in between has told too much and never too little.

use super::lag::rest;
use super::settings::Settings;
use crate::app::App;
use crate::db::streams::Stream;
use crate::db::{self, DbError};
use crate::ops::records::filters::unreadable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tegata_record::{AccessLog, Keep, Query, Retention};
use tokio::sync::OwnedMutexGuard;

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// Records of a stream that may be dropped.
#[derive(Debug)]
struct Expected {
    stream: Stream,
    settings: Settings,
    before_us: i64,
}

/// A round of dropping; there is one at a time. As long as it lasts, what is stored as missed is not told to anybody.
#[derive(Debug)]
pub struct Dropping {
    expected: Vec<Expected>,
    _round: Round,
}

/// Counted up when a round begins, and when it ends: between the two it is odd.
#[derive(Debug)]
struct Round {
    rounds: Arc<AtomicU64>,
    _alone: OwnedMutexGuard<()>,
}

impl Drop for Round {
    fn drop(&mut self) {
        self.rounds.fetch_add(1, Ordering::SeqCst);
    }
}

/// Counts what may be dropped and was not delivered.
pub async fn expect(app: &App, retention: &Retention) -> Result<Dropping, DbError> {
    let rounds = Arc::clone(&app.streams.rounds);
    let alone = Arc::clone(&app.streams.dropping).lock_owned().await;
    rounds.fetch_add(1, Ordering::SeqCst);
    let round = Round { rounds, _alone: alone };
    let mut tx = app.db.read().await?;
    let streams = db::streams::all(&mut tx).await?;
    drop(tx);
    let today = app.clock.now().as_micros().div_euclid(DAY_US);
    let mut expected = Vec::new();
    for stream in streams {
        let keep = retention.organizations.get(&stream.org.to_string()).unwrap_or(&retention.otherwise);
        let (Keep::Days(days), Ok(settings)) = (keep, serde_json::from_str(&stream.settings)) else { continue };
        let before_us = today.saturating_sub(i64::from(*days)).saturating_mul(DAY_US);
        expected.push(Expected { stream, settings, before_us });
    }
    let (expected, counts) = count(app, expected).await;
    let sure: Vec<_> = expected.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    let missed = sure.iter().map(|(expected, count)| (expected.stream.clone(), count.cast_signed())).collect();
    miss(app, missed).await?;
    Ok(Dropping { expected: sure.into_iter().map(|(expected, _)| expected).collect(), _round: round })
}

impl Dropping {
    /// Takes back what was expected to be dropped and is still there.
    pub async fn correct(self, app: &App) -> Result<(), DbError> {
        let (expected, counts) = count(app, self.expected).await;
        let back = expected.into_iter().zip(counts).filter(|(_, count)| *count > 0);
        miss(app, back.map(|(expected, count)| (expected.stream, -count.cast_signed())).collect()).await
    }
}

async fn miss(app: &App, missed: Vec<(Stream, i64)>) -> Result<(), DbError> {
    if missed.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.write().await?;
    for (stream, count) in missed {
        db::streams::miss(&mut tx, stream.org, stream.id, count).await?;
    }
    tx.commit().await.map(drop)
}

async fn count(app: &App, expected: Vec<Expected>) -> (Vec<Expected>, Vec<u64>) {
    let log = Arc::clone(app.verify.journal());
    let counted = tokio::task::spawn_blocking(move || {
        let counts = expected.iter().map(|expected| count_one(&log, expected)).collect();
        (expected, counts)
    });
    counted.await.unwrap_or_default()
}

fn count_one(log: &AccessLog, expected: &Expected) -> u64 {
    let query = Query { to_us: Some(expected.before_us), ..rest(&expected.stream, &expected.settings) };
    log.count(&query).unwrap_or_else(|error| {
        unreadable(&error);
        0
    })
}
