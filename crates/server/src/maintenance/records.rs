//! Copying the access log from outside, also while a server appends to it: segments in the order of their names, each
//! as long as it is when its turn comes. The newest may end within a record; opening the copy cuts that off. Columns come
//! after the segments: what moved from the one to the other meanwhile is in both copies, and the copy of the columns says so.
//! Proofs come before all of it, at one moment: every record that is signed in the copy is then in the copy.

use super::manifest::RecordsCopied;
use super::{MaintenanceError, files};
use crate::serve::PROOFS;
use std::path::Path;
use tegata_record::proof::hold;
use tegata_record::{AccessLog, FindingKind, Flush, Location, Options, copy_columns};

/// The file by which a process holds a journal; it says nothing and is not copied.
const LOCK: &str = "journal.lock";
/// What the names of files of proofs end with whose tree is open, and of such as are being written.
const OPEN: &str = ".open";
const UNFINISHED: &str = ".unfinished";

/// Copies an access log into a directory that is not there yet, and opens the copy to see that it is sound.
/// Columns that lie in a bucket are copied into the folder that they would lie in without one.
pub fn copy(
    from: &Path,
    columns: Option<&Location>,
    to: &Path,
    mut told: impl FnMut(u64, u64),
) -> Result<RecordsCopied, MaintenanceError> {
    files::make_empty(to)?;
    if !from.is_dir() {
        return Ok(RecordsCopied::default());
    }
    let proofs = (from.join(PROOFS), to.join(PROOFS));
    if proofs.0.is_dir() {
        copy_proofs(&proofs.0, &proofs.1)?;
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
    copy_columns(from, columns, to, |done, of| told(before + done, total + of)).map_err(super::io(from))?;
    if proofs.1.is_dir() {
        remove_forgotten(&proofs.0, &proofs.1)?;
    }
    files::sync_directory(to)?;
    if names.is_empty() { Ok(RecordsCopied::default()) } else { look(to, None) }
}

/// Copies the proofs as they are at one moment; whoever signs waits meanwhile.
fn copy_proofs(from: &Path, to: &Path) -> Result<(), MaintenanceError> {
    let _held = hold(from).map_err(super::io(from))?;
    files::make(to)?;
    for name in directories(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        files::make(&to)?;
        for name in files::names(&from)?.into_iter().filter(|name| !name.ends_with(UNFINISHED)) {
            files::copy(&from.join(&name), &to.join(&name), |_| ())?;
        }
        files::sync_directory(&to)?;
    }
    files::sync_directory(to)
}

/// What was removed at its source meanwhile, since records were dropped that may not be in the copy.
fn remove_forgotten(from: &Path, to: &Path) -> Result<(), MaintenanceError> {
    for directory in directories(to)? {
        for name in files::names(&to.join(&directory))? {
            // A tree that was closed meanwhile is still open in the copy, and has its records there.
            let is_kept = name.ends_with(OPEN) || from.join(&directory).join(&name).exists();
            if !is_kept {
                let path = to.join(&directory).join(&name);
                std::fs::remove_file(&path).map_err(super::io(&path))?;
            }
        }
    }
    Ok(())
}

fn directories(path: &Path) -> Result<Vec<String>, MaintenanceError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path).map_err(super::io(path))? {
        let entry = entry.map_err(super::io(path))?;
        if entry.file_type().map_err(super::io(path))?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Opens an access log that nobody uses, tells what there is, and leaves it.
pub fn look(directory: &Path, columns: Option<&Location>) -> Result<RecordsCopied, MaintenanceError> {
    let options = Options { flush: Flush::Never, columns: columns.cloned(), ..Options::default() };
    let (log, recovery) = AccessLog::open(directory, options, 0)?;
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
