//! Organizations, and the APIs that each of them uses.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{ApiId, OrgId, TokenId, UserId};
use tegata_core::time::Timestamp;

/// An organization.
#[derive(Debug, Clone)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Whether it is the publisher's own, where the installation is governed.
    pub publisher: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

type Row = (String, String, String, String, i64);

const PUBLISHER: &str = "publisher";

fn read((id, key, name, kind, created_at): Row) -> Result<Org, DbError> {
    let publisher = kind == PUBLISHER;
    Ok(Org { id: parsed(&id)?, key, name, publisher, created_at: Timestamp::from_micros(created_at) })
}

/// Makes an organization.
pub async fn insert(tx: &mut WriteTx, org: &Org) -> Result<(), DbError> {
    sqlx::query("INSERT INTO orgs (id, org_key, name, kind, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(org.id.to_string())
        .bind(&org.key)
        .bind(&org.name)
        .bind(if org.publisher { PUBLISHER } else { "tenant" })
        .bind(org.created_at.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The organization with this key or id.
pub async fn find(tx: &mut Tx, key_or_id: &str) -> Result<Option<Org>, DbError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, org_key, name, kind, created_at FROM orgs WHERE org_key = $1 OR id = $2")
            .bind(key_or_id)
            .bind(key_or_id)
            .fetch_optional(tx.connection())
            .await?;
    row.map(read).transpose()
}

/// The publisher's organization.
pub async fn publisher(tx: &mut Tx) -> Result<Option<Org>, DbError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, org_key, name, kind, created_at FROM orgs WHERE kind = 'publisher'")
            .fetch_optional(tx.connection())
            .await?;
    row.map(read).transpose()
}

/// Every organization, for the memory of live credentials.
// tenant: the memory holds all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<Org>, DbError> {
    let rows: Vec<Row> = sqlx::query_as("SELECT id, org_key, name, kind, created_at FROM orgs ORDER BY id")
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// The organizations of which a user is an active member, by key.
pub async fn of_user(tx: &mut Tx, user: UserId, page: &PageAsk) -> Result<Vec<Org>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT o.id, o.org_key, o.name, o.kind, o.created_at FROM orgs o
         JOIN memberships m ON m.org_id = o.id
         WHERE m.user_id = $1 AND m.state = 'active' AND o.org_key > $2 ORDER BY o.org_key LIMIT $3",
    )
    .bind(user.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The organizations of which a user is an active member and in which a token has a part that counts, by key.
pub async fn of_user_with_token(
    tx: &mut Tx,
    user: UserId,
    token: TokenId,
    page: &PageAsk,
) -> Result<Vec<Org>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT o.id, o.org_key, o.name, o.kind, o.created_at FROM orgs o
         JOIN memberships m ON m.org_id = o.id JOIN token_parts p ON p.org_id = o.id
         WHERE m.user_id = $1 AND m.state = 'active' AND p.token_id = $2 AND p.state <> 'revoked'
           AND o.org_key > $3 ORDER BY o.org_key LIMIT $4",
    )
    .bind(user.to_string())
    .bind(token.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Renames an organization.
pub async fn rename(tx: &mut WriteTx, org: OrgId, name: &str) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE orgs SET name = $1 WHERE id = $2")
        .bind(name)
        .bind(org.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Begins to use an API.
pub async fn enable_api(tx: &mut WriteTx, org: OrgId, api: ApiId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("INSERT INTO org_apis (org_id, api_id, enabled_at) VALUES ($1, $2, $3)")
        .bind(org.to_string())
        .bind(api.to_string())
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stops using an API.
pub async fn disable_api(tx: &mut WriteTx, org: OrgId, api: ApiId) -> Result<(), DbError> {
    let done = sqlx::query("DELETE FROM org_apis WHERE org_id = $1 AND api_id = $2")
        .bind(org.to_string())
        .bind(api.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// The APIs that an organization uses, with the moment they were enabled.
pub async fn apis(tx: &mut Tx, org: OrgId) -> Result<Vec<(ApiId, Timestamp)>, DbError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT api_id, enabled_at FROM org_apis WHERE org_id = $1 ORDER BY api_id")
            .bind(org.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(|(api, at)| Ok((parsed(&api)?, Timestamp::from_micros(at)))).collect()
}

/// The organizations that use an API.
// tenant: a catalogue's change concerns every organization that uses it.
pub async fn using_api(tx: &mut Tx, api: ApiId) -> Result<Vec<OrgId>, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT org_id FROM org_apis WHERE api_id = $1 ORDER BY org_id")
        .bind(api.to_string())
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(|(org,)| parsed(org)).collect()
}
