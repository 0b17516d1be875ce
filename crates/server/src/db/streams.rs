//! Record streams: where access records are sent on to, and how far that has come.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use tegata_core::ids::{OrgId, RecordStreamId};
use tegata_core::time::Timestamp;

/// A record stream.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its id.
    pub id: RecordStreamId,
    /// Whose records it sends.
    pub org: OrgId,
    /// What people call it.
    pub name: String,
    /// Where, how and which records, as JSON.
    pub settings: String,
    /// Its signing secrets; none of what does not sign.
    pub secrets: Option<Secrets>,
    /// How often it has begun anew or was changed.
    pub pass: i64,
    /// How far it has come.
    pub progress: Progress,
    /// Only records of this moment or later.
    pub from: Option<Timestamp>,
    /// Records that were dropped before they were delivered, and of which the receiver does not know yet.
    pub missed: u64,
    /// Since when it is paused, and why.
    pub paused: Option<(Timestamp, String)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom: the id of a user.
    pub created_by: String,
}

/// Signing secrets, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The current one.
    pub current: String,
    /// The one before, and until when it signs as well.
    pub former: Option<(String, Timestamp)>,
}

/// How far a stream has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every record up to this sequence was delivered, or is none of this stream's.
    pub position: u64,
    /// Records that were delivered.
    pub delivered: u64,
    /// The last of them, and the time of its check.
    pub last_record: Option<(String, Timestamp)>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// Tries in a row that failed.
    pub attempts: u32,
    /// Since when, and the last of them with what in a word.
    pub failing: Option<(Timestamp, String)>,
    /// When the next one is.
    pub next_attempt_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, org_id, name, settings, secret, former_secret, former_until, pass, position, from_us, missed, \
     paused_at, paused_because, delivered, delivered_at, last_record, last_record_at, attempts, failing_since, failure, \
     next_attempt_at, created_at, created_by";

fn read(row: &AnyRow) -> Result<Stream, DbError> {
    let text = |place: usize| -> Result<String, DbError> { Ok(row.try_get(place)?) };
    let option = |place: usize| -> Result<Option<String>, DbError> { Ok(row.try_get(place)?) };
    let number = |place: usize| -> Result<i64, DbError> { Ok(row.try_get(place)?) };
    let moment = |place: usize| -> Result<Option<Timestamp>, DbError> {
        Ok(row.try_get::<Option<i64>, _>(place)?.map(Timestamp::from_micros))
    };
    let both = |at: Option<Timestamp>, why: Option<String>| at.map(|at| (at, why.unwrap_or_default()));
    let current = option(4)?;
    let former = option(5)?.zip(moment(6)?);
    Ok(Stream {
        id: parsed(&text(0)?)?,
        org: parsed(&text(1)?)?,
        name: text(2)?,
        settings: text(3)?,
        secrets: current.map(|current| Secrets { current, former }),
        pass: number(7)?,
        progress: Progress {
            position: number(8)?.cast_unsigned(),
            delivered: number(13)?.cast_unsigned(),
            delivered_at: moment(14)?,
            last_record: option(15)?.zip(moment(16)?),
            attempts: u32::try_from(number(17)?).unwrap_or(u32::MAX),
            failing: both(moment(18)?, option(19)?),
            next_attempt_at: moment(20)?,
        },
        from: moment(9)?,
        missed: u64::try_from(number(10)?).unwrap_or(0),
        paused: both(moment(11)?, option(12)?),
        created_at: Timestamp::from_micros(number(21)?),
        created_by: text(22)?,
    })
}

/// Makes a stream.
pub async fn insert(tx: &mut WriteTx, stream: &Stream) -> Result<(), DbError> {
    let (current, former) = stored(stream.secrets.as_ref());
    sqlx::query(
        "INSERT INTO record_streams (id, org_id, name, settings, secret, former_secret, former_until, pass, position,
            from_us, missed, delivered, attempts, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, $11, $12)",
    )
    .bind(stream.id.to_string())
    .bind(stream.org.to_string())
    .bind(&stream.name)
    .bind(&stream.settings)
    .bind(current)
    .bind(former.as_ref().map(|(secret, _)| secret.clone()))
    .bind(former.map(|(_, until)| until.as_micros()))
    .bind(stream.pass)
    .bind(stream.progress.position.cast_signed())
    .bind(stream.from.map(Timestamp::as_micros))
    .bind(stream.created_at.as_micros())
    .bind(&stream.created_by)
    .execute(tx.connection())
    .await?;
    Ok(())
}

fn stored(secrets: Option<&Secrets>) -> (Option<String>, Option<(String, Timestamp)>) {
    (secrets.map(|secrets| secrets.current.clone()), secrets.and_then(|secrets| secrets.former.clone()))
}

/// The stream with this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: RecordStreamId) -> Result<Option<Stream>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM record_streams WHERE org_id = $1 AND id = $2");
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The streams of an organization, by id.
pub async fn list(tx: &mut Tx, org: OrgId, page: &PageAsk) -> Result<Vec<Stream>, DbError> {
    let text = format!("SELECT {COLUMNS} FROM record_streams WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(org.to_string())
        .bind(page.after.as_deref().unwrap_or_default())
        .bind(page.limit)
        .fetch_all(tx.connection())
        .await?;
    rows.iter().map(read).collect()
}

/// How many streams an organization has.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<u64, DbError> {
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM record_streams WHERE org_id = $1")
        .bind(org.to_string())
        .fetch_one(tx.connection())
        .await?;
    Ok(count.cast_unsigned())
}

/// The streams of all organizations.
pub async fn all(tx: &mut Tx) -> Result<Vec<Stream>, DbError> {
    // tenant: one task sends what every organization wants sent.
    let text = format!("SELECT {COLUMNS} FROM record_streams ORDER BY id");
    let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(tx.connection()).await?;
    rows.iter().map(read).collect()
}

/// Stores what people changed: name, settings, secrets, from where on, whether it is paused. It must still be in the
/// pass in which it was read. The stream begins its next pass; how far it has come stays, its failures are forgotten.
pub async fn change(tx: &mut WriteTx, before: i64, stream: &Stream) -> Result<(), DbError> {
    let (current, former) = stored(stream.secrets.as_ref());
    let done = sqlx::query(
        "UPDATE record_streams SET name = $1, settings = $2, secret = $3, former_secret = $4, former_until = $5,
            pass = $6, position = $7, from_us = $8, paused_at = $9, paused_because = $10, attempts = 0,
            failing_since = NULL, failure = NULL, next_attempt_at = NULL
         WHERE org_id = $11 AND id = $12 AND pass = $13",
    )
    .bind(&stream.name)
    .bind(&stream.settings)
    .bind(current)
    .bind(former.as_ref().map(|(secret, _)| secret.clone()))
    .bind(former.map(|(_, until)| until.as_micros()))
    .bind(stream.pass)
    .bind(stream.progress.position.cast_signed())
    .bind(stream.from.map(Timestamp::as_micros))
    .bind(stream.paused.as_ref().map(|(at, _)| at.as_micros()))
    .bind(stream.paused.as_ref().map(|(_, because)| because.clone()))
    .bind(stream.org.to_string())
    .bind(stream.id.to_string())
    .bind(before)
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Pauses a stream by itself, if it is still in this pass and not paused.
pub async fn pause(tx: &mut WriteTx, stream: &Stream, now: Timestamp, because: &str) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE record_streams SET paused_at = $1, paused_because = $2
         WHERE org_id = $3 AND id = $4 AND pass = $5 AND paused_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(because)
    .bind(stream.org.to_string())
    .bind(stream.id.to_string())
    .bind(stream.pass)
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Deletes a stream.
pub async fn delete(tx: &mut WriteTx, org: OrgId, id: RecordStreamId) -> Result<(), DbError> {
    let done = sqlx::query("DELETE FROM record_streams WHERE org_id = $1 AND id = $2")
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Stores how far a stream has come, and how many missed records its receiver was told of. False if it has begun anew
/// meanwhile, or is gone.
pub async fn keep(tx: &mut WriteTx, stream: &Stream, told: u64) -> Result<bool, DbError> {
    let progress = &stream.progress;
    let done = sqlx::query(
        "UPDATE record_streams SET position = $1, missed = missed - $2, delivered = $3, delivered_at = $4,
            last_record = $5, last_record_at = $6, attempts = $7, failing_since = $8, failure = $9, next_attempt_at = $10
         WHERE org_id = $11 AND id = $12 AND pass = $13",
    )
    .bind(progress.position.cast_signed())
    .bind(told.cast_signed())
    .bind(progress.delivered.cast_signed())
    .bind(progress.delivered_at.map(Timestamp::as_micros))
    .bind(progress.last_record.as_ref().map(|(record, _)| record.clone()))
    .bind(progress.last_record.as_ref().map(|(_, at)| at.as_micros()))
    .bind(i64::from(progress.attempts))
    .bind(progress.failing.as_ref().map(|(since, _)| since.as_micros()))
    .bind(progress.failing.as_ref().map(|(_, failure)| failure.clone()))
    .bind(progress.next_attempt_at.map(Timestamp::as_micros))
    .bind(stream.org.to_string())
    .bind(stream.id.to_string())
    .bind(stream.pass)
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts records that a stream can no longer deliver; a number below zero takes back what was counted too much.
pub async fn miss(tx: &mut WriteTx, org: OrgId, id: RecordStreamId, missed: i64) -> Result<(), DbError> {
    sqlx::query("UPDATE record_streams SET missed = missed + $1 WHERE org_id = $2 AND id = $3")
        .bind(missed)
        .bind(org.to_string())
        .bind(id.to_string())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Stores secrets that were sealed again; nothing else changes.
pub async fn reseal(tx: &mut WriteTx, stream: &Stream) -> Result<(), DbError> {
    let (current, former) = stored(stream.secrets.as_ref());
    let done = sqlx::query("UPDATE record_streams SET secret = $1, former_secret = $2 WHERE org_id = $3 AND id = $4")
        .bind(current)
        .bind(former.map(|(secret, _)| secret))
        .bind(stream.org.to_string())
        .bind(stream.id.to_string())
        .execute(tx.connection())
        .await?;
    exactly_one(&done)
}

/// Lets every stream begin its next pass, as after a restore: what is sent has ids that were never sent before.
pub async fn begin_passes(tx: &mut WriteTx, now: Timestamp) -> Result<(), DbError> {
    let pass = next_pass(0, now);
    // tenant: a restore is the installation's.
    sqlx::query("UPDATE record_streams SET pass = CASE WHEN pass < $1 THEN $2 ELSE pass + 1 END")
        .bind(pass)
        .bind(pass)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The pass after this one. It is a moment, so that a database that was restored counts no pass a second time.
pub fn next_pass(pass: i64, now: Timestamp) -> i64 {
    (pass + 1).max(now.as_micros() / 1_000_000)
}
