//! Answers that were given under an idempotency key, without anything secret.

use super::{DbError, Tx, WriteTx};
use tegata_core::time::Timestamp;

/// An answer that was given before.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, as a digest.
    pub request_hash: String,
    /// The status.
    pub status: u16,
    /// The body, as JSON, without secrets.
    pub body: String,
}

/// The answer under a key of this actor.
pub async fn find(tx: &mut Tx, actor: &str, key: &str) -> Result<Option<Answer>, DbError> {
    let row: Option<(String, i64, String)> =
        sqlx::query_as("SELECT request_hash, status, body FROM idempotency WHERE actor = $1 AND idempotency_key = $2")
            .bind(actor)
            .bind(key)
            .fetch_optional(tx.connection())
            .await?;
    Ok(row.map(|(request_hash, status, body)| Answer {
        request_hash,
        status: u16::try_from(status).unwrap_or(500),
        body,
    }))
}

/// Keeps an answer.
pub async fn insert(tx: &mut WriteTx, actor: &str, key: &str, answer: &Answer, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO idempotency (actor, idempotency_key, request_hash, status, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(actor)
    .bind(key)
    .bind(&answer.request_hash)
    .bind(i64::from(answer.status))
    .bind(&answer.body)
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Forgets answers given before a moment.
pub async fn forget_before(tx: &mut WriteTx, moment: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM idempotency WHERE created_at < $1")
        .bind(moment.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}
