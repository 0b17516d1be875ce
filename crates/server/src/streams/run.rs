//! The task that looks after all streams: whose turn it is, what became of it, and storing that.

use super::settings::Settings;
use super::turn::{Done, Outcome, Turn};
use crate::app::App;
use crate::db::streams::Stream;
use crate::db::{self, DbError};
use crate::maintenance::note::note;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tegata_core::ids::{OrgId, RecordStreamId};
use tegata_core::operations;
use tegata_record::proof::Source as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often it is looked whether there is something to send.
const LOOK: Duration = Duration::from_millis(200);
/// How soon a stream is looked at again for which there was nothing.
const IDLE: Duration = Duration::from_millis(400);
/// How often it is stored how far streams have come.
const KEEP: Duration = Duration::from_secs(1);
/// The same of streams that delivered nothing.
const KEEP_QUIET: Duration = Duration::from_mins(1);
/// Turns at once, and of one organization.
const TURNS: (usize, usize) = (32, 4);
/// Turns that read the log at once.
const READING: usize = 4;
/// How long the end waits for turns under way.
const END: Duration = Duration::from_secs(5);

/// A stream at work.
struct Live {
    stream: Stream,
    /// None where what is stored cannot be read.
    settings: Option<Arc<Settings>>,
    /// The end of a batch that was tried before.
    until: Option<u64>,
    /// When it is looked at next.
    next: Instant,
    is_busy: bool,
    /// Something is to be stored, at once or soon.
    is_new: bool,
    is_newer: bool,
    /// Missed records that the receiver was told of, which is not stored yet.
    told: u64,
}

/// All streams.
struct Runner {
    app: Arc<App>,
    lives: HashMap<RecordStreamId, Live>,
    turns: JoinSet<Done>,
    reading: Arc<Semaphore>,
    /// The change up to which the database was read.
    seen: Option<u64>,
    kept: Instant,
    kept_quiet: Instant,
    /// Streams whose receivers want no more, until that is stored.
    gone: Vec<RecordStreamId>,
}

/// Looks after all streams until it is told to stop.
pub(super) async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let now = Instant::now();
    let (lives, turns, reading) = (HashMap::new(), JoinSet::new(), Arc::new(Semaphore::new(READING)));
    let mut runner = Runner { app, lives, turns, reading, seen: None, kept: now, kept_quiet: now, gone: Vec::new() };
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            Some(done) = runner.turns.join_next(), if !runner.turns.is_empty() => {
                if let Ok(done) = done {
                    runner.finish(done);
                }
            }
            _ = stopping.changed() => break,
        }
        runner.round().await;
    }
    let waiting = async {
        while let Some(done) = runner.turns.join_next().await {
            if let Ok(done) = done {
                runner.finish(done);
            }
        }
    };
    let _ = timeout(END, waiting).await;
    runner.turns.shutdown().await;
    runner.keep(true).await;
}

impl Runner {
    async fn round(&mut self) {
        // Without the lease another server may be sending; and a restored one is not to, until it is opened.
        if !self.app.verify.lease().holds() {
            return;
        }
        let applied = self.app.verify.applied_sequence();
        if self.seen != Some(applied) {
            match self.look().await {
                // What is missed was not sure yet.
                Ok(false) => self.seen = None,
                Ok(true) => self.seen = Some(applied),
                Err(error) => {
                    tracing::warn!(%error, "the record streams could not be read; it is tried again");
                    return;
                }
            }
        }
        self.dispatch();
        if self.kept.elapsed() >= KEEP {
            let all = self.kept_quiet.elapsed() >= KEEP_QUIET;
            self.keep(all).await;
        }
        self.count();
    }

    /// Reads what people changed. Says whether that was all: what is stored as missed while records are being dropped is
    /// read another time.
    async fn look(&mut self) -> Result<bool, DbError> {
        let rounds = || self.app.streams.rounds.load(Ordering::SeqCst);
        let before = rounds();
        let mut tx = self.app.db.read().await?;
        let rows = db::streams::all(&mut tx).await?;
        drop(tx);
        let is_sure = before % 2 == 0 && rounds() == before;
        let newest = self.app.verify.journal().last_sequence();
        self.lives.retain(|id, _| rows.iter().any(|row| row.id == *id));
        for mut row in rows {
            match self.lives.get_mut(&row.id) {
                Some(live) if live.stream.pass == row.pass => {
                    row.missed = if is_sure { row.missed.saturating_sub(live.told) } else { live.stream.missed };
                    let resumed = live.stream.paused.is_some() && row.paused.is_none();
                    row.progress = live.stream.progress.clone();
                    if resumed {
                        (row.progress.attempts, row.progress.failing, row.progress.next_attempt_at) = (0, None, None);
                        live.next = Instant::now();
                    }
                    live.settings = read(&row);
                    live.stream = row;
                }
                _ => {
                    row.missed = if is_sure { row.missed } else { 0 };
                    // A log that was cut short by the loss of power may use a sequence again.
                    row.progress.position = row.progress.position.min(newest);
                    let settings = read(&row);
                    let live = Live {
                        stream: row,
                        settings,
                        until: None,
                        next: Instant::now(),
                        is_busy: false,
                        is_new: false,
                        is_newer: false,
                        told: 0,
                    };
                    self.lives.insert(live.stream.id, live);
                }
            }
        }
        Ok(is_sure)
    }

    /// Begins turns of streams that have something to send, those first that have waited longest.
    fn dispatch(&mut self) {
        // What the loss of power could take back is not sent yet: its sequence would be used again.
        let newest = self.app.verify.journal().settled();
        let now = Instant::now();
        let mut busy: HashMap<OrgId, usize> = HashMap::new();
        for live in self.lives.values().filter(|live| live.is_busy) {
            *busy.entry(live.stream.org).or_default() += 1;
        }
        let mut due: Vec<&mut Live> = self.lives.values_mut().filter(|live| live.is_due(now, newest)).collect();
        due.sort_by_key(|live| live.next);
        for live in due {
            let own = busy.entry(live.stream.org).or_default();
            let Some(settings) = live.settings.clone().filter(|_| *own < TURNS.1) else { continue };
            if self.turns.len() >= TURNS.0 {
                break;
            }
            *own += 1;
            live.is_busy = true;
            let turn = Turn {
                app: Arc::clone(&self.app),
                stream: live.stream.clone(),
                settings,
                newest,
                until: live.until,
                reading: Arc::clone(&self.reading),
            };
            self.turns.spawn(turn.take());
        }
    }

    fn finish(&mut self, done: Done) {
        let (app, now) = (&self.app, Instant::now());
        let Some(live) = self.lives.get_mut(&done.id) else { return };
        if live.stream.pass != done.pass {
            // It has begun anew meanwhile, and is not busy in its new pass.
            return;
        }
        live.is_busy = false;
        let progress = &mut live.stream.progress;
        match done.outcome {
            Outcome::Nothing { through } => {
                progress.position = progress.position.max(through);
                (live.until, live.next, live.is_newer) = (None, now + IDLE, true);
            }
            Outcome::Delivered { through, records, last, told } => {
                if progress.attempts > 0 {
                    tracing::info!(stream = %done.id, "a record stream delivers again");
                }
                progress.position = progress.position.max(through);
                progress.delivered += records;
                progress.delivered_at = Some(app.clock.now());
                progress.last_record = last.or(progress.last_record.take());
                (progress.attempts, progress.failing, progress.next_attempt_at) = (0, None, None);
                live.stream.missed = live.stream.missed.saturating_sub(told);
                live.told += told;
                (live.until, live.next, live.is_new) = (None, now, true);
                app.streams.delivered.fetch_add(records, Ordering::Relaxed);
            }
            Outcome::Failed { failure, retry_after, until } => {
                if progress.attempts == 0 {
                    tracing::warn!(stream = %done.id, failure, "a record stream cannot deliver; it is tried again");
                }
                progress.attempts = progress.attempts.saturating_add(1);
                let random = u32::from_le_bytes(app.entropy.bytes());
                let wait = app.streams.backoff.wait(progress.attempts, random, retry_after);
                let moment = app.clock.now();
                let since = progress.failing.as_ref().map_or(moment, |(since, _)| *since);
                (progress.failing, progress.next_attempt_at) = (Some((since, failure)), Some(moment.plus(wait)));
                (live.until, live.next, live.is_new) = (until, now + wait, true);
                app.streams.failed.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Gone => {
                // Until it is stored that the stream is paused.
                live.next = now + 10 * KEEP;
                self.gone.push(done.id);
                app.streams.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Stores how far streams have come: those that delivered, or all.
    async fn keep(&mut self, all: bool) {
        self.kept = Instant::now();
        if all {
            self.kept_quiet = self.kept;
        }
        let is_due = |live: &Live| live.is_new || (all && live.is_newer);
        if self.gone.is_empty() && !self.lives.values().any(is_due) {
            return;
        }
        match self.store(all).await {
            Ok(()) => {
                self.gone.clear();
                for live in self.lives.values_mut().filter(|live| is_due(live)) {
                    (live.is_new, live.is_newer, live.told) = (false, false, 0);
                }
            }
            // What was delivered since is delivered again if this process ends before it is stored.
            Err(error) => {
                tracing::warn!(%error, "how far record streams have come could not be stored; it is tried again");
            }
        }
    }

    async fn store(&self, all: bool) -> Result<(), DbError> {
        let mut tx = self.app.db.write().await?;
        for live in self.lives.values().filter(|live| live.is_new || (all && live.is_newer)) {
            // One that has begun anew meanwhile is read again in the next round.
            db::streams::keep(&mut tx, &live.stream, live.told).await?;
        }
        let now = self.app.clock.now();
        for live in self.gone.iter().filter_map(|id| self.lives.get(id)) {
            match db::streams::pause(&mut tx, &live.stream, now, "receiver_gone").await {
                Ok(()) => {
                    let (id, org) = (live.stream.id.to_string(), Some(live.stream.org));
                    let after = json!({"name": live.stream.name, "state": "paused", "reason": "receiver_gone"});
                    note(&mut tx, now, org, operations::RECORD_STREAM_PAUSE.id, &id, after).await?;
                    tracing::warn!(stream = %id, "a record stream is paused: its receiver wants no more (410)");
                }
                Err(DbError::Changed) => {}
                Err(error) => return Err(error),
            }
        }
        tx.commit().await.map(drop)
    }

    fn count(&self) {
        let active = || self.lives.values().filter(|live| live.stream.paused.is_none());
        let failing = active().filter(|live| live.stream.progress.failing.is_some()).count();
        let newest = self.app.verify.journal().settled();
        let behind = active().map(|live| newest.saturating_sub(live.stream.progress.position)).max();
        self.app.streams.failing.store(failing as u64, Ordering::Relaxed);
        self.app.streams.behind.store(behind.unwrap_or(0), Ordering::Relaxed);
    }
}

impl Live {
    fn is_due(&self, now: Instant, newest: u64) -> bool {
        let stream = &self.stream;
        let has_any = newest > stream.progress.position || stream.missed > 0;
        !self.is_busy && stream.paused.is_none() && self.next <= now && has_any
    }
}

fn read(row: &Stream) -> Option<Arc<Settings>> {
    let settings = serde_json::from_str(&row.settings);
    let told = |error: &serde_json::Error| tracing::error!(stream = %row.id, %error, "a record stream cannot be read");
    settings.inspect_err(told).ok().map(Arc::new)
}
