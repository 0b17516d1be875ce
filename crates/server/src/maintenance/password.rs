//! Giving an account a new password from the machine itself: for whoever lost theirs, and after a restore that did
//! not let an old one back in. No server may run meanwhile.

use super::note::note;
use super::stops::{Kind, Stop, StopLog};
use super::{MaintenanceError, open_existing};
use crate::app::Entropy;
use crate::authn::password;
use crate::db::feed::Topic;
use crate::db::{self, Db};
use crate::serve::{Config, ServingLock};
use secrecy::SecretString;
use serde_json::json;
use std::sync::Arc;

/// Sets the password of the account with this address, and ends its sessions. An account that is not active stays so.
pub async fn set(config: &Config, email: &str, new: SecretString) -> Result<(), MaintenanceError> {
    password::check(&new).map_err(|error| MaintenanceError::Password(error.to_string()))?;
    let hashed = password::hash(new, &Entropy::System).await.map_err(|_| MaintenanceError::Interrupted)?;
    let database = config.database();
    let db = open_existing(&database).await?;
    let lock = ServingLock::take(&db, &database).await?;
    let done = set_locked(config, &db, email, &hashed).await;
    lock.release(&db).await;
    db.close().await;
    done
}

async fn set_locked(config: &Config, db: &Db, email: &str, hashed: &str) -> Result<(), MaintenanceError> {
    let now = config.clock.now();
    let stops = Arc::new(StopLog::new(config.stops_log()));
    stops.open(db).await?;
    let mut tx = db.write().await?;
    let nobody = || MaintenanceError::NoAccount(email.to_owned());
    let user = db::users::by_email(&mut tx, email).await?.ok_or_else(nobody)?;
    let old = db::users::password(&mut tx, user.id).await?;
    db::users::set_password(&mut tx, user.id, old.as_deref(), hashed).await?;
    let mut ended = 0;
    for session in db::sessions::live_of_user(&mut tx, user.id, now).await? {
        db::sessions::end(&mut tx, session.id, now).await?;
        tx.feed(Topic::Session, None, &session.id.to_string()).await?;
        ended += 1;
    }
    tx.feed(Topic::User, None, &user.id.to_string()).await?;
    let id = user.id.to_string();
    let after = json!({"password": "set on the machine", "sessions_ended": ended});
    note(&mut tx, now, None, "maintenance.password", &id, after).await?;
    stops.note_one(Stop {
        at: now,
        sequence: tx.number(),
        kind: Kind::Password,
        operation: "maintenance.password".to_owned(),
        id,
        org: None,
        about: None,
    });
    stops.settle().await?;
    tx.commit().await?;
    Ok(())
}
