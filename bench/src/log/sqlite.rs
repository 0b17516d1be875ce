//! The same records in SQLite with three indexes, as one would keep them without an access log of its own kind.

use super::rows::{Maker, ORGANIZATION};
use crate::Fallible;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Row as _};
use std::path::Path;
use tegata_record::NewRecord;

const ROWS_PER_TRANSACTION: u64 = 50_000;
const COLUMNS: [&str; 23] = [
    "time",
    "sequence",
    "api",
    "organization",
    "alternative",
    "permission",
    "context_id",
    "level",
    "decision",
    "reason",
    "credential",
    "kind",
    "principal",
    "acted_for",
    "method",
    "endpoint",
    "path",
    "address",
    "user_agent",
    "request_id",
    "rule_version",
    "catalogue_version",
    "count",
];
const INDEXES: [(&str, &str); 3] = [
    ("by_time", "organization, time"),
    ("by_credential", "organization, credential, time"),
    ("by_principal", "organization, principal, time"),
];

/// A database with all records.
pub struct Sqlite {
    connection: SqliteConnection,
    bytes: u64,
}

impl Sqlite {
    /// Fills a database with the first so many records. The indexes are made at the end, which is the fastest way.
    pub async fn fill(path: &Path, maker: &Maker, records: u64, mut on_progress: impl FnMut(u64)) -> Fallible<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .pragma("cache_size", "-1000000");
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let types = COLUMNS.map(|name| match name {
            "time" | "alternative" | "rule_version" | "catalogue_version" | "count" => format!("{name} INTEGER"),
            "sequence" => "sequence INTEGER PRIMARY KEY".to_owned(),
            name => format!("{name} TEXT"),
        });
        execute(&mut connection, &format!("CREATE TABLE records ({})", types.join(", "))).await?;
        let places: Vec<String> = (1..=COLUMNS.len()).map(|place| format!("?{place}")).collect();
        let insert = format!("INSERT INTO records ({}) VALUES ({})", COLUMNS.join(", "), places.join(", "));
        let mut first = 0;
        while first < records {
            let next = (first + ROWS_PER_TRANSACTION).min(records);
            let mut transaction = connection.begin().await?;
            for number in first..next {
                let row = maker.row(number);
                insert_row(&mut transaction, &insert, number + 1, &maker.record(&row)).await?;
            }
            transaction.commit().await?;
            first = next;
            on_progress(first);
        }
        for (name, columns) in INDEXES {
            execute(&mut connection, &format!("CREATE INDEX {name} ON records ({columns})")).await?;
        }
        execute(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
        let bytes = std::fs::metadata(path)?.len();
        Ok(Self { connection, bytes })
    }

    /// Bytes of the database.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The newest 50 records of a credential. Returns how many there are.
    pub async fn page(&mut self, credential: &str) -> Fallible<usize> {
        let statement = "SELECT * FROM records WHERE organization = ?1 AND credential = ?2 ORDER BY time DESC LIMIT 50";
        let rows = sqlx::query(statement).bind(ORGANIZATION).bind(credential).fetch_all(&mut self.connection).await?;
        Ok(rows.len())
    }

    /// Counts by hour and decision. Returns how many hours there are.
    pub async fn histogram(&mut self) -> Fallible<usize> {
        let statement = "SELECT time / 3600000000 AS hour, sum(decision = 'allow'), sum(decision = 'deny') FROM records
            WHERE organization = ?1 GROUP BY hour ORDER BY hour";
        let rows = sqlx::query(statement).bind(ORGANIZATION).fetch_all(&mut self.connection).await?;
        let hour = rows.first().map(|row| row.try_get::<i64, _>(0)).transpose()?;
        Ok(if hour.is_some() { rows.len() } else { 0 })
    }
}

async fn execute(connection: &mut SqliteConnection, statement: &str) -> Fallible<()> {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

async fn insert_row(
    connection: &mut SqliteConnection,
    insert: &str,
    sequence: u64,
    record: &NewRecord<'_>,
) -> Fallible<()> {
    sqlx::query(sqlx::AssertSqlSafe(insert))
        .bind(record.time_us)
        .bind(sequence.cast_signed())
        .bind(record.api)
        .bind(record.organization)
        .bind(record.alternative)
        .bind(record.permission)
        .bind(record.context_id)
        .bind(record.level)
        .bind(record.decision.as_str())
        .bind(record.reason)
        .bind(record.credential)
        .bind(record.kind)
        .bind(record.principal)
        .bind(record.acted_for)
        .bind(record.method)
        .bind(record.endpoint)
        .bind(record.path)
        .bind(record.address)
        .bind(record.user_agent)
        .bind(record.request_id)
        .bind(record.rule_version)
        .bind(record.catalogue_version.cast_signed())
        .bind(record.count.cast_signed())
        .execute(connection)
        .await?;
    Ok(())
}
