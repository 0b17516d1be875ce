//! Verifiers: whatever asks for decisions about one or more APIs. They belong to the publisher.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{ApiId, VerifierId};
use tegata_core::time::Timestamp;

/// A verifier.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// Its id.
    pub id: VerifierId,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was stopped for good.
    pub revoked_at: Option<Timestamp>,
    /// The APIs it may ask about.
    pub apis: Vec<ApiId>,
}

type Row = (String, String, i64, Option<i64>);

async fn read(tx: &mut Tx, (id, name, created_at, revoked_at): Row) -> Result<Verifier, DbError> {
    let apis: Vec<(String,)> =
        sqlx::query_as("SELECT api_id FROM verifier_apis WHERE verifier_id = $1 ORDER BY api_id")
            .bind(&id)
            .fetch_all(tx.connection())
            .await?;
    Ok(Verifier {
        id: parsed(&id)?,
        name,
        created_at: Timestamp::from_micros(created_at),
        revoked_at: revoked_at.map(Timestamp::from_micros),
        apis: apis.iter().map(|(api,)| parsed(api)).collect::<Result<_, _>>()?,
    })
}

/// Makes a verifier.
pub async fn insert(tx: &mut WriteTx, verifier: &Verifier) -> Result<(), DbError> {
    sqlx::query("INSERT INTO verifiers (id, name, state, created_at, revoked_at) VALUES ($1, $2, 'active', $3, NULL)")
        .bind(verifier.id.to_string())
        .bind(&verifier.name)
        .bind(verifier.created_at.as_micros())
        .execute(tx.connection())
        .await?;
    for api in &verifier.apis {
        sqlx::query("INSERT INTO verifier_apis (verifier_id, api_id) VALUES ($1, $2)")
            .bind(verifier.id.to_string())
            .bind(api.to_string())
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// The verifier with this id.
pub async fn get(tx: &mut Tx, id: VerifierId) -> Result<Option<Verifier>, DbError> {
    let row: Option<Row> = sqlx::query_as("SELECT id, name, created_at, revoked_at FROM verifiers WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    match row {
        Some(row) => Ok(Some(read(tx, row).await?)),
        None => Ok(None),
    }
}

/// The verifiers by id.
pub async fn list(tx: &mut Tx, page: &PageAsk) -> Result<Vec<Verifier>, DbError> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT id, name, created_at, revoked_at FROM verifiers WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(page.after.as_deref().unwrap_or_default())
            .bind(page.limit)
            .fetch_all(tx.connection())
            .await?;
    let mut verifiers = Vec::with_capacity(rows.len());
    for row in rows {
        verifiers.push(read(tx, row).await?);
    }
    Ok(verifiers)
}

/// Stops a verifier for good.
pub async fn revoke(tx: &mut WriteTx, id: VerifierId, now: Timestamp) -> Result<(), DbError> {
    let done =
        sqlx::query("UPDATE verifiers SET state = 'revoked', revoked_at = $1 WHERE id = $2 AND state = 'active'")
            .bind(now.as_micros())
            .bind(id.to_string())
            .execute(tx.connection())
            .await?;
    exactly_one(&done)
}
