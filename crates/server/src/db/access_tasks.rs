//! Access requests as AuthZEN's callers know them.

use super::{DbError, Tx, WriteTx, parsed, parsed_option};
use tegata_core::ids::{AccessTaskId, ApprovalId, OrgId, RequestId, TokenId, UserId};
use tegata_core::time::Timestamp;

/// An access request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTask {
    /// Its id.
    pub id: AccessTaskId,
    /// The organization that decides it.
    pub org: OrgId,
    /// The credential that was denied.
    pub token: TokenId,
    /// On whose behalf it was asked: the credential's owner, or whoever answers for the application.
    pub requester: UserId,
    /// The request that is decided; none where everything was granted at once.
    pub request: Option<RequestId>,
    /// The id under which the approval is known, should there be one.
    pub approval: ApprovalId,
    /// What was asked for, as a document.
    pub submitted: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is shown.
    pub expires_at: Timestamp,
}

type Row = (String, String, String, String, Option<String>, String, String, i64, i64);

fn read(row: Row) -> Result<AccessTask, DbError> {
    let (id, org, token, requester, request, approval, submitted, created_at, expires_at) = row;
    Ok(AccessTask {
        id: parsed(&id)?,
        org: parsed(&org)?,
        token: parsed(&token)?,
        requester: parsed(&requester)?,
        request: parsed_option(request.as_deref())?,
        approval: parsed(&approval)?,
        submitted,
        created_at: Timestamp::from_micros(created_at),
        expires_at: Timestamp::from_micros(expires_at),
    })
}

macro_rules! tasks_where {
    ($rest:literal) => {
        concat!(
            "SELECT id, org_id, token_id, requester_id, request_id, approval_id, submitted, created_at, expires_at
             FROM access_tasks ",
            $rest
        )
    };
}

/// Stores a new one.
pub async fn insert(tx: &mut WriteTx, task: &AccessTask) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO access_tasks
            (id, org_id, token_id, requester_id, request_id, approval_id, submitted, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(task.id.to_string())
    .bind(task.org.to_string())
    .bind(task.token.to_string())
    .bind(task.requester.to_string())
    .bind(task.request.map(|request| request.to_string()))
    .bind(task.approval.to_string())
    .bind(&task.submitted)
    .bind(task.created_at.as_micros())
    .bind(task.expires_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// One, in whichever organization.
// tenant: callers look whose it is: the credential's that asks, or its owner's.
pub async fn get(tx: &mut Tx, id: AccessTaskId) -> Result<Option<AccessTask>, DbError> {
    let row: Option<Row> =
        sqlx::query_as(tasks_where!("WHERE id = $1")).bind(id.to_string()).fetch_optional(tx.connection()).await?;
    row.map(read).transpose()
}

/// Those that a request decides, oldest first.
pub async fn of_request(tx: &mut Tx, org: OrgId, request: RequestId) -> Result<Vec<AccessTask>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(tasks_where!("WHERE org_id = $1 AND request_id = $2 ORDER BY id"))
        .bind(org.to_string())
        .bind(request.to_string())
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// Forgets those that have not been shown since a moment.
// tenant: time is the same in all organizations.
pub async fn forget_before(tx: &mut WriteTx, moment: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM access_tasks WHERE expires_at < $1")
        .bind(moment.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}
