//! Teams: groups of users in one organization.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{OrgId, TeamId, UserId};
use tegata_core::time::Timestamp;

/// A team.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

type Row = (String, String, String, i64);

fn read((id, key, name, created_at): Row) -> Result<Team, DbError> {
    Ok(Team { id: parsed(&id)?, key, name, created_at: Timestamp::from_micros(created_at) })
}

/// Makes a team.
pub async fn insert(tx: &mut WriteTx, org: OrgId, team: &Team) -> Result<(), DbError> {
    sqlx::query("INSERT INTO teams (id, org_id, team_key, name, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(team.id.to_string())
        .bind(org.to_string())
        .bind(&team.key)
        .bind(&team.name)
        .bind(team.created_at.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The team with this key or id.
pub async fn find(tx: &mut Tx, org: OrgId, key_or_id: &str) -> Result<Option<Team>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, team_key, name, created_at FROM teams WHERE org_id = $1 AND (team_key = $2 OR id = $3)",
    )
    .bind(org.to_string())
    .bind(key_or_id)
    .bind(key_or_id)
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The teams of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Team>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, team_key, name, created_at FROM teams WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Who is in a team.
pub async fn members(tx: &mut Tx, org: OrgId, team: TeamId) -> Result<Vec<UserId>, DbError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT user_id FROM team_members WHERE org_id = $1 AND team_id = $2 ORDER BY user_id")
            .bind(org.to_string())
            .bind(team.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.iter().map(|(user,)| parsed(user)).collect()
}

/// In which teams a user is.
pub async fn of_user(tx: &mut Tx, org: OrgId, user: UserId) -> Result<Vec<TeamId>, DbError> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT team_id FROM team_members WHERE org_id = $1 AND user_id = $2 ORDER BY team_id")
            .bind(org.to_string())
            .bind(user.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.iter().map(|(team,)| parsed(team)).collect()
}

/// Puts a user into a team. False when they were in it already.
pub async fn add_member(tx: &mut WriteTx, org: OrgId, team: TeamId, user: UserId) -> Result<bool, DbError> {
    let done =
        sqlx::query("INSERT INTO team_members (org_id, team_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(org.to_string())
            .bind(team.to_string())
            .bind(user.to_string())
            .execute(tx.connection())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a user out of a team.
pub async fn remove_member(tx: &mut WriteTx, org: OrgId, team: TeamId, user: UserId) -> Result<(), DbError> {
    let done = sqlx::query("DELETE FROM team_members WHERE org_id = $1 AND team_id = $2 AND user_id = $3")
        .bind(org.to_string())
        .bind(team.to_string())
        .bind(user.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Deletes a team with its memberships; its assignments are deleted by [`super::assignments::delete_of_principal`].
pub async fn delete(tx: &mut WriteTx, org: OrgId, team: TeamId) -> Result<(), DbError> {
    super::scim::forget_team(tx, org, team).await?;
    sqlx::query("DELETE FROM team_members WHERE org_id = $1 AND team_id = $2")
        .bind(org.to_string())
        .bind(team.to_string())
        .execute(tx.connection())
        .await?;
    let done = sqlx::query("DELETE FROM teams WHERE org_id = $1 AND id = $2")
        .bind(org.to_string())
        .bind(team.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Every team of every organization, for the memory of live credentials.
// tenant: the memory holds all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<(OrgId, TeamId)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT org_id, id FROM teams ORDER BY id").fetch_all(tx.connection()).await?;
    rows.iter().map(|(org, team)| Ok((parsed(org)?, parsed(team)?))).collect()
}
