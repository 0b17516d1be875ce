//! What can go wrong with columns, without the types of the libraries that say so.

use crate::engine::Interrupted;
use crate::journal::{AppendError, ReadError, RetentionError};
use std::io;
use std::path::PathBuf;

/// Why columns could not be written, read or tidied. The journal keeps whatever is not safely in columns.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// The folder or bucket refused, or what lies there could not be read.
    #[error("could not {deed} {path}: {source}")]
    Store {
        /// What was to be done.
        deed: &'static str,
        /// The file, as the folder or bucket names it.
        path: String,
        /// What the disk, the network or the reader said.
        source: io::Error,
    },
    /// A folder or a bucket was named in a way that leads nowhere.
    #[error("{location} is no place for columns: {why}")]
    Location {
        /// What was named.
        location: String,
        /// Why it will not do.
        why: String,
    },
    /// Records were moved into columns, and they are somewhere else.
    #[error(
        "records up to sequence {settled} were moved into columns, and none are in {location}: if they lie in a bucket, \
         name it with --record-bucket; if the folder was moved away, put it back"
    )]
    Elsewhere {
        /// Up to which sequence.
        settled: u64,
        /// Where nothing is.
        location: String,
    },
    /// A bucket was named, and columns lie in a folder.
    #[error(
        "columns lie in {folder}, and others were asked for in {location}: copy the files of the folder into the \
         bucket, manifest.json last, and move the folder away; or leave out --record-bucket"
    )]
    TwoPlaces {
        /// The folder.
        folder: PathBuf,
        /// The bucket.
        location: String,
    },
    /// The manifest is damaged, or of a later version of the program.
    #[error("the manifest {path} cannot be used: {why}")]
    Manifest {
        /// Where it lies.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The place belongs to another journal, or the journal was replaced.
    #[error("{path} belongs to the journal with tag {found:04x}, and this one has {expected:04x}")]
    OtherJournal {
        /// The manifest.
        path: String,
        /// The tag in it.
        found: u16,
        /// The journal's own.
        expected: u16,
    },
    /// The journal could not be read.
    #[error("the journal could not be read")]
    Journal(#[from] ReadError),
    /// The newest segment of the journal could not be left.
    #[error("the newest segment of the journal could not be left")]
    Roll(#[from] AppendError),
    /// A segment that has been settled, or is too old, could not be removed. It is tried again.
    #[error("a segment of the journal could not be removed")]
    Remove(#[from] RetentionError),
    /// The work ended without an answer; the next round begins anew.
    #[error("the work on columns ended without an answer")]
    Interrupted,
}

impl ColumnsError {
    /// Something that a library says about a file.
    pub(crate) fn store(
        deed: &'static str,
        path: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Store { deed, path: path.to_owned(), source: io::Error::other(source) }
    }
}

impl From<Interrupted> for ColumnsError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// For readers of the log, who have one kind of error whatever the records lie in.
impl From<ColumnsError> for ReadError {
    fn from(error: ColumnsError) -> Self {
        match error {
            ColumnsError::Journal(error) => error,
            ColumnsError::Store { path, source, .. } => Self { path: PathBuf::from(path), source },
            other => Self { path: PathBuf::from("columns"), source: io::Error::other(other.to_string()) },
        }
    }
}

impl From<Interrupted> for ReadError {
    fn from(error: Interrupted) -> Self {
        ColumnsError::from(error).into()
    }
}
