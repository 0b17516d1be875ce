//! One serving process at a time. On SQLite a lock file beside the database tells at once whether another lives; on a
//! server the row's beat is watched for as long as a lease lasts, by this machine's own clock.

use super::lock_file;
use crate::db::schema::SchemaError;
use crate::db::{Db, DbError};
use crate::verify::Verify;
use crate::verify::lease::LEASE;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often the holder shows that it lives.
const BEAT: Duration = Duration::from_millis(500);

/// Why this process may not serve.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process serves this database.
    #[error("another Tegata ({0}) serves this database: stop it first, there is one writer at a time")]
    Held(String),
    /// The lock file cannot be used.
    #[error("the lock file {0} cannot be used: {1}")]
    File(PathBuf, #[source] std::io::Error),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The tables.
    #[error(transparent)]
    Schema(#[from] SchemaError),
}

/// The right to serve, and to write.
pub struct ServingLock {
    /// Freed by the system when this process ends, however it ends.
    _file: Option<File>,
    beating: Option<JoinHandle<()>>,
}

impl ServingLock {
    /// Brings the tables up to date and takes the lock.
    pub async fn take(db: &Db, database: &str) -> Result<Self, LockError> {
        let path = lock_file(db.backend(), database);
        let file = path.map(hold_file).transpose()?;
        db.migrate().await?;
        let holder = format!("process {}", std::process::id());
        let mut seen = db.serving_seen().await?;
        if file.is_none()
            && let Some(other) = &seen.holder
        {
            tracing::info!(holder = %other, "waiting to see whether another server lives");
            tokio::time::sleep(LEASE + Duration::from_millis(200)).await;
            let now = db.serving_seen().await?;
            if now != seen && now.holder.is_some() {
                return Err(LockError::Held(other.clone()));
            }
            seen = now;
        }
        if db.serving_take(&seen, &holder).await? {
            Ok(Self { _file: file, beating: None })
        } else {
            Err(LockError::Held("one that was quicker".to_owned()))
        }
    }

    /// Shows from now on that this process lives, and lets it decide for as long as that works.
    pub fn keep(mut self, verify: Arc<Verify>) -> Self {
        self.beating = Some(tokio::spawn(async move {
            loop {
                let asked = Instant::now();
                match verify.db().serving_beat().await {
                    Ok(true) => verify.lease().renew(asked),
                    Ok(false) => {
                        tracing::error!("another server has taken over; this one denies everything from now on");
                        verify.lease().lose();
                    }
                    Err(error) => tracing::error!(%error, "the serving lock could not be renewed"),
                }
                tokio::time::sleep(BEAT).await;
            }
        }));
        self
    }

    /// Shows from now on that this process lives, for work that decides nothing.
    pub fn keep_alone(mut self, db: Db) -> Self {
        self.beating = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                match db.serving_beat().await {
                    Ok(true) => {}
                    Ok(false) => tracing::error!("a server has taken over while this work is under way"),
                    Err(error) => tracing::warn!(%error, "the serving lock could not be renewed"),
                }
            }
        }));
        self
    }

    /// Gives the lock back.
    pub async fn release(self, db: &Db) {
        if let Some(beating) = self.beating {
            beating.abort();
            let _ = beating.await;
        }
        if let Err(error) = db.serving_release().await {
            tracing::warn!(%error, "the serving lock could not be given back; the next start waits a moment");
        }
    }
}

/// Who serves a database at this moment, without taking anything from them.
pub async fn is_served(db: &Db, database: &str) -> Result<Option<String>, DbError> {
    let seen = db.serving_seen().await?;
    let Some(holder) = seen.holder.clone() else { return Ok(None) };
    let lives = if let Some(path) = lock_file(db.backend(), database) {
        File::open(&path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    } else {
        tokio::time::sleep(2 * BEAT).await;
        db.serving_seen().await?.beat != seen.beat
    };
    Ok(lives.then_some(holder))
}

fn hold_file(path: PathBuf) -> Result<File, LockError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = File::options()
        .mode(0o600)
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| LockError::File(path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::Held(format!("holding {}", path.display()))),
        Err(TryLockError::Error(error)) => Err(LockError::File(path, error)),
    }
}
