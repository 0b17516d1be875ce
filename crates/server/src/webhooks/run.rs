//! The task that tells webhooks of changes: what is new, whose turn it is, what came of it, and storing that.

use super::WAITING_MAX;
use super::pattern::matches;
use super::turn::{Done, Said, attempt};
use crate::app::App;
use crate::db::deliveries::{Attempt, Delivery};
use crate::db::webhooks::{Position, Webhook};
use crate::db::{self, DbError, WriteTx};
use crate::maintenance::note::note;
use crate::notices::{self, Notice, NoticeKind};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tegata_core::ids::{DeliveryId, OrgId, WebhookId};
use tegata_core::operations;
use tegata_core::time::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_millis(200);
/// How often it is stored how far activity was read where nothing was to be told.
const KEEP_QUIET: Duration = Duration::from_mins(1);
/// Entries of activity that are read at once for one webhook.
const BATCH: i64 = 200;
/// Webhooks for which activity is read in one round.
const READ_AT_ONCE: usize = 50;
/// How long the end waits for attempts under way.
const END: Duration = Duration::from_secs(5);

/// Attempts at once, and of one organization.
const SLOTS: (usize, usize) = (64, 8);
/// Attempts at once of one webhook that works; one that fails has one.
const SLOTS_OF_ONE: usize = 4;
/// Attempts at once of all webhooks that fail: those that work always have room.
const SLOTS_OF_FAILING: usize = 16;

/// A webhook at work.
struct Live {
    webhook: Webhook,
    /// How far activity was read, which may be further than what is stored where nothing was to be told.
    read_to: Position,
    /// There may be more of it.
    is_behind: bool,
    /// When the next attempt is, and how many deliveries wait.
    due: Option<Timestamp>,
    waiting: u64,
    /// What is tried at this moment, or was and is not stored yet.
    in_flight: HashSet<DeliveryId>,
}

/// New deliveries of a webhook.
struct Found {
    webhook: Webhook,
    read_to: Position,
    deliveries: Vec<Delivery>,
}

/// All webhooks.
struct Runner {
    app: Arc<App>,
    lives: HashMap<WebhookId, Live>,
    attempts: JoinSet<Done>,
    /// Attempts whose outcome is not stored yet.
    done: Vec<Done>,
    /// The change up to which the database was read.
    seen: Option<u64>,
    kept_quiet: Instant,
}

/// Tells webhooks until it is told to stop.
pub(super) async fn run(app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let (lives, attempts, done) = (HashMap::new(), JoinSet::new(), Vec::new());
    let mut runner = Runner { app, lives, attempts, done, seen: None, kept_quiet: Instant::now() };
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            _ = stopping.changed() => break,
        }
        runner.collect();
        runner.round().await;
    }
    let waiting = async {
        while let Some(done) = runner.attempts.join_next().await {
            runner.done.extend(done);
        }
    };
    let _ = timeout(END, waiting).await;
    runner.attempts.shutdown().await;
    runner.keep(true).await;
}

impl Runner {
    fn collect(&mut self) {
        while let Some(done) = self.attempts.try_join_next() {
            self.done.extend(done);
        }
    }

    async fn round(&mut self) {
        // Without the lease another server may be telling; and a restored one is not to, until it is opened.
        if !self.app.verify.lease().holds() {
            return;
        }
        if let Err(error) = self.work().await {
            tracing::warn!(%error, "webhooks could not be looked after; it is tried again");
        }
        self.keep(self.kept_quiet.elapsed() >= KEEP_QUIET).await;
        self.count();
    }

    async fn work(&mut self) -> Result<(), DbError> {
        let applied = self.app.verify.applied_sequence();
        if self.seen.is_none_or(|seen| seen < applied) {
            self.look().await?;
        }
        if self.lives.values().any(Live::wants_to_read) {
            self.read_on().await?;
        }
        self.dispatch().await
    }

    /// Reads what people changed, what waits, and where something happened.
    async fn look(&mut self) -> Result<(), DbError> {
        let mut tx = self.app.db.read().await?;
        let through = tx.sequence().await?;
        let rows = db::webhooks::all(&mut tx).await?;
        let waiting = db::deliveries::waiting(&mut tx).await?;
        let news: Option<HashSet<OrgId>> = match self.seen {
            None => None,
            Some(seen) => Some(db::activity::organizations_after(&mut tx, seen, through).await?.into_iter().collect()),
        };
        drop(tx);
        self.lives.retain(|id, _| rows.iter().any(|row| row.id == *id));
        for row in rows {
            let live = self.lives.entry(row.id).or_insert_with(|| Live {
                read_to: row.position,
                webhook: row.clone(),
                is_behind: true,
                due: None,
                waiting: 0,
                in_flight: HashSet::new(),
            });
            live.read_to = live.read_to.max(row.position);
            live.is_behind |= news.as_ref().is_none_or(|news| news.contains(&row.org));
            let next = waiting.get(&row.id);
            (live.due, live.waiting) = (next.map(|(due, _)| *due), next.map_or(0, |(_, count)| *count));
            live.webhook = row;
        }
        self.seen = Some(through);
        Ok(())
    }

    /// Reads on in activity, and stores what webhooks want of it together with how far it was read.
    async fn read_on(&mut self) -> Result<(), DbError> {
        let mut found = Vec::new();
        let mut tx = self.app.db.read().await?;
        for live in self.lives.values_mut().filter(|live| live.wants_to_read()).take(READ_AT_ONCE) {
            let place = (live.read_to.sequence, live.read_to.ordinal);
            let entries = db::activity::after(&mut tx, live.webhook.org, place, BATCH).await?;
            let Some((sequence, ordinal)) = entries.last().map(|(_, _, place)| *place) else {
                live.is_behind = false;
                continue;
            };
            let read_to = Position { sequence, ordinal };
            let is_last = i64::try_from(entries.len()).is_ok_and(|count| count < BATCH);
            let webhook = &live.webhook;
            let deliveries = entries
                .into_iter()
                .filter(|(_, event, _)| webhook.events.iter().any(|pattern| matches(pattern, event)))
                .zip(0..)
                .map(|((activity, event, _), place)| self.app.delivery(webhook, activity, event, place))
                .collect::<Vec<_>>();
            if deliveries.is_empty() {
                (live.read_to, live.is_behind) = (read_to, !is_last);
            } else {
                found.push(Found { webhook: webhook.clone(), read_to, deliveries });
            }
        }
        drop(tx);
        if found.is_empty() {
            return Ok(());
        }
        let mut tx = self.app.db.write().await?;
        let mut stored = Vec::new();
        for found in found {
            match db::webhooks::advance(&mut tx, &found.webhook, found.read_to).await {
                Ok(()) => {}
                // It was changed meanwhile, and is read again.
                Err(DbError::Changed) => continue,
                Err(error) => return Err(error),
            }
            for delivery in &found.deliveries {
                db::deliveries::insert(&mut tx, delivery).await?;
            }
            stored.push(found);
        }
        tx.commit().await?;
        for Found { webhook, read_to, deliveries } in stored {
            let Some(live) = self.lives.get_mut(&webhook.id) else { continue };
            (live.read_to, live.webhook.position) = (read_to, read_to);
            live.waiting += deliveries.len() as u64;
            let first = deliveries.first().map(|delivery| delivery.next_attempt_at);
            live.due = [live.due, first].into_iter().flatten().min();
        }
        Ok(())
    }

    /// Begins attempts that are due, those first that have waited longest.
    async fn dispatch(&mut self) -> Result<(), DbError> {
        let now = self.app.clock.now();
        let mut of_org: HashMap<OrgId, usize> = HashMap::new();
        let mut failing = 0;
        for live in self.lives.values() {
            *of_org.entry(live.webhook.org).or_default() += live.in_flight.len();
            failing += if live.webhook.failing.is_some() { live.in_flight.len() } else { 0 };
        }
        let mut due: Vec<&mut Live> = self.lives.values_mut().filter(|live| live.is_due(now)).collect();
        due.sort_by_key(|live| live.due);
        let mut tx = None;
        for live in due {
            let own = of_org.entry(live.webhook.org).or_default();
            let is_failing = live.webhook.failing.is_some();
            let mut free = SLOTS.0.saturating_sub(self.attempts.len()).min(SLOTS.1.saturating_sub(*own));
            free = free.min(live.slots().saturating_sub(live.in_flight.len()));
            if is_failing {
                free = free.min(SLOTS_OF_FAILING.saturating_sub(failing));
            }
            if free == 0 {
                continue;
            }
            let tx = match &mut tx {
                Some(tx) => tx,
                none => none.insert(self.app.db.read().await?),
            };
            let (org, id) = (live.webhook.org, live.webhook.id);
            let limit = i64::try_from(live.in_flight.len() + free).unwrap_or(i64::MAX);
            let rows = db::deliveries::due(tx, org, id, now, limit).await?;
            let fresh = rows.into_iter().filter(|row| !live.in_flight.contains(&row.id)).take(free);
            for delivery in fresh.collect::<Vec<_>>() {
                let entry = db::activity::get(tx, org, delivery.activity).await?;
                live.in_flight.insert(delivery.id);
                *own += 1;
                failing += usize::from(is_failing);
                let (app, webhook) = (Arc::clone(&self.app), live.webhook.clone());
                self.attempts.spawn(async move { attempt(&app, &webhook, delivery, entry).await });
            }
        }
        Ok(())
    }

    /// Stores what came of attempts, and, if that is wanted, how far activity was read.
    async fn keep(&mut self, quiet: bool) {
        let is_further = |live: &Live| live.read_to > live.webhook.position;
        let quiet = quiet && self.lives.values().any(is_further);
        if self.done.is_empty() && !quiet {
            return;
        }
        match self.store(quiet).await {
            Ok(()) => {
                for done in self.done.drain(..) {
                    if let Some(live) = self.lives.get_mut(&done.webhook) {
                        live.in_flight.remove(&done.delivery.id);
                    }
                }
                if quiet {
                    self.kept_quiet = Instant::now();
                }
            }
            // What was delivered is delivered again if this process ends before it is stored.
            Err(error) => tracing::warn!(%error, "what came of deliveries could not be stored; it is tried again"),
        }
    }

    async fn store(&mut self, quiet: bool) -> Result<(), DbError> {
        let mut tx = self.app.db.write().await?;
        let now = self.app.clock.now();
        let mut by_webhook: HashMap<WebhookId, Vec<&Done>> = HashMap::new();
        for done in &self.done {
            by_webhook.entry(done.webhook).or_default().push(done);
        }
        for (id, list) in by_webhook {
            // One that is gone took its deliveries with it.
            let Some(live) = self.lives.get_mut(&id) else { continue };
            self.app.store_attempts(&mut tx, &mut live.webhook, &list, now).await?;
        }
        if quiet {
            for live in self.lives.values_mut().filter(|live| live.read_to > live.webhook.position) {
                match db::webhooks::advance(&mut tx, &live.webhook, live.read_to).await {
                    Ok(()) | Err(DbError::Changed) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        tx.commit().await.map(drop)
    }

    fn count(&self) {
        let failing =
            self.lives.values().filter(|live| live.webhook.paused.is_none() && live.webhook.failing.is_some());
        let numbers = &self.app.webhooks;
        numbers.failing.store(failing.count() as u64, Ordering::Relaxed);
        numbers.waiting.store(self.lives.values().map(|live| live.waiting).sum(), Ordering::Relaxed);
    }
}

impl Live {
    fn wants_to_read(&self) -> bool {
        self.is_behind && self.webhook.paused.is_none() && self.waiting < WAITING_MAX
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.webhook.paused.is_none() && self.due.is_some_and(|due| due <= now)
    }

    fn slots(&self) -> usize {
        if self.webhook.failing.is_some() { 1 } else { SLOTS_OF_ONE }
    }
}

impl App {
    /// A delivery to be, the one at this place of a batch: first attempts are made in the order of activity.
    fn delivery(
        &self,
        webhook: &Webhook,
        activity: tegata_core::ids::ActivityId,
        event: String,
        place: u64,
    ) -> Delivery {
        let now = self.clock.now();
        Delivery {
            id: DeliveryId::new(now.as_millis(), self.entropy.bytes()),
            org: webhook.org,
            webhook: webhook.id,
            activity,
            event,
            state: "pending".to_owned(),
            attempts: 0,
            next_attempt_at: now.plus(Duration::from_micros(place)),
            gives_up_at: now.plus(self.webhooks.settings.patience),
            attempted_at: None,
            status: None,
            failure: None,
            created_at: now,
            done_at: None,
        }
    }

    /// Stores what came of attempts of one webhook, in the order in which they ended, and what that makes of it.
    async fn store_attempts(
        &self,
        tx: &mut WriteTx,
        webhook: &mut Webhook,
        list: &[&Done],
        now: Timestamp,
    ) -> Result<(), DbError> {
        let mut failing = webhook.failing.clone();
        let (mut delivered, mut is_gone) = (0, false);
        for done in list {
            let mut attempt = Attempt { id: done.delivery.id, at: now, status: None, failure: None, next: None };
            let (failure, retry_after) = match &done.said {
                Said::Accepted(status) => {
                    attempt.status = Some(*status);
                    (None, None)
                }
                Said::Gone => {
                    (attempt.status, is_gone) = (Some(410), true);
                    (Some("status_410".to_owned()), None)
                }
                Said::Refused { failure, status, retry_after } => {
                    attempt.status = *status;
                    (Some(failure.clone()), *retry_after)
                }
            };
            match failure {
                None => {
                    if failing.take().is_some() {
                        tracing::info!(webhook = %webhook.id, "a webhook delivers again");
                    }
                    delivered += 1;
                    self.webhooks.delivered.fetch_add(1, Ordering::Relaxed);
                }
                Some(failure) => {
                    if failing.is_none() {
                        tracing::warn!(webhook = %webhook.id, failure, "a webhook cannot deliver; it is tried again");
                    }
                    let random = u32::from_le_bytes(self.entropy.bytes());
                    let tries = done.delivery.attempts.saturating_add(1);
                    let next = now.plus(self.webhooks.settings.backoff.wait(tries, random, retry_after));
                    attempt.next = (next <= done.delivery.gives_up_at).then_some(next);
                    failing = Some((failing.map_or(now, |(since, _)| since), failure.clone()));
                    attempt.failure = Some(failure);
                    self.webhooks.failed.fetch_add(1, Ordering::Relaxed);
                }
            }
            db::deliveries::attempted(tx, webhook.org, &attempt).await?;
        }
        let at = (delivered > 0).then_some(now);
        db::webhooks::tell(tx, webhook, delivered, at, failing.as_ref()).await?;
        let limit = self.webhooks.settings.disable_after;
        let is_lost = failing.as_ref().is_some_and(|(since, _)| since.plus(limit) <= now);
        webhook.failing = failing;
        if is_gone || is_lost {
            let why = if is_gone { "receiver_gone" } else { "failing_for_long" };
            self.disable(tx, webhook, now, why).await?;
            // From now on, and not from when that is read again.
            webhook.paused = Some((now, why.to_owned()));
        }
        Ok(())
    }

    /// Disables a webhook that nobody answers for any more.
    async fn disable(&self, tx: &mut WriteTx, webhook: &Webhook, now: Timestamp, why: &str) -> Result<(), DbError> {
        match db::webhooks::pause(tx, webhook, now, why).await {
            Ok(()) => {}
            // Somebody changed it meanwhile, and looks after it.
            Err(DbError::Changed) => return Ok(()),
            Err(error) => return Err(error),
        }
        tracing::warn!(webhook = %webhook.id, why, "a webhook is disabled");
        let after = json!({"name": webhook.name, "state": "paused", "reason": why});
        note(tx, now, Some(webhook.org), operations::WEBHOOK_PAUSE.id, &webhook.id.to_string(), after).await?;
        let org = db::orgs::find(tx, &webhook.org.to_string()).await?;
        let notice = Notice {
            to: db::assignments::administrators(tx, webhook.org).await?,
            org: Some(webhook.org),
            kind: NoticeKind::WebhookDisabled,
            about: webhook.id.to_string(),
            data: json!({"organization": org.map(|org| org.name), "webhook": webhook.name, "reason": why}),
        };
        notices::store(tx, &self.entropy, now, &notice).await
    }
}
