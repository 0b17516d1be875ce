//! Digests of secrets, and whose they are.

use super::{DbError, Tx, WriteTx};
use crate::authn::Digest;
use tegata_core::time::Timestamp;

/// Whose a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The id of a token, session or verifier.
    pub subject: String,
    /// When its overlap ends; none while it is the current secret.
    pub valid_until: Option<Timestamp>,
}

/// Whose secret has this digest.
pub async fn find(tx: &mut Tx, digest: Digest) -> Result<Option<Holder>, DbError> {
    let row: Option<(String, Option<i64>)> = sqlx::query_as(
        "SELECT s.subject, s.valid_until FROM secrets s JOIN hash_keys k ON k.key_id = s.key_id
         WHERE s.digest = $1 AND k.state = 'live'",
    )
    .bind(digest.to_hex())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.map(|(subject, until)| Holder { subject, valid_until: until.map(Timestamp::from_micros) }))
}

/// Every digest of a subject.
pub async fn of_subject(tx: &mut Tx, subject: &str) -> Result<Vec<(Digest, Option<Timestamp>)>, DbError> {
    let rows: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT digest, valid_until FROM secrets WHERE subject = $1 ORDER BY created_at")
            .bind(subject)
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter()
        .map(|(digest, until)| {
            let digest = Digest::from_hex(&digest).ok_or(DbError::Corrupt(digest))?;
            Ok((digest, until.map(Timestamp::from_micros)))
        })
        .collect()
}

/// Every digest of the subjects with ids in a range, both ends included.
pub async fn between(
    tx: &mut Tx,
    first: &str,
    last: &str,
) -> Result<Vec<(String, Digest, Option<Timestamp>)>, DbError> {
    let rows: Vec<(String, String, Option<i64>)> = sqlx::query_as(
        "SELECT subject, digest, valid_until FROM secrets WHERE subject >= $1 AND subject <= $2
         ORDER BY subject, created_at",
    )
    .bind(first)
    .bind(last)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|(subject, digest, until)| {
            let digest = Digest::from_hex(&digest).ok_or(DbError::Corrupt(digest))?;
            Ok((subject, digest, until.map(Timestamp::from_micros)))
        })
        .collect()
}

/// Stores a new secret.
pub async fn insert(
    tx: &mut WriteTx,
    digest: Digest,
    key_id: i64,
    subject: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("INSERT INTO secrets (digest, key_id, subject, valid_until, created_at) VALUES ($1, $2, $3, NULL, $4)")
        .bind(digest.to_hex())
        .bind(key_id)
        .bind(subject)
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores a secret that ends by itself.
pub async fn insert_until(
    tx: &mut WriteTx,
    digest: Digest,
    key_id: i64,
    subject: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("INSERT INTO secrets (digest, key_id, subject, valid_until, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(digest.to_hex())
        .bind(key_id)
        .bind(subject)
        .bind(until.as_micros())
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Forgets the secrets of a subject that ended before a moment.
pub async fn forget_ended(tx: &mut WriteTx, subject: &str, before: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM secrets WHERE subject = $1 AND valid_until <= $2")
        .bind(subject)
        .bind(before.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Ends one secret at a moment, unless it ends earlier anyway.
pub async fn end_one(tx: &mut WriteTx, digest: Digest, moment: Timestamp) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE secrets SET valid_until = $1 WHERE digest = $2 AND valid_until > $3")
        .bind(moment.as_micros())
        .bind(digest.to_hex())
        .bind(moment.as_micros())
        .execute(tx.connection())
        .await?;
    super::exactly_one(&done)
}

/// Ends every current secret of a subject at a moment; what ends earlier anyway stays so.
pub async fn end_at(tx: &mut WriteTx, subject: &str, moment: Timestamp) -> Result<(), DbError> {
    sqlx::query("UPDATE secrets SET valid_until = $1 WHERE subject = $2 AND (valid_until IS NULL OR valid_until > $3)")
        .bind(moment.as_micros())
        .bind(subject)
        .bind(moment.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}
