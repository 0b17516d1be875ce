//! Rounds in the background, copies, and numbers: whatever moves records, removes them or counts them all.

use crate::columns::{ColumnsError, Droppable, Retention, Settled};
use crate::journal::{Dropped, RetentionError, SnapshotError, Stats, marker};
use crate::log::AccessLog;
use crate::proof::SourceError;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Numbers about columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnStats {
    /// All records up to this sequence are in columns, or were dropped from them.
    pub settled_sequence: u64,
    /// How often the manifest was replaced.
    pub version: u64,
    /// Files.
    pub files: usize,
    /// Records in them.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Files that are no longer listed and wait for their removal.
    pub retired: usize,
}

impl AccessLog {
    /// A round of keeping house, for a job that calls it now and then: settles what the journal has closed, joins small
    /// files, removes what nobody needs. `now_us` is the time in microseconds since 1970.
    ///
    /// May end anywhere without harm; after an error the journal keeps what is not in columns, and the next round goes
    /// on. Appends and questions are not held up.
    pub fn settle(&self, now_us: i64) -> Result<Settled, ColumnsError> {
        let _moving = self.moving.lock();
        let (journal, columns) = (Arc::clone(&self.journal), Arc::clone(&self.columns));
        self.engine.run(async move {
            let mut done = Settled::default();
            let round = async {
                columns.settle(&journal, now_us, &mut done).await?;
                columns.compact(now_us, &mut done).await?;
                columns.tidy(now_us, &mut done).await
            };
            let ended = round.await;
            if ended.is_err() {
                columns.sweep_again();
            }
            ended.map(|()| done)
        })?
    }

    /// Leaves the segment that is being written, however young it is, so that the next round settles all records of
    /// this moment: for measurements, for tests, and before a log moves elsewhere.
    pub fn close_segment(&self) -> Result<(), ColumnsError> {
        Ok(self.journal.leave_if_older(i64::MAX)?)
    }

    /// Keeps whatever has a sequence above this one, and whatever is of one of these days (UTC, counted from 1970), however
    /// old it is, from now on: records must not go before they are proven, nor while what proves them still grows. Nothing is
    /// kept for this reason until it is called.
    pub fn drop_only(&self, through: u64, but_for_days: BTreeSet<i64>) {
        *self.droppable.lock() = Droppable { through, but_for_days };
    }

    /// Whether there may be records of an organization, or without one where it is `None`, of days before this one (UTC,
    /// counted from 1970).
    pub fn has_before(&self, organization: Option<&str>, day: i64) -> Result<bool, SourceError> {
        self.moment()?.has_before(organization, day)
    }

    /// Drops what has been kept long enough, in whole days of an organization. What is still in the journal waits until
    /// it is settled.
    pub fn retain(&self, retention: &Retention, now_us: i64) -> Result<Dropped, ColumnsError> {
        let _moving = self.moving.lock();
        let (columns, retention) = (Arc::clone(&self.columns), retention.clone());
        let droppable = self.droppable.lock().clone();
        self.engine.run(async move { columns.retain(&retention, &droppable, now_us).await })?
    }

    /// Drops every file and every segment whose records are all older than `time_us`, of all organizations. A file or
    /// segment holds records of one day, apart from a few around midnight, so that a record outlives the limit by a day
    /// at most.
    pub fn drop_before(&self, time_us: i64) -> Result<Dropped, RetentionError> {
        let _moving = self.moving.lock();
        let columns = Arc::clone(&self.columns);
        let droppable = self.droppable.lock().clone();
        // The journal has no days.
        let through = if droppable.but_for_days.is_empty() { droppable.through } else { 0 };
        let ended = self.engine.run(async move {
            // Nobody has said what time it is; the files go when their last reader has gone.
            columns.drop_files(i64::MIN, |file| file.time_us_max < time_us && droppable.may_go(file)).await
        });
        let in_columns = ended.map_err(ColumnsError::from).and_then(|dropped| dropped);
        let in_journal = self.journal.drop_before_up_to(time_us, through)?;
        let in_columns = in_columns.map_err(|error| RetentionError::Columns(Box::new(error)))?;
        Ok(Dropped {
            segments: in_columns.segments + in_journal.segments,
            records: in_columns.records + in_journal.records,
            bytes: in_columns.bytes + in_journal.bytes,
        })
    }

    /// Copies the log as it is at this moment into a directory that is empty or not there, and flushes the copy to
    /// disk. Returns the sequence of the newest record in it. Columns in a bucket stay there, and are not copied.
    pub fn snapshot(&self, destination: &Path) -> Result<u64, SnapshotError> {
        let _moving = self.moving.lock();
        self.journal.snapshot_with(destination, |destination| {
            let settled = self.column_stats().settled_sequence;
            marker::write(destination, settled)
                .map_err(|source| SnapshotError::Io { path: destination.to_owned(), source })?;
            self.copy_columns(destination)
        })
    }

    /// Numbers for metrics and health: records and bytes of journal and columns together.
    pub fn stats(&self) -> Stats {
        let mut stats = self.journal.stats();
        let columns = self.column_stats();
        stats.records += columns.records;
        stats.bytes += columns.bytes;
        stats
    }

    /// Numbers about columns; zeros while a bucket has not answered yet.
    pub fn column_stats(&self) -> ColumnStats {
        let Some(manifest) = self.columns.known() else {
            return ColumnStats::default();
        };
        ColumnStats {
            settled_sequence: manifest.settled,
            version: manifest.version,
            files: manifest.files.len(),
            records: manifest.rows(),
            bytes: manifest.bytes(),
            retired: self.columns.retired.lock().len(),
        }
    }

    fn copy_columns(&self, destination: &Path) -> Result<(), SnapshotError> {
        let (columns, destination) = (Arc::clone(&self.columns), destination.to_owned());
        let copied = self.engine.run(async move { columns.copy_to(&destination).await });
        let copied = copied.map_err(ColumnsError::from).and_then(|copied| copied);
        copied.map_err(|error| SnapshotError::Columns(Box::new(error)))
    }
}
