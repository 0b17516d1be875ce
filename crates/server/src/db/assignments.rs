//! Assignments: a role given to a user or team, in the organization or in one of its contexts.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use tegata_core::ids::{AssignmentId, ContextId, OrgId, RoleId, ServiceAccountId, TeamId, UserId};
use tegata_core::time::Timestamp;

/// Who a role is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// A person.
    User(UserId),
    /// Everybody in a team.
    Team(TeamId),
    /// An account that no person signs in with.
    ServiceAccount(ServiceAccountId),
}

impl Principal {
    /// `user`, `team` or `service_account`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Team(_) => "team",
            Self::ServiceAccount(_) => "service_account",
        }
    }

    /// The id as text.
    pub fn id(self) -> String {
        match self {
            Self::User(id) => id.to_string(),
            Self::Team(id) => id.to_string(),
            Self::ServiceAccount(id) => id.to_string(),
        }
    }
}

/// An assignment.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The role.
    pub role: RoleId,
    /// Who has it.
    pub principal: Principal,
    /// Where; none for the whole organization.
    pub context: Option<ContextId>,
    /// Since when.
    pub created_at: Timestamp,
    /// By whom it was given.
    pub created_by: String,
}

type Row = (String, String, String, String, Option<String>, i64, String);

fn read((id, role, kind, principal, context, created_at, created_by): Row) -> Result<Assignment, DbError> {
    Ok(Assignment {
        id: parsed(&id)?,
        role: parsed(&role)?,
        principal: match kind.as_str() {
            "user" => Principal::User(parsed(&principal)?),
            "team" => Principal::Team(parsed(&principal)?),
            "service_account" => Principal::ServiceAccount(parsed(&principal)?),
            _ => return Err(DbError::Corrupt(kind)),
        },
        context: parsed_option(context.as_deref())?,
        created_at: Timestamp::from_micros(created_at),
        created_by,
    })
}

/// Gives a role.
pub async fn insert(tx: &mut WriteTx, org: OrgId, assignment: &Assignment) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO assignments (id, org_id, role_id, principal_kind, principal_id, context_id, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(assignment.id.to_string())
    .bind(org.to_string())
    .bind(assignment.role.to_string())
    .bind(assignment.principal.kind())
    .bind(assignment.principal.id())
    .bind(assignment.context.map(|context| context.to_string()))
    .bind(assignment.created_at.as_micros())
    .bind(&assignment.created_by)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The assignment with this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: AssignmentId) -> Result<Option<Assignment>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
         FROM assignments WHERE org_id = $1 AND id = $2",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this user or team.
    pub principal: Option<String>,
    /// In this context.
    pub context: Option<ContextId>,
    /// Only in the whole organization.
    pub global: bool,
    /// Of this role.
    pub role: Option<RoleId>,
}

/// The assignments of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, filter: &Filter, page: &PageAsk) -> Result<Vec<Assignment>, DbError> {
    let principal = filter.principal.clone().unwrap_or_default();
    let context = filter.context.map(|context| context.to_string()).unwrap_or_default();
    let role = filter.role.map(|role| role.to_string()).unwrap_or_default();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
         FROM assignments
         WHERE org_id = $1 AND ($2 = '' OR principal_id = $3) AND ($4 = '' OR context_id = $5)
           AND ($6 = 0 OR context_id IS NULL) AND ($7 = '' OR role_id = $8) AND id > $9
         ORDER BY id LIMIT $10",
    )
    .bind(org.to_string())
    .bind(&principal)
    .bind(&principal)
    .bind(&context)
    .bind(&context)
    .bind(i64::from(filter.global))
    .bind(&role)
    .bind(&role)
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// What a user or team was given directly.
pub async fn of_principal(tx: &mut Tx, org: OrgId, principal: Principal) -> Result<Vec<Assignment>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
         FROM assignments WHERE org_id = $1 AND principal_id = $2 ORDER BY id",
    )
    .bind(org.to_string())
    .bind(principal.id())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// What a user has, by themself or through their teams.
pub async fn reaching_user(tx: &mut Tx, org: OrgId, user: UserId) -> Result<Vec<Assignment>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
         FROM assignments
         WHERE org_id = $1 AND (principal_id = $2
            OR principal_id IN (SELECT team_id FROM team_members WHERE org_id = $3 AND user_id = $4))
         ORDER BY id",
    )
    .bind(org.to_string())
    .bind(user.to_string())
    .bind(org.to_string())
    .bind(user.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Who has which role in this very context.
pub async fn in_context(tx: &mut Tx, org: OrgId, context: ContextId) -> Result<Vec<Assignment>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
         FROM assignments WHERE org_id = $1 AND context_id = $2 ORDER BY id",
    )
    .bind(org.to_string())
    .bind(context.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Who has which role in this very place; none for the whole organization.
pub async fn at(tx: &mut Tx, org: OrgId, context: Option<ContextId>) -> Result<Vec<Assignment>, DbError> {
    let Some(context) = context else {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
             FROM assignments WHERE org_id = $1 AND context_id IS NULL ORDER BY id",
        )
        .bind(org.to_string())
        .fetch_all(tx.connection())
        .await?;
        return rows.into_iter().map(read).collect();
    };
    in_context(tx, org, context).await
}

/// Whom a role is given to, in a place, directly.
pub async fn of_role(tx: &mut Tx, org: OrgId, role: RoleId) -> Result<Vec<Assignment>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, role_id, principal_kind, principal_id, context_id, created_at, created_by
         FROM assignments WHERE org_id = $1 AND role_id = $2 ORDER BY id",
    )
    .bind(org.to_string())
    .bind(role.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The active members of an organization who administer it, by themselves or through teams.
pub async fn administrators(tx: &mut Tx, org: OrgId) -> Result<Vec<UserId>, DbError> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "SELECT m.user_id FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.org_id = $1 AND m.state = 'active' AND u.state = 'active' AND EXISTS (
            SELECT 1 FROM assignments a JOIN roles r ON r.id = a.role_id
            WHERE a.org_id = $2 AND r.everything = 1 AND a.context_id IS NULL AND (a.principal_id = m.user_id
               OR a.principal_id IN (SELECT t.team_id FROM team_members t WHERE t.org_id = $3 AND t.user_id = m.user_id)))
         ORDER BY m.user_id",
    )
    .bind(org.to_string())
    .bind(org.to_string())
    .bind(org.to_string())
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|(user,)| parsed(user)).collect()
}

/// How many active members administer the whole organization, by themselves or through a team.
pub async fn count_administrators(tx: &mut Tx, org: OrgId) -> Result<i64, DbError> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM memberships m JOIN users u ON u.id = m.user_id
         WHERE m.org_id = $1 AND m.state = 'active' AND u.state = 'active' AND EXISTS (
            SELECT 1 FROM assignments a JOIN roles r ON r.id = a.role_id
            WHERE a.org_id = $2 AND r.everything = 1 AND a.context_id IS NULL AND (a.principal_id = m.user_id
               OR a.principal_id IN (SELECT t.team_id FROM team_members t WHERE t.org_id = $3 AND t.user_id = m.user_id)))",
    )
    .bind(org.to_string())
    .bind(org.to_string())
    .bind(org.to_string())
    .fetch_one(tx.connection())
    .await?;
    Ok(count)
}

/// Whether a user has everything in the whole organization, by themself or through a team; whether their membership
/// is active is another question.
pub async fn administers(tx: &mut Tx, org: OrgId, user: UserId) -> Result<bool, DbError> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT a.id FROM assignments a JOIN roles r ON r.id = a.role_id
         WHERE a.org_id = $1 AND r.everything = 1 AND a.context_id IS NULL AND (a.principal_id = $2
            OR a.principal_id IN (SELECT team_id FROM team_members WHERE org_id = $3 AND user_id = $4)) LIMIT 1",
    )
    .bind(org.to_string())
    .bind(user.to_string())
    .bind(org.to_string())
    .bind(user.to_string())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.is_some())
}

/// Whether everybody in a team has everything in the whole organization through it.
pub async fn team_administers(tx: &mut Tx, org: OrgId, team: TeamId) -> Result<bool, DbError> {
    let row: Option<(String,)> = sqlx::query_as(
        "SELECT a.id FROM assignments a JOIN roles r ON r.id = a.role_id
         WHERE a.org_id = $1 AND a.principal_id = $2 AND r.everything = 1 AND a.context_id IS NULL LIMIT 1",
    )
    .bind(org.to_string())
    .bind(team.to_string())
    .fetch_optional(tx.connection())
    .await?;
    Ok(row.is_some())
}

/// Takes an assignment away.
pub async fn delete(tx: &mut WriteTx, org: OrgId, id: AssignmentId) -> Result<(), DbError> {
    let done = sqlx::query("DELETE FROM assignments WHERE org_id = $1 AND id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Takes everything away that a user or team was given directly.
pub async fn delete_of_principal(tx: &mut WriteTx, org: OrgId, principal: Principal) -> Result<(), DbError> {
    sqlx::query("DELETE FROM assignments WHERE org_id = $1 AND principal_id = $2")
        .bind(org.to_string())
        .bind(principal.id())
        .execute(tx.connection())
        .await?;
    Ok(())
}
