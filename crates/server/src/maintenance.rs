//! Looking after an installation from outside of its server: backup and restore, copying to another database, rotating
//! the hashing key, and a look at its health. Each is a plain function with its options and a progress callback; the
//! command line draws the bars.
//!
//! What this room must not know: HTTP, and who may do what. Whoever can run these functions has the files.

pub mod backup;
pub mod copy;
pub mod doctor;
mod files;
pub mod keys;
pub mod manifest;
pub(crate) mod note;
pub mod password;
pub mod proof;
mod records;
mod replay;
pub mod restore;
mod rows;
pub mod stops;

pub use backup::{BackupDone, BackupOptions, backup};
pub use copy::{CopyDone, CopyOptions, copy};
pub use doctor::{Finding, Level, doctor};
pub use restore::{RestoreDone, RestoreOptions, open_restored, restore};

use crate::authn::key_file::KeyFileError;
use crate::db::schema::{Found, SchemaError};
use crate::db::{Db, DbError};
use crate::serve::LockError;
use serde::Serialize;
use std::path::{Path, PathBuf};
use stops::StopLogError;

/// How far a piece of work has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// What is being done: `copying tokens`, `access records`.
    pub step: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is, as far as it is known.
    pub total: u64,
    /// In what it is counted.
    pub unit: Unit,
}

/// In what progress is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Rows of a table.
    Rows,
    /// Bytes of files.
    Bytes,
    /// Stops that are replayed.
    Stops,
}

/// Told again and again how far the work has come.
pub type Report<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Why a piece of maintenance came to nothing. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// A file or directory cannot be used.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The database.
    #[error("the database cannot be used: {0}")]
    Db(#[from] DbError),
    /// The tables.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Somebody serves.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The stops file.
    #[error(transparent)]
    Stops(#[from] StopLogError),
    /// There is nothing to work on.
    #[error("there is no Tegata database at {0}: check --data-dir and --database")]
    NoDatabase(String),
    /// The tables are those of another version.
    #[error(
        "the database has schema {0} and this program knows {1}: use the program that serves it, or start this one once so that the tables are brought up to date"
    )]
    OtherSchema(i64, i64),
    /// Something is where something new was to be made.
    #[error("{0} is not empty: choose a directory that is empty or not there yet")]
    NotEmpty(PathBuf),
    /// The database that was to be filled holds something.
    #[error("the database {0} is not empty, and nothing in it was changed: choose an empty one")]
    DatabaseNotEmpty(String),
    /// What was written does not read back as it was read.
    #[error(
        "table {table}: {read} rows were read and {written} were written, or their contents differ; nothing was kept"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows read.
        read: u64,
        /// Rows written.
        written: u64,
    },
    /// No backup, or half of one.
    #[error("{0} is no whole backup: {1}")]
    NoBackup(PathBuf, String),
    /// A file of a backup is not as it was written.
    #[error("{0} is not as the backup wrote it: its SHA-256 differs. Use another copy of this backup")]
    Damaged(PathBuf),
    /// A backup of a newer program.
    #[error("this backup was made by a newer Tegata ({0}): restore it with that version")]
    NewerBackup(String),
    /// The keys of a backup are missing.
    #[error(
        "{file} does not hold the hashing key {key_id} (fingerprint {fingerprint}) that this backup needs: put the key file that was kept apart from the backup there first, readable by its owner only"
    )]
    KeyNeeded {
        /// The key file.
        file: PathBuf,
        /// The number of the key.
        key_id: i64,
        /// Its fingerprint.
        fingerprint: String,
    },
    /// Two keys live already.
    #[error("two hashing keys are live already (at most two can be): retire key {0} first, with `tegata keys retire`")]
    TwoKeys(i64),
    /// There is no older key.
    #[error("there is one hashing key only, and it is in use: rotate first, with `tegata keys rotate`")]
    OneKey,
    /// Secrets under a key still count.
    #[error(
        "{tokens} tokens, {applications} applications and {verifiers} verifiers still have their secret under key {key_id} and would be unknown from then on: regenerate or revoke them, wait until they expire, or use --force"
    )]
    KeyInUse {
        /// The key.
        key_id: i64,
        /// Live tokens under it.
        tokens: u64,
        /// Applications whose client secret is under it.
        applications: u64,
        /// Live verifiers under it.
        verifiers: u64,
    },
    /// Nothing to open.
    #[error("this installation is not blocked: it was not restored from a backup, or it was opened already")]
    NotBlocked,
    /// The access log.
    #[error("the access log cannot be opened: {0}")]
    Records(#[from] tegata_record::OpenError),
    /// Its columns.
    #[error(transparent)]
    Columns(#[from] tegata_record::ColumnsError),
    /// What is signed about it.
    #[error("the proofs of the access log cannot be checked: {0}{cause}", cause = cause(.0))]
    Proof(#[from] tegata_record::proof::VerifyError),
    /// No checkpoint of this log.
    #[error("{0} holds no checkpoint of this access log that is signed with this key")]
    NoCheckpoint(PathBuf),
    /// There is no key to sign with.
    #[error("the key file {0} holds no key that signs the access log: the server puts one there when it starts")]
    NoSigningKey(PathBuf),
    /// Nobody has this address.
    #[error("there is no account with the address {0}")]
    NoAccount(String),
    /// A password that may not be one.
    #[error("the password cannot be used: {0}")]
    Password(String),
    /// Work on files was cut off.
    #[error("the work was interrupted")]
    Interrupted,
}

fn cause(error: &dyn std::error::Error) -> String {
    error.source().map(|cause| format!(": {cause}")).unwrap_or_default()
}

impl From<tegata_record::proof::StoreError> for MaintenanceError {
    fn from(error: tegata_record::proof::StoreError) -> Self {
        Self::Io(error.path, error.source)
    }
}

/// An error about a file.
fn io(path: &Path) -> impl FnOnce(std::io::Error) -> MaintenanceError {
    let path = path.to_owned();
    move |error| MaintenanceError::Io(path, error)
}

/// Opens a database that has to be there and ours. A path is never created.
async fn open_existing(database: &str) -> Result<Db, MaintenanceError> {
    let missing = || MaintenanceError::NoDatabase(shown(database));
    if !is_server(database) && !Path::new(database).exists() {
        return Err(missing());
    }
    let db = Db::connect(database).await?;
    match db.inspect().await? {
        Found::Ours => Ok(db),
        Found::Empty => Err(missing()),
    }
}

/// Whether a database is named by a URL, and not by a path.
fn is_server(database: &str) -> bool {
    database.starts_with("postgres://") || database.starts_with("postgresql://")
}

/// A database as it may be shown: without a password.
pub fn shown(database: &str) -> String {
    let Some((scheme, rest)) = database.split_once("://").filter(|_| is_server(database)) else {
        return database.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = path.split('?').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Runs work on files aside, where it holds nobody up.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MaintenanceError> + Send + 'static,
) -> Result<T, MaintenanceError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| MaintenanceError::Interrupted)?
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_database_is_shown_without_its_password() {
        assert_eq!(shown("postgres://u:p@db.example:5432/tegata?x=y"), "postgres://db.example:5432/tegata");
        assert_eq!(shown("postgres://db.example/tegata"), "postgres://db.example/tegata");
        assert_eq!(shown("/var/lib/tegata/tegata.db"), "/var/lib/tegata/tegata.db");
    }
}
