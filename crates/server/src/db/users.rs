//! Accounts of people.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use tegata_core::ids::UserId;
use tegata_core::name::fold;
use tegata_core::time::Timestamp;

/// An account.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Where mail reaches the person, and what they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// Whether the account may be used at all.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

type Row = (String, String, String, String, i64);

const ACTIVE: &str = "active";

fn read((id, email, name, state, created_at): Row) -> Result<User, DbError> {
    Ok(User { id: parsed(&id)?, email, name, active: state == ACTIVE, created_at: Timestamp::from_micros(created_at) })
}

/// Makes an account.
pub async fn insert(tx: &mut WriteTx, user: &User, password: Option<&str>) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO users (id, email, email_folded, name, password, state, created_at)
         VALUES ($1, $2, $3, $4, $5, 'active', $6)",
    )
    .bind(user.id.to_string())
    .bind(&user.email)
    .bind(fold(&user.email))
    .bind(&user.name)
    .bind(password)
    .bind(user.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The account with this id.
pub async fn get(tx: &mut Tx, id: UserId) -> Result<Option<User>, DbError> {
    let row: Option<Row> = sqlx::query_as("SELECT id, email, name, state, created_at FROM users WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(read).transpose()
}

/// The account with this address.
pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<User>, DbError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, email, name, state, created_at FROM users WHERE email_folded = $1")
            .bind(fold(email))
            .fetch_optional(tx.connection())
            .await?;
    row.map(read).transpose()
}

/// The stored password of an account.
pub async fn password(tx: &mut Tx, id: UserId) -> Result<Option<String>, DbError> {
    let row: Option<(Option<String>,)> = sqlx::query_as("SELECT password FROM users WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.and_then(|(password,)| password))
}

/// Stores a new password, provided that the old one is still as it was read.
pub async fn set_password(tx: &mut WriteTx, id: UserId, old: Option<&str>, new: &str) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE users SET password = $1 WHERE id = $2 AND COALESCE(password, '') = $3")
        .bind(new)
        .bind(id.to_string())
        .bind(old.unwrap_or_default())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Activates or deactivates an account, which must be in the other state.
pub async fn set_active(tx: &mut WriteTx, id: UserId, active: bool) -> Result<(), DbError> {
    let (from, to) = if active { ("inactive", ACTIVE) } else { (ACTIVE, "inactive") };
    let done = sqlx::query("UPDATE users SET state = $1 WHERE id = $2 AND state = $3")
        .bind(to)
        .bind(id.to_string())
        .bind(from)
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Accounts by id, ascending.
pub async fn list(tx: &mut Tx, page: &PageAsk) -> Result<Vec<User>, DbError> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT id, email, name, state, created_at FROM users WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(page.after.as_deref().unwrap_or_default())
            .bind(page.limit)
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(read).collect()
}

/// Whether there is any account.
pub async fn any(tx: &mut Tx) -> Result<bool, DbError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT id FROM users LIMIT 1").fetch_optional(tx.connection()).await?;
    Ok(row.is_some())
}
