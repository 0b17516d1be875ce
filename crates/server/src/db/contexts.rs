//! Contexts: the places of an organization, as a tree.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::time::Timestamp;

/// A context.
#[derive(Debug, Clone)]
pub struct Context {
    /// Its id.
    pub id: ContextId,
    /// Its type, as a catalogue declares it.
    pub kind: String,
    /// The key that people use.
    pub key: String,
    /// The id by which the API knows it.
    pub external_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// The context above it; none directly under the organization.
    pub parent: Option<ContextId>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

type Row = (String, String, String, Option<String>, String, Option<String>, i64, String);

fn read((id, kind, key, external_id, name, parent, created_at, created_by): Row) -> Result<Context, DbError> {
    Ok(Context {
        id: parsed(&id)?,
        kind,
        key,
        external_id,
        name,
        parent: parsed_option(parent.as_deref())?,
        created_at: Timestamp::from_micros(created_at),
        created_by,
    })
}

/// Registers a context. `key_folded` is the key as it is compared: folded where the type does not mind case.
pub async fn insert(tx: &mut WriteTx, org: OrgId, context: &Context, key_folded: &str) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO contexts (id, org_id, kind, context_key, key_folded, external_id, name, parent_id, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(context.id.to_string())
    .bind(org.to_string())
    .bind(&context.kind)
    .bind(&context.key)
    .bind(key_folded)
    .bind(&context.external_id)
    .bind(&context.name)
    .bind(context.parent.map(|parent| parent.to_string()))
    .bind(context.created_at.as_micros())
    .bind(&context.created_by)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The context with this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: ContextId) -> Result<Option<Context>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, kind, context_key, external_id, name, parent_id, created_at, created_by
         FROM contexts WHERE org_id = $1 AND id = $2",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The context of a type with this key, compared as the type says.
pub async fn by_key(tx: &mut Tx, org: OrgId, kind: &str, key_folded: &str) -> Result<Option<Context>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, kind, context_key, external_id, name, parent_id, created_at, created_by
         FROM contexts WHERE org_id = $1 AND kind = $2 AND key_folded = $3",
    )
    .bind(org.to_string())
    .bind(kind)
    .bind(key_folded)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The context of a type with this id: ours, or the one by which the API knows it.
pub async fn by_any_id(tx: &mut Tx, org: OrgId, kind: &str, id: &str) -> Result<Option<Context>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, kind, context_key, external_id, name, parent_id, created_at, created_by
         FROM contexts WHERE org_id = $1 AND kind = $2 AND (id = $3 OR external_id = $4)
         ORDER BY CASE WHEN id = $5 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(org.to_string())
    .bind(kind)
    .bind(id)
    .bind(id)
    .bind(id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The ids of a context and of those above it, innermost first.
pub async fn chain(tx: &mut Tx, org: OrgId, id: ContextId) -> Result<Vec<ContextId>, DbError> {
    // The depth is bounded, so that even a cycle made by hand in the database ends.
    let rows: Vec<(String,)> = sqlx::query_as(
        "WITH RECURSIVE up (id, parent_id, depth) AS (
            SELECT id, parent_id, 0 FROM contexts WHERE org_id = $1 AND id = $2
            UNION ALL
            SELECT c.id, c.parent_id, up.depth + 1 FROM contexts c JOIN up ON c.id = up.parent_id
            WHERE c.org_id = $3 AND up.depth < 32
         ) SELECT id FROM up ORDER BY depth",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .bind(org.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|(id,)| parsed(id)).collect()
}

/// The contexts of an organization, by id; of one type if asked.
pub async fn list(tx: &mut Tx, org: OrgId, kind: Option<&str>, page: &PageAsk) -> Result<Vec<Context>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, kind, context_key, external_id, name, parent_id, created_at, created_by
         FROM contexts WHERE org_id = $1 AND ($2 = '' OR kind = $3) AND id > $4 ORDER BY id LIMIT $5",
    )
    .bind(org.to_string())
    .bind(kind.unwrap_or_default())
    .bind(kind.unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The contexts directly under a parent (none: under the organization), by id; of one type if asked.
pub async fn list_under(
    tx: &mut Tx,
    org: OrgId,
    parent: Option<ContextId>,
    kind: Option<&str>,
    page: &PageAsk,
) -> Result<Vec<Context>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, kind, context_key, external_id, name, parent_id, created_at, created_by
         FROM contexts WHERE org_id = $1 AND COALESCE(parent_id, '') = $2 AND ($3 = '' OR kind = $4) AND id > $5
         ORDER BY id LIMIT $6",
    )
    .bind(org.to_string())
    .bind(parent.map(|parent| parent.to_string()).unwrap_or_default())
    .bind(kind.unwrap_or_default())
    .bind(kind.unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Renames a context.
pub async fn rename(tx: &mut WriteTx, org: OrgId, id: ContextId, name: &str) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE contexts SET name = $1 WHERE org_id = $2 AND id = $3")
        .bind(name)
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Moves a context from one parent to another.
pub async fn set_parent(
    tx: &mut WriteTx,
    org: OrgId,
    id: ContextId,
    from: Option<ContextId>,
    to: Option<ContextId>,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE contexts SET parent_id = $1 WHERE org_id = $2 AND id = $3 AND COALESCE(parent_id, '') = $4",
    )
    .bind(to.map(|to| to.to_string()))
    .bind(org.to_string())
    .bind(id.to_string())
    .bind(from.map(|from| from.to_string()).unwrap_or_default())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}
