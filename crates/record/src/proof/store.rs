//! The directory of a journal's checkpoints.
//!
//! ```text
//! proof.lock                          held by whoever signs
//! node/entries                        one line for each final checkpoint: number, hash, tree; the leaves of the node's tree
//! node/checkpoints                    notes about that tree
//! org=<organization>/closings         final checkpoints, in the order of signing: the chain; never thinned
//! org=…/2026-11-22.1.open             checkpoints of a tree that grows
//! org=…/2026-11-22.1.closed           those that are kept of a final tree
//! org=…/2026-11-22.1.blocks           the roots of its blocks
//! ```
//!
//! An organization's directory is all that it needs, and has nothing of another.

use crate::files::{self, AppendFile, Faults};
use crate::proof::hold::Turns;
use crate::proof::names::{self, Day, TreeName, parse_day};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// No file of this directory is read that is longer.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Of a file of notes, this much of the end is read for the newest.
const TAIL_BYTES: u64 = 16 << 10;

/// A file or directory could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}", path = path.display())]
pub struct StoreError {
    /// Which one.
    pub path: PathBuf,
    /// What the kernel said.
    pub source: io::Error,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError { path, source }
}

/// What is kept of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Open,
    Closed,
    Blocks,
}

impl Kind {
    fn ending(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Blocks => "blocks",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Store {
    directory: PathBuf,
    faults: Option<Arc<Faults>>,
}

impl Store {
    pub(crate) fn new(directory: &Path, faults: Option<Arc<Faults>>) -> Self {
        Self { directory: directory.to_owned(), faults }
    }

    /// Makes the directories and takes the lock. `None` if another has it.
    pub(crate) fn lock(&self) -> Result<Option<File>, StoreError> {
        let node = self.directory.join("node");
        files::create_directory(&node).map_err(failed(&node))?;
        let path = self.directory.join("proof.lock");
        let file = files::private().append(true).create(true).open(&path).map_err(failed(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(&path)(source)),
        }
    }

    /// What the signer and its readers take turns with.
    pub(crate) fn turns(&self) -> Result<Turns, StoreError> {
        Turns::open(&self.directory).map_err(failed(&self.directory))
    }

    pub(crate) fn failed_turn(&self, source: io::Error) -> StoreError {
        failed(&self.directory)(source)
    }

    pub(crate) fn node_entries(&self) -> PathBuf {
        self.directory.join("node/entries")
    }

    pub(crate) fn node_checkpoints(&self) -> PathBuf {
        self.directory.join("node/checkpoints")
    }

    pub(crate) fn organization(&self, organization: Option<&str>) -> PathBuf {
        self.directory.join(names::directory(organization))
    }

    pub(crate) fn closings(&self, organization: Option<&str>) -> PathBuf {
        self.organization(organization).join("closings")
    }

    pub(crate) fn tree(&self, tree: &TreeName, kind: Kind) -> PathBuf {
        let name = format!("{}.{}.{}", Day(tree.day), tree.part, kind.ending());
        self.organization(tree.organization.as_deref()).join(name)
    }

    /// The directories of organizations.
    pub(crate) fn organizations(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = names_in(&self.directory)?;
        found.retain(|name| name.starts_with("org="));
        Ok(found.into_iter().map(|name| self.directory.join(name)).collect())
    }

    /// Adds to a file, all of it or nothing. Flushes to disk where that is asked for.
    pub(crate) fn append(&self, path: &Path, text: &str, flush: bool) -> Result<u64, StoreError> {
        let end = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), files::create_directory).map_err(failed(path))?;
                AppendFile::create(path, None).map_err(failed(path))?;
                0
            }
            Err(source) => return Err(failed(path)(source)),
        };
        let file = AppendFile::open(path, self.faults.clone()).map_err(failed(path))?;
        if let Err(source) = file.append(text.as_bytes()) {
            // If even this fails, the next opening finds an unfinished end and cuts it.
            let _ = file.cut(end);
            return Err(failed(path)(source));
        }
        if flush {
            file.sync().map_err(failed(path))?;
        }
        Ok(end + text.len() as u64)
    }

    /// Takes back what is after the first `length` bytes.
    pub(crate) fn cut(&self, path: &Path, length: usize) -> Result<(), StoreError> {
        let file = AppendFile::open(path, self.faults.clone()).map_err(failed(path))?;
        file.cut(length as u64).map_err(failed(path))
    }
}

/// The trees of which an organization's directory has a file of this kind: day and part, in order.
pub(crate) fn trees(directory: &Path, kind: Kind) -> Result<Vec<(i64, u32)>, StoreError> {
    let mut trees: Vec<(i64, u32)> =
        names_in(directory)?.iter().filter_map(|name| tree_of(name, kind.ending())).collect();
    trees.sort_unstable();
    Ok(trees)
}

/// Replaces a file as a whole.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<(), StoreError> {
    path.parent().map_or(Ok(()), files::create_directory).map_err(failed(path))?;
    files::write_whole(path, text).map_err(failed(path))
}

pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed(path)(source)),
        _ => Ok(()),
    }
}

/// A whole file; empty if there is none.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    read_from(path, 0)
}

/// The end of a file, with at least one whole note if there is one; whether it is the whole file, too.
pub(crate) fn read_tail(path: &Path) -> Result<(Vec<u8>, u64), StoreError> {
    let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
    let start = length.saturating_sub(TAIL_BYTES);
    Ok((read_from(path, start)?, start))
}

fn read_from(path: &Path, start: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    });
    match read {
        Ok(length) if length as u64 > FILE_BYTES_MAX => Err(failed(path)(io::ErrorKind::FileTooLarge.into())),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(failed(path)(source)),
    }
}

fn names_in(directory: &Path) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(directory)(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(directory))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

fn tree_of(name: &str, ending: &str) -> Option<(i64, u32)> {
    let (day, part) = name.strip_suffix(ending)?.strip_suffix('.')?.split_once('.')?;
    Some((parse_day(day)?, part.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_found_by_their_files() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path(), None);
        let tree = |day, part| TreeName { organization: Some("org_a".into()), day, part };
        for (day, part, kind) in
            [(20_779, 2, Kind::Closed), (20_779, 1, Kind::Closed), (3, 1, Kind::Closed), (4, 1, Kind::Open)]
        {
            store.append(&store.tree(&tree(day, part), kind), "x", false).unwrap();
        }
        let own = store.organization(Some("org_a"));
        assert_eq!(store.organizations().unwrap(), std::slice::from_ref(&own));
        assert_eq!(trees(&own, Kind::Closed).unwrap(), [(3, 1), (20_779, 1), (20_779, 2)]);
        assert_eq!(trees(&own, Kind::Open).unwrap(), [(4, 1)]);
        assert_eq!(trees(&own, Kind::Blocks).unwrap(), []);
    }

    #[test]
    fn appends_are_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let faults = Faults::none();
        let store = Store::new(directory.path(), Some(Arc::clone(&faults)));
        let path = directory.path().join("file");
        store.append(&path, "first", true).unwrap();
        faults.leave_room(3);
        store.append(&path, "second", false).unwrap_err();
        assert_eq!(read(&path).unwrap(), b"first");
        faults.leave_room(u64::MAX);
        assert_eq!(store.append(&path, "second", false).unwrap(), 11);
        assert_eq!(read_tail(&path).unwrap(), (b"firstsecond".to_vec(), 0));
        assert_eq!(read(&directory.path().join("nothing")).unwrap(), b"");
    }

    #[test]
    fn one_signs_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(directory.path(), None);
        let held = store.lock().unwrap();
        assert!(held.is_some() && store.lock().unwrap().is_none());
    }
}
