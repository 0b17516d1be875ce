//! Protected APIs and their catalogues. They belong to the publisher; organizations only use them.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::bits::PermissionNumber;
use tegata_core::ids::{ApiId, UserId};
use tegata_core::time::Timestamp;

/// An API with its catalogue as JSON.
#[derive(Debug, Clone)]
pub struct Api {
    /// Its id.
    pub id: ApiId,
    /// What stands in URLs and in checks.
    pub key: String,
    /// How often the catalogue was imported.
    pub version: u64,
    /// The catalogue document, as JSON.
    pub document: String,
    /// When it was first imported.
    pub created_at: Timestamp,
    /// When it was last imported.
    pub updated_at: Timestamp,
}

type Row = (String, String, i64, String, i64, i64);

fn read((id, key, version, document, created_at, updated_at): Row) -> Result<Api, DbError> {
    Ok(Api {
        id: parsed(&id)?,
        key,
        version: version.cast_unsigned(),
        document,
        created_at: Timestamp::from_micros(created_at),
        updated_at: Timestamp::from_micros(updated_at),
    })
}

/// The API with this key or id.
pub async fn find(tx: &mut Tx, key_or_id: &str) -> Result<Option<Api>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, api_key, version, document, created_at, updated_at FROM apis WHERE api_key = $1 OR id = $2",
    )
    .bind(key_or_id)
    .bind(key_or_id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The id and version of an API, for asking whether a compiled catalogue is still the right one.
pub async fn version(tx: &mut Tx, key_or_id: &str) -> Result<Option<(ApiId, u64)>, DbError> {
    let row: Option<(String, i64)> = sqlx::query_as("SELECT id, version FROM apis WHERE api_key = $1 OR id = $2")
        .bind(key_or_id)
        .bind(key_or_id)
        .fetch_optional(tx.connection())
        .await?;
    row.map(|(id, version)| Ok((parsed(&id)?, version.cast_unsigned()))).transpose()
}

/// The APIs by key.
pub async fn list(tx: &mut Tx, page: &PageAsk) -> Result<Vec<Api>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, api_key, version, document, created_at, updated_at FROM apis WHERE api_key > $1
         ORDER BY api_key LIMIT $2",
    )
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Imports a catalogue for the first time.
pub async fn insert(tx: &mut WriteTx, api: &Api) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO apis (id, api_key, version, document, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(api.id.to_string())
    .bind(&api.key)
    .bind(api.version.cast_signed())
    .bind(&api.document)
    .bind(api.created_at.as_micros())
    .bind(api.updated_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Imports a catalogue again: its version goes up by one from the one that was read.
pub async fn update(tx: &mut WriteTx, id: ApiId, from: u64, document: &str, now: Timestamp) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE apis SET version = version + 1, document = $1, updated_at = $2 WHERE id = $3 AND version = $4",
    )
    .bind(document)
    .bind(now.as_micros())
    .bind(id.to_string())
    .bind(from.cast_signed())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// The numbers that permissions of an API have, removed ones included.
pub async fn numbers(tx: &mut Tx, id: ApiId) -> Result<Vec<(String, PermissionNumber)>, DbError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, number FROM api_permissions WHERE api_id = $1 ORDER BY number")
            .bind(id.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter()
        .map(|(name, number)| {
            let number = u16::try_from(number).map_err(|_| DbError::Corrupt(number.to_string()))?;
            Ok((name, PermissionNumber(number)))
        })
        .collect()
}

/// Gives a permission its number, once and for all.
pub async fn insert_number(tx: &mut WriteTx, id: ApiId, number: PermissionNumber, name: &str) -> Result<(), DbError> {
    sqlx::query("INSERT INTO api_permissions (api_id, number, name) VALUES ($1, $2, $3)")
        .bind(id.to_string())
        .bind(i64::from(number.0))
        .bind(name)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// An API without its document.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub id: ApiId,
    /// Its key.
    pub key: String,
    /// When it was first imported.
    pub created_at: Timestamp,
    /// When it was last imported.
    pub updated_at: Timestamp,
}

/// Every API by key, without the documents: there are few APIs, and documents are large.
pub async fn all(tx: &mut Tx) -> Result<Vec<Known>, DbError> {
    let mut rows: Vec<(String, String, i64, i64)> =
        sqlx::query_as("SELECT id, api_key, created_at, updated_at FROM apis").fetch_all(tx.connection()).await?;
    // Databases do not agree on the order of texts.
    rows.sort_by(|a, b| a.1.cmp(&b.1));
    rows.into_iter()
        .map(|(id, key, created_at, updated_at)| {
            Ok(Known {
                id: parsed(&id)?,
                key,
                created_at: Timestamp::from_micros(created_at),
                updated_at: Timestamp::from_micros(updated_at),
            })
        })
        .collect()
}

/// In which organizations contexts of a type are registered: organization key and how many.
// tenant: a catalogue's change concerns every organization that has such contexts.
pub async fn contexts_of_type(tx: &mut Tx, kind: &str) -> Result<Vec<(String, i64)>, DbError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT o.org_key, COUNT(*) FROM contexts c JOIN orgs o ON o.id = c.org_id
         WHERE c.kind = $1 GROUP BY o.org_key ORDER BY o.org_key",
    )
    .bind(kind)
    .fetch_all(tx.connection())
    .await?;
    Ok(rows)
}

/// The APIs that any of a user's organizations uses, where the membership is active.
// tenant: asked for the user themself, across their own organizations.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<ApiId>, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT DISTINCT u.api_id FROM org_apis u JOIN memberships m ON m.org_id = u.org_id
         WHERE m.user_id = $1 AND m.state = 'active' ORDER BY u.api_id",
    )
    .bind(user.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}
