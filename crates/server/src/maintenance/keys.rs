//! Rotating the hashing key. New secrets are stored under the newest key; those under the one before go on working
//! until it is retired. No server may run meanwhile, since a server reads the keys when it starts.

use super::note::note;
use super::stops::{Kind, Stop, StopLog};
use super::{MaintenanceError, open_existing};
use crate::app::Entropy;
use crate::authn::Sealer;
use crate::authn::hasher::HashKey;
use crate::authn::key_file::{self, KeyFileError};
use crate::db::feed::Topic;
use crate::db::maintenance::{KeyRow, LiveSecrets, all_keys, live_secrets};
use crate::db::{self, Db, WriteTx};
use crate::serve::{Config, ServingLock};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use tegata_core::time::Timestamp;

/// A hashing key, as people may see it.
#[derive(Debug, Clone, Serialize)]
pub struct KeyStatus {
    /// Its number.
    pub key_id: i64,
    /// The digest of a fixed text under it.
    pub fingerprint: String,
    /// `current` (new secrets are stored under it), `previous` (its secrets go on working) or `retired`.
    pub state: &'static str,
    /// Whether the key file holds it.
    pub in_key_file: bool,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// Secrets under it that can still be used.
    pub live: LiveSecrets,
}

/// What retiring a key did.
#[derive(Debug, Clone, Serialize)]
pub struct Retired {
    /// The key.
    pub key_id: i64,
    /// Secrets that could still be used and are unknown from now on.
    pub cut_off: LiveSecrets,
}

/// The keys that there are and were, oldest first. Works beside a running server.
pub async fn status(config: &Config) -> Result<Vec<KeyStatus>, MaintenanceError> {
    let db = open_existing(&config.database()).await?;
    let file = key_file::read(&config.key_file())?;
    let status = look(&db, &file.hashing, config.clock.now()).await;
    db.close().await;
    status
}

async fn look(db: &Db, file: &[HashKey], now: Timestamp) -> Result<Vec<KeyStatus>, MaintenanceError> {
    let mut tx = db.read().await?;
    let keys = all_keys(&mut tx).await?;
    let current = keys.iter().filter(|key| key.live).map(|key| key.key_id).max();
    let mut status = Vec::with_capacity(keys.len());
    for key in keys {
        let live = if key.live { live_secrets(&mut tx, key.key_id, now).await? } else { LiveSecrets::default() };
        status.push(KeyStatus {
            key_id: key.key_id,
            state: match (key.live, Some(key.key_id) == current) {
                (false, _) => "retired",
                (true, true) => "current",
                (true, false) => "previous",
            },
            in_key_file: holds(file, &key),
            fingerprint: key.fingerprint,
            created_at: key.created_at,
            live,
        });
    }
    Ok(status)
}

fn holds(file: &[HashKey], key: &KeyRow) -> bool {
    file.iter().any(|other| other.key_id == key.key_id && other.fingerprint() == key.fingerprint)
}

/// Makes a new key, under which secrets are stored from the next start on. The copy of the key file that is kept
/// elsewhere has to be renewed.
pub async fn rotate(config: &Config) -> Result<KeyStatus, MaintenanceError> {
    let (db, lock) = held(config).await?;
    let done = rotate_locked(config, &db).await;
    lock.release(&db).await;
    db.close().await;
    done
}

async fn rotate_locked(config: &Config, db: &Db) -> Result<KeyStatus, MaintenanceError> {
    let now = config.clock.now();
    let mut file = key_file::read(&config.key_file())?;
    let mut tx = db.write().await?;
    let known = all_keys(&mut tx).await?;
    let live: Vec<_> = known.iter().filter(|key| key.live).collect();
    if let [previous, _, ..] = live.as_slice() {
        return Err(MaintenanceError::TwoKeys(previous.key_id));
    }
    if let Some(missing) = live.iter().find(|key| !holds(&file.hashing, key)) {
        return Err(KeyFileError::Foreign(config.key_file(), missing.key_id).into());
    }
    let numbers = known.iter().map(|key| key.key_id).chain(file.hashing.iter().map(|key| key.key_id));
    let key_id = numbers.max().unwrap_or(0) + 1;
    let fresh = key_file::generate(key_id, &Entropy::System);
    let fingerprint = fresh.fingerprint();
    // The file first: a key that the database does not know does no harm, the other way round nothing would start.
    file.hashing.push(fresh);
    key_file::write(&config.key_file(), &file)?;
    db::hash_keys::insert(&mut tx, key_id, &fingerprint, now).await?;
    seal_again(&mut tx, &file.hashing).await?;
    tx.feed(Topic::HashKeys, None, &key_id.to_string()).await?;
    let after = json!({"key": key_id, "fingerprint": fingerprint, "state": "current"});
    note(&mut tx, now, None, "maintenance.key.rotate", &key_id.to_string(), after).await?;
    tx.commit().await?;
    let live = LiveSecrets::default();
    Ok(KeyStatus { key_id, fingerprint, state: "current", in_key_file: true, created_at: now, live })
}

/// Retires the older of two keys: secrets under it are unknown from then on. Refused while tokens or verifiers need
/// it, unless forced; sign-in sessions do not count, people sign in again.
pub async fn retire(config: &Config, force: bool) -> Result<Retired, MaintenanceError> {
    let (db, lock) = held(config).await?;
    let done = retire_locked(config, &db, force).await;
    lock.release(&db).await;
    db.close().await;
    done
}

async fn retire_locked(config: &Config, db: &Db, force: bool) -> Result<Retired, MaintenanceError> {
    let now = config.clock.now();
    let mut file = key_file::read(&config.key_file())?;
    let stops = Arc::new(StopLog::new(config.stops_log()));
    stops.open(db).await?;
    let mut tx = db.write().await?;
    let live: Vec<_> = all_keys(&mut tx).await?.into_iter().filter(|key| key.live).collect();
    let [previous, current] = live.as_slice() else { return Err(MaintenanceError::OneKey) };
    if !holds(&file.hashing, current) {
        return Err(KeyFileError::Foreign(config.key_file(), current.key_id).into());
    }
    let key_id = previous.key_id;
    let cut_off = live_secrets(&mut tx, key_id, now).await?;
    let LiveSecrets { tokens, applications, verifiers, .. } = cut_off;
    if tokens + applications + verifiers > 0 && !force {
        return Err(MaintenanceError::KeyInUse { key_id, tokens, applications, verifiers });
    }
    // After a rotation nothing is sealed under it, unless a backup of before was restored since.
    seal_again(&mut tx, &file.hashing).await?;
    db::hash_keys::retire(&mut tx, key_id).await?;
    tx.feed(Topic::HashKeys, None, &key_id.to_string()).await?;
    let after = json!({"key": key_id, "state": "retired", "cut_off": cut_off});
    note(&mut tx, now, None, "maintenance.key.retire", &key_id.to_string(), after).await?;
    stops.note_one(Stop {
        at: now,
        sequence: tx.number(),
        kind: Kind::HashKey,
        operation: "maintenance.key.retire".to_owned(),
        id: key_id.to_string(),
        org: None,
        about: None,
    });
    stops.settle().await?;
    tx.commit().await?;
    // The database first: a key in the file that does not count does no harm.
    file.hashing.retain(|key| key.key_id != key_id);
    key_file::write(&config.key_file(), &file)?;
    Ok(Retired { key_id, cut_off })
}

/// Seals the secrets of one thing under the newest key.
fn renew(sealer: &Sealer, about: &str, secrets: [Option<&mut String>; 2]) {
    for secret in secrets.into_iter().flatten() {
        match sealer.renew(&Entropy::System, about, secret) {
            Ok(Some(renewed)) => *secret = renewed,
            Ok(None) => {}
            // It was lost before: its owner says so, and gets a new one.
            Err(error) => tracing::warn!(about, %error, "a secret cannot be sealed again"),
        }
    }
}

/// Seals every secret that has to be used again under the newest key of the file.
async fn seal_again(tx: &mut WriteTx, keys: &[HashKey]) -> Result<(), MaintenanceError> {
    let sealer = Sealer::new(keys);
    for mut stream in db::streams::all(tx).await? {
        let about = stream.id.to_string();
        let Some(secrets) = &mut stream.secrets else { continue };
        let former = secrets.former.as_mut().map(|(secret, _)| secret);
        renew(&sealer, &about, [Some(&mut secrets.current), former]);
        db::streams::reseal(tx, &stream).await?;
    }
    for mut webhook in db::webhooks::all(tx).await? {
        let about = webhook.id.to_string();
        let former = webhook.secrets.former.as_mut().map(|(secret, _)| secret);
        renew(&sealer, &about, [Some(&mut webhook.secrets.current), former]);
        db::webhooks::reseal(tx, &webhook).await?;
    }
    for mut profile in db::imports::profiles(tx).await? {
        let about = profile.id.clone();
        if profile.sealed.is_some() {
            renew(&sealer, &about, [profile.sealed.as_mut(), None]);
            db::imports::reseal(tx, &profile).await?;
        }
    }
    Ok(())
}

async fn held(config: &Config) -> Result<(Db, ServingLock), MaintenanceError> {
    let database = config.database();
    let db = open_existing(&database).await?;
    let lock = ServingLock::take(&db, &database).await?;
    Ok((db, lock))
}
