//! Deliveries: events on their way to webhooks, each with what came of it.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::HashMap;
use tegata_core::ids::{ActivityId, DeliveryId, OrgId, WebhookId};
use tegata_core::time::Timestamp;

/// A delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id, which its receiver is told as well.
    pub id: DeliveryId,
    /// The organization.
    pub org: OrgId,
    /// To which webhook.
    pub webhook: WebhookId,
    /// The entry of activity that it tells.
    pub activity: ActivityId,
    /// The type of the event.
    pub event: String,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// Attempts since it was last begun.
    pub attempts: u32,
    /// When the next one is.
    pub next_attempt_at: Timestamp,
    /// When it is given up.
    pub gives_up_at: Timestamp,
    /// When the last attempt was.
    pub attempted_at: Option<Timestamp>,
    /// The status that the receiver answered with, if it answered.
    pub status: Option<u16>,
    /// What came of it, in a word.
    pub failure: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was delivered or given up.
    pub done_at: Option<Timestamp>,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Of which delivery.
    pub id: DeliveryId,
    /// When.
    pub at: Timestamp,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Why it failed; none if it arrived.
    pub failure: Option<String>,
    /// When the next one is; none if there is no next one.
    pub next: Option<Timestamp>,
}

const COLUMNS: &str = "id, org_id, webhook_id, activity_id, event, state, attempts, next_attempt_at, gives_up_at, \
     attempted_at, status, failure, created_at, done_at";

fn read(row: &AnyRow) -> Result<Delivery, DbError> {
    let text = |place: usize| -> Result<String, DbError> { Ok(row.try_get(place)?) };
    let moment = |place: usize| -> Result<Timestamp, DbError> { Ok(Timestamp::from_micros(row.try_get(place)?)) };
    let option = |place: usize| -> Result<Option<i64>, DbError> { Ok(row.try_get(place)?) };
    Ok(Delivery {
        id: parsed(&text(0)?)?,
        org: parsed(&text(1)?)?,
        webhook: parsed(&text(2)?)?,
        activity: parsed(&text(3)?)?,
        event: text(4)?,
        state: text(5)?,
        attempts: u32::try_from(row.try_get::<i64, _>(6)?).unwrap_or(u32::MAX),
        next_attempt_at: moment(7)?,
        gives_up_at: moment(8)?,
        attempted_at: option(9)?.map(Timestamp::from_micros),
        status: option(10)?.and_then(|status| u16::try_from(status).ok()),
        failure: row.try_get(11)?,
        created_at: moment(12)?,
        done_at: option(13)?.map(Timestamp::from_micros),
    })
}

/// Makes a delivery that waits for its first attempt.
pub async fn insert(tx: &mut WriteTx, delivery: &Delivery) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO webhook_deliveries (id, org_id, webhook_id, activity_id, event, state, attempts, next_attempt_at,
            gives_up_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $7, $8)",
    )
    .bind(delivery.id.to_string())
    .bind(delivery.org.to_string())
    .bind(delivery.webhook.to_string())
    .bind(delivery.activity.to_string())
    .bind(&delivery.event)
    .bind(delivery.next_attempt_at.as_micros())
    .bind(delivery.gives_up_at.as_micros())
    .bind(delivery.created_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<String>,
    /// Of this type of event.
    pub event: Option<String>,
}

/// The deliveries of a webhook, newest first.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    webhook: WebhookId,
    filter: &Filter,
    page: &PageAsk,
) -> Result<Vec<Delivery>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries
         WHERE org_id = $1 AND webhook_id = $2 AND ($3 = '' OR state = $4) AND ($5 = '' OR event = $6)
           AND ($7 = '' OR id < $8)
         ORDER BY id DESC LIMIT $9"
    );
    let (state, event) = (filter.state.clone().unwrap_or_default(), filter.event.clone().unwrap_or_default());
    let after = page.after.clone().unwrap_or_default();
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(webhook.to_string())
        .bind(state.clone())
        .bind(state)
        .bind(event.clone())
        .bind(event)
        .bind(after.clone())
        .bind(after)
        .bind(page.limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(read).collect()
}

/// A delivery.
pub async fn get(tx: &mut Tx, org: OrgId, webhook: WebhookId, id: DeliveryId) -> Result<Option<Delivery>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2 AND id = $3");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(webhook.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(read).transpose()
}

/// How many deliveries of a webhook wait, and how many were given up.
pub async fn counts(tx: &mut Tx, org: OrgId, webhook: WebhookId) -> Result<(u64, u64), DbError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT state, COUNT(*) FROM webhook_deliveries
         WHERE org_id = $1 AND webhook_id = $2 AND state IN ('pending', 'failed') GROUP BY state",
    )
    .bind(org.to_string())
    .bind(webhook.to_string())
    .fetch_all(tx.connection())
    .await?;
    let of = |state: &str| rows.iter().find(|(known, _)| known == state).map_or(0, |(_, count)| count.cast_unsigned());
    Ok((of("pending"), of("failed")))
}

/// Of each webhook for which something waits: when the next attempt is, and how much waits.
pub async fn waiting(tx: &mut Tx) -> Result<HashMap<WebhookId, (Timestamp, u64)>, DbError> {
    // tenant: one task tells what every organization wants told.
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT webhook_id, MIN(next_attempt_at), COUNT(*) FROM webhook_deliveries WHERE state = 'pending'
         GROUP BY webhook_id",
    )
    .fetch_all(tx.connection())
    .await?;
    let read = |(webhook, next, count): (String, i64, i64)| {
        Ok((parsed(&webhook)?, (Timestamp::from_micros(next), count.cast_unsigned())))
    };
    rows.into_iter().map(read).collect()
}

/// The deliveries of a webhook whose next attempt is due, those first that have waited longest.
pub async fn due(
    tx: &mut Tx,
    org: OrgId,
    webhook: WebhookId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Delivery>, DbError> {
    let text = format!(
        "SELECT {COLUMNS} FROM webhook_deliveries
         WHERE org_id = $1 AND webhook_id = $2 AND state = 'pending' AND next_attempt_at <= $3
         ORDER BY next_attempt_at, id LIMIT $4"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(webhook.to_string())
        .bind(now.as_micros())
        .bind(limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(read).collect()
}

/// Stores what came of an attempt; nothing, if the delivery is gone or done.
pub async fn attempted(tx: &mut WriteTx, org: OrgId, attempt: &Attempt) -> Result<(), DbError> {
    let state = match (&attempt.failure, attempt.next) {
        (None, _) => "delivered",
        (Some(_), Some(_)) => "pending",
        (Some(_), None) => "failed",
    };
    let done_at = (state != "pending").then_some(attempt.at.as_micros());
    sqlx::query(
        "UPDATE webhook_deliveries SET state = $1, attempts = attempts + 1, next_attempt_at = $2, attempted_at = $3,
            status = $4, failure = $5, done_at = $6
         WHERE org_id = $7 AND id = $8 AND state = 'pending'",
    )
    .bind(state)
    .bind(attempt.next.map_or(0, Timestamp::as_micros))
    .bind(attempt.at.as_micros())
    .bind(attempt.status.map(i64::from))
    .bind(attempt.failure.clone())
    .bind(done_at)
    .bind(org.to_string())
    .bind(attempt.id.to_string())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Lets one delivery begin anew, whatever came of it.
pub async fn begin_again(
    tx: &mut WriteTx,
    org: OrgId,
    id: DeliveryId,
    now: Timestamp,
    gives_up_at: Timestamp,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = $1, gives_up_at = $2,
            done_at = NULL
         WHERE org_id = $3 AND id = $4",
    )
    .bind(now.as_micros())
    .bind(gives_up_at.as_micros())
    .bind(org.to_string())
    .bind(id.to_string())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Lets all deliveries of a webhook that are in this state and were made since a moment begin anew. Says how many.
pub async fn begin_all_again(
    tx: &mut WriteTx,
    (org, webhook): (OrgId, WebhookId),
    state: &str,
    since: Timestamp,
    now: Timestamp,
    gives_up_at: Timestamp,
) -> Result<u64, DbError> {
    let done = sqlx::query(
        "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = $1, gives_up_at = $2,
            done_at = NULL
         WHERE org_id = $3 AND webhook_id = $4 AND state = $5 AND created_at >= $6",
    )
    .bind(now.as_micros())
    .bind(gives_up_at.as_micros())
    .bind(org.to_string())
    .bind(webhook.to_string())
    .bind(state)
    .bind(since.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected())
}

/// Forgets deliveries that were done before a moment.
pub async fn forget_before(tx: &mut WriteTx, moment: Timestamp) -> Result<(), DbError> {
    // tenant: a clean-up of the whole installation.
    sqlx::query("DELETE FROM webhook_deliveries WHERE done_at < $1")
        .bind(moment.as_micros())
        .execute(tx.connection())
        .await?;
    Ok(())
}
