//! Activity: who changed what, before and after, from where. Written by the frame, in the transaction of the change.

use super::{DbError, PageAsk, Tx, WriteTx, parsed};
use serde_json::Value;
use tegata_core::ids::{ActivityId, OrgId};
use tegata_core::time::Timestamp;

/// One entry.
#[derive(Debug, Clone)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// Whose it is.
    pub org: OrgId,
    /// When.
    pub at: Timestamp,
    /// The operation's id.
    pub operation: String,
    /// `user`, or `system`.
    pub actor_kind: String,
    /// Who.
    pub actor_id: String,
    /// The name they had.
    pub actor_name: String,
    /// What they showed: the id of a session or token.
    pub credential: Option<String>,
    /// The id of what was changed.
    pub subject: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it became.
    pub after: Option<Value>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// From which address.
    pub address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// The request.
    pub request_id: Option<String>,
}

/// Writes an entry.
pub async fn insert(tx: &mut WriteTx, entry: &Activity) -> Result<(), DbError> {
    let (sequence, ordinal) = (tx.sequence, tx.next_ordinal());
    sqlx::query(
        "INSERT INTO activity (id, sequence, ordinal, org_id, at, operation, actor_kind, actor_id, actor_name,
            credential_id, subject, before_json, after_json, reason, address, user_agent, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(entry.id.to_string())
    .bind(sequence)
    .bind(ordinal)
    .bind(entry.org.to_string())
    .bind(entry.at.as_micros())
    .bind(&entry.operation)
    .bind(&entry.actor_kind)
    .bind(&entry.actor_id)
    .bind(&entry.actor_name)
    .bind(&entry.credential)
    .bind(&entry.subject)
    .bind(entry.before.as_ref().map(Value::to_string))
    .bind(entry.after.as_ref().map(Value::to_string))
    .bind(&entry.reason)
    .bind(&entry.address)
    .bind(&entry.user_agent)
    .bind(&entry.request_id)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this operation.
    pub operation: Option<String>,
    /// By this user.
    pub actor: Option<String>,
    /// About the thing with this id.
    pub subject: Option<String>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// The place of an entry as lists continue from it: the number of its transaction, and its place therein.
pub fn place_of(text: &str) -> Option<(i64, i64)> {
    let (sequence, ordinal) = text.split_once('.')?;
    Some((sequence.parse().ok()?, ordinal.parse().ok()?))
}

/// The entries of an organization, newest first; `after` is `sequence.ordinal` of the last row of the page before.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &Filter,
    page: &PageAsk,
) -> Result<Vec<(String, Activity)>, DbError> {
    let (sequence, ordinal) = match page.after.as_deref() {
        Some(after) => place_of(after).ok_or_else(|| DbError::Corrupt(after.to_owned()))?,
        None => (i64::MAX, i64::MAX),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows = sqlx::query(
        "SELECT id, sequence, ordinal, at, operation, actor_kind, actor_id, actor_name, credential_id, subject,
            before_json, after_json, reason, address, user_agent, request_id
         FROM activity
         WHERE org_id = $1 AND (sequence < $2 OR (sequence = $3 AND ordinal < $4))
           AND ($5 = '' OR operation = $6) AND ($7 = '' OR actor_id = $8) AND ($9 = '' OR subject = $10)
           AND at >= $11 AND at < $12
         ORDER BY sequence DESC, ordinal DESC LIMIT $13",
    )
    .bind(org.to_string())
    .bind(sequence)
    .bind(sequence)
    .bind(ordinal)
    .bind(text(&filter.operation))
    .bind(text(&filter.operation))
    .bind(text(&filter.actor))
    .bind(text(&filter.actor))
    .bind(text(&filter.subject))
    .bind(text(&filter.subject))
    .bind(filter.from.map_or(i64::MIN, Timestamp::as_micros))
    .bind(filter.to.map_or(i64::MAX, Timestamp::as_micros))
    .bind(page.limit)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(|row| read(org, row)).collect()
}

/// The entries of an organization after a place, oldest first.
pub async fn after(
    tx: &mut Tx,
    org: OrgId,
    (sequence, ordinal): (i64, i64),
    limit: i64,
) -> Result<Vec<(ActivityId, String, (i64, i64))>, DbError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT id, operation, sequence, ordinal FROM activity
         WHERE org_id = $1 AND (sequence > $2 OR (sequence = $3 AND ordinal > $4))
         ORDER BY sequence, ordinal LIMIT $5",
    )
    .bind(org.to_string())
    .bind(sequence)
    .bind(sequence)
    .bind(ordinal)
    .bind(limit)
    .fetch_all(tx.connection())
    .await?;
    rows.into_iter()
        .map(|(id, operation, sequence, ordinal)| Ok((parsed(&id)?, operation, (sequence, ordinal))))
        .collect()
}

/// The organizations in which something happened after one change and up to another.
pub async fn organizations_after(tx: &mut Tx, after: u64, through: u64) -> Result<Vec<OrgId>, DbError> {
    // tenant: one task tells what every organization wants told.
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT DISTINCT org_id FROM activity WHERE sequence > $1 AND sequence <= $2")
            .bind(after.cast_signed())
            .bind(through.cast_signed())
            .fetch_all(tx.connection())
            .await?;
    rows.iter().map(|(org,)| parsed(org)).collect()
}

/// An entry.
pub async fn get(tx: &mut Tx, org: OrgId, id: ActivityId) -> Result<Option<Activity>, DbError> {
    let row = sqlx::query(
        "SELECT id, sequence, ordinal, at, operation, actor_kind, actor_id, actor_name, credential_id, subject,
            before_json, after_json, reason, address, user_agent, request_id
         FROM activity WHERE org_id = $1 AND id = $2",
    )
    .bind(org.to_string())
    .bind(id.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(|row| read(org, &row).map(|(_, entry)| entry)).transpose()
}

fn read(org: OrgId, row: &sqlx::any::AnyRow) -> Result<(String, Activity), DbError> {
    use sqlx::Row as _;
    let json = |text: Option<String>| -> Result<Option<Value>, DbError> {
        text.map(|text| serde_json::from_str(&text).map_err(|error| DbError::Corrupt(error.to_string()))).transpose()
    };
    let place = format!("{}.{}", row.try_get::<i64, _>("sequence")?, row.try_get::<i64, _>("ordinal")?);
    let entry = Activity {
        id: parsed(row.try_get("id")?)?,
        org,
        at: Timestamp::from_micros(row.try_get("at")?),
        operation: row.try_get("operation")?,
        actor_kind: row.try_get("actor_kind")?,
        actor_id: row.try_get("actor_id")?,
        actor_name: row.try_get("actor_name")?,
        credential: row.try_get("credential_id")?,
        subject: row.try_get("subject")?,
        before: json(row.try_get("before_json")?)?,
        after: json(row.try_get("after_json")?)?,
        reason: row.try_get("reason")?,
        address: row.try_get("address")?,
        user_agent: row.try_get("user_agent")?,
        request_id: row.try_get("request_id")?,
    };
    Ok((place, entry))
}
