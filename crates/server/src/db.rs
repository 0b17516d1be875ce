//! The truth: all SQL of Tegata, on SQLite or PostgreSQL, behind one small seam.
//!
//! [`Db::read`] and [`Db::write`] are the only ways to a transaction. A writing transaction begins by taking the one
//! row of `head`: that orders all writers, gives the change its number in commit order, and refuses a process that no
//! longer holds the serving lock. Files below this one are about one noun each; none of them decides anything.
//!
//! Statements keep to what both databases share: `$1…$n` once each in ascending order, TEXT and BIGINT, no clock.

pub mod access_keys;
pub mod access_policies;
pub mod access_tasks;
pub mod activity;
pub mod apis;
pub mod applications;
pub mod assignments;
pub mod contexts;
pub mod deliveries;
pub mod expiry;
pub mod feed;
pub mod grants;
pub mod hash_keys;
pub mod idempotency;
pub mod imports;
pub mod installation;
pub mod limits;
pub mod maintenance;
pub mod members;
pub mod notices;
pub mod orgs;
pub mod policies;
pub mod requests;
pub mod retention;
pub mod roles;
pub mod schema;
pub mod scim;
pub mod secrets;
pub mod service_accounts;
pub mod serving;
pub mod sessions;
pub mod streams;
pub mod successions;
pub mod teams;
pub mod tokens;
pub mod users;
pub mod uses;
pub mod verifiers;
pub mod webhooks;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Which database lies behind the seam. Nothing outside `db` may ask for more than a name to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file of our own.
    Sqlite,
    /// A server, or whatever speaks its protocol.
    Postgres,
}

impl Backend {
    /// Which database a URL or path means.
    pub fn of(database: &str) -> Self {
        let server = database.starts_with("postgres://") || database.starts_with("postgresql://");
        if server { Self::Postgres } else { Self::Sqlite }
    }
}

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique value is taken.
    #[error("a unique value is taken")]
    Duplicate,
    /// A conditional update met a row that had changed meanwhile, or none.
    #[error("the row had changed meanwhile")]
    Changed,
    /// Another process holds the serving lock now, or none of ours ever did.
    #[error("this process does not hold the serving lock")]
    Fenced,
    /// The database was busy or two transactions crossed; trying again may help.
    #[error("the database is busy")]
    Busy(#[source] sqlx::Error),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// What is stored is not what this program writes.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// Anything else.
    #[error(transparent)]
    Other(sqlx::Error),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        if let Some(database) = error.as_database_error() {
            if database.is_unique_violation() {
                return Self::Duplicate;
            }
            // SQLite: 5 busy, 6 locked, 517 busy snapshot. PostgreSQL: serialization failure, deadlock.
            let code = database.code().unwrap_or_default();
            if matches!(code.as_ref(), "5" | "6" | "517" | "262" | "40001" | "40P01") {
                return Self::Busy(error);
            }
        }
        let away = match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => true,
            // PostgreSQL: connection exceptions, going down or starting, no such database, too many connections.
            sqlx::Error::Database(database) => database.code().is_some_and(|code| {
                code.starts_with("08") || code.starts_with("57P") || matches!(code.as_ref(), "3D000" | "53300")
            }),
            _ => false,
        };
        if away { Self::Unreachable(error) } else { Self::Other(error) }
    }
}

/// A handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: AnyPool,
    backend: Backend,
    /// The epoch under which this process writes; zero while it holds no lock.
    epoch: Arc<AtomicI64>,
}

/// A consistent view of the database.
pub struct Tx {
    inner: Transaction<'static, Any>,
}

/// A change of the truth under way. Dropped without [`WriteTx::commit`], nothing has happened.
pub struct WriteTx {
    tx: Tx,
    sequence: i64,
    ordinal: i64,
}

impl Db {
    /// Opens a database by its URL: `postgres://…`, or a path for SQLite. Neither creates nor changes any table.
    pub async fn connect(database: &str) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let backend = Backend::of(database);
        let url = match backend {
            Backend::Postgres => database.to_owned(),
            Backend::Sqlite => format!("sqlite://{}?mode=rwc", encode_path(database)),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(Duration::from_secs(15))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(matches!(backend, Backend::Postgres))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if matches!(backend, Backend::Sqlite) {
                        for pragma in schema::SQLITE_PRAGMAS.iter().copied() {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        Ok(Self { pool, backend, epoch: Arc::default() })
    }

    /// Which database this is, for messages.
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Begins a consistent view.
    pub async fn read(&self) -> Result<Tx, DbError> {
        let begin = match self.backend {
            Backend::Sqlite => "BEGIN",
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(Tx { inner: self.pool.begin_with(begin).await? })
    }

    /// Begins a change under the serving lock. It waits for every other change, and numbers this one.
    pub async fn write(&self) -> Result<WriteTx, DbError> {
        let begin = match self.backend {
            Backend::Sqlite => "BEGIN IMMEDIATE",
            Backend::Postgres => "BEGIN",
        };
        let mut tx = Tx { inner: self.pool.begin_with(begin).await? };
        let epoch = self.epoch.load(Ordering::Acquire);
        let sequence: Option<(i64,)> = sqlx::query_as(
            "UPDATE head SET sequence = sequence + 1 WHERE id = 1 AND epoch = $1 AND holder IS NOT NULL RETURNING sequence",
        )
        .bind(epoch)
        .fetch_optional(tx.connection())
        .await?;
        let (sequence,) = sequence.ok_or(DbError::Fenced)?;
        Ok(WriteTx { tx, sequence, ordinal: 0 })
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Tx {
    /// The connection, for statements of this module only.
    fn connection(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// The number of the last change that this view contains.
    pub async fn sequence(&mut self) -> Result<u64, DbError> {
        let (sequence,): (i64,) =
            sqlx::query_as("SELECT sequence FROM head WHERE id = 1").fetch_one(self.connection()).await?;
        Ok(sequence.cast_unsigned())
    }
}

impl WriteTx {
    /// The number of this change in commit order.
    pub const fn number(&self) -> u64 {
        self.sequence.cast_unsigned()
    }

    /// Makes the change true. Returns its number.
    pub async fn commit(self) -> Result<u64, DbError> {
        self.tx.inner.commit().await?;
        Ok(self.sequence.cast_unsigned())
    }

    fn next_ordinal(&mut self) -> i64 {
        self.ordinal += 1;
        self.ordinal
    }
}

impl Deref for WriteTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for WriteTx {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

/// Requires that a statement touched exactly one row.
fn exactly_one(result: &sqlx::any::AnyQueryResult) -> Result<(), DbError> {
    if result.rows_affected() == 1 { Ok(()) } else { Err(DbError::Changed) }
}

/// Reads a stored word, id or document.
fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, DbError> {
    text.parse().map_err(|_| DbError::Corrupt(text.chars().take(60).collect()))
}

/// Reads an optional stored id.
fn parsed_option<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, DbError> {
    text.map(parsed).transpose()
}

/// What a page of a list asks for: how many, and after which row.
#[derive(Debug, Clone, Default)]
pub struct PageAsk {
    /// The last row of the page before; its meaning belongs to the list.
    pub after: Option<String>,
    /// How many rows at most.
    pub limit: i64,
}

/// Percent-encodes what a path may hold and a URL may not.
fn encode_path(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace('#', "%23").replace(' ', "%20")
}
