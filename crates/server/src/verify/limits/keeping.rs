//! What is used of limits survives a restart: states of limits with long windows are written behind, in batches, and read at
//! the start. What happened since the last batch may be forgotten by a kill. States that have refilled go.

use super::subjects::{Subject, Unwritten};
use super::{Limit, Limits};
use crate::app::App;
use crate::db::limits::Usage;
use crate::db::{self, Db, DbError, Tx};
use crate::failing::{Failing, reasons};
use crate::verify::Verify;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::ids::LimitId;
use tegata_core::limit::Used;
use tegata_core::time::Timestamp;

/// How often states are written.
const ROUND: Duration = Duration::from_secs(5);
/// Rounds from one sweep to the next.
const SWEEP: u32 = 12;
/// Shortest window whose states are written: shorter ones have refilled by the time a server has started again.
const WINDOW_SECONDS: u64 = 60;
/// Most states in one transaction.
const BATCH: usize = 2_000;
/// Most transactions in one round, and at the end.
const BATCHES: usize = 5;
const BATCHES_AT_END: usize = 1_000;
/// Rows read at once.
const PAGE: i64 = 5_000;

/// Writes states and sweeps those that have refilled, until the task is dropped.
pub async fn keeping(app: Arc<App>) {
    let failing = Failing::default();
    let mut skip = 0;
    for round in 1_u32.. {
        tokio::time::sleep(ROUND).await;
        tell(&app, &failing, write(&app, &mut skip, BATCHES).await);
        if round % SWEEP == 0 {
            sweep(&app, &failing).await;
        }
    }
}

/// Writes everything that is not written yet: for an orderly end.
pub async fn settle(app: &App) {
    tell(app, &Failing::default(), write(app, &mut 0, BATCHES_AT_END).await);
}

fn tell(app: &App, failing: &Failing, outcome: Result<(), DbError>) {
    match outcome {
        Ok(()) => drop(failing.over()),
        Err(error) => {
            if failing.note(app.clock.now(), &error) {
                tracing::error!(error = reasons(&error), "what is used of limits is not stored; it is tried again");
            }
        }
    }
}

/// Writes states in batches. Where more changed than fits, the next round goes on after those of this one.
async fn write(app: &App, skip: &mut usize, batches: usize) -> Result<(), DbError> {
    let limits = app.verify.limits();
    for batch in 0..batches {
        let now = app.clock.now();
        // What was written is no news, so nothing is skipped but what this round could not get to.
        let mut unwritten = gather(limits, now, *skip).await;
        if unwritten.is_empty() && batch == 0 && *skip > 0 {
            *skip = 0;
            unwritten = gather(limits, now, 0).await;
        }
        if unwritten.is_empty() {
            *skip = 0;
            return Ok(());
        }
        let rows: Vec<Usage> = unwritten
            .iter()
            .map(|(limit, state)| Usage {
                limit: limit.id,
                subject: state.subject.text(),
                used: state.used,
                step_nanos: limit.rate.step_nanos(),
            })
            .collect();
        let mut tx = app.db.write().await?;
        db::limits::save_usage(&mut tx, &rows).await?;
        tx.commit().await?;
        for (limit, state) in &unwritten {
            limit.subjects.written(state);
        }
        if unwritten.len() < BATCH {
            *skip = 0;
            return Ok(());
        }
    }
    // Those that change all the time come first again; half a round of them is passed over.
    *skip = (*skip + batches * BATCH / 2) % 1_000_000;
    Ok(())
}

/// States that are to be written, after so many others: a batch of them.
async fn gather(limits: &Limits, now: Timestamp, mut skip: usize) -> Vec<(Arc<Limit>, Unwritten)> {
    let every = limits.every();
    let gathering = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        for limit in every.into_iter().filter(|limit| limit.rate.window_seconds() >= WINDOW_SECONDS) {
            let states = limit.subjects.unwritten(now, skip + BATCH - found.len());
            let passed = states.len().min(skip);
            skip -= passed;
            found.extend(states.into_iter().skip(passed).map(|state| (Arc::clone(&limit), state)));
            if found.len() >= BATCH {
                break;
            }
        }
        found
    });
    gathering.await.unwrap_or_else(|error| {
        tracing::error!(%error, "gathering what is used of limits was interrupted");
        Vec::new()
    })
}

/// Lets go of what has refilled, in memory and in the database; `failing` keeps what goes wrong for long from being said each
/// time.
pub async fn sweep(app: &App, failing: &Failing) {
    let now = app.clock.now();
    let every = app.verify.limits().every();
    let swept = tokio::task::spawn_blocking(move || every.iter().for_each(|limit| limit.subjects.sweep(now)));
    if let Err(error) = swept.await {
        tracing::error!(%error, "sweeping the states of limits was interrupted");
    }
    tell(app, failing, forget(&app.db, now).await);
}

async fn forget(db: &Db, now: Timestamp) -> Result<(), DbError> {
    let mut tx = db.read().await?;
    let any = db::limits::usage(&mut tx, ("", ""), 1).await?;
    drop(tx);
    if any.is_empty() {
        return Ok(());
    }
    // Rows by the thousand, so that no other change waits for all of them.
    for _ in 0..BATCHES_AT_END {
        let mut tx = db.write().await?;
        let gone = db::limits::forget_usage(&mut tx, Used::refilled_at(now), PAGE).await?;
        tx.commit().await?;
        if gone == 0 {
            break;
        }
    }
    Ok(())
}

impl Verify {
    /// Reads all limits and what is used of them, at the start.
    pub(in crate::verify) async fn load_limits(&self, tx: &mut Tx) -> Result<(), DbError> {
        let now = self.clock.now();
        let mut by_owner: HashMap<_, Vec<_>> = HashMap::new();
        for limit in db::limits::all(tx, db::limits::Whose::Anybody).await? {
            by_owner.entry(limit.org).or_default().push(limit);
        }
        for (owner, stored) in by_owner {
            self.limits.install(owner, &stored, now);
        }
        let limits: HashMap<LimitId, _> = self.limits.every().into_iter().map(|limit| (limit.id, limit)).collect();
        let mut after = (String::new(), String::new());
        loop {
            let rows = db::limits::usage(tx, (&after.0, &after.1), PAGE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = (last.limit.to_string(), last.subject.clone());
            for row in rows {
                let (Some(limit), Some(subject)) = (limits.get(&row.limit), Subject::parse(&row.subject)) else {
                    continue;
                };
                let used = limit.rate.carry(row.used, row.step_nanos, now);
                if !used.is_nothing(now) {
                    limit.subjects.restore(subject, used);
                }
            }
        }
    }
}
