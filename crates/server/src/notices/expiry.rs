//! Warnings of credentials that end. Each is given once, together with the note that it was given, so that no restart repeats
//! or loses one; after a long rest only the most urgent is given.

use super::{Notice, NoticeKind, store};
use crate::app::App;
use crate::db::expiry::Ending;
use crate::db::{self, DbError, WriteTx};
use crate::maintenance::note::note;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use tegata_core::credential::PartState;
use tegata_core::ids::{OrgId, UserId};
use tegata_core::time::{Timestamp, days};

/// How many days before, where an organization says nothing.
pub const DAYS: &[u32] = &[30, 7, 1];
/// Most warnings of one credential that an organization can want, and the earliest.
pub const DAYS_MAX: (usize, u32) = (10, 365);
/// The type of the event.
pub const EVENT: &str = "token.expiring";

/// How often it is looked.
const ROUND: Duration = Duration::from_mins(10);
/// Credentials that are looked at in one transaction.
const BATCH: i64 = 100;

/// Warns until the task is dropped.
pub async fn warning(app: std::sync::Arc<App>) {
    loop {
        match warn(&app).await {
            Ok(_) | Err(DbError::Fenced) => {}
            Err(error) => {
                tracing::warn!(%error, "who has a credential that ends could not be warned; it is tried again");
            }
        }
        tokio::time::sleep(ROUND).await;
    }
}

/// Gives the warnings that are due. Says how many credentials were warned of.
pub async fn warn(app: &App) -> Result<u64, DbError> {
    // A restored server that was not opened tells nobody anything.
    if !app.verify.lease().holds() {
        return Ok(0);
    }
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let wanted = db::expiry::all_days(&mut tx).await?;
    let earliest = wanted.values().flatten().chain(DAYS).max().copied().unwrap_or(0);
    let until = now.plus(days(earliest.into()));
    let (mut warned, mut after) = (0, None);
    loop {
        let page = db::expiry::ending(&mut tx, (now, until), after, BATCH).await?;
        let Some(last) = page.last() else { break };
        let before = after.replace((last.expires_at, last.id));
        if !page.iter().any(|ending| may_be_due(ending, &wanted, now)) {
            continue;
        }
        let mut change = app.db.write().await?;
        let mut told = 0;
        // As they are now: somebody may have been quicker.
        for ending in db::expiry::ending(&mut change, (now, until), before, BATCH).await? {
            if may_be_due(&ending, &wanted, now) {
                told += u64::from(warn_of(app, &mut change, &ending, &wanted, now).await?);
            }
        }
        if told > 0 {
            change.commit().await?;
        }
        warned += told;
    }
    drop(tx);
    let mut tx = app.db.write().await?;
    db::expiry::forget_before(&mut tx, now.minus(days(1))).await?;
    tx.commit().await?;
    Ok(warned)
}

/// Whether any organization could want a warning now: what is looked at before its parts are.
fn may_be_due(ending: &Ending, wanted: &HashMap<OrgId, Vec<u32>>, now: Timestamp) -> bool {
    let all: Vec<u32> = wanted.values().flatten().chain(DAYS).copied().collect();
    due(ending, &all, now).is_some()
}

/// The most urgent warning that is due and was not given. What was already so near when the credential was made is none.
fn due(ending: &Ending, wanted: &[u32], now: Timestamp) -> Option<u32> {
    let begins = |count: &&u32| ending.expires_at.minus(days((**count).into()));
    let is_due = |count: &&u32| begins(count) <= now && begins(count) > ending.created_at;
    let most_urgent = wanted.iter().filter(is_due).min().copied()?;
    ending.warned_days.is_none_or(|warned| most_urgent < warned).then_some(most_urgent)
}

async fn warn_of(
    app: &App,
    tx: &mut WriteTx,
    ending: &Ending,
    wanted: &HashMap<OrgId, Vec<u32>>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let parts = db::tokens::parts(tx, ending.id).await?;
    let orgs: Vec<OrgId> = parts.iter().filter(|part| part.state != PartState::Revoked).map(|part| part.org).collect();
    let of = |org: &OrgId| wanted.get(org).map_or(DAYS, Vec::as_slice);
    let all: Vec<u32> = orgs.iter().flat_map(|org| of(org).iter().copied()).collect();
    let Some(count) = due(ending, &all, now) else { return Ok(false) };
    let mut data = json!({"credential": ending.name, "days": count, "expires_at": ending.expires_at.to_string()});
    let about = ending.id.to_string();
    let mut notice =
        Notice { to: Vec::new(), org: None, kind: NoticeKind::CredentialExpiring, about, data: data.clone() };
    match ending.owner.parse::<UserId>() {
        Ok(owner) => {
            notice.to.push(owner);
            store(tx, &app.entropy, now, &notice).await?;
        }
        // What no person owns, its organization answers for.
        Err(_) => {
            for org in &orgs {
                let found = db::orgs::find(tx, &org.to_string()).await?;
                data["organization"] = json!(found.map(|org| org.name));
                notice.to = db::assignments::administrators(tx, *org).await?;
                (notice.org, notice.data) = (Some(*org), data.clone());
                store(tx, &app.entropy, now, &notice).await?;
            }
        }
    }
    for org in &orgs {
        let after = json!({"name": ending.name, "days": count, "expires_at": ending.expires_at});
        note(tx, now, Some(*org), EVENT, &ending.id.to_string(), after).await?;
    }
    db::expiry::warned(tx, ending.id, ending.expires_at, count).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_core::ids::TokenId;

    fn ending(lives_days: u64, warned_days: Option<u32>) -> Ending {
        let created_at = Timestamp::EPOCH;
        Ending {
            id: TokenId::from_u128(1),
            owner: String::new(),
            name: String::new(),
            created_at,
            expires_at: created_at.plus(days(lives_days)),
            warned_days,
        }
    }

    #[test]
    fn the_most_urgent_is_due_once_and_nothing_that_was_so_from_the_start() {
        let at = |day: u64| Timestamp::EPOCH.plus(days(day)).plus(Duration::from_hours(1));
        for (lives, day, warned, expected) in [
            (90, 50, None, None),
            (90, 60, None, Some(30)),
            (90, 60, Some(30), None),
            (90, 83, Some(30), Some(7)),
            (90, 89, None, Some(1)),
            (90, 89, Some(1), None),
            // Of seven days, only the last is news.
            (7, 0, None, None),
            (7, 6, None, Some(1)),
            (1, 0, None, None),
        ] {
            assert_eq!(due(&ending(lives, warned), DAYS, at(day)), expected, "{lives} {day} {warned:?}");
        }
        assert_eq!(due(&ending(90, None), &[], at(89)), None);
        assert_eq!(due(&ending(90, None), &[14], at(77)), Some(14));
    }
}
