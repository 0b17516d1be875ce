//! A backup: a directory with one consistent view of the database as a SQLite file, whatever database it comes from,
//! the access log, the stops file, and a manifest. Made from any process, also while a server is at work: everything
//! that was acknowledged before it began is in it.
//!
//! The hashing keys are never in it. Whoever has the backup alone has no credential that works.

use super::manifest::{DATABASE, FORMAT, FileSum, KeyNeeded, MANIFEST, Manifest, RECORDS, STOPS};
use super::{MaintenanceError, Progress, Report, Unit, aside, files, io, open_existing, records, rows};
use crate::db::maintenance::all_keys;
use crate::db::schema::SchemaError;
use crate::db::{Backend, Db, installation};
use crate::serve::Config;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Where a backup goes.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// A directory that is empty or not there yet.
    pub destination: PathBuf,
}

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct BackupDone {
    /// Where it is.
    pub destination: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// The file that has to be kept elsewhere, for without it the backup is worth nothing.
    pub key_file: PathBuf,
}

impl BackupDone {
    /// What its maker must know.
    pub fn reminder(&self) -> String {
        let keys: Vec<_> =
            self.manifest.keys.iter().map(|key| format!("{} ({})", key.key_id, key.fingerprint)).collect();
        format!(
            "The hashing keys are not in this backup. It needs key {}: keep a copy of {} elsewhere, or no credential \
             in it will ever match again.",
            keys.join(" and "),
            self.key_file.display()
        )
    }
}

/// Makes a backup.
pub async fn backup(
    config: &Config,
    options: &BackupOptions,
    report: Report<'_>,
) -> Result<BackupDone, MaintenanceError> {
    let destination = options.destination.clone();
    let source = open_existing(&config.database()).await?;
    let made = make(config, &source, &destination, report).await;
    source.close().await;
    let manifest = made?;
    Ok(BackupDone { destination, manifest, key_file: config.key_file() })
}

async fn make(
    config: &Config,
    source: &Db,
    destination: &Path,
    report: Report<'_>,
) -> Result<Manifest, MaintenanceError> {
    files::make_empty(destination)?;
    let schema_version = same_schema(source).await?;
    let created_at = config.clock.now();
    let mut from = source.read().await?;
    let sequence = from.sequence().await?;
    let installation_id = installation::get(&mut from, installation::INSTALLATION_ID).await?.unwrap_or_default();
    let keys = all_keys(&mut from).await?;
    let keys = keys.into_iter().filter(|key| key.live);
    let keys = keys.map(|key| KeyNeeded { key_id: key.key_id, fingerprint: key.fingerprint }).collect();

    let target = Db::connect(&destination.join(DATABASE).display().to_string()).await?;
    target.migrate().await?;
    let unusable = || MaintenanceError::NotEmpty(destination.to_owned());
    let mut filling = target.fill(sequence).await?.ok_or_else(unusable)?;
    let tables = rows::copy(&mut from, &mut filling, report).await?;
    drop(from);
    rows::compare(&mut filling, &tables, report).await?;
    filling.commit().await?;
    target.close().await;

    // After the view of the database: what is in the log and in the stops file reaches at least as far.
    let stops = config.stops_log();
    let to = destination.join(STOPS);
    if stops.exists() {
        aside(move || files::copy(&stops, &to, |_| ())).await?;
    }
    let (log, to) = (config.records(), destination.join(RECORDS));
    let columns = config.record_bucket.clone();
    let copying = move |told: &mut dyn FnMut(u64, u64)| records::copy(&log, columns.as_ref(), &to, told);
    let records = with_bytes(report, "copying access records", copying).await?;

    let mut manifest = Manifest {
        format: FORMAT,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        schema_version,
        installation_id,
        source: match source.backend() {
            Backend::Sqlite => "SQLite",
            Backend::Postgres => "PostgreSQL",
        }
        .to_owned(),
        created_at,
        sequence,
        keys,
        tables,
        records,
        files: BTreeMap::new(),
    };
    let directory = destination.to_owned();
    manifest.files = with_bytes(report, "digesting", move |told| digests(&directory, told)).await?;
    manifest.write(destination)?;
    Ok(manifest)
}

/// The schema of a database, which has to be that of this program.
pub(super) async fn same_schema(db: &Db) -> Result<i64, MaintenanceError> {
    let (found, known) = (db.schema_version().await?, crate::db::schema::newest());
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(found),
        std::cmp::Ordering::Less => Err(MaintenanceError::OtherSchema(found, known)),
        std::cmp::Ordering::Greater => Err(SchemaError::Newer(found).into()),
    }
}

/// Length and digest of every file, by its path within the backup.
fn digests(directory: &Path, mut told: impl FnMut(u64, u64)) -> Result<BTreeMap<String, FileSum>, MaintenanceError> {
    let mut names: Vec<String> = files::names(directory)?.into_iter().filter(|name| name != MANIFEST).collect();
    names_below(directory, RECORDS, &mut names)?;
    let total = names.iter().map(|name| directory.join(name).metadata().map_or(0, |file| file.len())).sum();
    let mut before = 0;
    let mut sums = BTreeMap::new();
    for name in names {
        let (bytes, sha256) = files::digest(&directory.join(&name), |done| told(before + done, total))?;
        before += bytes;
        sums.insert(name, FileSum { bytes, sha256 });
    }
    Ok(sums)
}

/// The paths of all files in a directory of the backup and in those below it.
fn names_below(backup: &Path, directory: &str, names: &mut Vec<String>) -> Result<(), MaintenanceError> {
    let path = backup.join(directory);
    names.extend(files::names(&path)?.into_iter().map(|name| format!("{directory}/{name}")));
    for entry in std::fs::read_dir(&path).map_err(io(&path))? {
        let entry = entry.map_err(io(&path))?;
        if entry.file_type().map_err(io(&path))?.is_dir() {
            names_below(backup, &format!("{directory}/{}", entry.file_name().to_string_lossy()), names)?;
        }
    }
    Ok(())
}

/// Runs work on files aside and passes on how far it has come.
pub(super) async fn with_bytes<T: Send + 'static>(
    report: Report<'_>,
    step: &str,
    work: impl FnOnce(&mut dyn FnMut(u64, u64)) -> Result<T, MaintenanceError> + Send + 'static,
) -> Result<T, MaintenanceError> {
    let (tell, mut told) = mpsc::channel(16);
    let work = tokio::task::spawn_blocking(move || {
        // A step that nobody has time to look at is left out; the next one says more.
        work(&mut |done, total| {
            let _ = tell.try_send((done, total));
        })
    });
    while let Some((done, total)) = told.recv().await {
        report(Progress { step: step.to_owned(), done, total, unit: Unit::Bytes });
    }
    work.await.map_err(|_| MaintenanceError::Interrupted)?
}
