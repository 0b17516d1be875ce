//! The deadline of successions: told beforehand, and kept. What nobody took over stops, like anything else that nobody answers
//! for.

use super::subject::Subject;
use super::{DUE, LAPSED};
use crate::app::App;
use crate::db::successions::{State, Succession};
use crate::db::{self, DbError, WriteTx};
use crate::maintenance::note::note;
use crate::maintenance::stops::Stop;
use crate::notices::{self, Notice, NoticeKind};
use serde_json::json;
use tegata_core::time::{Timestamp, days};

/// With how many days left it is told again.
const WARNED: &[u32] = &[7, 1];
/// Most successions that are looked at in one round.
const ROUND_MAX: i64 = 200;

/// Warns of deadlines that are near, and lets lapse what is overdue, each in a transaction of its own.
pub async fn overdue(app: &App) -> Result<(), DbError> {
    // A restored server that was not opened tells nobody anything, and stops nothing by itself.
    if !app.verify.lease().holds() {
        return Ok(());
    }
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let earliest = WARNED.iter().max().copied().unwrap_or(0);
    let near = db::successions::ending(&mut tx, now.plus(days(earliest.into())), ROUND_MAX).await?;
    drop(tx);
    for succession in near {
        if succession.due_at <= now {
            lapse(app, &succession).await?;
        } else if warning(&succession, now).is_some() {
            warn(app, &succession).await?;
        }
    }
    Ok(())
}

/// The most urgent warning that is due and was not given. What was already so near when it was opened is none.
fn warning(succession: &Succession, now: Timestamp) -> Option<u32> {
    let begins = |count: &u32| succession.due_at.minus(days((*count).into()));
    let is_due = |count: &&u32| begins(count) <= now && begins(count) > succession.created_at;
    let most_urgent = WARNED.iter().filter(is_due).min().copied()?;
    succession.warned_days.is_none_or(|warned| most_urgent < warned).then_some(most_urgent)
}

async fn warn(app: &App, succession: &Succession) -> Result<(), DbError> {
    let (mut tx, now) = (app.db.write().await?, app.clock.now());
    let Some((succession, subject)) = still_waiting(&mut tx, succession).await? else { return Ok(()) };
    let Some(count) = warning(&succession, now) else { return Ok(()) };
    db::successions::warned(&mut tx, succession.org, succession.id, count).await?;
    let after = json!({
        "subject": subject.id.to_string(), "name": subject.name, "days": count, "due_at": succession.due_at,
    });
    note(&mut tx, now, Some(succession.org), DUE, &succession.id.to_string(), after).await?;
    tell(app, &mut tx, &succession, &subject, NoticeKind::SuccessionDue, Some(count), now).await?;
    tx.commit().await.map(drop)
}

async fn lapse(app: &App, succession: &Succession) -> Result<(), DbError> {
    let (mut tx, now) = (app.db.write().await?, app.clock.now());
    let Some((succession, subject)) = still_waiting(&mut tx, succession).await? else { return Ok(()) };
    if succession.due_at > now {
        return Ok(());
    }
    let org = succession.org;
    db::successions::settle(&mut tx, org, succession.id, State::Lapsed, None, None, now).await?;
    let after = json!({
        "state": State::Lapsed.as_str(), "subject": subject.id.to_string(), "name": subject.name,
        "stopped": subject.active,
    });
    note(&mut tx, now, Some(org), LAPSED, &succession.id.to_string(), after).await?;
    if let Some(stopped) = subject.stop(&mut tx, org, now).await? {
        let operation = stopped.operation.id;
        let after = json!({"name": subject.name, "state": "stopped", "succession": succession.id.to_string()});
        note(&mut tx, now, Some(org), operation, &stopped.id, after).await?;
        app.stops.note_one(Stop {
            at: now,
            sequence: tx.number(),
            kind: stopped.kind,
            operation: operation.to_owned(),
            id: stopped.id,
            org: Some(org.to_string()),
            about: None,
        });
    }
    tell(app, &mut tx, &succession, &subject, NoticeKind::SuccessionLapsed, None, now).await?;
    let (topic, of, changed) = subject.feed(org);
    tx.feed(topic, of, &changed).await?;
    let sequence = tx.commit().await?;
    if let Err(error) = app.stops.settle().await {
        tracing::error!(%error, "a stop is in force and not in the stops file, which a restore needs; the next stop writes it");
    }
    if app.verify.applied(sequence).await.is_err() {
        tracing::warn!(subject = %subject.id, "what nobody took over was stopped, and checks may tell so a little later");
    }
    Ok(())
}

/// The succession as it is now, with its subject, if it still waits: somebody may have been quicker.
async fn still_waiting(tx: &mut WriteTx, succession: &Succession) -> Result<Option<(Succession, Subject)>, DbError> {
    let found = db::successions::get(tx, succession.org, succession.id).await?;
    let Some(found) = found.filter(|found| found.state == State::Waiting) else { return Ok(None) };
    let subject = Subject::find(tx, found.org, found.subject).await?;
    Ok(subject.map(|subject| (found, subject)))
}

async fn tell(
    app: &App,
    tx: &mut WriteTx,
    succession: &Succession,
    subject: &Subject,
    kind: NoticeKind,
    days: Option<u32>,
    now: Timestamp,
) -> Result<(), DbError> {
    let leaver = db::users::get(tx, succession.leaver).await?;
    let org = db::orgs::find(tx, &succession.org.to_string()).await?;
    let notice = Notice {
        to: db::assignments::administrators(tx, succession.org).await?,
        org: Some(succession.org),
        kind,
        about: succession.id.to_string(),
        data: json!({
            "organization": org.map(|org| org.name), "leaver": leaver.map(|user| user.name), "subject": subject.name,
            "days": days, "due_at": succession.due_at,
        }),
    };
    notices::store(tx, &app.entropy, now, &notice).await
}
