//! Limits on calls, the publisher's and those of organizations, and what is used of them.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use sqlx::AssertSqlSafe;
use tegata_core::ids::{LimitId, OrgId};
use tegata_core::limit::{Covers, Per, Rate, Used};
use tegata_core::time::Timestamp;

/// A limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Its id.
    pub id: LimitId,
    /// Whose it is; none where the publisher set it for every organization.
    pub org: Option<OrgId>,
    /// Its name.
    pub name: String,
    /// How many calls in which time.
    pub rate: Rate,
    /// For whom they are counted.
    pub per: Per,
    /// Which of them.
    pub covers: Covers,
    /// How often it was changed, and once for having been made.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What is used of a limit by one of those for whom it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The limit.
    pub limit: LimitId,
    /// Who is counted.
    pub subject: String,
    /// What is used.
    pub used: Used,
    /// Nanoseconds in which one call refilled when it was.
    pub step_nanos: i64,
}

/// Most rows in one statement.
const ROWS_MAX: usize = 500;

type Row = (String, Option<String>, String, i64, i64, String, Option<String>, Option<String>, i64, i64, i64);

fn read(row: Row) -> Result<Limit, DbError> {
    let (id, org, name, quota, window, per, api, class, version, created_at, updated_at) = row;
    let rate = Rate::new(quota.max(0).cast_unsigned(), window.max(0).cast_unsigned());
    Ok(Limit {
        id: parsed(&id)?,
        org: parsed_option(org.as_deref())?,
        name,
        rate: rate.map_err(|_| DbError::Corrupt(format!("{quota} calls in {window} seconds")))?,
        per: parsed(&per)?,
        covers: Covers { api: parsed_option(api.as_deref())?, class: class.map(Box::from) },
        version: version.max(0).cast_unsigned(),
        created_at: Timestamp::from_micros(created_at),
        updated_at: Timestamp::from_micros(updated_at),
    })
}

/// Sets a limit.
pub async fn insert(tx: &mut WriteTx, limit: &Limit) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO limits
            (id, org_id, name, quota, window_seconds, per, api_id, class, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(limit.id.to_string())
    .bind(limit.org.map(|org| org.to_string()))
    .bind(&limit.name)
    .bind(limit.rate.quota().cast_signed())
    .bind(limit.rate.window_seconds().cast_signed())
    .bind(limit.per.as_str())
    .bind(limit.covers.api.map(|api| api.to_string()))
    .bind(limit.covers.class.as_deref())
    .bind(limit.version.cast_signed())
    .bind(limit.created_at.as_micros())
    .bind(limit.updated_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The limit with this name or id: of an organization, or among those for all of them. An organization's own goes first.
pub async fn find(tx: &mut Tx, org: Option<OrgId>, name_or_id: &str) -> Result<Option<Limit>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, org_id, name, quota, window_seconds, per, api_id, class, version, created_at, updated_at
         FROM limits WHERE (org_id = $1 OR org_id IS NULL) AND (name = $2 OR id = $3)
         ORDER BY CASE WHEN org_id IS NULL THEN 1 ELSE 0 END LIMIT 1",
    )
    .bind(org.map(|org| org.to_string()))
    .bind(name_or_id)
    .bind(name_or_id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The limits that hold in an organization, or only those for all of them, by id.
pub async fn list(tx: &mut Tx, org: Option<OrgId>, page: &PageAsk) -> Result<Vec<Limit>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, org_id, name, quota, window_seconds, per, api_id, class, version, created_at, updated_at
         FROM limits WHERE (org_id = $1 OR org_id IS NULL) AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(org.map(|org| org.to_string()))
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// All limits of all organizations, or of one, or those for all of them; for the memory of live credentials.
pub async fn all(tx: &mut Tx, whose: Whose) -> Result<Vec<Limit>, DbError> {
    let (text, org) = match whose {
        // tenant: the memory holds all organizations.
        Whose::Anybody => (
            "SELECT id, org_id, name, quota, window_seconds, per, api_id, class, version, created_at, updated_at
             FROM limits ORDER BY id",
            None,
        ),
        Whose::Owner(None) => (
            "SELECT id, org_id, name, quota, window_seconds, per, api_id, class, version, created_at, updated_at
             FROM limits WHERE org_id IS NULL ORDER BY id",
            None,
        ),
        Whose::Owner(org) => (
            "SELECT id, org_id, name, quota, window_seconds, per, api_id, class, version, created_at, updated_at
             FROM limits WHERE org_id = $1 ORDER BY id",
            org,
        ),
    };
    let mut query = sqlx::query_as(text);
    if let Some(org) = org {
        query = query.bind(org.to_string());
    }
    let rows: Vec<Row> = query.fetch_all(tx.connection()).await?;
    rows.into_iter().map(read).collect()
}

/// Whose limits are read.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// Those of everybody.
    Anybody,
    /// Those of one organization; or, with none, those for all of them.
    Owner(Option<OrgId>),
}

/// Changes name and rate of a limit, provided that nobody did meanwhile.
pub async fn update(tx: &mut WriteTx, limit: &Limit, was: u64) -> Result<(), DbError> {
    // tenant: the row was found among those of the organization.
    let done = sqlx::query(
        "UPDATE limits SET name = $1, quota = $2, window_seconds = $3, version = $4, updated_at = $5
         WHERE id = $6 AND version = $7",
    )
    .bind(&limit.name)
    .bind(limit.rate.quota().cast_signed())
    .bind(limit.rate.window_seconds().cast_signed())
    .bind(limit.version.cast_signed())
    .bind(limit.updated_at.as_micros())
    .bind(limit.id.to_string())
    .bind(was.cast_signed())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Deletes a limit, provided that nobody changed it meanwhile. What was used of it goes later, by [`forget_usage`].
pub async fn delete(tx: &mut WriteTx, limit: &Limit) -> Result<(), DbError> {
    // tenant: the row was found among those of the organization.
    let done = sqlx::query("DELETE FROM limits WHERE id = $1 AND version = $2")
        .bind(limit.id.to_string())
        .bind(limit.version.cast_signed())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Writes what is used; each limit and subject at most once.
pub async fn save_usage(tx: &mut WriteTx, usage: &[Usage]) -> Result<(), DbError> {
    for rows in usage.chunks(ROWS_MAX) {
        let values: Vec<String> = (0..rows.len())
            .map(|row| row * 4)
            .map(|at| format!("(${}, ${}, ${}, ${})", at + 1, at + 2, at + 3, at + 4))
            .collect();
        let text = format!(
            "INSERT INTO limit_usage (limit_id, subject, used_until, step) VALUES {}
             ON CONFLICT (limit_id, subject) DO UPDATE SET used_until = excluded.used_until, step = excluded.step",
            values.join(", ")
        );
        let mut statement = sqlx::query(AssertSqlSafe(text));
        for row in rows {
            statement =
                statement.bind(row.limit.to_string()).bind(&row.subject).bind(row.used.as_nanos()).bind(row.step_nanos);
        }
        statement.execute(tx.connection()).await?;
    }
    Ok(())
}

/// A page of what was used, after this limit and subject, in their order.
pub async fn usage(tx: &mut Tx, after: (&str, &str), limit: i64) -> Result<Vec<Usage>, DbError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT limit_id, subject, used_until, step FROM limit_usage WHERE (limit_id, subject) > ($1, $2)
         ORDER BY limit_id, subject LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|(id, subject, used, step_nanos)| {
            Ok(Usage { limit: parsed(&id)?, subject, used: Used::from_nanos(used), step_nanos })
        })
        .collect()
}

/// Forgets what counts no longer: what has refilled, and what belongs to a limit that is gone; so many rows of each at most.
/// Returns how many there were.
pub async fn forget_usage(tx: &mut WriteTx, refilled: Used, most: i64) -> Result<u64, DbError> {
    let done = sqlx::query(
        "DELETE FROM limit_usage WHERE (limit_id, subject) IN
            (SELECT limit_id, subject FROM limit_usage WHERE used_until <= $1 LIMIT $2)",
    )
    .bind(refilled.as_nanos())
    .bind(most)
    .execute(tx.connection())
    .await?;
    // tenant: limits of any organization.
    let gone = sqlx::query(
        "DELETE FROM limit_usage WHERE (limit_id, subject) IN
            (SELECT limit_id, subject FROM limit_usage WHERE limit_id NOT IN (SELECT id FROM limits) LIMIT $1)",
    )
    .bind(most)
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() + gone.rows_affected())
}
