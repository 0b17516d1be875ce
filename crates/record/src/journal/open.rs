//! Opening: take the lock, find out whose journal it is, read all segments, go on where they end.

use crate::columns::ColumnsError;
use crate::files::{self, AppendFile};
use crate::journal::flush::{Flusher, Flushing};
use crate::journal::meta::{self, Found};
use crate::journal::recover::{Recovered, Recoverer, tag_of};
use crate::journal::recovery::{Finding, FindingKind, Recovery};
use crate::journal::shared::Shared;
use crate::journal::tail::Tail;
use crate::journal::writer::Writer;
use crate::journal::{Journal, Options};
use crate::segment::header;
use crate::segment::index::Index;
use crate::segment::{self, Segment, name};
use parking_lot::{Mutex, RwLock};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error("the journal in {directory} is in use", directory = directory.display())]
    InUse {
        /// The journal.
        directory: PathBuf,
    },
    /// A later version of the program wrote it.
    #[error("{file} has format {format}; this program reads up to {known}", file = file.display(), known = header::FORMAT)]
    NewerFormat {
        /// The file.
        file: PathBuf,
        /// Its format.
        format: u16,
    },
    /// A segment of another journal lies in the directory.
    #[error("{file} belongs to another journal (tag {tag:04x})", file = file.display())]
    OtherJournal {
        /// The segment.
        file: PathBuf,
        /// The tag of the journal that it belongs to.
        tag: u16,
    },
    /// The columns that go with the journal cannot be used.
    #[error("the columns of the log cannot be used: {0}")]
    Columns(#[from] ColumnsError),
    /// The disk or its permissions.
    #[error("could not open the journal: {path}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A segment on disk: its first sequence and its path.
pub(crate) type Listed = (u64, PathBuf);

impl Journal {
    /// Opens the journal in a directory, or makes one there with the tag `tag_if_new`, which should be random.
    ///
    /// All segments are read and checked, about a gigabyte a second from memory. What is damaged is reported and passed
    /// over; only the unfinished end of the newest segment is removed.
    pub fn open(directory: &Path, options: Options, tag_if_new: u16) -> Result<(Self, Recovery), OpenError> {
        files::create_directory(directory).map_err(|source| failed(directory, source))?;
        let lock = lock(directory)?;
        let listed = list(directory)?;
        let mut findings = Vec::new();
        let (tag, created) = identity(directory, &listed, tag_if_new, &mut findings)?;

        let mut recoverer = Recoverer::new(tag, listed.first().map_or(1, |(first, _)| *first));
        let mut segments = Vec::new();
        let mut newest = None;
        for (position, (first, path)) in listed.iter().enumerate() {
            let next_first = listed.get(position + 1).map(|(first, _)| *first);
            let Recovered { index, end, header_sound } = recoverer.read(path, *first, next_first)?;
            newest = header_sound.then_some(end);
            segments.push(Arc::new(Segment::new(path.clone(), *first, index)));
        }
        findings.append(&mut recoverer.findings);
        let recovery = Recovery {
            created,
            segments: listed.len(),
            records: segments.iter().map(|segment| segment.outline().records).sum(),
            last_sequence: recoverer.expected - 1,
            findings,
        };
        let writer = resume(directory, &options, tag, &mut segments, newest, recoverer.expected)?;
        let shared = Arc::new(Shared {
            directory: directory.to_owned(),
            tag,
            segment_bytes: options.segment_bytes,
            flush: options.flush,
            writing: options.writing,
            faults: options.faults,
            writer: Mutex::new(writer),
            flushing: Flushing::new(recovery.last_sequence),
            segments: RwLock::new(Arc::new(segments)),
            removal: Mutex::new(()),
            append_failures: AtomicU64::new(0),
            damage_met: Arc::default(),
        });
        let flusher = Flusher::start(&shared).map_err(|source| failed(directory, source))?;
        Ok((Self { shared, _flusher: flusher, _lock: lock }, recovery))
    }
}

fn failed(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), source }
}

fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join("journal.lock");
    let file = files::private().append(true).create(true).open(&path).map_err(|source| failed(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { directory: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(&path, source)),
    }
}

/// The segments in a directory, in order. Other files are none of our business.
pub(crate) fn list(directory: &Path) -> Result<Vec<Listed>, OpenError> {
    let entries = fs::read_dir(directory).map_err(|source| failed(directory, source))?;
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| failed(directory, source))?;
        if let Some(first) = entry.file_name().to_str().and_then(name::first_sequence) {
            listed.push((first, entry.path()));
        }
    }
    listed.sort();
    Ok(listed)
}

/// The journal's tag, and whether the journal is new.
fn identity(
    directory: &Path,
    listed: &[Listed],
    tag_if_new: u16,
    findings: &mut Vec<Finding>,
) -> Result<(u16, bool), OpenError> {
    let file = meta::path(directory);
    let found = meta::read(directory).map_err(|source| failed(&file, source))?;
    if let Found::Meta(meta) = found {
        let newer = meta.format > header::FORMAT;
        return if newer { Err(OpenError::NewerFormat { file, format: meta.format }) } else { Ok((meta.tag, false)) };
    }
    let created = found == Found::Nothing && listed.is_empty();
    let tag = tag_of(listed.iter().map(|(_, path)| path.clone())).unwrap_or(tag_if_new);
    meta::write(directory, tag).map_err(|source| failed(&file, source))?;
    if !created {
        findings.push(Finding { file, offset: 0, bytes: 0, kind: FindingKind::MetaRestored });
    }
    Ok((tag, created))
}

/// A writer that goes on in the newest segment, if its header is sound (`newest` is then its length), or in a new one.
fn resume(
    directory: &Path,
    options: &Options,
    tag: u16,
    segments: &mut Vec<Arc<Segment>>,
    newest: Option<u64>,
    next_sequence: u64,
) -> Result<Writer, OpenError> {
    if let (Some(segment), Some(end)) = (segments.last(), newest) {
        let file = AppendFile::open(&segment.path, options.faults.clone());
        let file = file.map_err(|source| failed(&segment.path, source))?;
        // What the kernel held of it when the last process died.
        file.sync().map_err(|source| failed(&segment.path, source))?;
        let tail = Tail::new(file, end, options.writing);
        return Ok(Writer::new(tail, Arc::clone(segment), next_sequence));
    }
    let path = name::path(directory, next_sequence);
    segments.pop_if(|segment| segment.first_sequence == next_sequence);
    let file = segment::create_file(&path, tag, next_sequence, options.faults.clone())
        .map_err(|source| failed(&path, source))?;
    files::sync_directory(directory).map_err(|source| failed(directory, source))?;
    let segment = Arc::new(Segment::new(path, next_sequence, Index::new()));
    segments.push(Arc::clone(&segment));
    Ok(Writer::new(Tail::new(file, header::BYTES as u64, options.writing), segment, next_sequence))
}
