//! Copying the access log from outside, also while a server appends to it: segments in the order of their names, each
//! as long as it is when its turn comes. The newest may end within a record; opening the copy cuts that off. Columns come
//! after the segments: what moved from the one to the other meanwhile is in both copies, and the copy of the columns says so.

use super::manifest::RecordsCopied;
use super::{MaintenanceError, files};
use std::path::Path;
use tegata_record::{AccessLog, FindingKind, Flush, Options, copy_columns};

/// The file by which a process holds a journal; it says nothing and is not copied.
const LOCK: &str = "journal.lock";

/// Copies an access log into a directory that is not there yet, and opens the copy to see that it is sound.
pub fn copy(from: &Path, to: &Path, mut told: impl FnMut(u64, u64)) -> Result<RecordsCopied, MaintenanceError> {
    files::make_empty(to)?;
    if !from.is_dir() {
        return Ok(RecordsCopied::default());
    }
    // `journal.json` sorts after the segments, whose names are digits: half a copy has none.
    let names: Vec<_> =
        files::names(from)?.into_iter().filter(|name| name != LOCK && !from.join(name).is_dir()).collect();
    let length = |name: &String| from.join(name).metadata().map_or(0, |file| file.len());
    let total = names.iter().map(length).sum();
    let mut before = 0;
    for name in &names {
        match files::copy(&from.join(name), &to.join(name), |done| told(before + done, total)) {
            Ok(bytes) => before += bytes,
            // Dropped meanwhile, since it was kept long enough.
            Err(MaintenanceError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    copy_columns(from, to, |done, of| told(before + done, total + of)).map_err(super::io(from))?;
    files::sync_directory(to)?;
    if names.is_empty() { Ok(RecordsCopied::default()) } else { look(to) }
}

/// Opens an access log that nobody uses, tells what there is, and leaves it.
pub fn look(directory: &Path) -> Result<RecordsCopied, MaintenanceError> {
    let (log, recovery) = AccessLog::open(directory, Options { flush: Flush::Never, ..Options::default() }, 0)?;
    let records = log.stats().records;
    drop(log);
    let lock = directory.join(LOCK);
    std::fs::remove_file(&lock).map_err(super::io(&lock))?;
    let findings = recovery.findings.iter().filter(|finding| finding.kind != FindingKind::TornTail);
    Ok(RecordsCopied {
        records,
        last_sequence: recovery.last_sequence,
        findings: findings.map(ToString::to_string).collect(),
    })
}
