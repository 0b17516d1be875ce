//! Roles of an organization: predefined ones, those that catalogues bring, and its own.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use std::collections::BTreeMap;
use tegata_core::ids::{ApiId, OrgId, RoleId};
use tegata_core::time::Timestamp;

/// Where a role comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Every organization has it.
    Predefined,
    /// An API's catalogue brings it.
    Catalogue,
    /// The organization defined it.
    Own,
}

impl Origin {
    /// The word in storage and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Predefined => "predefined",
            Self::Catalogue => "catalogue",
            Self::Own => "own",
        }
    }
}

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// `global`, `any`, or the context type in which it may be assigned.
    pub context_type: String,
    /// Whether it holds everything, live.
    pub everything: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// The API whose catalogue brings it.
    pub api: Option<ApiId>,
    /// When it appeared.
    pub created_at: Timestamp,
}

/// Permissions by API, as names.
pub type Permissions = BTreeMap<ApiId, Vec<String>>;

type Row = (String, String, String, String, i64, String, Option<String>, i64);

fn read((id, key, name, context_type, everything, origin, api, created_at): Row) -> Result<Role, DbError> {
    Ok(Role {
        id: parsed(&id)?,
        key,
        name,
        context_type,
        everything: everything != 0,
        origin: match origin.as_str() {
            "predefined" => Origin::Predefined,
            "catalogue" => Origin::Catalogue,
            "own" => Origin::Own,
            _ => return Err(DbError::Corrupt(origin)),
        },
        api: parsed_option(api.as_deref())?,
        created_at: Timestamp::from_micros(created_at),
    })
}

/// Defines a role.
pub async fn insert(tx: &mut WriteTx, org: OrgId, role: &Role, permissions: &Permissions) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO roles (id, org_id, role_key, name, context_type, everything, origin, api_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(role.id.to_string())
    .bind(org.to_string())
    .bind(&role.key)
    .bind(&role.name)
    .bind(&role.context_type)
    .bind(i64::from(role.everything))
    .bind(role.origin.as_str())
    .bind(role.api.map(|api| api.to_string()))
    .bind(role.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    insert_permissions(tx, org, role.id, permissions).await
}

async fn insert_permissions(
    tx: &mut WriteTx,
    org: OrgId,
    role: RoleId,
    permissions: &Permissions,
) -> Result<(), DbError> {
    for (api, names) in permissions {
        for name in names {
            sqlx::query("INSERT INTO role_permissions (org_id, role_id, api_id, permission) VALUES ($1, $2, $3, $4)")
                .bind(org.to_string())
                .bind(role.to_string())
                .bind(api.to_string())
                .bind(name)
                .execute(tx.connection())
                .await?;
        }
    }
    Ok(())
}

/// The role with this key or id.
pub async fn find(tx: &mut Tx, org: OrgId, key_or_id: &str) -> Result<Option<Role>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, role_key, name, context_type, everything, origin, api_id, created_at
         FROM roles WHERE org_id = $1 AND (role_key = $2 OR id = $3)",
    )
    .bind(org.to_string())
    .bind(key_or_id)
    .bind(key_or_id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The roles of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Role>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_key, name, context_type, everything, origin, api_id, created_at
         FROM roles WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The roles that one API's catalogue brought into an organization.
pub async fn of_catalogue(tx: &mut Tx, org: OrgId, api: ApiId) -> Result<Vec<Role>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_key, name, context_type, everything, origin, api_id, created_at
         FROM roles WHERE org_id = $1 AND api_id = $2 AND origin = 'catalogue' ORDER BY id",
    )
    .bind(org.to_string())
    .bind(api.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The permissions that a role lists.
pub async fn permissions(tx: &mut Tx, org: OrgId, role: RoleId) -> Result<Permissions, DbError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT api_id, permission FROM role_permissions WHERE org_id = $1 AND role_id = $2 ORDER BY api_id, permission",
    )
    .bind(org.to_string())
    .bind(role.to_string())
    .fetch_all(tx.connection())
    .await?;
    let mut permissions = Permissions::new();
    for (api, name) in rows {
        permissions.entry(parsed(&api)?).or_default().push(name);
    }
    Ok(permissions)
}

/// Renames a role.
pub async fn rename(tx: &mut WriteTx, org: OrgId, role: RoleId, name: &str) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE roles SET name = $1 WHERE org_id = $2 AND id = $3")
        .bind(name)
        .bind(org.to_string())
        .bind(role.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Replaces the permissions that a role lists.
pub async fn set_permissions(
    tx: &mut WriteTx,
    org: OrgId,
    role: RoleId,
    permissions: &Permissions,
) -> Result<(), DbError> {
    sqlx::query("DELETE FROM role_permissions WHERE org_id = $1 AND role_id = $2")
        .bind(org.to_string())
        .bind(role.to_string())
        .execute(tx.connection())
        .await?;
    insert_permissions(tx, org, role, permissions).await
}

/// Deletes a role with its permissions; it must not be assigned.
pub async fn delete(tx: &mut WriteTx, org: OrgId, role: RoleId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM role_permissions WHERE org_id = $1 AND role_id = $2")
        .bind(org.to_string())
        .bind(role.to_string())
        .execute(tx.connection())
        .await?;
    let done = sqlx::query("DELETE FROM roles WHERE org_id = $1 AND id = $2")
        .bind(org.to_string())
        .bind(role.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Where roles list a permission of an API: organization and role key.
// tenant: taking a permission out of a catalogue concerns every organization that uses the API.
pub async fn listing_permission(tx: &mut Tx, api: ApiId, name: &str) -> Result<Vec<(OrgId, String)>, DbError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT r.org_id, r.role_key FROM role_permissions p JOIN roles r ON r.id = p.role_id
         WHERE p.api_id = $1 AND p.permission = $2 AND r.origin = 'own' ORDER BY r.org_id, r.role_key",
    )
    .bind(api.to_string())
    .bind(name)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(|(org, key)| Ok((parsed(&org)?, key))).collect()
}

/// Every role of every organization, for the memory of live credentials.
// tenant: the memory holds all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<(OrgId, RoleId)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT org_id, id FROM roles ORDER BY id").fetch_all(tx.connection()).await?;
    rows.iter().map(|(org, role)| Ok((parsed(org)?, parsed(role)?))).collect()
}
