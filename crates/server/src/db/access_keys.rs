//! Access keys beside the token that each of them is: the client id, and the hash of the secret that people choose.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{OrgId, TokenId};

/// What the stored hash of a secret begins with that was imported, and not shown yet.
pub const IMPORTED: &str = "imported ";

/// By what an access key is shown.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// The organization.
    pub org: OrgId,
    /// The token that it is.
    pub token: TokenId,
    /// What stays when the secret changes.
    pub client_id: String,
    /// The Argon2id hash of the secret; empty where none fits any more.
    pub secret_hash: String,
}

type Row = (String, String, String, String);

fn read((org, token, client_id, secret_hash): Row) -> Result<AccessKey, DbError> {
    Ok(AccessKey { org: parsed(&org)?, token: parsed(&token)?, client_id, secret_hash })
}

/// Stores a new one.
pub async fn insert(tx: &mut WriteTx, key: &AccessKey) -> Result<(), DbError> {
    sqlx::query("INSERT INTO access_keys (org_id, token_id, client_id, secret_hash) VALUES ($1, $2, $3, $4)")
        .bind(key.org.to_string())
        .bind(key.token.to_string())
        .bind(&key.client_id)
        .bind(&key.secret_hash)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The one with this client id.
// tenant: whoever shows it is asked for its secret before anything is told.
pub async fn by_client(tx: &mut Tx, client_id: &str) -> Result<Option<AccessKey>, DbError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT org_id, token_id, client_id, secret_hash FROM access_keys WHERE client_id = $1")
            .bind(client_id)
            .fetch_optional(tx.connection())
            .await?;
    row.map(read).transpose()
}

/// The one that is this token.
// tenant: the token was found in its organization, or is in the memory of all of them.
pub async fn of_token(tx: &mut Tx, token: TokenId) -> Result<Option<AccessKey>, DbError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT org_id, token_id, client_id, secret_hash FROM access_keys WHERE token_id = $1")
            .bind(token.to_string())
            .fetch_optional(tx.connection())
            .await?;
    row.map(read).transpose()
}

/// Those of an organization, newest first; of one service account only, where its id is given.
pub async fn list(tx: &mut Tx, org: OrgId, account: Option<&str>, page: &PageAsk) -> Result<Vec<AccessKey>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT k.org_id, k.token_id, k.client_id, k.secret_hash FROM access_keys k JOIN tokens t ON t.id = k.token_id
         WHERE k.org_id = $1 AND ($2 = '' OR t.owner_id = $3) AND ($4 = '' OR k.token_id < $5)
         ORDER BY k.token_id DESC LIMIT $6",
    )
    .bind(org.to_string())
    .bind(account.unwrap_or_default())
    .bind(account.unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Gives an access key another secret.
pub async fn set_secret(tx: &mut WriteTx, org: OrgId, token: TokenId, hash: &str) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE access_keys SET secret_hash = $1 WHERE org_id = $2 AND token_id = $3")
        .bind(hash)
        .bind(org.to_string())
        .bind(token.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Replaces the hash of a secret, which has to be the one that is known.
pub async fn replace_secret(tx: &mut WriteTx, key: &AccessKey, hash: &str) -> Result<(), DbError> {
    let done =
        sqlx::query("UPDATE access_keys SET secret_hash = $1 WHERE org_id = $2 AND token_id = $3 AND secret_hash = $4")
            .bind(hash)
            .bind(key.org.to_string())
            .bind(key.token.to_string())
            .bind(&key.secret_hash)
            .execute(tx.connection())
            .await?;
    exactly_one(&done)
}
