//! Service accounts: principals of an organization that no person signs in with.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{OrgId, ServiceAccountId, UserId};
use tegata_core::time::Timestamp;

/// A service account.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// What people call it; once in its organization.
    pub name: String,
    /// The member who answers for it.
    pub owner: UserId,
    /// Whether its keys count.
    pub active: bool,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
}

type Row = (String, String, String, String, String, i64);

fn read((id, name, owner, state, created_by, created_at): Row) -> Result<ServiceAccount, DbError> {
    let created_at = Timestamp::from_micros(created_at);
    Ok(ServiceAccount {
        id: parsed(&id)?,
        name,
        owner: parsed(&owner)?,
        active: state == "active",
        created_by,
        created_at,
    })
}

const fn word(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

/// Makes a service account.
pub async fn insert(tx: &mut WriteTx, org: OrgId, account: &ServiceAccount) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO service_accounts (id, org_id, name, owner_id, state, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(account.id.to_string())
    .bind(org.to_string())
    .bind(&account.name)
    .bind(account.owner.to_string())
    .bind(word(account.active))
    .bind(&account.created_by)
    .bind(account.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The service account with this id or name.
pub async fn find(tx: &mut Tx, org: OrgId, id_or_name: &str) -> Result<Option<ServiceAccount>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, name, owner_id, state, created_by, created_at FROM service_accounts
         WHERE org_id = $1 AND (id = $2 OR name = $3)",
    )
    .bind(org.to_string())
    .bind(id_or_name)
    .bind(id_or_name)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// What a service account is called, for views of what it owns.
// tenant: whoever sees something that it owns sees its name.
pub async fn name(tx: &mut Tx, id: ServiceAccountId) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT name FROM service_accounts WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|(name,)| name))
}

/// The service accounts of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<ServiceAccount>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, owner_id, state, created_by, created_at FROM service_accounts
         WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The service accounts that a member answers for.
pub async fn of_owner(tx: &mut Tx, org: OrgId, owner: UserId) -> Result<Vec<ServiceAccount>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, name, owner_id, state, created_by, created_at FROM service_accounts
         WHERE org_id = $1 AND owner_id = $2 ORDER BY id",
    )
    .bind(org.to_string())
    .bind(owner.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Every service account of every organization.
// tenant: the memory holds all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<(OrgId, ServiceAccountId)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT org_id, id FROM service_accounts ORDER BY id").fetch_all(tx.connection()).await?;
    rows.iter().map(|(org, id)| Ok((parsed(org)?, parsed(id)?))).collect()
}

/// Gives a service account another name and another member who answers for it.
pub async fn update(
    tx: &mut WriteTx,
    org: OrgId,
    id: ServiceAccountId,
    name: &str,
    owner: UserId,
) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE service_accounts SET name = $1, owner_id = $2 WHERE org_id = $3 AND id = $4")
        .bind(name)
        .bind(owner.to_string())
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Lets the keys of a service account count, or not.
pub async fn set_active(tx: &mut WriteTx, org: OrgId, id: ServiceAccountId, active: bool) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE service_accounts SET state = $1 WHERE org_id = $2 AND id = $3 AND state = $4")
        .bind(word(active))
        .bind(org.to_string())
        .bind(id.to_string())
        .bind(word(!active))
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}
