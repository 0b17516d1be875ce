//! Restoring a backup into an empty place, so that nothing comes back to life: what was stopped after the backup is
//! stopped again from the stops file, every session ends, and the server that is started on it denies every check
//! until somebody has looked and opens it.

use super::backup::{same_schema, with_bytes};
use super::manifest::{DATABASE, Manifest, RECORDS, STOPS};
use super::note::note;
use super::replay::{Outcome, replay};
use super::stops::{self, Kind, Reading, Stop};
use super::{MaintenanceError, Progress, Report, Unit, aside, files, io, is_server, open_existing, rows, shown};
use crate::authn::key_file;
use crate::db::maintenance::{RESTORED_BLOCKED, TableSum, end_all_sessions};
use crate::db::{Db, installation};
use crate::serve::{Config, ServingLock};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tegata_core::time::Timestamp;
use tegata_record::{is_free, move_columns};

/// What to restore.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The directory of the backup.
    pub source: PathBuf,
    /// The stops file of the installation as it was last, or its data directory; none where it is lost.
    pub stops: Option<PathBuf>,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct RestoreDone {
    /// The backup.
    pub manifest: Manifest,
    /// The stops that were done again.
    pub stopped: Vec<Stop>,
    /// How many sessions were ended.
    pub sessions_ended: u64,
    /// The number of the last stop in the stops file.
    pub last_stop: Option<u64>,
    /// What nobody can know from these files, in sentences; to be looked at before the server is opened.
    pub uncertain: Vec<String>,
}

/// Restores a backup. The directory and the database of the configuration have to be empty, but for the key file.
pub async fn restore(
    config: &Config,
    options: &RestoreOptions,
    report: Report<'_>,
) -> Result<RestoreDone, MaintenanceError> {
    let source = options.source.clone();
    let manifest = Manifest::read(&source)?;
    if manifest.schema_version > crate::db::schema::newest() {
        return Err(MaintenanceError::NewerBackup(manifest.program_version));
    }
    for taken in [config.records(), config.stops_log()] {
        if taken.exists() {
            return Err(MaintenanceError::NotEmpty(taken));
        }
    }
    let stops = read_stops(&manifest, options)?;
    require_keys(config, &manifest, &stops)?;
    if let Some(bucket) = config.record_bucket.clone() {
        aside(move || Ok(is_free(&bucket)?)).await?;
    }
    let checked = (manifest.clone(), source.clone());
    with_bytes(report, "checking the backup", move |told| checked.0.check_files(&checked.1, told)).await?;

    files::make(&config.data_dir)?;
    let done = fill(config, &source, manifest, &stops, report).await;
    if done.is_err() {
        // Only what this call made: both were not there when it began.
        let _ = std::fs::remove_dir_all(config.records());
        let _ = std::fs::remove_file(config.stops_log());
    }
    done
}

/// The stops of the backup's own file and of the one that was given, in order, each once.
fn read_stops(manifest: &Manifest, options: &RestoreOptions) -> Result<Reading, MaintenanceError> {
    let mut all = Reading { installation: Some(manifest.installation_id.clone()), ..Reading::default() };
    let own = options.source.join(STOPS);
    for path in [Some(&own).filter(|own| own.exists()), options.stops.as_ref()].into_iter().flatten() {
        let reading = stops::read(path)?;
        if let Some(other) = reading.installation.filter(|other| *other != manifest.installation_id) {
            return Err(stops::StopLogError::Foreign(path.clone(), other).into());
        }
        all.stops.extend(reading.stops);
        all.damaged.extend(reading.damaged);
    }
    all.stops.sort_by_key(|stop| stop.sequence);
    let mut seen = std::collections::HashSet::new();
    all.stops.retain(|stop| seen.insert(stop.clone()));
    Ok(all)
}

/// Every key that the backup needs, and that was not retired since, has to lie in the key file.
fn require_keys(config: &Config, manifest: &Manifest, stops: &Reading) -> Result<(), MaintenanceError> {
    let file = config.key_file();
    let keys = key_file::read(&file).or_else(|error| match error {
        key_file::KeyFileError::Missing(_) => Ok(key_file::Keys::default()),
        other => Err(other),
    })?;
    let retired =
        |key_id: i64| stops.stops.iter().any(|stop| stop.kind == Kind::HashKey && stop.id == key_id.to_string());
    let lacking = manifest.keys.iter().find(|needed| {
        let here =
            keys.hashing.iter().any(|key| key.key_id == needed.key_id && key.fingerprint() == needed.fingerprint);
        !here && !retired(needed.key_id)
    });
    match lacking {
        Some(needed) => {
            let (key_id, fingerprint) = (needed.key_id, needed.fingerprint.clone());
            Err(MaintenanceError::KeyNeeded { file, key_id, fingerprint })
        }
        None => Ok(()),
    }
}

async fn fill(
    config: &Config,
    source: &Path,
    manifest: Manifest,
    stops: &Reading,
    report: Report<'_>,
) -> Result<RestoreDone, MaintenanceError> {
    // The backup itself is never opened: opening a database may write to it, and an older one is brought up to date.
    let scratch = config.data_dir.join("restoring.db");
    remove_database(&scratch);
    let (from, to) = (source.join(DATABASE), scratch.clone());
    let total = manifest.files.get(DATABASE).map_or(0, |file| file.bytes);
    with_bytes(report, "copying the database", move |told| files::copy(&from, &to, |done| told(done, total))).await?;
    let read = Db::connect(&scratch.display().to_string()).await?;
    let done = match read.migrate().await {
        Ok(()) => fill_from(config, source, &read, manifest, stops, report).await,
        Err(error) => Err(error.into()),
    };
    read.close().await;
    remove_database(&scratch);
    done
}

fn remove_database(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
}

async fn fill_from(
    config: &Config,
    source: &Path,
    read: &Db,
    manifest: Manifest,
    stops: &Reading,
    report: Report<'_>,
) -> Result<RestoreDone, MaintenanceError> {
    let database = config.database();
    if !is_server(&database)
        && let Some(folder) = Path::new(&database).parent().filter(|folder| !folder.as_os_str().is_empty())
    {
        files::make(folder)?;
    }
    let db = Db::connect(&database).await?;
    let lock = ServingLock::take(&db, &database).await?;
    let done = fill_locked(config, source, read, &db, manifest, stops, report).await;
    lock.release(&db).await;
    db.close().await;
    done
}

async fn fill_locked(
    config: &Config,
    source: &Path,
    read: &Db,
    db: &Db,
    manifest: Manifest,
    stops: &Reading,
    report: Report<'_>,
) -> Result<RestoreDone, MaintenanceError> {
    same_schema(read).await?;
    // New changes get numbers that no change of the former life had, as far as it is known.
    let last_stop = stops.stops.last().map(|stop| stop.sequence);
    let sequence = manifest.sequence.max(last_stop.unwrap_or(0));
    let taken = || MaintenanceError::DatabaseNotEmpty(shown(&config.database()));
    let mut filling = db.fill(sequence).await?.ok_or_else(taken)?;
    let mut from = read.read().await?;
    let sums = rows::copy(&mut from, &mut filling, report).await?;
    drop(from);
    require_same(&manifest, &sums)?;
    rows::compare(&mut filling, &sums, report).await?;

    let now = config.clock.now();
    let mut tx = filling.change().await?;
    let sessions_ended = end_all_sessions(&mut tx, now).await?;
    crate::db::streams::begin_passes(&mut tx, now).await?;
    let mut uncertain = Uncertain::default();
    uncertain.about_files(&manifest, stops);
    let mut stopped = Vec::new();
    let later: Vec<_> = stops.stops.iter().filter(|stop| stop.sequence > manifest.sequence).collect();
    for (place, stop) in later.iter().enumerate() {
        match replay(&mut tx, stop, now).await? {
            Outcome::Stopped => {
                uncertain.about_stop(stop);
                stopped.push((*stop).clone());
            }
            Outcome::Nothing => {}
            Outcome::Review => uncertain.about_review(stop),
        }
        let (done, total) = (place as u64 + 1, later.len() as u64);
        report(Progress { step: "stopping again".to_owned(), done, total, unit: Unit::Stops });
    }
    let uncertain = uncertain.list;
    let fact = json!({
        "backup_of": manifest.created_at, "sequence": manifest.sequence, "restored_at": now,
        "last_stop": last_stop, "stopped_again": stopped.len(), "uncertain": uncertain,
    });
    installation::set(&mut tx, RESTORED_BLOCKED, &fact.to_string()).await?;
    let after =
        json!({"backup_of": manifest.created_at, "sequence": manifest.sequence, "stopped_again": stopped.len()});
    note(&mut tx, now, None, "maintenance.restore", "installation", after).await?;

    // Files first: until the database is there, whole and blocked, nothing can be started here.
    restore_files(config, source, &manifest, stops, report).await?;
    tx.commit().await?;
    Ok(RestoreDone { manifest, stopped, sessions_ended, last_stop, uncertain })
}

/// An older backup was brought up to date first, and then its rows may look different; their number may not.
fn require_same(manifest: &Manifest, read: &BTreeMap<String, TableSum>) -> Result<(), MaintenanceError> {
    let same_schema = manifest.schema_version == crate::db::schema::newest();
    for table in crate::db::maintenance::TABLES {
        let (Some(stated), Some(found)) = (manifest.tables.get(table.name), read.get(table.name)) else { continue };
        if stated.rows != found.rows || (same_schema && stated != found) {
            return Err(MaintenanceError::Differs { table: table.name, read: stated.rows, written: found.rows });
        }
    }
    Ok(())
}

async fn restore_files(
    config: &Config,
    source: &Path,
    manifest: &Manifest,
    stops: &Reading,
    report: Report<'_>,
) -> Result<(), MaintenanceError> {
    let (from, to) = (source.join(RECORDS), config.records());
    let copying = move |told: &mut dyn FnMut(u64, u64)| super::records::copy(&from, None, &to, told);
    with_bytes(report, "copying access records", copying).await?;
    if let Some(bucket) = config.record_bucket.clone() {
        let records = config.records();
        let moving = move |told: &mut dyn FnMut(u64, u64)| Ok(move_columns(&records, &bucket, told)?);
        with_bytes(report, "moving columnar files into the bucket", moving).await?;
    }
    let path = config.stops_log();
    let (installation, list) = (manifest.installation_id.clone(), stops.stops.clone());
    let directory = config.data_dir.clone();
    aside(move || {
        stops::write(&path, &installation, &list).map_err(io(&path))?;
        files::sync_directory(&directory)
    })
    .await
}

/// What nobody can know from the files of a restore.
#[derive(Default)]
struct Uncertain {
    list: Vec<String>,
    reviewed: BTreeSet<String>,
}

impl Uncertain {
    fn about_files(&mut self, manifest: &Manifest, stops: &Reading) {
        let later = stops.stops.iter().rfind(|stop| stop.sequence > manifest.sequence);
        self.list.push(match later {
            Some(last) => format!(
                "The last stop that is known was change {} at {}. What was stopped after it, if anything, is in force again.",
                last.sequence, last.at
            ),
            None => format!(
                "No stop after the backup ({}, change {}) is known. If the stops file of the former data directory \
                 still exists, restore again with --stops; otherwise what was stopped since then is in force again.",
                manifest.created_at, manifest.sequence
            ),
        });
        for line in &stops.damaged {
            self.list.push(format!("Line {line} of a stops file cannot be read: what it stopped is not known."));
        }
        self.list.push(format!(
            "Everything that was made after change {} is gone: tokens, people, roles, approvals. Tokens issued since \
             then are unknown and have to be issued again.",
            manifest.sequence
        ));
    }

    fn about_stop(&mut self, stop: &Stop) {
        match stop.kind {
            Kind::Password => self.list.push(format!(
                "The password of {} was changed after the backup. The old one is not let back in: set a new one with \
                 `tegata user password`.",
                stop.id
            )),
            Kind::Secret => self.list.push(format!(
                "{} was given a new secret after the backup, and it is lost; the old one is not let back in: \
                 regenerate it.",
                stop.id
            )),
            _ => {}
        }
    }

    fn about_review(&mut self, stop: &Stop) {
        let place = stop.org.as_deref().map(|org| format!(" of {org}")).unwrap_or_default();
        let id = &stop.id;
        let what = match stop.operation.as_str() {
            "policy.set" => format!("A policy{place}"),
            "context.policy.set" => format!("A policy of the context {id}{place}"),
            "role.update" => format!("The role {id}{place}"),
            "record.stream.update" => format!("The record stream {id}{place}"),
            "webhook.update" => format!("The webhook {id}{place}"),
            "context.update" => format!("The context {id}{place}"),
            "api.import" => format!("The catalogue of {id}"),
            _ => format!("{id}{place} ({})", stop.operation),
        };
        if self.reviewed.insert(what.clone()) {
            self.list.push(format!(
                "{what} was changed after the backup (change {}, {}) and is as it was before: compare it.",
                stop.sequence, stop.at
            ));
        }
    }
}

/// Lets a restored server answer checks again. No server may run meanwhile. Returns what the restore left to look at.
pub async fn open_restored(config: &Config) -> Result<serde_json::Value, MaintenanceError> {
    let database = config.database();
    let db = open_existing(&database).await?;
    let lock = ServingLock::take(&db, &database).await?;
    let opened = open_locked(&db, config.clock.now()).await;
    lock.release(&db).await;
    db.close().await;
    opened
}

async fn open_locked(db: &Db, now: Timestamp) -> Result<serde_json::Value, MaintenanceError> {
    let mut tx = db.write().await?;
    let fact = installation::get(&mut tx, RESTORED_BLOCKED).await?.ok_or(MaintenanceError::NotBlocked)?;
    installation::take(&mut tx, RESTORED_BLOCKED, &fact).await?;
    note(&mut tx, now, None, "maintenance.open", "installation", json!({"restored": "opened"})).await?;
    tx.commit().await?;
    Ok(serde_json::from_str(&fact).unwrap_or_default())
}

/// Why a restored installation is blocked; none for all others. Asked by every start of a server.
pub async fn why_blocked(db: &Db) -> Result<Option<String>, crate::db::DbError> {
    let mut tx = db.read().await?;
    let fact = installation::get(&mut tx, RESTORED_BLOCKED).await?;
    Ok(fact.map(|fact| {
        let fact: serde_json::Value = serde_json::from_str(&fact).unwrap_or_default();
        let of = fact.get("backup_of").and_then(|of| of.as_str()).unwrap_or("an unknown moment");
        format!(
            "restored from a backup of {of}: every check is denied until somebody has looked at what is uncertain, \
             stopped the server and run `tegata restore --open`"
        )
    }))
}
