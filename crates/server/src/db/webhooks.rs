//! Webhooks: where an organization's changes are told to. What is on its way is in [`super::deliveries`].

use super::streams::Secrets;
use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use tegata_core::ids::{OrgId, WebhookId};
use tegata_core::time::Timestamp;

/// A webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose changes it tells.
    pub org: OrgId,
    /// What people call it.
    pub name: String,
    /// Where to, whole.
    pub url: String,
    /// Patterns of event types.
    pub events: Vec<String>,
    /// Its signing secrets.
    pub secrets: Secrets,
    /// How often people changed it.
    pub version: i64,
    /// The last entry of activity that was looked at.
    pub position: Position,
    /// Since when it is paused, and why.
    pub paused: Option<(Timestamp, String)>,
    /// Since when no attempt succeeded, and what came of the last one, in a word.
    pub failing: Option<(Timestamp, String)>,
    /// Events that were delivered.
    pub delivered: u64,
    /// When the last of them was.
    pub delivered_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom: the id of a user.
    pub created_by: String,
}

/// A place in activity: the number of a transaction, and the place therein.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The number.
    pub sequence: i64,
    /// The place.
    pub ordinal: i64,
}

const COLUMNS: &str = "id, org_id, name, url, events, secret, former_secret, former_until, version, position_sequence, \
     position_ordinal, paused_at, paused_because, failing_since, failure, delivered, delivered_at, created_at, created_by";

fn read(row: &AnyRow) -> Result<Webhook, DbError> {
    let text = |place: usize| -> Result<String, DbError> { Ok(row.try_get(place)?) };
    let option = |place: usize| -> Result<Option<String>, DbError> { Ok(row.try_get(place)?) };
    let number = |place: usize| -> Result<i64, DbError> { Ok(row.try_get(place)?) };
    let moment = |place: usize| -> Result<Option<Timestamp>, DbError> {
        Ok(row.try_get::<Option<i64>, _>(place)?.map(Timestamp::from_micros))
    };
    let both = |at: Option<Timestamp>, why: Option<String>| at.map(|at| (at, why.unwrap_or_default()));
    let former = option(6)?.zip(moment(7)?);
    Ok(Webhook {
        id: parsed(&text(0)?)?,
        org: parsed(&text(1)?)?,
        name: text(2)?,
        url: text(3)?,
        events: serde_json::from_str(&text(4)?).map_err(|error| DbError::Corrupt(error.to_string()))?,
        secrets: Secrets { current: text(5)?, former },
        version: number(8)?,
        position: Position { sequence: number(9)?, ordinal: number(10)? },
        paused: both(moment(11)?, option(12)?),
        failing: both(moment(13)?, option(14)?),
        delivered: number(15)?.cast_unsigned(),
        delivered_at: moment(16)?,
        created_at: Timestamp::from_micros(number(17)?),
        created_by: text(18)?,
    })
}

fn events_text(events: &[String]) -> String {
    serde_json::Value::from(events.to_vec()).to_string()
}

/// Makes a webhook.
pub async fn insert(tx: &mut WriteTx, webhook: &Webhook) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO webhooks (id, org_id, name, url, events, secret, version, position_sequence, position_ordinal,
            delivered, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11)",
    )
    .bind(webhook.id.to_string())
    .bind(webhook.org.to_string())
    .bind(&webhook.name)
    .bind(&webhook.url)
    .bind(events_text(&webhook.events))
    .bind(&webhook.secrets.current)
    .bind(webhook.version)
    .bind(webhook.position.sequence)
    .bind(webhook.position.ordinal)
    .bind(webhook.created_at.as_micros())
    .bind(&webhook.created_by)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The webhook with this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: WebhookId) -> Result<Option<Webhook>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM webhooks WHERE org_id = $1 AND id = $2");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The webhooks of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Webhook>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM webhooks WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(page.after.as_deref().unwrap_or_default())
        .bind(page.limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(read).collect()
}

/// How many webhooks an organization has.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<u64, DbError> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM webhooks WHERE org_id = $1")
        .bind(org.to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(count.cast_unsigned())
}

/// The webhooks of all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<Webhook>, DbError> {
    // tenant: one task tells what every organization wants told.
    let text = format!("SELECT {COLUMNS} FROM webhooks ORDER BY id");
    let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(tx.connection()).await?;
    rows.iter().map(read).collect()
}

/// Stores what people changed: name, where to, which events, secrets, whether it is paused; its failures are forgotten. It
/// must still be as it was read.
pub async fn change(tx: &mut WriteTx, webhook: &Webhook) -> Result<(), DbError> {
    let former = webhook.secrets.former.as_ref();
    let done = sqlx::query(
        "UPDATE webhooks SET name = $1, url = $2, events = $3, secret = $4, former_secret = $5, former_until = $6,
            paused_at = $7, paused_because = $8, failing_since = NULL, failure = NULL, version = version + 1
         WHERE org_id = $9 AND id = $10 AND version = $11",
    )
    .bind(&webhook.name)
    .bind(&webhook.url)
    .bind(events_text(&webhook.events))
    .bind(&webhook.secrets.current)
    .bind(former.map(|(secret, _)| secret.clone()))
    .bind(former.map(|(_, until)| until.as_micros()))
    .bind(webhook.paused.as_ref().map(|(at, _)| at.as_micros()))
    .bind(webhook.paused.as_ref().map(|(_, because)| because.clone()))
    .bind(webhook.org.to_string())
    .bind(webhook.id.to_string())
    .bind(webhook.version)
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Pauses a webhook by itself, if it is not paused and as it was read.
pub async fn pause(tx: &mut WriteTx, webhook: &Webhook, now: Timestamp, because: &str) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE webhooks SET paused_at = $1, paused_because = $2, version = version + 1
         WHERE org_id = $3 AND id = $4 AND version = $5 AND paused_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(because)
    .bind(webhook.org.to_string())
    .bind(webhook.id.to_string())
    .bind(webhook.version)
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Stores how far activity was looked at. The webhook must be as it was read.
pub async fn advance(tx: &mut WriteTx, webhook: &Webhook, to: Position) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE webhooks SET position_sequence = $1, position_ordinal = $2
         WHERE org_id = $3 AND id = $4 AND version = $5",
    )
    .bind(to.sequence)
    .bind(to.ordinal)
    .bind(webhook.org.to_string())
    .bind(webhook.id.to_string())
    .bind(webhook.version)
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Stores how deliveries go: how many more arrived and when, and since when and why none does. Nothing, if it is gone or was
/// changed meanwhile.
pub async fn tell(
    tx: &mut WriteTx,
    webhook: &Webhook,
    delivered: u64,
    at: Option<Timestamp>,
    failing: Option<&(Timestamp, String)>,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE webhooks SET delivered = delivered + $1, delivered_at = COALESCE($2, delivered_at), failing_since = $3,
            failure = $4
         WHERE org_id = $5 AND id = $6 AND version = $7",
    )
    .bind(delivered.cast_signed())
    .bind(at.map(Timestamp::as_micros))
    .bind(failing.map(|(since, _)| since.as_micros()))
    .bind(failing.map(|(_, failure)| failure.clone()))
    .bind(webhook.org.to_string())
    .bind(webhook.id.to_string())
    .bind(webhook.version)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Deletes a webhook with its deliveries.
pub async fn delete(tx: &mut WriteTx, org: OrgId, id: WebhookId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    let done = sqlx::query("DELETE FROM webhooks WHERE org_id = $1 AND id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Stores secrets that were sealed again; nothing else changes.
pub async fn reseal(tx: &mut WriteTx, webhook: &Webhook) -> Result<(), DbError> {
    let done = sqlx::query("UPDATE webhooks SET secret = $1, former_secret = $2 WHERE org_id = $3 AND id = $4")
        .bind(&webhook.secrets.current)
        .bind(webhook.secrets.former.as_ref().map(|(secret, _)| secret.clone()))
        .bind(webhook.org.to_string())
        .bind(webhook.id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}
