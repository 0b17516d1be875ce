//! The whole database at once: its tables row by row, what a restore does to them, and what a look at its health asks.
//! Nothing here is part of serving.

use super::{Backend, Db, DbError, Tx, WriteTx};
use crate::authn::hasher::hex;
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row as _};
use tegata_core::time::Timestamp;

/// The fact that a restore leaves and `restore --open` takes away: while it is there, no check says yes.
pub const RESTORED_BLOCKED: &str = "restored_blocked";

/// A table, as far as copying is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its primary key, by which it is read page by page.
    pub key: &'static [&'static str],
    /// A column that points to other rows of the same table; filled in when all of them are there.
    later: Option<&'static str>,
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key, later: None }
}

/// Every table that is copied, those that others refer to first. `head` is not: it is set, with nobody holding it.
pub const TABLES: &[Table] = &[
    table("installation", &["name"]),
    table("hash_keys", &["key_id"]),
    table("users", &["id"]),
    table("orgs", &["id"]),
    table("memberships", &["org_id", "user_id"]),
    table("teams", &["id"]),
    table("team_members", &["team_id", "user_id"]),
    table("apis", &["id"]),
    table("api_permissions", &["api_id", "number"]),
    table("org_apis", &["org_id", "api_id"]),
    Table { name: "contexts", key: &["id"], later: Some("parent_id") },
    table("roles", &["id"]),
    table("role_permissions", &["role_id", "api_id", "permission"]),
    table("assignments", &["id"]),
    table("policies", &["org_id", "kind"]),
    table("context_policies", &["context_id", "kind"]),
    table("record_retention", &["org_id"]),
    table("limits", &["id"]),
    table("limit_usage", &["limit_id", "subject"]),
    table("record_streams", &["id"]),
    table("webhooks", &["id"]),
    table("notices", &["id"]),
    table("user_preferences", &["user_id"]),
    table("notice_settings", &["org_id"]),
    table("expiry_warnings", &["credential"]),
    table("webhook_deliveries", &["id"]),
    table("tokens", &["id"]),
    table("token_parts", &["token_id", "org_id"]),
    table("service_accounts", &["id"]),
    table("access_keys", &["token_id"]),
    table("applications", &["id"]),
    table("application_installs", &["application_id", "org_id"]),
    table("application_permissions", &["application_id", "api_id", "permission"]),
    table("successions", &["id"]),
    table("scim_users", &["org_id", "user_id"]),
    table("scim_teams", &["team_id"]),
    table("credential_imports", &["id"]),
    table("import_profiles", &["id"]),
    table("imported_credentials", &["token_id"]),
    table("import_rows", &["import_id", "ordinal"]),
    table("import_grants", &["id"]),
    table("requests", &["id"]),
    table("access_policies", &["id"]),
    table("access_policy_parts", &["policy_id", "ordinal"]),
    table("access_tasks", &["id"]),
    table("grants", &["id"]),
    table("credential_uses", &["credential", "org_id"]),
    table("verifiers", &["id"]),
    table("verifier_apis", &["verifier_id", "api_id"]),
    table("sessions", &["id"]),
    table("secrets", &["digest"]),
    table("idempotency", &["actor", "idempotency_key"]),
    table("activity", &["id"]),
    table("feed", &["sequence", "ordinal"]),
];

/// Tables that every database has by itself.
pub const OWN_TABLES: &[&str] = &["head", "_sqlx_migrations", "migration_lock"];

/// Most parameters of one statement; SQLite allows 32,766.
const PARAMETERS_MAX: usize = 30_000;
/// Rows read at once.
const PAGE: usize = 1_000;

/// How many rows a table has, and a sum over them that does not depend on their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableSum {
    /// Rows.
    pub rows: u64,
    /// The sum of the first 16 bytes of SHA-256 over each row, in hexadecimal digits.
    pub checksum: String,
}

/// Told after each page how many rows are done.
pub type Rows<'a> = &'a mut (dyn FnMut(u64) + Send);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    name: String,
    text: bool,
}

#[derive(Debug, Clone)]
enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

/// An empty database that is being filled, as one change: all of it or nothing.
pub struct Filling {
    tx: Tx,
    sequence: i64,
}

impl Db {
    /// Begins to fill a database whose tables are there and empty; none where something is in it. Its changes will go
    /// on after `sequence`.
    pub async fn fill(&self, sequence: u64) -> Result<Option<Filling>, DbError> {
        let begin = match self.backend {
            Backend::Sqlite => "BEGIN IMMEDIATE",
            Backend::Postgres => "BEGIN",
        };
        let mut tx = Tx { inner: self.pool.begin_with(begin).await? };
        let sequence = sequence.cast_signed();
        // Holds the row until the end: no server starts on a database that is half filled.
        let taken = sqlx::query("UPDATE head SET sequence = $1 WHERE id = 1 AND sequence = 0 AND epoch = $2")
            .bind(sequence)
            .bind(self.epoch.load(std::sync::atomic::Ordering::Acquire))
            .execute(tx.connection())
            .await?;
        if taken.rows_affected() != 1 {
            return Ok(None);
        }
        for table in TABLES {
            let any = sqlx::query(AssertSqlSafe(format!("SELECT {} FROM {} LIMIT 1", table.key[0], table.name)))
                .fetch_optional(tx.connection())
                .await?;
            if any.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(Filling { tx, sequence }))
    }

    /// The number of the newest migration that ran here.
    pub async fn schema_version(&self) -> Result<i64, DbError> {
        let (version,): (i64,) =
            sqlx::query_as("SELECT MAX(version) FROM _sqlx_migrations").fetch_one(&self.pool).await?;
        Ok(version)
    }
}

impl Filling {
    /// Copies a table. Returns the sum of what was read.
    pub async fn copy(&mut self, from: &mut Tx, table: &Table, done: Rows<'_>) -> Result<TableSum, DbError> {
        let mut reader = Reader::new(from, table).await?;
        let mut here = columns(&mut self.tx, table.name).await?;
        let mut there = reader.columns.clone();
        here.sort();
        there.sort();
        if here != there {
            return Err(DbError::Corrupt(format!("the columns of {} differ between the two databases", table.name)));
        }
        let later = table.later.and_then(|name| reader.columns.iter().position(|column| column.name == name));
        let mut sum = Sum::default();
        while let Some(rows) = reader.next(from).await? {
            for row in &rows {
                sum.add(&reader.columns, row);
            }
            insert(&mut self.tx, table.name, &reader.columns, &rows, later).await?;
            done(sum.rows);
        }
        if let Some(later) = later {
            let mut again = Reader::new(from, table).await?;
            let key = again.columns.iter().position(|column| column.name == table.key[0]).unwrap_or(0);
            let update =
                format!("UPDATE {} SET {} = $1 WHERE {} = $2", table.name, again.columns[later].name, table.key[0]);
            while let Some(rows) = again.next(from).await? {
                for row in rows.iter().filter(|row| !row[later].is_null()) {
                    let statement = sqlx::query(AssertSqlSafe(update.clone()));
                    bind(bind(statement, &row[later]), &row[key]).execute(self.tx.connection()).await?;
                }
            }
        }
        Ok(sum.finish())
    }

    /// Sums up a table as it is now.
    pub async fn sum(&mut self, table: &Table, done: Rows<'_>) -> Result<TableSum, DbError> {
        sum(&mut self.tx, table, done).await
    }

    /// What was filled in, for changing it before anybody sees it. The changes get the next number.
    pub async fn change(mut self) -> Result<WriteTx, DbError> {
        let sequence = self.sequence + 1;
        sqlx::query("UPDATE head SET sequence = $1 WHERE id = 1").bind(sequence).execute(self.tx.connection()).await?;
        Ok(WriteTx { tx: self.tx, sequence, ordinal: 0 })
    }

    /// Makes it true.
    pub async fn commit(self) -> Result<(), DbError> {
        self.tx.inner.commit().await?;
        Ok(())
    }
}

/// How many rows a table has.
pub async fn count(tx: &mut Tx, table: &Table) -> Result<u64, DbError> {
    let (rows,): (i64,) = sqlx::query_as(AssertSqlSafe(format!("SELECT COUNT(*) FROM {}", table.name)))
        .fetch_one(tx.connection())
        .await?;
    Ok(rows.cast_unsigned())
}

/// Sums up a table.
pub async fn sum(tx: &mut Tx, table: &Table, done: Rows<'_>) -> Result<TableSum, DbError> {
    let mut reader = Reader::new(tx, table).await?;
    let mut sum = Sum::default();
    while let Some(rows) = reader.next(tx).await? {
        for row in &rows {
            sum.add(&reader.columns, row);
        }
        done(sum.rows);
    }
    Ok(sum.finish())
}

/// The names of all tables of a database, and their primary keys where the database tells them: for the test that
/// no table is forgotten.
pub async fn tables_here(db: &Db) -> Result<Vec<(String, Vec<String>)>, DbError> {
    let list = match db.backend {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        // tenant: the names of tables belong to nobody.
        Backend::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
        }
    };
    let key = match db.backend {
        Backend::Sqlite => "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
        Backend::Postgres => {
            "SELECT CAST(k.column_name AS TEXT) FROM information_schema.table_constraints c
             JOIN information_schema.key_column_usage k ON k.constraint_name = c.constraint_name
                AND k.table_schema = c.table_schema
             WHERE c.constraint_type = 'PRIMARY KEY' AND c.table_schema = current_schema() AND c.table_name = $1
             ORDER BY k.ordinal_position"
        }
    };
    let names: Vec<(String,)> = sqlx::query_as(list).fetch_all(&db.pool).await?;
    let mut tables = Vec::with_capacity(names.len());
    for (name,) in names {
        let keys: Vec<(String,)> = sqlx::query_as(key).bind(&name).fetch_all(&db.pool).await?;
        tables.push((name, keys.into_iter().map(|(key,)| key).collect()));
    }
    Ok(tables)
}

/// Reads a table page by page, in the order of its key.
struct Reader {
    table: Table,
    columns: Vec<Column>,
    after: Option<Vec<Value>>,
    ended: bool,
}

impl Reader {
    async fn new(tx: &mut Tx, table: &Table) -> Result<Self, DbError> {
        let columns = columns(tx, table.name).await?;
        Ok(Self { table: *table, columns, after: None, ended: false })
    }

    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Vec<Vec<Value>>>, DbError> {
        if self.ended {
            return Ok(None);
        }
        let (name, key) = (self.table.name, self.table.key.join(", "));
        let list = self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        let condition = match &self.after {
            None => String::new(),
            Some(after) => {
                let places: Vec<_> = (1..=after.len()).map(|place| format!("${place}")).collect();
                format!(" WHERE ({key}) > ({})", places.join(", "))
            }
        };
        let text = format!("SELECT {list} FROM {name}{condition} ORDER BY {key} LIMIT {PAGE}");
        let mut statement = sqlx::query(AssertSqlSafe(text));
        for value in self.after.iter().flatten() {
            statement = bind(statement, value);
        }
        let mut rows = Vec::new();
        for row in statement.fetch_all(tx.connection()).await? {
            let cells = self.columns.iter().enumerate().map(|(place, column)| {
                Ok::<_, sqlx::Error>(if column.text {
                    Value::Text(row.try_get(place)?)
                } else {
                    Value::Int(row.try_get(place)?)
                })
            });
            rows.push(cells.collect::<Result<Vec<_>, _>>()?);
        }
        self.ended = rows.len() < PAGE;
        let Some(end) = rows.last() else { return Ok(None) };
        let key = self.table.key.iter().filter_map(|key| {
            let place = self.columns.iter().position(|column| column.name == *key)?;
            end.get(place).cloned()
        });
        self.after = Some(key.collect());
        Ok(Some(rows))
    }
}

async fn columns(tx: &mut Tx, table: &str) -> Result<Vec<Column>, DbError> {
    // PostgreSQL shows its own name in a transaction's settings; SQLite has no such table.
    let text = match tx.inner.backend_name() {
        "PostgreSQL" => {
            "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
        }
        _ => "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
    };
    let rows: Vec<(String, String)> = sqlx::query_as(text).bind(table).fetch_all(tx.connection()).await?;
    if rows.is_empty() {
        return Err(DbError::Corrupt(format!("there is no table {table}")));
    }
    Ok(rows.into_iter().map(|(name, kind)| Column { name, text: kind.eq_ignore_ascii_case("text") }).collect())
}

fn bind<'q>(statement: Query<'q, Any, AnyArguments>, value: &Value) -> Query<'q, Any, AnyArguments> {
    match value {
        Value::Int(value) => statement.bind(*value),
        Value::Text(value) => statement.bind(value.clone()),
    }
}

async fn insert(
    tx: &mut Tx,
    table: &str,
    columns: &[Column],
    rows: &[Vec<Value>],
    later: Option<usize>,
) -> Result<(), DbError> {
    let list = columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    for chunk in rows.chunks((PARAMETERS_MAX / columns.len().max(1)).max(1)) {
        let mut place = 0;
        let values: Vec<_> = chunk
            .iter()
            .map(|row| {
                let places: Vec<_> = row
                    .iter()
                    .map(|_| {
                        place += 1;
                        format!("${place}")
                    })
                    .collect();
                format!("({})", places.join(", "))
            })
            .collect();
        let text = format!("INSERT INTO {table} ({list}) VALUES {}", values.join(", "));
        // Not kept as a prepared statement: the last page of each table has a length of its own.
        let mut statement = sqlx::query(AssertSqlSafe(text)).persistent(chunk.len() == PAGE);
        for row in chunk {
            for (place, value) in row.iter().enumerate() {
                statement =
                    if Some(place) == later { bind(statement, &Value::Text(None)) } else { bind(statement, value) };
            }
        }
        statement.execute(tx.connection()).await?;
    }
    Ok(())
}

impl Value {
    const fn is_null(&self) -> bool {
        matches!(self, Self::Int(None) | Self::Text(None))
    }
}

#[derive(Default)]
struct Sum {
    rows: u64,
    total: u128,
}

impl Sum {
    /// The order of columns is that of their names, so that it does not depend on the database.
    fn add(&mut self, columns: &[Column], row: &[Value]) {
        let mut cells: Vec<_> = columns.iter().zip(row).collect();
        cells.sort_by_key(|(column, _)| &column.name);
        let mut hash = Sha256::new();
        for (_, value) in cells {
            match value {
                Value::Int(None) | Value::Text(None) => hash.update([0]),
                Value::Int(Some(number)) => {
                    hash.update([1]);
                    hash.update(number.to_be_bytes());
                }
                Value::Text(Some(text)) => {
                    hash.update([2]);
                    hash.update((text.len() as u64).to_be_bytes());
                    hash.update(text.as_bytes());
                }
            }
        }
        let digest: [u8; 32] = hash.finalize().into();
        let first = digest.first_chunk::<16>().copied().unwrap_or_default();
        self.total = self.total.wrapping_add(u128::from_be_bytes(first));
        self.rows += 1;
    }

    fn finish(self) -> TableSum {
        TableSum { rows: self.rows, checksum: hex(&self.total.to_be_bytes()) }
    }
}

/// Ends every session that has not ended. Returns how many there were.
pub async fn end_all_sessions(tx: &mut WriteTx, now: Timestamp) -> Result<u64, DbError> {
    let done = sqlx::query("UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL")
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected())
}

/// Takes an account's password away. False where there is no such account, or no password.
pub async fn forget_password(tx: &mut WriteTx, user: &str) -> Result<bool, DbError> {
    let done = sqlx::query("UPDATE users SET password = NULL WHERE id = $1 AND password IS NOT NULL")
        .bind(user)
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}

/// A change that stopped something, as activity tells it.
#[derive(Debug, Clone)]
pub struct Stopping {
    /// Its number.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// The operation's id.
    pub operation: String,
    /// The organization whose activity shows it.
    pub org: String,
    /// The id of what was changed.
    pub subject: String,
    /// What it was.
    pub before: Option<String>,
}

/// The changes after a number, of these operations. One look into the index per organization.
// tenant: the stops file holds the stops of all organizations.
pub async fn changes_after(tx: &mut Tx, sequence: u64, operations: &[&str]) -> Result<Vec<Stopping>, DbError> {
    type Row = (i64, i64, String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT a.sequence, a.at, a.operation, a.org_id, a.subject, a.before_json
         FROM orgs o JOIN activity a ON a.org_id = o.id AND a.sequence > $1 ORDER BY a.sequence, a.ordinal",
    )
    .bind(sequence.cast_signed())
    .fetch_all(tx.connection())
    .await?;
    Ok(rows
        .into_iter()
        .filter(|(_, _, operation, ..)| operations.contains(&operation.as_str()))
        .map(|(sequence, at, operation, org, subject, before)| Stopping {
            sequence: sequence.cast_unsigned(),
            at: Timestamp::from_micros(at),
            operation,
            org,
            subject,
            before,
        })
        .collect())
}

/// A hashing key with its state, live or retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its number.
    pub key_id: i64,
    /// The digest of a fixed text under it.
    pub fingerprint: String,
    /// Whether secrets under it count.
    pub live: bool,
    /// Since when it is there.
    pub created_at: Timestamp,
}

/// Every hashing key that there ever was, oldest first.
pub async fn all_keys(tx: &mut Tx) -> Result<Vec<KeyRow>, DbError> {
    let rows: Vec<(i64, String, String, i64)> =
        sqlx::query_as("SELECT key_id, fingerprint, state, created_at FROM hash_keys ORDER BY key_id")
            .fetch_all(tx.connection())
            .await?;
    Ok(rows
        .into_iter()
        .map(|(key_id, fingerprint, state, created_at)| KeyRow {
            key_id,
            fingerprint,
            live: state == "live",
            created_at: Timestamp::from_micros(created_at),
        })
        .collect())
}

/// How many secrets under a key can still be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct LiveSecrets {
    /// Of tokens and keys of every kind.
    pub tokens: u64,
    /// Of applications: their client secrets.
    pub applications: u64,
    /// Of verifiers.
    pub verifiers: u64,
    /// Of sign-in sessions.
    pub sessions: u64,
}

/// Counts the secrets under a key that are neither replaced nor revoked nor expired.
pub async fn live_secrets(tx: &mut Tx, key_id: i64, now: Timestamp) -> Result<LiveSecrets, DbError> {
    let now = now.as_micros();
    // tenant: a key is the installation's, and so is what is stored under it.
    let (tokens,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM secrets s JOIN tokens t ON t.id = s.subject
         WHERE s.key_id = $1 AND (s.valid_until IS NULL OR s.valid_until > $2) AND t.state <> 'revoked'
            AND t.expires_at > $3",
    )
    .bind(key_id)
    .bind(now)
    .bind(now)
    .fetch_one(tx.connection())
    .await?;
    let (verifiers,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM secrets s JOIN verifiers v ON v.id = s.subject
         WHERE s.key_id = $1 AND (s.valid_until IS NULL OR s.valid_until > $2) AND v.state <> 'revoked'",
    )
    .bind(key_id)
    .bind(now)
    .fetch_one(tx.connection())
    .await?;
    // tenant: as above.
    let (applications,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM secrets s JOIN applications a ON a.id = s.subject
         WHERE s.key_id = $1 AND (s.valid_until IS NULL OR s.valid_until > $2)",
    )
    .bind(key_id)
    .bind(now)
    .fetch_one(tx.connection())
    .await?;
    let (sessions,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM secrets s JOIN sessions e ON e.id = s.subject
         WHERE s.key_id = $1 AND e.ended_at IS NULL AND e.expires_at > $2",
    )
    .bind(key_id)
    .bind(now)
    .fetch_one(tx.connection())
    .await?;
    Ok(LiveSecrets {
        tokens: tokens.cast_unsigned(),
        applications: applications.cast_unsigned(),
        verifiers: verifiers.cast_unsigned(),
        sessions: sessions.cast_unsigned(),
    })
}

/// Rows that point to nothing, by what they are; each count is zero in a sound database.
pub async fn orphans(tx: &mut Tx) -> Result<Vec<(&'static str, u64)>, DbError> {
    // tenant: the health of the database concerns no organization's content.
    const LOOKS: &[(&str, &str)] = &[
        (
            "grants whose token has no part in their organization",
            "SELECT COUNT(*) FROM grants g WHERE NOT EXISTS
                (SELECT 1 FROM token_parts p WHERE p.token_id = g.token_id AND p.org_id = g.org_id)",
        ),
        (
            "secrets of nobody",
            // tenant: the doctor counts what is broken, whosever it is.
            "SELECT COUNT(*) FROM secrets s WHERE NOT EXISTS (SELECT 1 FROM tokens t WHERE t.id = s.subject)
                AND NOT EXISTS (SELECT 1 FROM verifiers v WHERE v.id = s.subject)
                AND NOT EXISTS (SELECT 1 FROM sessions e WHERE e.id = s.subject)
                AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.id = s.subject)",
        ),
        (
            "tokens without a secret",
            // tenant: the doctor counts what is broken, whosever it is.
            "SELECT COUNT(*) FROM tokens t WHERE t.kind <> 'application'
                AND NOT EXISTS (SELECT 1 FROM secrets s WHERE s.subject = t.id)
                AND NOT EXISTS (SELECT 1 FROM access_keys k WHERE k.token_id = t.id)
                AND NOT EXISTS (SELECT 1 FROM imported_credentials i WHERE i.token_id = t.id AND i.hash IS NOT NULL)",
        ),
        (
            "tokens of nobody",
            // tenant: the doctor counts what is broken, whosever it is.
            "SELECT COUNT(*) FROM tokens t WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = t.owner_id)
                AND NOT EXISTS (SELECT 1 FROM orgs o WHERE o.id = t.owner_id)
                AND NOT EXISTS (SELECT 1 FROM service_accounts a WHERE a.id = t.owner_id)
                AND NOT EXISTS (SELECT 1 FROM applications p WHERE p.id = t.owner_id)",
        ),
        (
            "assignments to people, teams or service accounts that do not exist",
            // tenant: the doctor counts what is broken, whosever it is.
            "SELECT COUNT(*) FROM assignments a WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = a.principal_id)
                AND NOT EXISTS (SELECT 1 FROM teams t WHERE t.id = a.principal_id)
                AND NOT EXISTS (SELECT 1 FROM service_accounts s WHERE s.id = a.principal_id)",
        ),
        (
            "team members who are no members of the organization",
            "SELECT COUNT(*) FROM team_members t WHERE NOT EXISTS
                (SELECT 1 FROM memberships m WHERE m.org_id = t.org_id AND m.user_id = t.user_id)",
        ),
        (
            "roles or grants in a context of another organization",
            "SELECT (SELECT COUNT(*) FROM assignments a JOIN contexts c ON c.id = a.context_id WHERE c.org_id <> a.org_id)
                + (SELECT COUNT(*) FROM grants g JOIN contexts c ON c.id = g.context_id WHERE c.org_id <> g.org_id)",
        ),
        (
            "changes of the feed beyond the last number given out",
            "SELECT COUNT(*) FROM feed f WHERE f.sequence > (SELECT h.sequence FROM head h WHERE h.id = 1)",
        ),
    ];
    let mut found = Vec::with_capacity(LOOKS.len());
    for (what, text) in LOOKS {
        let (rows,): (i64,) = sqlx::query_as(*text).fetch_one(tx.connection()).await?;
        found.push((*what, rows.cast_unsigned()));
    }
    Ok(found)
}

/// When the newest change was made.
// tenant: compared with the machine's clock, and shown to nobody else.
pub async fn newest_change(tx: &mut Tx) -> Result<Option<Timestamp>, DbError> {
    let (newest,): (Option<i64>,) = sqlx::query_as("SELECT MAX(at) FROM activity").fetch_one(tx.connection()).await?;
    Ok(newest.map(Timestamp::from_micros))
}

/// What SQLite finds wrong with its own file; nothing on other databases.
pub async fn integrity(db: &Db) -> Result<Vec<String>, DbError> {
    if !matches!(db.backend, Backend::Sqlite) {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check(20)").fetch_all(&db.pool).await?;
    let mut wrong: Vec<String> = rows.into_iter().map(|(row,)| row).filter(|row| row != "ok").collect();
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&db.pool).await?;
    if !broken.is_empty() {
        wrong.push(format!("{} rows refer to rows that are not there", broken.len()));
    }
    Ok(wrong)
}
