//! Memberships: a person's place in an organization.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{OrgId, TeamId, UserId};
use tegata_core::time::Timestamp;

/// A membership, with the account it is about.
#[derive(Debug, Clone)]
pub struct Member {
    /// The person.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Whether the membership is active.
    pub active: bool,
    /// Whether the account is.
    pub account_active: bool,
    /// Since when they are a member.
    pub created_at: Timestamp,
}

type Row = (String, String, String, String, String, i64);

fn read((user, email, name, state, account, created_at): Row) -> Result<Member, DbError> {
    Ok(Member {
        user: parsed(&user)?,
        email,
        name,
        active: state == "active",
        account_active: account == "active",
        created_at: Timestamp::from_micros(created_at),
    })
}

/// Makes somebody a member.
pub async fn insert(tx: &mut WriteTx, org: OrgId, user: UserId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("INSERT INTO memberships (org_id, user_id, state, created_at) VALUES ($1, $2, 'active', $3)")
        .bind(org.to_string())
        .bind(user.to_string())
        .bind(now.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// A person's membership in an organization.
pub async fn get(tx: &mut Tx, org: OrgId, user: UserId) -> Result<Option<Member>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT u.id, u.email, u.name, m.state, u.state, m.created_at FROM memberships m
         JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND m.user_id = $2",
    )
    .bind(org.to_string())
    .bind(user.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The members of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Member>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT u.id, u.email, u.name, m.state, u.state, m.created_at FROM memberships m
         JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3",
    )
    .bind(org.to_string())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The members who are in a team, by id.
pub async fn of_team(tx: &mut Tx, org: OrgId, team: TeamId) -> Result<Vec<Member>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT u.id, u.email, u.name, m.state, u.state, m.created_at FROM team_members t
         JOIN memberships m ON m.org_id = t.org_id AND m.user_id = t.user_id
         JOIN users u ON u.id = m.user_id WHERE t.org_id = $1 AND t.team_id = $2 ORDER BY u.id",
    )
    .bind(org.to_string())
    .bind(team.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The organizations of a user, with the state of each membership.
// tenant: asked by the account itself, or for what concerns the account in every organization.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<(OrgId, bool)>, DbError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT org_id, state FROM memberships WHERE user_id = $1 ORDER BY org_id")
            .bind(user.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(|(org, state)| Ok((parsed(&org)?, state == "active"))).collect()
}

/// Activates or deactivates a membership, which must be in the other state.
pub async fn set_active(tx: &mut WriteTx, org: OrgId, user: UserId, active: bool) -> Result<(), DbError> {
    let (from, to) = if active { ("inactive", "active") } else { ("active", "inactive") };
    let done = sqlx::query("UPDATE memberships SET state = $1 WHERE org_id = $2 AND user_id = $3 AND state = $4")
        .bind(to)
        .bind(org.to_string())
        .bind(user.to_string())
        .bind(from)
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}
