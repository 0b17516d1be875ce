//! One file of the journal: its name, its header, and what is known of it in memory.
//!
//! A segment is written by one writer and read by many. Readers look only at what the writer has published in the
//! index, through handles of their own, so that neither waits for the other longer than it takes to copy a few numbers.

pub(crate) mod header;
pub(crate) mod index;
pub(crate) mod name;

use crate::files::{AppendFile, Faults};
use crate::segment::header::Header;
use crate::segment::index::{Index, Span};
use parking_lot::Mutex;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A segment that readers can see.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) first_sequence: u64,
    index: Mutex<Index>,
    given_up: AtomicBool,
}

/// The outline of a segment at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Where the last sound frame ends.
    pub(crate) end: u64,
    pub(crate) blocks: usize,
    pub(crate) records: u64,
    /// `None` while the segment is empty.
    pub(crate) content: Option<Content>,
}

/// What lies in a segment that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) last_sequence: u64,
    pub(crate) time_us_min: i64,
    pub(crate) time_us_max: i64,
}

impl Segment {
    pub(crate) fn new(path: PathBuf, first_sequence: u64, index: Index) -> Self {
        Self { path, first_sequence, index: Mutex::new(index), given_up: AtomicBool::new(false) }
    }

    /// Has the file removed when nobody holds the segment any more.
    pub(crate) fn remove_after_last_reader(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Lets readers see frames that have been written.
    pub(crate) fn publish(&self, frames: impl IntoIterator<Item = index::Entry>) {
        let mut index = self.index.lock();
        frames.into_iter().for_each(|frame| index.push(frame));
    }

    pub(crate) fn outline(&self) -> Outline {
        self.index.lock().outline()
    }

    pub(crate) fn block(&self, position: usize) -> Option<Span> {
        self.index.lock().span(position)
    }

    /// The blocks in which these sequences would lie.
    pub(crate) fn blocks_between(&self, first: u64, last: u64) -> Range<usize> {
        let index = self.index.lock();
        let end = index.position_of(last).map_or(0, |position| position + 1);
        index.position_of(first).unwrap_or(0)..end
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if *self.given_up.get_mut() {
            // If it stays, the next opening finds it, and that its records are settled, and gives it up again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the file of a segment, with its header.
pub(crate) fn create_file(
    path: &Path,
    tag: u16,
    first_sequence: u64,
    faults: Option<Arc<Faults>>,
) -> io::Result<AppendFile> {
    let file = AppendFile::create(path, faults)?;
    file.append(&Header::new(tag, first_sequence).to_bytes())?;
    Ok(file)
}
