//! The serving lock: one writer of truth at a time. The holder proves that it lives by counting `beat` up; whoever
//! takes over raises `epoch`, and every change of the former holder is refused from then on.
//!
//! No clock of another machine is trusted: a starter watches the beat for as long as its own clock says.

use super::{Db, DbError};
use std::sync::atomic::Ordering;

/// What is seen of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Raised by every take-over.
    pub epoch: i64,
    /// Who holds it; none after a clean stop.
    pub holder: Option<String>,
    /// Counted up by the holder.
    pub beat: i64,
}

impl Db {
    /// Looks at the lock.
    pub async fn serving_seen(&self) -> Result<Seen, DbError> {
        let (epoch, holder, beat): (i64, Option<String>, i64) =
            sqlx::query_as("SELECT epoch, holder, beat FROM head WHERE id = 1").fetch_one(&self.pool).await?;
        Ok(Seen { epoch, holder, beat })
    }

    /// Takes the lock, provided that it is still as it was seen. False when somebody else was quicker or lives.
    pub async fn serving_take(&self, seen: &Seen, holder: &str) -> Result<bool, DbError> {
        let taken = sqlx::query(
            "UPDATE head SET epoch = epoch + 1, holder = $1, beat = beat + 1 WHERE id = 1 AND epoch = $2 AND beat = $3",
        )
        .bind(holder)
        .bind(seen.epoch)
        .bind(seen.beat)
        .execute(&self.pool)
        .await?;
        if taken.rows_affected() != 1 {
            return Ok(false);
        }
        self.epoch.store(seen.epoch + 1, Ordering::Release);
        Ok(true)
    }

    /// Shows that this process lives. False when the lock is no longer ours.
    pub async fn serving_beat(&self) -> Result<bool, DbError> {
        let epoch = self.epoch.load(Ordering::Acquire);
        let done = sqlx::query("UPDATE head SET beat = beat + 1 WHERE id = 1 AND epoch = $1 AND holder IS NOT NULL")
            .bind(epoch)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives the lock back, so that the next start need not wait.
    pub async fn serving_release(&self) -> Result<(), DbError> {
        let epoch = self.epoch.swap(0, Ordering::AcqRel);
        sqlx::query("UPDATE head SET holder = NULL, beat = beat + 1 WHERE id = 1 AND epoch = $1")
            .bind(epoch)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
