//! For how long each organization keeps its access records.

use super::{DbError, Tx, WriteTx, parsed};
use std::collections::HashMap;
use tegata_core::ids::OrgId;
use tegata_core::time::Timestamp;

/// What an organization said of its access records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordRetention {
    /// Whole days; none where the installation's setting holds.
    pub days: Option<u32>,
    /// A legal hold: nothing is dropped while it lasts.
    pub hold: bool,
}

impl RecordRetention {
    fn read(days: Option<i64>, hold: i64) -> Result<Self, DbError> {
        let days =
            days.map(|days| u32::try_from(days).map_err(|_| DbError::Corrupt(format!("{days} days")))).transpose()?;
        Ok(Self { days, hold: hold != 0 })
    }
}

/// What an organization said; nothing, if it said nothing.
pub async fn get(tx: &mut Tx, org: OrgId) -> Result<RecordRetention, DbError> {
    let row: Option<(Option<i64>, i64)> = sqlx::query_as("SELECT days, hold FROM record_retention WHERE org_id = $1")
        .bind(org.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map_or(Ok(RecordRetention::default()), |(days, hold)| RecordRetention::read(days, hold))
}

/// Sets what an organization says.
pub async fn set(tx: &mut WriteTx, org: OrgId, retention: RecordRetention, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO record_retention (org_id, days, hold, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (org_id) DO UPDATE SET days = excluded.days, hold = excluded.hold, updated_at = excluded.updated_at",
    )
    .bind(org.to_string())
    .bind(retention.days.map(i64::from))
    .bind(i64::from(retention.hold))
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What all organizations said.
pub async fn all(tx: &mut Tx) -> Result<HashMap<OrgId, RecordRetention>, DbError> {
    // tenant: the round that drops old records of every organization.
    let rows: Vec<(String, Option<i64>, i64)> =
        sqlx::query_as("SELECT org_id, days, hold FROM record_retention").fetch_all(tx.connection()).await?;
    rows.into_iter().map(|(org, days, hold)| Ok((parsed(&org)?, RecordRetention::read(days, hold)?))).collect()
}
