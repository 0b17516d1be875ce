//! Access policies: named ceilings that approvers lay on what they grant.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use tegata_core::ids::{AccessPolicyId, ApiId, ContextId, OrgId};
use tegata_core::time::Timestamp;

/// An access policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    /// Its id.
    pub id: AccessPolicyId,
    /// The organization.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// Where it stands when approvers choose: small numbers first.
    pub position: i64,
    /// How often it was changed, and once for having been made.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Permissions of one API in one place that it admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The API.
    pub api: ApiId,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The permissions by name.
    pub permissions: Vec<String>,
}

type Row = (String, String, String, i64, i64, i64, i64);

fn read((id, org, name, position, version, created_at, updated_at): Row) -> Result<AccessPolicy, DbError> {
    Ok(AccessPolicy {
        id: parsed(&id)?,
        org: parsed(&org)?,
        name,
        position,
        version: version.max(0).cast_unsigned(),
        created_at: Timestamp::from_micros(created_at),
        updated_at: Timestamp::from_micros(updated_at),
    })
}

/// Stores a new one with its parts.
pub async fn insert(tx: &mut WriteTx, policy: &AccessPolicy, parts: &[Part]) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO access_policies (id, org_id, name, position, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(policy.id.to_string())
    .bind(policy.org.to_string())
    .bind(&policy.name)
    .bind(policy.position)
    .bind(policy.version.cast_signed())
    .bind(policy.created_at.as_micros())
    .bind(policy.updated_at.as_micros())
    .execute(tx.connection())
    .await?;
    insert_parts(tx, policy, parts).await
}

async fn insert_parts(tx: &mut WriteTx, policy: &AccessPolicy, parts: &[Part]) -> Result<(), DbError> {
    for (ordinal, part) in (0_i64..).zip(parts) {
        sqlx::query(
            "INSERT INTO access_policy_parts (org_id, policy_id, ordinal, api_id, context_id, permissions)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(policy.org.to_string())
        .bind(policy.id.to_string())
        .bind(ordinal)
        .bind(part.api.to_string())
        .bind(part.context.map(|context| context.to_string()))
        .bind(part.permissions.join(" "))
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}

/// The one with this name or id.
pub async fn find(tx: &mut Tx, org: OrgId, name_or_id: &str) -> Result<Option<AccessPolicy>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, org_id, name, position, version, created_at, updated_at
         FROM access_policies WHERE org_id = $1 AND (name = $2 OR id = $3)",
    )
    .bind(org.to_string())
    .bind(name_or_id)
    .bind(name_or_id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// Those of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<AccessPolicy>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, org_id, name, position, version, created_at, updated_at
         FROM access_policies WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The ids of all, with their organizations: for the memory of live credentials.
// tenant: it is the memory of all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<(OrgId, AccessPolicyId)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT org_id, id FROM access_policies ORDER BY id").fetch_all(tx.connection()).await?;
    rows.into_iter().map(|(org, id)| Ok((parsed(&org)?, parsed(&id)?))).collect()
}

/// What one admits; none where there is no such policy.
pub async fn parts(tx: &mut Tx, org: OrgId, id: AccessPolicyId) -> Result<Option<Vec<Part>>, DbError> {
    if find(tx, org, &id.to_string()).await?.is_none() {
        return Ok(None);
    }
    let rows: Vec<(String, Option<String>, String)> = sqlx::query_as(
        "SELECT api_id, context_id, permissions FROM access_policy_parts
         WHERE org_id = $1 AND policy_id = $2 ORDER BY ordinal",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .fetch_all(tx.connection())
    .await?;
    let parts = rows.into_iter().map(|(api, context, permissions)| {
        let permissions = permissions.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Ok(Part { api: parsed(&api)?, context: parsed_option(context.as_deref())?, permissions })
    });
    parts.collect::<Result<_, DbError>>().map(Some)
}

/// Changes one that is at the version before.
pub async fn update(tx: &mut WriteTx, policy: &AccessPolicy, parts: &[Part]) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE access_policies SET name = $1, position = $2, version = $3, updated_at = $4
         WHERE org_id = $5 AND id = $6 AND version = $7",
    )
    .bind(&policy.name)
    .bind(policy.position)
    .bind(policy.version.cast_signed())
    .bind(policy.updated_at.as_micros())
    .bind(policy.org.to_string())
    .bind(policy.id.to_string())
    .bind(policy.version.saturating_sub(1).cast_signed())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)?;
    delete_parts(tx, policy.org, policy.id).await?;
    insert_parts(tx, policy, parts).await
}

/// Deletes one that bounds nothing any more (see [`super::grants::count_under`]); what is over for good no longer names it.
pub async fn delete(tx: &mut WriteTx, org: OrgId, id: AccessPolicyId) -> Result<(), DbError> {
    sqlx::query("UPDATE grants SET access_policy_id = NULL WHERE org_id = $1 AND access_policy_id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    delete_parts(tx, org, id).await?;
    let done = sqlx::query("DELETE FROM access_policies WHERE org_id = $1 AND id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

async fn delete_parts(tx: &mut WriteTx, org: OrgId, id: AccessPolicyId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM access_policy_parts WHERE org_id = $1 AND policy_id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}
