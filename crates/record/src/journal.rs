//! The journal: a directory of segments that one process appends to and any thread reads.
//!
//! ```text
//! journal.json                  format and tag
//! journal.lock                  held by the process that appends
//! 00000000000000000001.seg      records 1 to …; a new file at a size, and at each day (UTC)
//! ```
//!
//! An append returns when its bytes are with the kernel (copied into a mapped window of the segment, or written by a call), where the death of the process cannot take them; [`Flush`]
//! says when they are with the disk. Whoever must not answer without a record does not answer when an append fails.
//!
//! Absent on purpose: a queue between callers and the disk (nothing can grow, nothing can be lost in it), a clock, and
//! any notion of what a record means.

mod append;
mod flush;
mod look;
pub(crate) mod marker;
mod meta;
mod open;
mod read;
mod recover;
mod recovery;
mod retention;
pub(crate) mod scan;
mod settled;
mod shared;
mod snapshot;
mod tail;
mod writer;

pub use crate::journal::append::{AppendError, Batch};
pub use crate::journal::flush::Flush;
pub(crate) use crate::journal::look::JournalLook;
pub use crate::journal::open::OpenError;
pub(crate) use crate::journal::read::RECORDS_PER_PAGE_MAX;
pub use crate::journal::read::{Page, Records as JournalRecords};
pub use crate::journal::recovery::{Finding, FindingKind, Recovery};
pub use crate::journal::retention::{Dropped, RetentionError};
pub use crate::journal::scan::ReadError;
pub(crate) use crate::journal::scan::Scan;
pub(crate) use crate::journal::shared::Segments;
pub use crate::journal::snapshot::SnapshotError;
pub use crate::journal::tail::Writing;

use crate::columns::{ColumnsOptions, Location};
use crate::files::Faults;
use crate::journal::flush::Flusher;
use crate::journal::shared::Shared;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How a journal works.
#[derive(Debug, Clone)]
pub struct Options {
    /// A segment that would grow beyond this is followed by a new one.
    pub segment_bytes: u64,
    /// When records reach the disk.
    pub flush: Flush,
    /// How they reach the kernel.
    pub writing: Writing,
    /// A disk that fails on demand, for tests.
    pub faults: Option<Arc<Faults>>,
    /// Where records go that leave the journal; `None` is the folder `columns` in the journal's own directory. A
    /// journal that is opened by itself takes no notice.
    pub columns: Option<Location>,
    /// How they go there.
    pub columns_options: ColumnsOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            flush: Flush::default(),
            writing: Writing::default(),
            faults: None,
            columns: None,
            columns_options: ColumnsOptions::default(),
        }
    }
}

/// The access log on disk. Closed when it is dropped; shared between threads as `&Journal` or in an `Arc`.
#[derive(Debug)]
pub struct Journal {
    pub(crate) shared: Arc<Shared>,
    // Fields are dropped in order: the last flush comes before another process may have the journal.
    _flusher: Option<Flusher>,
    _lock: File,
}

impl Drop for Journal {
    /// Before the lock is let go: afterwards the file may belong to another process.
    fn drop(&mut self) {
        self.shared.writer.lock().close();
    }
}

/// Numbers for metrics and health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// The sequence of the newest record; 0 if there never was one.
    pub last_sequence: u64,
    /// Up to which sequence records are known to be on disk.
    pub flushed_sequence: u64,
    /// Files.
    pub segments: usize,
    /// Records that can be read.
    pub records: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Appends refused since the journal was opened.
    pub append_failures: u64,
    /// Flushes to disk that failed since then.
    pub flush_failures: u64,
    /// How often a reader came upon damage since then and passed over it.
    pub damage_met: u64,
}

impl Journal {
    /// Numbers for metrics and health.
    pub fn stats(&self) -> Stats {
        let segments = self.shared.segments();
        let outlines = segments.iter().map(|segment| segment.outline());
        let (records, bytes) =
            outlines.fold((0, 0), |(records, bytes), outline| (records + outline.records, bytes + outline.end));
        let flushing = self.shared.flushing.progress();
        Stats {
            last_sequence: self.last_sequence(),
            flushed_sequence: flushing.flushed,
            segments: segments.len(),
            records,
            bytes,
            append_failures: self.shared.append_failures.load(Ordering::Relaxed),
            flush_failures: flushing.failures,
            damage_met: self.shared.damage_met.load(Ordering::Relaxed),
        }
    }

    /// The sequence of the newest record; 0 if there never was one.
    pub fn last_sequence(&self) -> u64 {
        self.shared.writer.lock().last_sequence()
    }

    /// The newest sequence that the loss of power cannot take back; with [`Flush::Never`], the newest of all.
    pub fn settled_sequence(&self) -> u64 {
        match self.shared.flush {
            Flush::Never => self.last_sequence(),
            Flush::Always | Flush::Interval(_) => self.shared.flushing.progress().flushed,
        }
    }

    /// Why the newest append or flush failed; `None` while all goes well.
    pub fn trouble(&self) -> Option<AppendError> {
        let refused = self.shared.writer.lock().refused().cloned();
        refused.or_else(|| self.shared.flushing.failing())
    }

    /// After [`Self::trouble`]: finds out whether the disk is well again, by doing what an append and a flush would do,
    /// without a record. For whoever appends nothing while it fails.
    pub fn try_again(&self) -> Result<(), AppendError> {
        let mut writer = self.shared.writer.lock();
        if writer.refused().is_some() {
            writer.try_again(&self.shared)?;
        }
        drop(writer);
        if self.shared.flushing.failing().is_some() { self.shared.flush_again() } else { Ok(()) }
    }

    /// The journal's tag, which is in the id of each of its records.
    pub fn tag(&self) -> u16 {
        self.shared.tag
    }

    /// Flushes to disk now, whatever the setting. With [`Flush::Never`], segments that were left before are the
    /// kernel's.
    pub fn flush(&self) -> Result<(), AppendError> {
        self.shared.flush_to(self.last_sequence())
    }
}
