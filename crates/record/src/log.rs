//! The access log as its callers see it: one thing to append to and to ask, whatever its records lie in.
//!
//! New records are in the journal, older ones in columns. An append is an append to the journal and nothing more. A
//! question takes one look at both, at one moment, so that it sees every record once while records move.
//!
//! Methods block, and may be called from any thread: the work on columns happens on threads of the log's own, so that a
//! long question takes no time from those who answer checks. On an async runtime, call them where blocking is allowed.

mod ask;
mod keep;
mod open;
mod reader;
mod records;
mod source;
mod tally;

pub use crate::log::keep::ColumnStats;
pub use crate::log::reader::{FileProblem, LogReader};
pub use crate::log::records::Records;
pub use crate::log::tally::{Bucket, Buckets, HistogramError};

pub(crate) use crate::log::ask::wanted;

use crate::columns::{Columns, Droppable, Manifest};
use crate::engine::Engine;
use crate::id::RecordId;
use crate::journal::{AppendError, Batch, Journal, ReadError, Segments};
use crate::record::NewRecord;
use crate::summary::Summaries;
use parking_lot::Mutex;
use std::sync::Arc;

/// The access log. Closed when it is dropped; shared between threads as `&AccessLog` or in an `Arc`.
#[derive(Debug)]
pub struct AccessLog {
    pub(crate) journal: Arc<Journal>,
    pub(crate) columns: Arc<Columns>,
    pub(crate) engine: Arc<Engine>,
    /// Held by whoever moves or removes records.
    moving: Mutex<()>,
    /// Nothing else is dropped.
    droppable: Mutex<Droppable>,
    pub(crate) summaries: Summaries,
}

/// All records at one moment.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) segments: Segments,
    pub(crate) manifest: Arc<Manifest>,
}

impl AccessLog {
    /// Writes a record. When this returns, the record is with the kernel, and with the disk if the journal always
    /// flushes.
    pub fn append(&self, record: &NewRecord<'_>) -> Result<RecordId, AppendError> {
        self.journal.append(record)
    }

    /// Writes records with neighbouring sequences in one go: all of them or none.
    pub fn append_batch(&self, records: &[NewRecord<'_>]) -> Result<Vec<RecordId>, AppendError> {
        self.journal.append_batch(records)
    }

    /// Writes what was put into a batch, with neighbouring sequences, in one go: all of it or nothing. The batch is empty
    /// afterwards, and keeps its memory. See [`Self::on_disk`].
    pub fn append_prepared<'b>(
        &self,
        batch: &'b mut Batch,
    ) -> Result<impl Iterator<Item = RecordId> + use<'b>, AppendError> {
        self.journal.append_prepared(batch)
    }

    /// After [`Self::append_prepared`], before anybody is answered: waits until this sequence and all before it are as
    /// safe as the setting says. Blocks no thread, and shares a flush with all who wait.
    pub async fn on_disk(&self, sequence: u64) -> Result<(), AppendError> {
        self.journal.on_disk(sequence).await
    }

    /// Whether [`Self::on_disk`] has anything to wait for.
    pub fn always_flushes(&self) -> bool {
        self.journal.always_flushes()
    }

    /// Flushes to disk now, whatever the setting.
    pub fn flush(&self) -> Result<(), AppendError> {
        self.journal.flush()
    }

    /// Why the newest append or flush failed; `None` while all goes well.
    pub fn trouble(&self) -> Option<AppendError> {
        self.journal.trouble()
    }

    /// After [`Self::trouble`]: finds out whether the disk is well again, without writing a record.
    pub fn try_again(&self) -> Result<(), AppendError> {
        self.journal.try_again()
    }

    /// The sequence of the newest record; 0 if there never was one.
    pub fn last_sequence(&self) -> u64 {
        self.journal.last_sequence()
    }

    /// The journal's tag, which is in the id of each of its records.
    pub fn tag(&self) -> u16 {
        self.journal.tag()
    }

    /// One look at everything. The journal first: what is settled after that is in the manifest of this look or still
    /// in its segments, and the manifest says which.
    pub(crate) fn view(&self) -> Result<View, ReadError> {
        let segments = self.journal.segments();
        let manifest = if let Some(manifest) = self.columns.known() {
            manifest
        } else {
            let columns = Arc::clone(&self.columns);
            self.engine.run(async move { columns.manifest().await })??
        };
        Ok(View { segments, manifest })
    }
}
