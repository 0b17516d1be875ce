//! Warnings of credentials that end: when organizations want them, and which were given.

use super::{DbError, Tx, WriteTx, parsed};
use std::collections::HashMap;
use tegata_core::ids::{OrgId, TokenId};
use tegata_core::time::Timestamp;

/// A credential that ends soon.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Its id.
    pub id: TokenId,
    /// The id of its owner: a user, or whatever else owns it.
    pub owner: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many days were left at the last warning of this end.
    pub warned_days: Option<u32>,
}

/// Credentials that nobody stopped everywhere and that end after one moment and not after another, the soonest first, after the
/// last row of the page before.
// tenant: one task warns in every organization; who is told what is decided by their parts.
pub async fn ending(
    tx: &mut Tx,
    (now, until): (Timestamp, Timestamp),
    after: Option<(Timestamp, TokenId)>,
    limit: i64,
) -> Result<Vec<Ending>, DbError> {
    type Row = (String, String, String, i64, i64, Option<i64>);
    let (from, id) = after.map_or((now, String::new()), |(end, id)| (end, id.to_string()));
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT t.id, t.owner_id, t.name, t.created_at, t.expires_at, w.days
         FROM tokens t LEFT JOIN expiry_warnings w ON w.credential = t.id AND w.expires_at = t.expires_at
         WHERE t.state <> 'revoked' AND t.expires_at > $1 AND t.expires_at <= $2 AND (t.expires_at, t.id) > ($3, $4)
         ORDER BY t.expires_at, t.id LIMIT $5",
    )
    .bind(now.as_micros())
    .bind(until.as_micros())
    .bind(from.as_micros())
    .bind(id)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    let read = |(id, owner, name, created_at, expires_at, days): Row| {
        Ok(Ending {
            id: parsed(&id)?,
            owner,
            name,
            created_at: Timestamp::from_micros(created_at),
            expires_at: Timestamp::from_micros(expires_at),
            warned_days: days.and_then(|days| u32::try_from(days).ok()),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Notes that a warning was given.
pub async fn warned(tx: &mut WriteTx, id: TokenId, expires_at: Timestamp, days: u32) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO expiry_warnings (credential, expires_at, days) VALUES ($1, $2, $3)
         ON CONFLICT (credential) DO UPDATE SET expires_at = excluded.expires_at, days = excluded.days",
    )
    .bind(id.to_string())
    .bind(expires_at.as_micros())
    .bind(i64::from(days))
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Forgets warnings of what ended before a moment.
pub async fn forget_before(tx: &mut WriteTx, moment: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM expiry_warnings WHERE expires_at < $1")
        .bind(moment.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// How many days before, of the organizations that say something.
pub async fn all_days(tx: &mut Tx) -> Result<HashMap<OrgId, Vec<u32>>, DbError> {
    // tenant: one task warns in every organization.
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT org_id, expiry_days FROM notice_settings").fetch_all(tx.connection()).await?;
    rows.into_iter().map(|(org, days)| Ok((parsed(&org)?, read_days(&days)?))).collect()
}

/// How many days before, if the organization says something.
pub async fn days(tx: &mut Tx, org: OrgId) -> Result<Option<Vec<u32>>, DbError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT expiry_days FROM notice_settings WHERE org_id = $1")
        .bind(org.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|(days,)| read_days(&days)).transpose()
}

/// Stores how many days before.
pub async fn set_days(tx: &mut WriteTx, org: OrgId, days: &[u32]) -> Result<(), DbError> {
    let text = days.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    sqlx::query(
        "INSERT INTO notice_settings (org_id, expiry_days) VALUES ($1, $2)
         ON CONFLICT (org_id) DO UPDATE SET expiry_days = excluded.expiry_days",
    )
    .bind(org.to_string())
    .bind(text)
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn read_days(text: &str) -> Result<Vec<u32>, DbError> {
    text.split_whitespace().map(parsed).collect()
}
