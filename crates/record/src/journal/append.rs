//! Appending: encode outside the lock, number and write under it, flush after it.

use crate::codec;
use crate::frame;
use crate::id::RecordId;
use crate::journal::Journal;
use crate::journal::flush::Flush;
use crate::record::NewRecord;
use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const BUFFER_BYTES_KEPT: usize = 1 << 20;

thread_local! {
    /// The encode buffer of this thread, taken out while it is in use.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Why a record was not written. Whoever promised a record must not answer without it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The kernel did not take the bytes. Nothing of the append is left in the journal.
    #[error("could not append to {file}", file = file.display())]
    Write {
        /// The segment.
        file: PathBuf,
        /// What the kernel said.
        source: Arc<io::Error>,
    },
    /// A new segment could not be made.
    #[error("could not begin the segment {file}", file = file.display())]
    Roll {
        /// The segment that was to be.
        file: PathBuf,
        /// What the kernel said.
        source: Arc<io::Error>,
    },
    /// The record was written, but the disk did not confirm it. It may be in the log without an answer having left.
    #[error("could not flush the journal to disk")]
    Flush {
        /// What the kernel said.
        source: Arc<io::Error>,
    },
    /// All sequences have been used.
    #[error("the journal has used all of its sequences")]
    Exhausted,
}

/// Records that are to be written together. Each is encoded when it is put in, so that it need not be kept.
#[derive(Debug, Default)]
pub struct Batch {
    frames: Vec<u8>,
    times_us: Vec<i64>,
}

impl Batch {
    /// Puts a record in.
    pub fn push(&mut self, record: &NewRecord<'_>) {
        frame::append(&mut self.frames, |buffer| codec::encode(record, buffer));
        self.times_us.push(record.time_us);
    }

    /// How many records are in it.
    pub fn len(&self) -> usize {
        self.times_us.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.times_us.is_empty()
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.times_us.clear();
    }
}

impl Journal {
    /// Writes a record. When this returns, the record is with the kernel, and with the disk if the journal always
    /// flushes.
    pub fn append(&self, record: &NewRecord<'_>) -> Result<RecordId, AppendError> {
        let first = self.append_all(std::slice::from_ref(record))?;
        Ok(RecordId::new(record.time_us, self.shared.tag, first))
    }

    /// Writes records with neighbouring sequences in one go: all of them or none.
    pub fn append_batch(&self, records: &[NewRecord<'_>]) -> Result<Vec<RecordId>, AppendError> {
        let mut batch = Batch::default();
        for record in records {
            batch.push(record);
        }
        let ids: Vec<RecordId> = self.append_prepared(&mut batch)?.collect();
        if let (Some(last), Flush::Always) = (ids.last(), self.shared.flush) {
            self.shared.flush_to(last.sequence())?;
        }
        Ok(ids)
    }

    /// Writes what was put into a batch, with neighbouring sequences, in one go: all of it or nothing. The ids come in
    /// the order in which the records were put in. The batch is empty afterwards, and keeps its memory.
    ///
    /// The records are with the kernel then. If the journal always flushes, wait for the last one by [`Self::on_disk`]
    /// before anybody is answered.
    pub fn append_prepared<'b>(
        &self,
        batch: &'b mut Batch,
    ) -> Result<impl Iterator<Item = RecordId> + use<'b>, AppendError> {
        let records = batch.times_us.len() as u64;
        let first = if records == 0 { Ok(0) } else { self.write(&mut batch.frames) };
        batch.frames.clear();
        if first.is_err() {
            batch.times_us.clear();
            self.shared.append_failures.fetch_add(records, Ordering::Relaxed);
        }
        let (first, tag) = (first?, self.shared.tag);
        Ok(batch.times_us.drain(..).zip(first..).map(move |(time_us, sequence)| RecordId::new(time_us, tag, sequence)))
    }

    fn append_all(&self, records: &[NewRecord<'_>]) -> Result<u64, AppendError> {
        let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
        buffer.clear();
        for record in records {
            frame::append(&mut buffer, |buffer| codec::encode(record, buffer));
        }
        let written = self.write(&mut buffer).and_then(|first| {
            if self.shared.flush == Flush::Always {
                self.shared.flush_to(first + records.len() as u64 - 1)?;
            }
            Ok(first)
        });
        if buffer.capacity() <= BUFFER_BYTES_KEPT {
            // Only a thread that is ending has no place for it.
            let _ = BUFFER.try_with(|place| place.set(buffer));
        }
        if written.is_err() {
            self.shared.append_failures.fetch_add(records.len() as u64, Ordering::Relaxed);
        }
        written
    }

    fn write(&self, frames: &mut [u8]) -> Result<u64, AppendError> {
        self.shared.writer.lock().append(&self.shared, frames)
    }

    /// Waits until this sequence and all before it are as safe as [`Options::flush`] says: with [`Flush::Always`] on
    /// disk, otherwise they are at once. Whoever waits shares the flush with all others that do, and blocks no thread.
    ///
    /// An error says that the disk did not confirm it; the record may be there all the same.
    ///
    /// [`Options::flush`]: crate::Options::flush
    pub async fn on_disk(&self, sequence: u64) -> Result<(), AppendError> {
        self.shared.on_disk(sequence).await
    }

    /// Whether [`Self::on_disk`] has anything to wait for.
    pub fn always_flushes(&self) -> bool {
        self.shared.flush == Flush::Always
    }
}
