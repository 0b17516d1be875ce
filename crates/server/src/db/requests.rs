//! Requests: permissions that were asked for together. Their lines are grants.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{OrgId, RequestId, TokenId, UserId};
use tegata_core::request::RequestState;
use tegata_core::time::Timestamp;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The organization that decides it.
    pub org: OrgId,
    /// The credential it is for.
    pub token: TokenId,
    /// Who asks.
    pub requester: UserId,
    /// What for.
    pub reason: String,
    /// Whether anything of it waits.
    pub state: RequestState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires, as far as it is not decided.
    pub expires_at: Timestamp,
    /// When nothing of it waited any more.
    pub closed_at: Option<Timestamp>,
}

type Row = (String, String, String, String, String, String, i64, i64, Option<i64>);

fn read(row: Row) -> Result<Request, DbError> {
    let (id, org, token, requester, reason, state, created_at, expires_at, closed_at) = row;
    Ok(Request {
        id: parsed(&id)?,
        org: parsed(&org)?,
        token: parsed(&token)?,
        requester: parsed(&requester)?,
        reason,
        state: parsed(&state)?,
        created_at: Timestamp::from_micros(created_at),
        expires_at: Timestamp::from_micros(expires_at),
        closed_at: closed_at.map(Timestamp::from_micros),
    })
}

macro_rules! requests_where {
    ($rest:literal) => {
        concat!(
            "SELECT id, org_id, token_id, requester_id, reason, state, created_at, expires_at, closed_at FROM requests ",
            $rest
        )
    };
}

/// Stores a new request.
pub async fn insert(tx: &mut WriteTx, request: &Request) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO requests (id, org_id, token_id, requester_id, reason, state, created_at, expires_at, closed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
    )
    .bind(request.id.to_string())
    .bind(request.org.to_string())
    .bind(request.token.to_string())
    .bind(request.requester.to_string())
    .bind(&request.reason)
    .bind(request.state.as_str())
    .bind(request.created_at.as_micros())
    .bind(request.expires_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// A request of an organization.
pub async fn get(tx: &mut Tx, org: OrgId, id: RequestId) -> Result<Option<Request>, DbError> {
    let row: Option<Row> = sqlx::query_as(requests_where!("WHERE org_id = $1 AND id = $2"))
        .bind(org.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(read).transpose()
}

/// A request of a person, in whichever organization.
// tenant: it is the requester's own.
pub async fn of_requester(tx: &mut Tx, requester: UserId, id: RequestId) -> Result<Option<Request>, DbError> {
    let row: Option<Row> = sqlx::query_as(requests_where!("WHERE requester_id = $1 AND id = $2"))
        .bind(requester.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(read).transpose()
}

/// The requests of an organization, newest first; of one state where that is said.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    state: Option<RequestState>,
    page: &PageAsk,
) -> Result<Vec<Request>, DbError> {
    let state = state.map_or("", RequestState::as_str);
    let rows: Vec<Row> = sqlx::query_as(requests_where!(
        "WHERE org_id = $1 AND ($2 = '' OR state = $3) AND ($4 = '' OR id < $5) ORDER BY id DESC LIMIT $6"
    ))
    .bind(org.to_string())
    .bind(state)
    .bind(state)
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The requests of a person, newest first; of one state where that is said.
// tenant: they are the requester's own.
pub async fn list_of_requester(
    tx: &mut Tx,
    requester: UserId,
    state: Option<RequestState>,
    page: &PageAsk,
) -> Result<Vec<Request>, DbError> {
    let state = state.map_or("", RequestState::as_str);
    let rows: Vec<Row> = sqlx::query_as(requests_where!(
        "WHERE requester_id = $1 AND ($2 = '' OR state = $3) AND ($4 = '' OR id < $5) ORDER BY id DESC LIMIT $6"
    ))
    .bind(requester.to_string())
    .bind(state)
    .bind(state)
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.after.as_deref().unwrap_or_default())
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// The open requests for a credential.
// tenant: callers look at one organization's only, unless the credential ends everywhere.
pub async fn open_of_token(tx: &mut Tx, token: TokenId) -> Result<Vec<Request>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(requests_where!("WHERE token_id = $1 AND state = 'open' ORDER BY id"))
        .bind(token.to_string())
        .fetch_all(tx.connection())
        .await?;
    rows.into_iter().map(read).collect()
}

/// The open requests of a person in one organization.
pub async fn open_of_requester(tx: &mut Tx, org: OrgId, requester: UserId) -> Result<Vec<Request>, DbError> {
    let rows: Vec<Row> =
        sqlx::query_as(requests_where!("WHERE org_id = $1 AND requester_id = $2 AND state = 'open' ORDER BY id"))
            .bind(org.to_string())
            .bind(requester.to_string())
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(read).collect()
}

/// Open requests whose time is over, the oldest first.
// tenant: time goes for all of them.
pub async fn overdue(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Request>, DbError> {
    let rows: Vec<Row> =
        sqlx::query_as(requests_where!("WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2"))
            .bind(now.as_micros())
            .bind(limit)
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(read).collect()
}

/// Closes an open request.
pub async fn close(tx: &mut WriteTx, org: OrgId, id: RequestId, now: Timestamp) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE requests SET state = 'closed', closed_at = $1 WHERE org_id = $2 AND id = $3 AND state = 'open'",
    )
    .bind(now.as_micros())
    .bind(org.to_string())
    .bind(id.to_string())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}
