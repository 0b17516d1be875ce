//! What follows when an import is true: its rows become credentials, some hundreds at a time, so that nobody waits for long. And
//! what a server does at its start about imports that it did not finish.

use crate::app::App;
use crate::db::feed::Topic;
use crate::db::imports::{Import, ImportState};
use crate::db::{self, DbError};
use std::time::{Duration, Instant};
use tegata_core::ids::ImportId;

/// Rows that become credentials in one transaction, which everybody who changes something waits for.
const AT_ONCE: i64 = 250;
/// The shortest time in which nothing is written between two of them.
const REST: Duration = Duration::from_millis(20);
/// How often crossed transactions are tried again.
const TRIES: u32 = 6;

/// Lets others write for as long as a step took: whoever waits for the database is not served in order everywhere, and the proof that
/// this server lives has to come through.
pub(super) async fn rest(since: Instant) {
    tokio::time::sleep(since.elapsed().max(REST)).await;
}

/// Makes the rows of an import into credentials, all that are left. Returns the number of the last change.
pub async fn finish(app: &App, import: &Import) -> Result<u64, DbError> {
    let mut tries = 0;
    loop {
        let begun = Instant::now();
        match step(app, import).await {
            Ok(Some(sequence)) => return Ok(sequence),
            Ok(None) => tries = 0,
            Err(DbError::Busy(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
        rest(begun).await;
    }
}

/// Takes one step; returns the number of the change where it was the last.
async fn step(app: &App, import: &Import) -> Result<Option<u64>, DbError> {
    let mut tx = app.db.write().await?;
    let id = import.id.to_string();
    let next = db::imports::next_row(&mut tx, import.id).await?;
    if let Some(next) = next {
        db::imports::apply(&mut tx, import, next, next + AT_ONCE).await?;
    } else {
        let (from, to) = (ImportState::Committed, ImportState::Live);
        db::imports::set_state(&mut tx, import.org, import.id, from, to, Some(app.clock.now())).await?;
    }
    // What was shown before it was there is no longer unknown.
    tx.feed(Topic::CredentialImport, Some(import.org), &id).await?;
    let sequence = tx.commit().await?;
    Ok(next.is_none().then_some(sequence))
}

/// Throws away what was staged and shall not be.
pub async fn discard(app: &App, import: ImportId) -> Result<(), DbError> {
    loop {
        let begun = Instant::now();
        let mut tx = app.db.write().await?;
        let next = db::imports::next_row(&mut tx, import).await?;
        match next {
            Some(next) => db::imports::discard(&mut tx, import, next + AT_ONCE).await?,
            None => db::imports::forget(&mut tx, import).await?,
        }
        tx.commit().await?;
        if next.is_none() {
            return Ok(());
        }
        rest(begun).await;
    }
}

/// Finishes what was said to be, and throws away what was not: before the doors open.
pub async fn at_start(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.read().await?;
    let under_way = db::imports::under_way(&mut tx).await?;
    drop(tx);
    for import in under_way {
        if import.state == ImportState::Staged {
            discard(app, import.id).await?;
        } else {
            tracing::info!(import = %import.id, "an import that was interrupted is finished");
            finish(app, &import).await?;
        }
    }
    Ok(())
}
