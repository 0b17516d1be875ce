//! Notices to people, and how they like to be spoken to. Both belong to an account and not to an organization.

use super::{DbError, PageAsk, Tx, WriteTx, parsed, parsed_option};
use crate::notices::{Language, NoticeKind};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use tegata_core::ids::{NoticeId, OrgId, UserId};
use tegata_core::time::Timestamp;

/// A notice as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id.
    pub id: NoticeId,
    /// Whose it is.
    pub user: UserId,
    /// The organization that it concerns.
    pub org: Option<OrgId>,
    /// What it is about.
    pub kind: NoticeKind,
    /// The id of what it is about.
    pub about: String,
    /// What its words need.
    pub data: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

/// How somebody likes to be spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preferences {
    /// In which language; none for what each call asks for.
    pub language: Option<Language>,
}

const COLUMNS: &str = "id, user_id, org_id, kind, about, data, created_at, read_at";

fn read(row: &AnyRow) -> Result<Stored, DbError> {
    let text = |place: usize| -> Result<String, DbError> { Ok(row.try_get(place)?) };
    Ok(Stored {
        id: parsed(&text(0)?)?,
        user: parsed(&text(1)?)?,
        org: parsed_option(row.try_get::<Option<String>, _>(2)?.as_deref())?,
        kind: parsed(&text(3)?)?,
        about: text(4)?,
        data: serde_json::from_str(&text(5)?).map_err(|error| DbError::Corrupt(error.to_string()))?,
        created_at: Timestamp::from_micros(row.try_get(6)?),
        read_at: row.try_get::<Option<i64>, _>(7)?.map(Timestamp::from_micros),
    })
}

/// Stores a notice.
pub async fn insert(tx: &mut WriteTx, notice: &Stored) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO notices (id, user_id, org_id, kind, about, data, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(notice.id.to_string())
    .bind(notice.user.to_string())
    .bind(notice.org.map(|org| org.to_string()))
    .bind(notice.kind.as_str())
    .bind(&notice.about)
    .bind(notice.data.to_string())
    .bind(notice.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The notices of a user, newest first; `after` is the id of the last row of the page before.
// tenant: notices belong to an account, and the account itself asks.
pub async fn list(tx: &mut Tx, user: UserId, unread: bool, page: &PageAsk) -> Result<Vec<Stored>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM notices
         WHERE user_id = $1 AND ($2 = 0 OR read_at IS NULL) AND ($3 = '' OR id < $4)
         ORDER BY id DESC LIMIT $5"
    );
    let after = page.after.clone().unwrap_or_default();
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(user.to_string())
        .bind(i64::from(unread))
        .bind(after.clone())
        .bind(after)
        .bind(page.limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(read).collect()
}

/// A notice of a user.
// tenant: notices belong to an account, and the account itself asks.
pub async fn get(tx: &mut Tx, user: UserId, id: NoticeId) -> Result<Option<Stored>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM notices WHERE user_id = $1 AND id = $2");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(user.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(read).transpose()
}

/// How many notices a user has not read.
// tenant: notices belong to an account, and the account itself asks.
pub async fn unread(tx: &mut Tx, user: UserId) -> Result<u64, DbError> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM notices WHERE user_id = $1 AND read_at IS NULL")
        .bind(user.to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(count.cast_unsigned())
}

/// Notes when a notice was read, or that it was not.
// tenant: notices belong to an account, and the account itself asks.
pub async fn set_read(tx: &mut WriteTx, user: UserId, id: NoticeId, read_at: Option<Timestamp>) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE notices SET read_at = $1 WHERE user_id = $2 AND id = $3")
        .bind(read_at.map(Timestamp::as_micros))
        .bind(user.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    super::exactly_one(&done)
}

/// Notes of everything that was unread that it was read. Says how many there were.
// tenant: notices belong to an account, and the account itself asks.
pub async fn set_all_read(tx: &mut WriteTx, user: UserId, now: Timestamp) -> Result<u64, DbError> {
    let done = sqlx::query("UPDATE notices SET read_at = $1 WHERE user_id = $2 AND read_at IS NULL")
        .bind(now.as_micros())
        .bind(user.to_string())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected())
}

/// Forgets notices that were made before a moment.
pub async fn forget_before(tx: &mut WriteTx, moment: Timestamp) -> Result<(), DbError> {
    // tenant: a clean-up of the whole installation.
    sqlx::query("DELETE FROM notices WHERE created_at < $1").bind(moment.as_micros()).execute(tx.connection()).await?;
    Ok(())
}

/// How a user likes to be spoken to.
pub async fn preferences(tx: &mut Tx, user: UserId) -> Result<Preferences, DbError> {
    let row: Option<(Option<String>,)> = sqlx::query_as("SELECT language FROM user_preferences WHERE user_id = $1")
        .bind(user.to_string())
        .fetch_optional(tx.connection())
        .await?;
    let Some((language,)) = row else { return Ok(Preferences::default()) };
    Ok(Preferences { language: parsed_option(language.as_deref())? })
}

/// Stores how a user likes to be spoken to.
pub async fn set_preferences(tx: &mut WriteTx, user: UserId, preferences: Preferences) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO user_preferences (user_id, language) VALUES ($1, $2)
         ON CONFLICT (user_id) DO UPDATE SET language = excluded.language",
    )
    .bind(user.to_string())
    .bind(preferences.language.map(Language::tag))
    .execute(tx.connection())
    .await?;
    Ok(())
}
