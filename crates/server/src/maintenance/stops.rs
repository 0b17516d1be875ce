//! The stops file: every stop of the installation, in a file of its own beside the database, so that restoring an
//! older backup revives nothing (DESIGN §7). One JSON object a line with a checksum, only ever appended to, and on
//! disk before the stop is answered.
//!
//! A stop is noted just before its change commits and written just after. So the file may hold a stop that came to
//! nothing after all (the commit failed, and its caller was told so): a restore then stops a little more than it has
//! to. What a killed process noted and did not write is found again in activity at the next start.

mod kind;
mod line;

pub use kind::{Kind, STOPPING, kind_of};
pub use line::Stop;

use crate::db::maintenance::{Stopping, changes_after};
use crate::db::{Db, DbError, installation};
use crate::ops::act::Change;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tegata_core::operations::{Guard, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;

/// How far back a start looks for stops that are not in the file: more than can have been under way at once.
const LOOK_BACK: u64 = 10_000;

/// Why the stops file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StopLogError {
    /// The disk or its permissions.
    #[error("the stops file {0} cannot be used: {1}")]
    Io(PathBuf, #[source] std::io::Error),
    /// It is about another installation.
    #[error(
        "the stops file {0} belongs to another installation ({1}): put the right one there, or give the right one with --stops"
    )]
    Foreign(PathBuf, String),
    /// Its first line is not ours.
    #[error("{0} is no stops file of Tegata")]
    NotOurs(PathBuf),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Writing was cut off.
    #[error("writing the stops file was interrupted")]
    Interrupted,
}

/// What a stops file says.
#[derive(Debug, Default)]
pub struct Reading {
    /// The installation that it is about.
    pub installation: Option<String>,
    /// The stops, in the order of the file.
    pub stops: Vec<Stop>,
    /// Lines that cannot be read, counted from one.
    pub damaged: Vec<usize>,
    /// How many bytes hold whole lines; what follows is an unfinished write.
    pub(super) whole: u64,
}

/// The stops file of a running server.
#[derive(Debug)]
pub struct StopLog {
    path: PathBuf,
    /// Noted and not yet on disk.
    waiting: Mutex<Vec<Stop>>,
    file: Mutex<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    length: u64,
}

impl StopLog {
    /// The stops file at this path; [`StopLog::open`] comes before the first stop.
    pub fn new(path: PathBuf) -> Self {
        Self { path, waiting: Mutex::default(), file: Mutex::default() }
    }

    /// Opens the file, or makes it, and writes what activity knows and the file does not.
    pub async fn open(self: &Arc<Self>, db: &Db) -> Result<(), StopLogError> {
        let mut tx = db.read().await?;
        let id = installation::get(&mut tx, installation::INSTALLATION_ID).await?.unwrap_or_default();
        let this = Arc::clone(self);
        let reading = run(move || this.open_file(&id)).await?;
        let known: HashSet<_> = reading.stops.iter().map(|stop| (stop.sequence, stop.id.as_str())).collect();
        let last = reading.stops.iter().map(|stop| stop.sequence).max().unwrap_or(0);
        let operations: Vec<_> = STOPPING.iter().map(|(operation, _)| operation.id).collect();
        let missing: Vec<Stop> = changes_after(&mut tx, last.saturating_sub(LOOK_BACK), &operations)
            .await?
            .iter()
            .filter(|change| !known.contains(&(change.sequence, change.subject.as_str())))
            .filter_map(Stop::of_activity)
            .collect();
        drop(tx);
        self.waiting.lock().extend(missing);
        self.settle().await
    }

    fn open_file(&self, installation: &str) -> Result<Reading, StopLogError> {
        let reading = match read(&self.path) {
            Ok(reading) => reading,
            Err(StopLogError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => Reading::default(),
            Err(error) => return Err(error),
        };
        if let Some(other) = reading.installation.as_deref().filter(|other| *other != installation) {
            return Err(StopLogError::Foreign(self.path.clone(), other.to_owned()));
        }
        let failed = |error| StopLogError::Io(self.path.clone(), error);
        let file = File::options().append(true).create(true).mode(0o600).open(&self.path).map_err(failed)?;
        file.set_len(reading.whole).map_err(failed)?;
        let mut opened = Opened { file, length: reading.whole };
        if reading.installation.is_none() {
            opened.append(line::header(installation).as_bytes()).map_err(failed)?;
            // The name of the file has to be on disk, too.
            if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
            }
        }
        *self.file.lock() = Some(opened);
        Ok(reading)
    }

    /// Notes the stops of a change that is about to commit.
    pub fn note(&self, operation: &str, sequence: u64, now: Timestamp, changes: &[Change]) {
        let stops = changes.iter().filter_map(|change| {
            let operation = change.operation.unwrap_or(operation);
            kind_of(operation).map(|kind| Stop::of_change(kind, operation, sequence, now, change))
        });
        self.waiting.lock().extend(stops);
    }

    /// Notes one stop.
    pub fn note_one(&self, stop: Stop) {
        self.waiting.lock().push(stop);
    }

    /// Waits until everything that was noted is on disk.
    pub async fn settle(self: &Arc<Self>) -> Result<(), StopLogError> {
        let this = Arc::clone(self);
        run(move || this.write_waiting()).await
    }

    /// Waits until the stops of an operation are on disk, where it is one that stops something. The change is true
    /// by now; whoever is told otherwise can ask again.
    pub async fn settle_after(self: &Arc<Self>, operation: &Operation) -> Result<(), Problem> {
        // What an identity provider sends may stop somebody, and is recorded under the name of that.
        let may_stop = kind_of(operation.id).is_some() || matches!(operation.guard, Guard::Provisioning(_));
        if !may_stop {
            return Ok(());
        }
        self.settle().await.map_err(|error| {
            tracing::error!(%error, "a stop is in force and not in the stops file, which a restore needs");
            Problem::new(
                Code::Unavailable,
                "the change is stored and in force, but it could not be written to the stops file, without which a \
                 restore from a backup would undo it; see the server's log, and send it again",
            )
        })
    }

    fn write_waiting(&self) -> Result<(), StopLogError> {
        let failed = |error| StopLogError::Io(self.path.clone(), error);
        let mut file = self.file.lock();
        let stops = std::mem::take(&mut *self.waiting.lock());
        if stops.is_empty() {
            return Ok(());
        }
        let text: String = stops.iter().map(Stop::to_line).collect();
        let written = match file.as_mut() {
            Some(opened) => opened.append(text.as_bytes()),
            None => Err(std::io::Error::other("it is not open")),
        };
        if written.is_err() {
            let mut waiting = self.waiting.lock();
            let later = std::mem::replace(&mut *waiting, stops);
            waiting.extend(later);
        }
        written.map_err(failed)
    }
}

impl Opened {
    /// All of it, on disk, or nothing.
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.length += bytes.len() as u64,
            // Half a line must not stand before the next one.
            Err(_) => self.file.set_len(self.length)?,
        }
        written
    }
}

/// Reads a stops file; given a data directory, the one in it.
pub fn read(path: &Path) -> Result<Reading, StopLogError> {
    let path = if path.is_dir() { path.join("stops.log") } else { path.to_owned() };
    let failed = |error| StopLogError::Io(path.clone(), error);
    let mut lines = BufReader::new(fs::File::open(&path).map_err(failed)?);
    let mut reading = Reading::default();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let length = lines.read_until(b'\n', &mut bytes).map_err(failed)?;
        let Some(text) = bytes.strip_suffix(b"\n") else {
            // The end, or a line that was never finished and whose stop was never answered.
            break;
        };
        let text = String::from_utf8_lossy(text);
        if number == 1 {
            reading.installation = Some(line::read_header(&text).ok_or_else(|| StopLogError::NotOurs(path.clone()))?);
        } else {
            match Stop::read_line(&text) {
                Some(stop) => reading.stops.push(stop),
                None => reading.damaged.push(number),
            }
        }
        reading.whole += length as u64;
    }
    Ok(reading)
}

/// Writes a stops file anew: for a restored installation.
pub(super) fn write(path: &Path, installation: &str, stops: &[Stop]) -> std::io::Result<()> {
    let mut text = line::header(installation);
    text.extend(stops.iter().map(Stop::to_line));
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StopLogError> + Send + 'static,
) -> Result<T, StopLogError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StopLogError::Interrupted)?
}

impl Stop {
    fn of_change(kind: Kind, operation: &str, sequence: u64, now: Timestamp, change: &Change) -> Self {
        let about = kind.about(change.before.as_ref());
        let org = Some(change.org.to_string());
        Self { at: now, sequence, kind, operation: operation.to_owned(), id: change.subject.clone(), org, about }
    }

    fn of_activity(change: &Stopping) -> Option<Self> {
        let kind = kind_of(&change.operation)?;
        let before = change.before.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Some(Self {
            at: change.at,
            sequence: change.sequence,
            kind,
            operation: change.operation.clone(),
            id: change.subject.clone(),
            org: Some(change.org.clone()),
            about: kind.about(before.as_ref()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(sequence: u64) -> Stop {
        Stop {
            at: Timestamp::from_micros(1_000_000),
            sequence,
            kind: Kind::Token,
            operation: "token.revoke".to_owned(),
            id: format!("tok_{sequence}"),
            org: Some("org_1".to_owned()),
            about: None,
        }
    }

    #[test]
    fn a_torn_end_is_cut_and_the_rest_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let log = StopLog::new(folder.path().join("stops.log"));
        log.open_file("inst").unwrap();
        log.note_one(stop(1));
        log.note_one(stop(2));
        log.write_waiting().unwrap();
        let mut bytes = fs::read(&log.path).unwrap();
        let whole = bytes.len();
        bytes.extend_from_slice(b"{\"at\":\"2026");
        fs::write(&log.path, &bytes).unwrap();

        let again = StopLog::new(log.path.clone());
        let reading = again.open_file("inst").unwrap();
        assert_eq!(reading.stops, [stop(1), stop(2)]);
        assert_eq!(fs::metadata(&log.path).unwrap().len(), whole as u64);
        again.note_one(stop(3));
        again.write_waiting().unwrap();
        assert_eq!(read(folder.path()).unwrap().stops.len(), 3);
    }

    #[test]
    fn a_changed_line_is_named_and_another_installation_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stops.log");
        write(&path, "inst", &[stop(1), stop(2)]).unwrap();
        let text = fs::read_to_string(&path).unwrap().replace("tok_1", "tok_9");
        fs::write(&path, text).unwrap();
        let reading = read(&path).unwrap();
        assert_eq!(reading.damaged, [2]);
        assert_eq!(reading.stops, [stop(2)]);
        assert!(matches!(StopLog::new(path).open_file("other"), Err(StopLogError::Foreign(..))));
    }

    #[test]
    fn what_could_not_be_written_waits() {
        let folder = tempfile::tempdir().unwrap();
        let log = StopLog::new(folder.path().join("stops.log"));
        log.note_one(stop(1));
        assert!(log.write_waiting().is_err());
        log.open_file("inst").unwrap();
        log.note_one(stop(2));
        log.write_waiting().unwrap();
        assert_eq!(read(&log.path).unwrap().stops, [stop(1), stop(2)]);
    }
}
