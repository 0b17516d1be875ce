//! What a server does by itself, beside answering: keeping its stores small.

use crate::app::App;
use crate::db::{self, DbError};
use crate::proofs::Proofs;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::time::days;

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;
/// How often it looks.
const ROUND: Duration = Duration::from_hours(1);
/// How long an answer is kept for repetitions under its idempotency key.
const REPETITIONS: Duration = days(2);

/// Keeps the stores small until the task is dropped. Access records older than `record_days` go, by the day.
pub async fn housekeeping(app: Arc<App>, record_days: u32) {
    loop {
        if let Err(error) = forget_answers(&app).await {
            tracing::warn!(%error, "old answers could not be forgotten; the next round tries again");
        }
        drop_records(&app, record_days).await;
        tokio::time::sleep(ROUND).await;
    }
}

/// How often records are moved from the journal into columns.
const SETTLING: Duration = Duration::from_mins(1);

/// Moves records that the journal has closed into columns, until the task is dropped.
pub async fn settling(app: Arc<App>) {
    loop {
        tokio::time::sleep(SETTLING).await;
        let (log, now) = (Arc::clone(app.verify.journal()), app.clock.now().as_micros());
        match tokio::task::spawn_blocking(move || log.settle(now)).await {
            Ok(Ok(settled)) => tracing::debug!(?settled, "access records were moved into columns"),
            Ok(Err(error)) => tracing::error!(%error, "access records stay in the journal; the next round tries again"),
            Err(error) => tracing::error!(%error, "moving access records was interrupted"),
        }
    }
}

async fn forget_answers(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.write().await?;
    db::idempotency::forget_before(&mut tx, app.clock.now().minus(REPETITIONS)).await?;
    tx.commit().await.map(drop)
}

/// What was kept to check days that are dropped now, counted from 1970; their final checkpoints stay.
fn forget_proofs(proofs: &Proofs, before_day: i64) {
    if let Err(error) = proofs.forget_all(before_day) {
        tracing::warn!(%error, "proofs of dropped days could not be removed; the next round tries again");
    }
}

async fn drop_records(app: &App, record_days: u32) {
    let journal = Arc::clone(app.verify.journal());
    let before = app.clock.now().minus(days(record_days.into())).as_micros();
    let proofs = Arc::clone(&app.proofs);
    let dropped = tokio::task::spawn_blocking(move || {
        let dropped = journal.drop_before(before);
        forget_proofs(&proofs, before.div_euclid(DAY_US));
        dropped
    });
    match dropped.await {
        Ok(Ok(dropped)) => tracing::debug!(?dropped, "access records past their time were dropped"),
        Ok(Err(error)) => tracing::error!(%error, "access records past their time could not be dropped"),
        Err(error) => tracing::error!(%error, "dropping access records was interrupted"),
    }
}
