//! Doing again what was stopped after a backup was made. Each stop is final or leads to fewer rights, so doing it
//! twice, or to something that has changed since, harms nobody.

use super::note::note;
use super::stops::{Kind, Stop};
use crate::db::maintenance::forget_password;
use crate::db::{self, DbError, WriteTx};
use serde_json::json;
use tegata_core::credential::PartState;
use tegata_core::ids::{OrgId, TokenId, UserId};
use tegata_core::owner::Owner;
use tegata_core::time::Timestamp;

/// Why something is stopped, as it is stored with the part of a token.
const WHY: &str = "restored";

/// What became of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is stopped now.
    Stopped,
    /// The backup does not know it, or it was stopped in the backup already.
    Nothing,
    /// It cannot be repeated from this line; somebody has to look.
    Review,
}

/// Does a stop again.
pub async fn replay(tx: &mut WriteTx, stop: &Stop, now: Timestamp) -> Result<Outcome, DbError> {
    let org: Option<OrgId> = stop.org.as_deref().and_then(|org| org.parse().ok());
    if stop.kind == Kind::Review {
        return Ok(Outcome::Review);
    }
    let Some(stopped) = apply(tx, stop, org, now).await? else { return Ok(Outcome::Review) };
    if !stopped {
        return Ok(Outcome::Nothing);
    }
    // An organization that was made after the backup has no book in it.
    let known = match org {
        Some(org) => db::orgs::find(tx, &org.to_string()).await?.map(|org| org.id),
        None => None,
    };
    let after = json!({"stopped_again": stop.kind, "stopped_first": stop.at, "change": stop.sequence});
    note(tx, now, known, "maintenance.restore", &stop.id, after).await?;
    Ok(Outcome::Stopped)
}

/// Whether something was stopped; none where the line does not say enough.
async fn apply(tx: &mut WriteTx, stop: &Stop, org: Option<OrgId>, now: Timestamp) -> Result<Option<bool>, DbError> {
    let id = stop.id.as_str();
    let done = match (stop.kind, org) {
        (Kind::Token, _) => match id.parse() {
            Ok(token) => changed(db::tokens::revoke(tx, token, now).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::TokenPart, Some(org)) => match id.parse() {
            Ok(token) => stop_part(tx, org, token, PartState::Revoked, now).await?,
            Err(_) => return Ok(None),
        },
        (Kind::TokenBlock, Some(org)) => match id.parse() {
            Ok(token) => stop_part(tx, org, token, PartState::Blocked, now).await?,
            Err(_) => return Ok(None),
        },
        (Kind::Secret, _) => {
            let had = db::secrets::of_subject(tx, id).await?;
            db::secrets::end_at(tx, id, now).await?;
            if let Ok(token) = id.parse() {
                db::imports::end_at(tx, token, now).await?;
            }
            had.iter().any(|(_, until)| until.is_none_or(|until| until > now))
        }
        (Kind::AccessSecret, Some(org)) => match id.parse() {
            Ok(token) => {
                db::secrets::end_at(tx, id, now).await?;
                changed(db::access_keys::set_secret(tx, org, token, "").await)?
            }
            Err(_) => return Ok(None),
        },
        (Kind::ServiceAccount, Some(org)) => match id.parse() {
            Ok(account) => changed(db::service_accounts::set_active(tx, org, account, false).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::Verifier, _) => match id.parse() {
            Ok(verifier) => changed(db::verifiers::revoke(tx, verifier, now).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::Session, _) => match id.parse() {
            Ok(session) => changed(db::sessions::end(tx, session, now).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::User, _) => match id.parse() {
            Ok(user) => changed(db::users::set_active(tx, user, false).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::Member, Some(org)) => match id.parse() {
            Ok(user) => stop_member(tx, org, user, now).await?,
            Err(_) => return Ok(None),
        },
        (Kind::Password, _) => forget_password(tx, id).await?,
        (Kind::Assignment, Some(org)) => match id.parse() {
            Ok(assignment) => changed(db::assignments::delete(tx, org, assignment).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::TeamMember, Some(org)) => match (id.parse(), stop.about.as_deref().and_then(|user| user.parse().ok())) {
            (Ok(team), Some(user)) => changed(db::teams::remove_member(tx, org, team, user).await)?,
            _ => return Ok(None),
        },
        (Kind::Team, Some(org)) => match db::teams::find(tx, org, id).await? {
            Some(team) => {
                let principal = db::assignments::Principal::Team(team.id);
                db::assignments::delete_of_principal(tx, org, principal).await?;
                db::teams::delete(tx, org, team.id).await?;
                true
            }
            None => false,
        },
        (Kind::OrgApi, Some(org)) => match id.parse() {
            Ok(api) => changed(db::orgs::disable_api(tx, org, api).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::Grant, Some(org)) => match id.parse() {
            Ok(grant) => changed(db::grants::ungrant(tx, org, grant, now, WHY).await)?,
            Err(_) => return Ok(None),
        },
        (Kind::RecordStream | Kind::RecordStreamPause | Kind::Webhook | Kind::WebhookPause, Some(org)) => {
            return stop_sending(tx, stop, org, now).await;
        }
        (Kind::HashKey, _) => match id.parse() {
            Ok(key) => changed(db::hash_keys::retire(tx, key).await)?,
            Err(_) => return Ok(None),
        },
        (_, None) | (Kind::Review, _) => return Ok(None),
    };
    Ok(Some(done))
}

/// The same for what is sent on to other systems.
async fn stop_sending(tx: &mut WriteTx, stop: &Stop, org: OrgId, now: Timestamp) -> Result<Option<bool>, DbError> {
    let id = stop.id.as_str();
    let done = match stop.kind {
        Kind::RecordStream => match id.parse() {
            Ok(stream) => changed(db::streams::delete(tx, org, stream).await)?,
            Err(_) => return Ok(None),
        },
        Kind::RecordStreamPause => match id.parse() {
            Ok(stream) => match db::streams::get(tx, org, stream).await? {
                Some(stream) => changed(db::streams::pause(tx, &stream, now, WHY).await)?,
                None => false,
            },
            Err(_) => return Ok(None),
        },
        Kind::Webhook => match id.parse() {
            Ok(webhook) => changed(db::webhooks::delete(tx, org, webhook).await)?,
            Err(_) => return Ok(None),
        },
        Kind::WebhookPause => match id.parse() {
            Ok(webhook) => match db::webhooks::get(tx, org, webhook).await? {
                Some(webhook) => changed(db::webhooks::pause(tx, &webhook, now, WHY).await)?,
                None => false,
            },
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(done))
}

/// Whether a conditional update found its row.
fn changed(done: Result<(), DbError>) -> Result<bool, DbError> {
    match done {
        Ok(()) => Ok(true),
        Err(DbError::Changed) => Ok(false),
        Err(other) => Err(other),
    }
}

async fn stop_part(
    tx: &mut WriteTx,
    org: OrgId,
    token: TokenId,
    to: PartState,
    now: Timestamp,
) -> Result<bool, DbError> {
    let Some(part) = db::tokens::part(tx, org, token).await? else { return Ok(false) };
    if part.state == to || part.state == PartState::Revoked {
        return Ok(false);
    }
    changed(db::tokens::set_part_state(tx, org, token, part.state, to, Some(WHY), now).await)
}

async fn stop_member(tx: &mut WriteTx, org: OrgId, user: UserId, now: Timestamp) -> Result<bool, DbError> {
    let mut stopped = changed(db::members::set_active(tx, org, user, false).await)?;
    for token in db::tokens::parts_of_owner(tx, org, Owner::User(user)).await? {
        stopped |= stop_part(tx, org, token, PartState::Revoked, now).await?;
    }
    Ok(stopped)
}
