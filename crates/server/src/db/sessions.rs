//! Sign-in sessions.

use super::{DbError, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::{SessionId, UserId};
use tegata_core::time::Timestamp;

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended by hand.
    pub ended_at: Option<Timestamp>,
    /// From which address they signed in.
    pub address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
}

type Row = (String, String, i64, i64, Option<i64>, Option<String>, Option<String>);

fn read((id, user, created_at, expires_at, ended_at, address, user_agent): Row) -> Result<Session, DbError> {
    Ok(Session {
        id: parsed(&id)?,
        user: parsed(&user)?,
        created_at: Timestamp::from_micros(created_at),
        expires_at: Timestamp::from_micros(expires_at),
        ended_at: ended_at.map(Timestamp::from_micros),
        address,
        user_agent,
    })
}

/// Stores a new session.
pub async fn insert(tx: &mut WriteTx, session: &Session) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO sessions (id, user_id, created_at, expires_at, ended_at, address, user_agent)
         VALUES ($1, $2, $3, $4, NULL, $5, $6)",
    )
    .bind(session.id.to_string())
    .bind(session.user.to_string())
    .bind(session.created_at.as_micros())
    .bind(session.expires_at.as_micros())
    .bind(&session.address)
    .bind(&session.user_agent)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The session with this id.
pub async fn get(tx: &mut Tx, id: SessionId) -> Result<Option<Session>, DbError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, user_id, created_at, expires_at, ended_at, address, user_agent FROM sessions WHERE id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// The sessions of a user that still count, newest first.
pub async fn live_of_user(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<Vec<Session>, DbError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, user_id, created_at, expires_at, ended_at, address, user_agent FROM sessions
         WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY id DESC",
    )
    .bind(user.to_string())
    .bind(now.as_micros())
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter().map(read).collect()
}

/// Ends a session that has not ended.
pub async fn end(tx: &mut WriteTx, id: SessionId, now: Timestamp) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE sessions SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
        .bind(now.as_micros())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}
