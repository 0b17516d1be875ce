//! Which hashing keys there are, by number and fingerprint; the keys themselves are never here.

use super::{DbError, Tx, WriteTx};
use tegata_core::time::Timestamp;

/// A hashing key as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its number.
    pub key_id: i64,
    /// The digest of a fixed text under it.
    pub fingerprint: String,
    /// How many secrets are stored under it.
    pub secrets: i64,
}

/// The keys, oldest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<KnownKey>, DbError> {
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT k.key_id, k.fingerprint, (SELECT COUNT(*) FROM secrets s WHERE s.key_id = k.key_id)
         FROM hash_keys k WHERE k.state = 'live' ORDER BY k.key_id",
    )
    .fetch_all(tx.connection())
    .await?;
    Ok(rows.into_iter().map(|(key_id, fingerprint, secrets)| KnownKey { key_id, fingerprint, secrets }).collect())
}

/// Adds a key, which is the current one from now on.
pub async fn insert(tx: &mut WriteTx, key_id: i64, fingerprint: &str, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("INSERT INTO hash_keys (key_id, fingerprint, state, created_at) VALUES ($1, $2, 'live', $3)")
        .bind(key_id)
        .bind(fingerprint)
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Retires a key: no secret under it counts any longer.
pub async fn retire(tx: &mut WriteTx, key_id: i64) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE hash_keys SET state = 'retired' WHERE key_id = $1 AND state = 'live'")
        .bind(key_id)
        .execute(tx.connection())
        .await?;
    super::exactly_one(&done)
}
