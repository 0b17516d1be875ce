//! What identity providers wrote about members and teams, beside what the account and the team say.

use super::{DbError, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{OrgId, TeamId, UserId};
use tegata_core::name::fold;
use tegata_core::time::Timestamp;

/// A member as an identity provider sees them.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub user: UserId,
    /// The account's address.
    pub email: String,
    /// The account's name.
    pub name: String,
    /// Whether the membership is active.
    pub active: bool,
    /// Whether the account is.
    pub account_active: bool,
    /// Since when they are a member.
    pub created_at: Timestamp,
    /// What was written about them, as JSON; none where nothing was.
    pub attributes: Option<String>,
}

type Row = (String, String, String, String, String, i64, Option<String>);

fn read((user, email, name, state, account, created_at, attributes): Row) -> Result<Person, DbError> {
    Ok(Person {
        user: parsed(&user)?,
        email,
        name,
        active: state == "active",
        account_active: account == "active",
        created_at: Timestamp::from_micros(created_at),
        attributes,
    })
}

/// Members of an organization but those that were deleted; whoever was made a member again is there again.
macro_rules! people_where {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.email, u.name, m.state, u.state, m.created_at, s.attributes FROM memberships m
             JOIN users u ON u.id = m.user_id
             LEFT JOIN scim_users s ON s.org_id = m.org_id AND s.user_id = m.user_id
             WHERE m.org_id = $1 AND (s.deleted_at IS NULL OR m.state = 'active') ",
            $rest
        )
    };
}

/// One of them.
pub async fn person(tx: &mut Tx, org: OrgId, user: UserId) -> Result<Option<Person>, DbError> {
    let row: Option<Row> = sqlx::query_as(people_where!("AND m.user_id = $2"))
        .bind(org.to_string())
        .bind(user.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(read).transpose()
}

/// A page of them by id, after one.
pub async fn people(tx: &mut Tx, org: OrgId, after: Option<UserId>, limit: i64) -> Result<Vec<Person>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(people_where!("AND m.user_id > $2 ORDER BY m.user_id LIMIT $3"))
        .bind(org.to_string())
        .bind(after.map(|user| user.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// So many of them by id, after as many others.
pub async fn people_at(tx: &mut Tx, org: OrgId, skip: i64, limit: i64) -> Result<Vec<Person>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(people_where!("ORDER BY m.user_id LIMIT $2 OFFSET $3"))
        .bind(org.to_string())
        .bind(limit)
        .bind(skip)
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// How many there are.
pub async fn count_people(tx: &mut Tx, org: OrgId) -> Result<i64, DbError> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM memberships m LEFT JOIN scim_users s ON s.org_id = m.org_id AND s.user_id = m.user_id
         WHERE m.org_id = $1 AND (s.deleted_at IS NULL OR m.state = 'active')",
    )
    .bind(org.to_string())
    .fetch_one(tx.connection())
    .await?;
    Ok(count)
}

/// Whoever has this user name: the one that was written, or else the account's address.
pub async fn by_user_name(tx: &mut Tx, org: OrgId, name: &str) -> Result<Vec<Person>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(people_where!(
        "AND (s.user_name_folded = $2 OR (s.user_name_folded IS NULL AND u.email_folded = $3)) ORDER BY m.user_id"
    ))
    .bind(org.to_string())
    .bind(fold(name))
    .bind(fold(name))
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Whoever the identity provider knows under this id.
pub async fn by_external_id(tx: &mut Tx, org: OrgId, external_id: &str) -> Result<Vec<Person>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(people_where!("AND s.external_id = $2 ORDER BY m.user_id LIMIT 200"))
        .bind(org.to_string())
        .bind(external_id)
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// Stores what was written about a member.
pub async fn put_person(
    tx: &mut WriteTx,
    org: OrgId,
    user: UserId,
    user_name: &str,
    external_id: Option<&str>,
    attributes: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO scim_users (org_id, user_id, user_name_folded, external_id, attributes, deleted_at)
         VALUES ($1, $2, $3, $4, $5, NULL)
         ON CONFLICT (org_id, user_id) DO UPDATE SET user_name_folded = excluded.user_name_folded,
            external_id = excluded.external_id, attributes = excluded.attributes, deleted_at = NULL",
    )
    .bind(org.to_string())
    .bind(user.to_string())
    .bind(fold(user_name))
    .bind(external_id)
    .bind(attributes)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Takes a member out of the identity provider's sight, and frees their user name.
pub async fn delete_person(tx: &mut WriteTx, org: OrgId, user: UserId, now: Timestamp) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO scim_users (org_id, user_id, user_name_folded, external_id, attributes, deleted_at)
         VALUES ($1, $2, NULL, NULL, '{}', $3)
         ON CONFLICT (org_id, user_id) DO UPDATE SET user_name_folded = NULL, external_id = NULL, attributes = '{}',
            deleted_at = excluded.deleted_at",
    )
    .bind(org.to_string())
    .bind(user.to_string())
    .bind(now.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whether an account is a member here and nowhere else, in whichever state: then it is this organization's to change.
// tenant: says only whether there is another organization, and never which.
pub async fn belongs_here_alone(tx: &mut Tx, org: OrgId, user: UserId) -> Result<bool, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT org_id FROM memberships WHERE user_id = $1 LIMIT 2")
        .bind(user.to_string())
        .fetch_all(tx.connection())
        .await?;
    Ok(rows.len() == 1 && rows.iter().all(|(only,)| *only == org.to_string()))
}

/// Gives an account another address and name, provided that it has those that were read.
pub async fn rename_account(
    tx: &mut WriteTx,
    user: UserId,
    from: (&str, &str),
    to: (&str, &str),
) -> Result<(), DbError> {
    // tenant: asked for an account that is of one organization alone.
    let done = sqlx::query(
        "UPDATE users SET email = $1, email_folded = $2, name = $3 WHERE id = $4 AND email = $5 AND name = $6",
    )
    .bind(to.0)
    .bind(fold(to.0))
    .bind(to.1)
    .bind(user.to_string())
    .bind(from.0)
    .bind(from.1)
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// The members of a team that an identity provider sees.
pub async fn members(tx: &mut Tx, org: OrgId, team: TeamId) -> Result<Vec<UserId>, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT m.user_id FROM team_members t
         JOIN memberships m ON m.org_id = t.org_id AND m.user_id = t.user_id
         LEFT JOIN scim_users s ON s.org_id = m.org_id AND s.user_id = m.user_id
         WHERE t.org_id = $1 AND t.team_id = $2 AND (s.deleted_at IS NULL OR m.state = 'active') ORDER BY m.user_id",
    )
    .bind(org.to_string())
    .bind(team.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|(user,)| parsed(user)).collect()
}

/// What an identity provider wrote about a team.
#[derive(Debug, Clone, Default)]
pub struct TeamNote {
    /// Under which id the identity provider knows it.
    pub external_id: Option<String>,
}

/// What was written about a team; none where it is none that an identity provider made.
pub async fn team(tx: &mut Tx, org: OrgId, team: TeamId) -> Result<Option<TeamNote>, DbError> {
    let row: Option<(Option<String>,)> =
        sqlx::query_as("SELECT external_id FROM scim_teams WHERE org_id = $1 AND team_id = $2")
            .bind(org.to_string())
            .bind(team.to_string())
            .fetch_optional(tx.connection())
            .await?;
    Ok(row.map(|(external_id,)| TeamNote { external_id }))
}

/// Stores what was written about a team, which is from now on the identity provider's.
pub async fn put_team(tx: &mut WriteTx, org: OrgId, team: TeamId, external_id: Option<&str>) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO scim_teams (org_id, team_id, external_id) VALUES ($1, $2, $3)
         ON CONFLICT (team_id) DO UPDATE SET external_id = excluded.external_id",
    )
    .bind(org.to_string())
    .bind(team.to_string())
    .bind(external_id)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Forgets what was written about a team that is deleted.
pub async fn forget_team(tx: &mut WriteTx, org: OrgId, team: TeamId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM scim_teams WHERE org_id = $1 AND team_id = $2")
        .bind(org.to_string())
        .bind(team.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives a team another name.
pub async fn rename_team(tx: &mut WriteTx, org: OrgId, team: TeamId, name: &str) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE teams SET name = $1 WHERE org_id = $2 AND id = $3")
        .bind(name)
        .bind(org.to_string())
        .bind(team.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}
