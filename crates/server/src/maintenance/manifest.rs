//! What a backup says about itself. Written last: a directory without a manifest is no backup.

use super::{MaintenanceError, files, io};
use crate::db::maintenance::TableSum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use tegata_core::time::Timestamp;

/// The form of the directory.
pub const FORMAT: u32 = 1;

/// The name of the manifest within a backup.
pub const MANIFEST: &str = "manifest.json";
/// The name of the database within a backup.
pub const DATABASE: &str = "tegata.db";
/// The name of the stops file within a backup.
pub const STOPS: &str = "stops.log";
/// The name of the access log within a backup.
pub const RECORDS: &str = "records";

/// A backup, described.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the directory.
    pub format: u32,
    /// The program that made it.
    pub program_version: String,
    /// The schema of the database in it.
    pub schema_version: i64,
    /// The installation that it is of.
    pub installation_id: String,
    /// On which database the installation ran.
    pub source: String,
    /// When its view of the database was taken.
    pub created_at: Timestamp,
    /// The number of the last change in it.
    pub sequence: u64,
    /// The hashing keys that it needs; the keys themselves are not in it.
    pub keys: Vec<KeyNeeded>,
    /// Rows and sums of the tables.
    pub tables: BTreeMap<String, TableSum>,
    /// The access log.
    pub records: RecordsCopied,
    /// Length and digest of each file.
    pub files: BTreeMap<String, FileSum>,
}

/// A hashing key that a backup needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNeeded {
    /// Its number.
    pub key_id: i64,
    /// The digest of a fixed text under it.
    pub fingerprint: String,
}

/// What a backup holds of the access log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsCopied {
    /// Sound records.
    pub records: u64,
    /// The sequence of the newest one.
    pub last_sequence: u64,
    /// What was not as it should be; an unfinished end is not told, since the server was writing.
    pub findings: Vec<String>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of a backup.
    pub fn read(backup: &Path) -> Result<Self, MaintenanceError> {
        let path = backup.join(MANIFEST);
        let no_backup = |why: String| MaintenanceError::NoBackup(backup.to_owned(), why);
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => no_backup(format!("it has no {MANIFEST}")),
            _ => MaintenanceError::Io(path.clone(), error),
        })?;
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| no_backup(format!("{MANIFEST} cannot be read: {error}")))?;
        if manifest.format > FORMAT {
            return Err(MaintenanceError::NewerBackup(manifest.program_version));
        }
        let inside = |name: &&String| !Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        match manifest.files.keys().find(inside) {
            Some(outside) => Err(no_backup(format!("{MANIFEST} names the file {outside}"))),
            None if !manifest.files.contains_key(DATABASE) => Err(no_backup(format!("it has no {DATABASE}"))),
            None => Ok(manifest),
        }
    }

    /// Writes the manifest of a backup, as its last file.
    pub fn write(&self, backup: &Path) -> Result<(), MaintenanceError> {
        let path = backup.join(MANIFEST);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| MaintenanceError::Io(path.clone(), std::io::Error::other(error)))?;
        let fresh = backup.join("manifest.new");
        let mut file = File::create(&fresh).map_err(io(&fresh))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(&fresh))?;
        fs::rename(&fresh, &path).map_err(io(&path))?;
        files::sync_directory(backup)
    }

    /// Holds every file against its digest. Told how many bytes of how many are done.
    pub fn check_files(&self, backup: &Path, mut told: impl FnMut(u64, u64)) -> Result<(), MaintenanceError> {
        let total = self.files.values().map(|file| file.bytes).sum();
        let mut before = 0;
        for (name, stated) in &self.files {
            let path: PathBuf = backup.join(name);
            let (bytes, sha256) = files::digest(&path, |done| told(before + done, total))?;
            if bytes != stated.bytes || sha256 != stated.sha256 {
                return Err(MaintenanceError::Damaged(path));
            }
            before += bytes;
        }
        Ok(())
    }
}
