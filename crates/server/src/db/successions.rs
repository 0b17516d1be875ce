//! What leavers answered for, until somebody takes it over.

use super::{DbError, PageAsk, Tx, WriteTx, exactly_one, parsed, parsed_option};
use tegata_core::ids::{OrgId, SuccessionId, UserId};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// Where a succession stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody has to take it over until a moment.
    Waiting,
    /// Somebody did.
    HandedOver,
    /// Nobody did in time, and its credentials were stopped.
    Lapsed,
}

impl State {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::HandedOver => "handed_over",
            Self::Lapsed => "lapsed",
        }
    }
}

impl std::str::FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Waiting, Self::HandedOver, Self::Lapsed].into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// Something that a leaver answered for.
#[derive(Debug, Clone)]
pub struct Succession {
    /// Its id.
    pub id: SuccessionId,
    /// The organization.
    pub org: OrgId,
    /// Who left.
    pub leaver: UserId,
    /// What they answered for: a service account or an application.
    pub subject: Owner,
    /// Where it stands.
    pub state: State,
    /// Since when it waits.
    pub created_at: Timestamp,
    /// Until when somebody has to take it over.
    pub due_at: Timestamp,
    /// With how many days left it was last warned of.
    pub warned_days: Option<u32>,
    /// Who took it over.
    pub successor: Option<UserId>,
    /// When it was taken over, or lapsed.
    pub settled_at: Option<Timestamp>,
    /// The id of whoever handed it over.
    pub settled_by: Option<String>,
}

type Row = (String, String, String, String, String, i64, i64, Option<i64>, Option<String>, Option<i64>, Option<String>);

fn read(row: Row) -> Result<Succession, DbError> {
    let (id, org, leaver, subject, state, created_at, due_at, warned, successor, settled_at, settled_by) = row;
    Ok(Succession {
        id: parsed(&id)?,
        org: parsed(&org)?,
        leaver: parsed(&leaver)?,
        subject: parsed(&subject)?,
        state: parsed(&state)?,
        created_at: Timestamp::from_micros(created_at),
        due_at: Timestamp::from_micros(due_at),
        warned_days: warned.and_then(|days| u32::try_from(days).ok()),
        successor: parsed_option(successor.as_deref())?,
        settled_at: settled_at.map(Timestamp::from_micros),
        settled_by,
    })
}

macro_rules! successions_where {
    ($rest:literal) => {
        concat!(
            "SELECT id, org_id, leaver_id, subject, state, created_at, due_at, warned_days, successor_id, settled_at, settled_by
             FROM successions ",
            $rest
        )
    };
}

/// Stores a new one.
pub async fn insert(tx: &mut WriteTx, succession: &Succession) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO successions (id, org_id, leaver_id, subject, state, created_at, due_at, warned_days, successor_id,
            settled_at, settled_by)
         VALUES ($1, $2, $3, $4, 'waiting', $5, $6, NULL, NULL, NULL, NULL)",
    )
    .bind(succession.id.to_string())
    .bind(succession.org.to_string())
    .bind(succession.leaver.to_string())
    .bind(succession.subject.to_string())
    .bind(succession.created_at.as_micros())
    .bind(succession.due_at.as_micros())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// One of an organization.
pub async fn get(tx: &mut Tx, org: OrgId, id: SuccessionId) -> Result<Option<Succession>, DbError> {
    let row: Option<Row> = sqlx::query_as(successions_where!("WHERE org_id = $1 AND id = $2"))
        .bind(org.to_string())
        .bind(id.to_string())
        .fetch_optional(tx.connection())
        .await?;
    row.map(read).transpose()
}

/// Those of an organization, newest first; of one state where that is said.
pub async fn list(tx: &mut Tx, org: OrgId, state: Option<State>, page: &PageAsk) -> Result<Vec<Succession>, DbError> {
    let state = state.map_or("", State::as_str);
    let rows: Vec<Row> = sqlx::query_as(successions_where!(
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

/// The one that waits for somebody to take this over, if any.
pub async fn waiting_for(tx: &mut Tx, org: OrgId, subject: Owner) -> Result<Option<Succession>, DbError> {
    let row: Option<Row> = sqlx::query_as(successions_where!(
        "WHERE org_id = $1 AND subject = $2 AND state = 'waiting' ORDER BY id LIMIT 1"
    ))
    .bind(org.to_string())
    .bind(subject.to_string())
    .fetch_optional(tx.connection())
    .await?;
    row.map(read).transpose()
}

/// Those that end before a moment, the first to end first.
// tenant: time goes for all of them.
pub async fn ending(tx: &mut Tx, until: Timestamp, limit: i64) -> Result<Vec<Succession>, DbError> {
    let rows: Vec<Row> =
        sqlx::query_as(successions_where!("WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, id LIMIT $2"))
            .bind(until.as_micros())
            .bind(limit)
            .fetch_all(tx.connection())
            .await?;
    rows.into_iter().map(read).collect()
}

/// Settles one that waits: handed over to somebody, or lapsed.
pub async fn settle(
    tx: &mut WriteTx,
    org: OrgId,
    id: SuccessionId,
    to: State,
    successor: Option<UserId>,
    by: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let done = sqlx::query(
        "UPDATE successions SET state = $1, successor_id = $2, settled_by = $3, settled_at = $4
         WHERE org_id = $5 AND id = $6 AND state = 'waiting'",
    )
    .bind(to.as_str())
    .bind(successor.map(|user| user.to_string()))
    .bind(by)
    .bind(now.as_micros())
    .bind(org.to_string())
    .bind(id.to_string())
    .execute(tx.connection())
    .await?;
    exactly_one(&done)
}

/// Notes that it was warned of, with so many days left.
pub async fn warned(tx: &mut WriteTx, org: OrgId, id: SuccessionId, days: u32) -> Result<(), DbError> {
    let done =
        sqlx::query("UPDATE successions SET warned_days = $1 WHERE org_id = $2 AND id = $3 AND state = 'waiting'")
            .bind(i64::from(days))
            .bind(org.to_string())
            .bind(id.to_string())
            .execute(tx.connection())
            .await?;
    exactly_one(&done)
}
