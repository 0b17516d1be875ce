//! Facts about the installation itself, by name.

use super::{DbError, Tx, WriteTx};

/// The digest of the one-time set-up token, while there is no administrator.
pub const SETUP_DIGEST: &str = "setup_digest";
/// The number of the schema's first start, random: tells one installation's backups from another's.
pub const INSTALLATION_ID: &str = "installation_id";

/// Reads a fact.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT value FROM installation WHERE name = $1")
        .bind(name)
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|(value,)| value))
}

/// Writes a fact.
pub async fn set(tx: &mut WriteTx, name: &str, value: &str) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes a fact away, which must hold this value.
pub async fn take(tx: &mut WriteTx, name: &str, value: &str) -> Result<(), DbError> {
    let done = sqlx::query("DELETE FROM installation WHERE name = $1 AND value = $2")
        .bind(name)
        .bind(value)
        .execute(tx.connection())
        .await?;
    super::exactly_one(&done)
}
