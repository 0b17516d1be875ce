//! The tables and how they come to be. Migrations run at start, once, also when two processes start together.

use super::{Backend, Db, DbError};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection as _, SqlSafeStr as _};
use std::borrow::Cow;

/// What every SQLite connection is told first. `synchronous = FULL` keeps an acknowledged change through a power cut.
pub(super) const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA trusted_schema = OFF",
];

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "initial", include_str!("../../migrations/0001_initial.sql")),
    (2, "record_retention", include_str!("../../migrations/0002_record_retention.sql")),
    (3, "credential_uses", include_str!("../../migrations/0003_credential_uses.sql")),
    (4, "limits", include_str!("../../migrations/0004_limits.sql")),
    (5, "record_streams", include_str!("../../migrations/0005_record_streams.sql")),
    (6, "credential_kinds", include_str!("../../migrations/0006_credential_kinds.sql")),
    (7, "notices", include_str!("../../migrations/0007_notices.sql")),
    (8, "requests", include_str!("../../migrations/0008_requests.sql")),
    (9, "applications", include_str!("../../migrations/0009_applications.sql")),
    (10, "leavers", include_str!("../../migrations/0010_leavers.sql")),
    (11, "credential_imports", include_str!("../../migrations/0011_credential_imports.sql")),
    (12, "policies", include_str!("../../migrations/0012_policies.sql")),
    (13, "access_tasks", include_str!("../../migrations/0013_access_tasks.sql")),
];

/// The number of the newest migration that this program knows.
pub fn newest() -> i64 {
    MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0)
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It holds tables, and none of ours.
    #[error(
        "this database belongs to another program: it has tables and none of them is Tegata's; choose another with --database"
    )]
    Foreign,
    /// A newer Tegata wrote it.
    #[error(
        "this database was written by a newer Tegata (schema {0}): start that version, or restore a backup made by this one"
    )]
    Newer(i64),
    /// A migration that ran does not read as it did then.
    #[error("schema {0} in this database differs from the one this program knows")]
    Altered(i64),
    /// The file is no database.
    #[error("this file is not a SQLite database; choose another with --database")]
    NotADatabase,
    /// The database said no.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Whether a database is new, ours, or somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No table at all.
    Empty,
    /// Our tables.
    Ours,
}

impl Db {
    /// Looks at what is there, without changing it.
    pub async fn inspect(&self) -> Result<Found, SchemaError> {
        let list = match self.backend {
            Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            // tenant: the names of tables belong to nobody.
            Backend::Postgres => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()"
            }
        };
        let tables: Vec<(String,)> = sqlx::query_as(list).fetch_all(&self.pool).await.map_err(not_a_database)?;
        if tables.is_empty() {
            return Ok(Found::Empty);
        }
        let ours = tables.iter().any(|(name,)| name == "head") && tables.iter().any(|(name,)| name == "installation");
        // A first start that was interrupted leaves the migrations' own table and nothing else.
        let interrupted = tables.iter().all(|(name,)| name == "_sqlx_migrations" || name == "migration_lock");
        match (ours, interrupted) {
            (true, _) => Ok(Found::Ours),
            (false, true) => Ok(Found::Empty),
            (false, false) => Err(SchemaError::Foreign),
        }
    }

    /// Brings the tables up to this program's schema.
    pub async fn migrate(&self) -> Result<(), SchemaError> {
        self.migrate_to(newest()).await
    }

    /// Brings the tables up to an older schema, for tests of what an upgrade does with data.
    pub async fn migrate_to(&self, newest: i64) -> Result<(), SchemaError> {
        self.inspect().await?;
        match self.backend {
            // Callers hold the lock file beside the database, so no other process is here.
            Backend::Sqlite => self.run_migrations(newest).await,
            Backend::Postgres => {
                // A row lock rather than an advisory lock, which not every engine of this protocol has. It falls
                // with its connection, so a process that dies here blocks nobody.
                let mut guard = self.pool.acquire().await.map_err(DbError::from)?;
                sqlx::query("CREATE TABLE IF NOT EXISTS migration_lock (id BIGINT PRIMARY KEY, runs BIGINT NOT NULL)")
                    .execute(&mut *guard)
                    .await
                    .or_else(ignore_created_meanwhile)
                    .map_err(DbError::from)?;
                sqlx::query("INSERT INTO migration_lock (id, runs) VALUES (1, 0) ON CONFLICT (id) DO NOTHING")
                    .execute(&mut *guard)
                    .await
                    .map_err(DbError::from)?;
                let mut held = guard.begin().await.map_err(DbError::from)?;
                sqlx::query("UPDATE migration_lock SET runs = runs + 1 WHERE id = 1")
                    .execute(&mut *held)
                    .await
                    .map_err(DbError::from)?;
                let done = self.run_migrations(newest).await;
                held.commit().await.map_err(DbError::from)?;
                done
            }
        }
    }

    async fn run_migrations(&self, newest: i64) -> Result<(), SchemaError> {
        let migrations = MIGRATIONS
            .iter()
            .filter(|(version, ..)| *version <= newest)
            .map(|(version, name, sql)| {
                Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql.into_sql_str(), false)
            })
            .collect();
        let mut migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
        migrator.set_locking(false);
        migrator.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
                SchemaError::Newer(version)
            }
            MigrateError::VersionMismatch(version) => SchemaError::Altered(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => not_a_database(error),
            other => SchemaError::Db(DbError::Corrupt(other.to_string())),
        })
    }
}

/// Two processes that create the same table at the same moment: the slower one is told so, and may go on.
fn ignore_created_meanwhile(error: sqlx::Error) -> Result<sqlx::any::AnyQueryResult, sqlx::Error> {
    let created = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    if matches!(created.as_deref(), Some("23505" | "42P07")) {
        Ok(sqlx::any::AnyQueryResult::default())
    } else {
        Err(error)
    }
}

fn not_a_database(error: sqlx::Error) -> SchemaError {
    // SQLite's 26: "file is not a database".
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("26") => SchemaError::NotADatabase,
        _ => SchemaError::Db(error.into()),
    }
}
