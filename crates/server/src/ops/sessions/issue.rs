//! Making a session: used by signing in and by the set-up of an installation.

use crate::app::App;
use crate::authn::mint::mint;
use crate::db::sessions::Session;
use crate::db::{self, DbError, WriteTx};
use crate::ops::Meta;
use secrecy::SecretString;
use std::time::Duration;
use tegata_core::ids::{SessionId, UserId};
use tegata_core::secret::SecretKind;
use tegata_core::time::Timestamp;

/// How long a session lasts, whatever is done with it.
pub const SESSION_LASTS: Duration = Duration::from_hours(12);

/// Stores a new session of a user. The text is its secret, to be shown once.
pub async fn issue(
    app: &App,
    tx: &mut WriteTx,
    user: UserId,
    meta: &Meta,
    now: Timestamp,
) -> Result<(Session, SecretString), DbError> {
    let session = Session {
        id: SessionId::new(now.as_millis(), app.entropy.bytes()),
        user,
        created_at: now,
        expires_at: now.plus(SESSION_LASTS),
        ended_at: None,
        address: meta.address.map(|address| address.to_string()),
        user_agent: meta.user_agent.clone(),
    };
    let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::Session);
    db::sessions::insert(tx, &session).await?;
    db::secrets::insert(tx, minted.digest, minted.key_id, &session.id.to_string(), now).await?;
    Ok((session, minted.text))
}

/// Ends every session of a user but one. Returns those that were ended.
pub async fn end_others(
    tx: &mut WriteTx,
    user: UserId,
    kept: Option<SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>, DbError> {
    let mut ended = Vec::new();
    for session in db::sessions::live_of_user(tx, user, now).await? {
        if Some(session.id) != kept {
            db::sessions::end(tx, session.id, now).await?;
            ended.push(session.id);
        }
    }
    Ok(ended)
}
