//! A copy for backups, made while appends go on. It can be opened as a journal of its own.

use crate::columns::ColumnsError;
use crate::files;
use crate::journal::Journal;
use crate::journal::meta;
use crate::segment::{Segment, name};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a snapshot could not be made. What there is of it is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A snapshot goes into a directory of its own.
    #[error("{path} is not empty", path = path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// Columns could not be copied.
    #[error("columns could not be copied")]
    Columns(#[source] Box<ColumnsError>),
    /// The disk or its permissions.
    #[error("could not copy to {path}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Journal {
    /// Copies the journal as it is at this moment into a directory that is empty or not there, and flushes the copy to
    /// disk. Returns the sequence of the newest record in it.
    pub fn snapshot(&self, destination: &Path) -> Result<u64, SnapshotError> {
        self.snapshot_with(destination, |_| Ok(()))
    }

    /// The same, with something else that belongs to the copy.
    pub(crate) fn snapshot_with(
        &self,
        destination: &Path,
        also: impl FnOnce(&Path) -> Result<(), SnapshotError>,
    ) -> Result<u64, SnapshotError> {
        let _removal = self.shared.removal.lock();
        let (cuts, last_sequence) = self.cut();
        prepare(destination)
            .map_err(|source| failed(destination, source))?
            .then_some(())
            .ok_or_else(|| SnapshotError::NotEmpty { path: destination.to_owned() })?;
        for (segment, end) in cuts {
            let to = name::path(destination, segment.first_sequence);
            copy(&segment, end, &to).map_err(|source| failed(&to, source))?;
        }
        also(destination)?;
        // Last, so that half a copy does not look like a whole one.
        meta::write(destination, self.shared.tag).map_err(|source| failed(destination, source))?;
        Ok(last_sequence)
    }

    /// All segments with their ends, at one moment between two appends.
    fn cut(&self) -> (Vec<(Arc<Segment>, u64)>, u64) {
        let writer = self.shared.writer.lock();
        let segments = self.shared.segments();
        let cuts = segments.iter().map(|segment| (Arc::clone(segment), segment.outline().end)).collect();
        (cuts, writer.last_sequence())
    }
}

fn failed(path: &Path, source: io::Error) -> SnapshotError {
    SnapshotError::Io { path: path.to_owned(), source }
}

/// Makes the directory; `false` if something is in it.
fn prepare(destination: &Path) -> io::Result<bool> {
    files::create_directory(destination)?;
    Ok(fs::read_dir(destination)?.next().is_none())
}

fn copy(segment: &Segment, end: u64, to: &Path) -> io::Result<()> {
    let mut target = files::private().write(true).create_new(true).open(to)?;
    let copied = io::copy(&mut File::open(&segment.path)?.take(end), &mut target)?;
    if copied < end {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    target.sync_all()
}
