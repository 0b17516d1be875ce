//! What a server does by itself, beside answering: keeping its stores small.

use crate::app::App;
use crate::db::retention::RecordRetention;
use crate::db::{self, DbError};
use crate::failing::reasons;
use crate::notices;
use crate::ops::requests::expire;
use crate::ops::successions::lapse;
use crate::ops::tokens::unused;
use crate::streams::missed;
use crate::webhooks;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::time::days;
use tegata_record::{Keep, Retention};

/// How often it looks.
const ROUND: Duration = Duration::from_hours(1);
/// How long an answer is kept for repetitions under its idempotency key.
const REPETITIONS: Duration = days(2);
/// How long it is known of a task that it was, once it is no longer shown.
const TASKS: Duration = days(30);

/// Keeps the database small until the task is dropped.
pub async fn housekeeping(app: Arc<App>) {
    loop {
        if let Err(error) = forget_answers(&app).await {
            tracing::warn!(%error, "old answers could not be forgotten; the next round tries again");
        }
        if let Err(error) = forget_told(&app).await {
            tracing::warn!(%error, "old deliveries and notices could not be forgotten; the next round tries again");
        }
        tokio::time::sleep(ROUND).await;
    }
}

/// How often at most, and at least, it is looked whether records can leave the journal.
const SETTLING: (Duration, Duration) = (Duration::from_millis(100), Duration::from_mins(1));

/// How often it is looked whether requests have run out of time. A decision looks by itself.
const EXPIRING: Duration = Duration::from_secs(20);

/// How often it is looked whether the access log takes records.
const WATCHING: Duration = Duration::from_secs(1);

/// Watches whether the access log takes records, and tries one that does not, until the task is dropped.
pub async fn watching(app: Arc<App>) {
    loop {
        tokio::time::sleep(WATCHING).await;
        let app = Arc::clone(&app);
        if let Err(error) = tokio::task::spawn_blocking(move || app.verify.recording().look()).await {
            tracing::error!(%error, "looking after the access log was interrupted");
        }
    }
}

/// Moves records into columns that have been in the journal for `after`, and drops those that were kept long enough, by the
/// day, until the task is dropped.
pub async fn settling(app: Arc<App>, after: Duration) {
    let (shortest, longest) = SETTLING;
    loop {
        tokio::time::sleep(after.clamp(shortest, longest)).await;
        let (log, now) = (Arc::clone(app.verify.journal()), app.clock.now().as_micros());
        match tokio::task::spawn_blocking(move || log.settle(now)).await {
            Ok(Ok(settled)) => {
                if let Some(since) = app.settling.over() {
                    tracing::warn!(%since, "access records are moved into columns again");
                }
                tracing::debug!(?settled, "access records were moved into columns");
            }
            Ok(Err(error)) => {
                if app.settling.note(app.clock.now(), &error) {
                    tracing::error!(error = reasons(&error), "access records stay in the journal; it is tried again");
                }
            }
            Err(error) => tracing::error!(%error, "moving access records was interrupted"),
        }
        drop_records(&app).await;
    }
}

/// Lets requests expire that nobody decided in time, and stops what no successor took over, until the task is dropped.
pub async fn expiring(app: Arc<App>) {
    loop {
        if let Err(error) = expire::overdue(&app).await {
            tracing::warn!(%error, "requests could not expire; the next round tries again");
        }
        if let Err(error) = lapse::overdue(&app).await {
            tracing::warn!(%error, "deadlines of successions could not be kept; the next round tries again");
        }
        tokio::time::sleep(EXPIRING).await;
    }
}

/// How often it is looked for credentials that nobody has used for too long.
const UNUSED: Duration = Duration::from_mins(10);

/// Revokes credentials that nobody has used for as long as the policy for their kind says, until the task is dropped.
pub async fn revoking_unused(app: Arc<App>) {
    loop {
        if let Err(error) = unused::overdue(&app).await {
            tracing::warn!(%error, "what nobody uses could not be revoked; the next round tries again");
        }
        tokio::time::sleep(UNUSED).await;
    }
}

async fn forget_answers(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.write().await?;
    db::idempotency::forget_before(&mut tx, app.clock.now().minus(REPETITIONS)).await?;
    db::access_tasks::forget_before(&mut tx, app.clock.now().minus(TASKS)).await?;
    tx.commit().await.map(drop)
}

async fn forget_told(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.write().await?;
    db::deliveries::forget_before(&mut tx, app.clock.now().minus(webhooks::KEPT)).await?;
    db::notices::forget_before(&mut tx, app.clock.now().minus(notices::KEPT)).await?;
    tx.commit().await.map(drop)
}

/// Drops access records that were kept long enough, unless the organization holds them.
pub async fn drop_records(app: &App) {
    let retention = match retention(app).await {
        Ok(retention) => retention,
        Err(error) => {
            tracing::warn!(%error, "no access records are dropped: who keeps them for how long could not be read");
            return;
        }
    };
    let dropping = match missed::expect(app, &retention).await {
        Ok(dropping) => dropping,
        Err(error) => {
            tracing::warn!(%error, "no access records are dropped: who has not had them yet could not be counted");
            return;
        }
    };
    let (log, now) = (Arc::clone(app.verify.journal()), app.clock.now().as_micros());
    let proofs = Arc::clone(&app.proofs);
    // What proves a day goes first, and then its records: with what is left of either, the rest is as it was signed.
    let dropped = tokio::task::spawn_blocking(move || match proofs.forget(&retention, now) {
        Ok(true) => log.retain(&retention, now).map(Some),
        Ok(false) => Ok(None),
        Err(error) => {
            tracing::warn!(%error, "proofs of days past their time could not be removed; the next round tries again");
            Ok(None)
        }
    });
    match dropped.await {
        Ok(Ok(dropped)) => tracing::debug!(?dropped, "access records past their time were dropped"),
        Ok(Err(error)) => tracing::error!(%error, "access records past their time could not be dropped"),
        Err(error) => tracing::error!(%error, "dropping access records was interrupted"),
    }
    if let Err(error) = dropping.correct(app).await {
        tracing::warn!(%error, "receivers of record streams may be told of more missed records than there were");
    }
}

/// How long the records of each organization are kept.
async fn retention(app: &App) -> Result<Retention, DbError> {
    let mut tx = app.db.read().await?;
    let own = db::retention::all(&mut tx).await?;
    let keep = |own: RecordRetention| match own {
        RecordRetention { hold: true, .. } => Keep::Hold,
        RecordRetention { days, .. } => Keep::Days(days.unwrap_or(app.record_days)),
    };
    let organizations = own.into_iter().map(|(org, own)| (org.to_string(), keep(own))).collect();
    Ok(Retention { otherwise: Keep::Days(app.record_days), organizations })
}
