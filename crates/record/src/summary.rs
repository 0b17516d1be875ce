//! Summaries: many denials of nobody known, counted in one record each.
//!
//! A flood of tokens that nobody has would fill the disk with records that all say the same. Above a rate, which the
//! caller knows, such a denial is counted in place of being written: [`AccessLog::sum_up`]. The count is in a file of
//! the [`ledger`] before the answer leaves, where the death of the process cannot take it, and becomes a record of its
//! own when [`AccessLog::settle_summaries`] comes round. What a process left behind when it was killed becomes a record
//! when the log is opened next: exactly once, since the log is asked whether it has been written already.
//!
//! A journal that flushes before each answer has no summaries: a counter would have to be flushed as often as a record,
//! and records that are flushed together cost less.

mod ledger;
#[cfg(test)]
mod tests;

use crate::codec;
use crate::journal::{AppendError, Flush, ReadError, Writing};
use crate::log::AccessLog;
use crate::query::{Order, Query, Scope};
use crate::record::NewRecord;
use ledger::{Entry, Ledger, SLOTS};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// The file in the directory of the journal.
const NAME: &str = "summaries";
/// So many summaries of one address each are counted at a time; of the rest, the address is not told.
const OF_AN_ADDRESS: usize = SLOTS - 32;

/// Why counts were not written. They are kept, and written by a later round.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// The journal refused the record.
    #[error("a summary could not be written")]
    Append(#[from] AppendError),
    /// It could not be seen whether a summary that an earlier process left has been written.
    #[error("it could not be seen whether a summary is in the log already")]
    Read(#[from] ReadError),
}

/// What is counted and not yet written.
#[derive(Debug)]
pub(crate) struct Summaries {
    path: PathBuf,
    writing: Writing,
    counting: bool,
    tag: u16,
    /// The newest record when the log was opened: what an earlier process wrote is not above it.
    opened_at: u64,
    ledger: Mutex<Option<Ledger>>,
    /// Held by whoever writes what was left.
    recovering: Mutex<()>,
}

impl Summaries {
    /// Reads what an earlier process left, if it left anything.
    pub(crate) fn open(
        directory: &Path,
        flush: Flush,
        writing: Writing,
        tag: u16,
        last_sequence: u64,
    ) -> io::Result<Self> {
        let path = directory.join(NAME);
        let ledger = if path.try_exists()? { Some(Ledger::open(&path, writing, tag)?) } else { None };
        Ok(Self {
            path,
            writing,
            counting: flush != Flush::Always,
            tag,
            opened_at: last_sequence,
            ledger: Mutex::new(ledger),
            recovering: Mutex::new(()),
        })
    }
}

/// What the records of a summary have in common; everything else is not known of it.
fn in_common<'a>(record: &NewRecord<'a>, address: Option<&'a str>) -> NewRecord<'a> {
    NewRecord {
        api: record.api,
        organization: record.organization,
        address,
        rule_version: record.rule_version,
        catalogue_version: record.catalogue_version,
        ..NewRecord::new(0, record.decision, record.reason)
    }
}

/// The bytes by which a summary is known: the record without its time and count.
fn key_of(record: &NewRecord<'_>) -> Vec<u8> {
    let mut key = Vec::with_capacity(128);
    codec::encode(record, &mut key);
    key
}

impl AccessLog {
    /// Counts a record in a summary in place of writing it: of its columns, time (the latest), API, organization,
    /// decision, reason, versions and, unless there are too many of them, address are kept. When this returns `true`, the
    /// count is where the death of the process cannot take it. `false`: it was not counted, and is to be written.
    pub fn sum_up(&self, record: &NewRecord<'_>) -> bool {
        let summaries = &self.summaries;
        if !summaries.counting {
            return false;
        }
        let (own, shared) = (in_common(record, record.address), in_common(record, None));
        let mut place = summaries.ledger.lock();
        if place.is_none() {
            *place = Ledger::open(&summaries.path, summaries.writing, summaries.tag).ok();
        }
        let Some(ledger) = &mut *place else { return false };
        let floor = || self.journal.last_sequence();
        let room = if record.address.is_some() { OF_AN_ADDRESS } else { SLOTS };
        ledger.count(&key_of(&own), record.time_us, room, floor)
            || (record.address.is_some() && ledger.count(&key_of(&shared), record.time_us, SLOTS, floor))
    }

    /// Writes the summaries that were begun before a moment, in microseconds since 1970, and those that an earlier
    /// process left. Returns how many records that were. For a job that calls it once a second or so, and at the end.
    pub fn settle_summaries(&self, before_us: i64) -> Result<usize, SummaryError> {
        let mut written = self.settle_left()?;
        let mut place = self.summaries.ledger.lock();
        let Some(ledger) = &mut *place else { return Ok(written) };
        for number in ledger.begun_before(before_us) {
            written += usize::from(self.write_summary(ledger, number)?);
        }
        Ok(written)
    }

    /// How many checks are counted and not yet in a record.
    pub fn checks_summed_up(&self) -> u64 {
        self.summaries.ledger.lock().as_ref().map_or(0, Ledger::total)
    }

    /// Writes what an earlier process left, unless it wrote it itself before it ended.
    fn settle_left(&self) -> Result<usize, SummaryError> {
        let _recovering = self.summaries.recovering.lock();
        let left = self.summaries.ledger.lock().as_ref().map(Ledger::left).unwrap_or_default();
        // Without the lock of the counts: columns may lie in a bucket, and others go on counting.
        let there = self.written_of(&left)?;
        let mut written = 0;
        let mut place = self.summaries.ledger.lock();
        let Some(ledger) = &mut *place else { return Ok(0) };
        for (number, _) in left {
            if there.contains(&number) {
                ledger.free(number);
            } else {
                written += usize::from(self.write_summary(ledger, number)?);
            }
        }
        Ok(written)
    }

    fn write_summary(&self, ledger: &mut Ledger, number: usize) -> Result<bool, AppendError> {
        let Some(entry) = ledger.entry(number) else { return Ok(false) };
        // What lies in memory was encoded here, and what was read from the file had its checksum.
        let Some(row) = codec::decode(&entry.key).ok().and_then(|raw| Some(raw.view(self.tag()).ok()?.row)) else {
            return Ok(false);
        };
        self.journal.append(&NewRecord { time_us: entry.last_us, count: entry.count, ..row })?;
        ledger.free(number);
        Ok(true)
    }

    /// Which of these the process that counted them wrote, too. While it counted one, it had no other of the same key, so
    /// that the first one above the floor is this one.
    fn written_of(&self, left: &[(usize, Entry)]) -> Result<HashSet<usize>, ReadError> {
        let mut written = HashSet::new();
        let Some(floor) = left.iter().map(|(_, entry)| entry.floor).min() else { return Ok(written) };
        let query = Query { after_sequence: Some(floor), ..Query::new(Scope::Installation) };
        for record in self.stream(&query, Order::OldestFirst) {
            let record = record?;
            if record.sequence > self.summaries.opened_at {
                break;
            }
            if record.credential.is_some() {
                continue;
            }
            let (row, sequence) = (record.view().row, record.sequence);
            let key = key_of(&NewRecord { time_us: 0, count: 1, ..row });
            let same = left.iter().filter(|(_, entry)| *entry.key == *key && sequence > entry.floor);
            written.extend(same.filter(|(_, entry)| is_of(&row, entry)).map(|(number, _)| *number));
        }
        Ok(written)
    }
}

/// Whether a record with the key of a summary may be its. A record of one check could be another's, but for its time.
fn is_of(row: &NewRecord<'_>, entry: &Entry) -> bool {
    let in_time = if row.count == 1 { row.time_us == entry.last_us } else { row.time_us >= entry.last_us };
    row.count >= entry.count && in_time
}
