//! What the journal gives up once its records are safe elsewhere: closed segments, oldest first, whole files.
//!
//! A segment that is given up is removed when its last reader has left it, so that a question that began before still
//! finds every row.

use crate::journal::Journal;
use crate::journal::append::AppendError;
use crate::journal::marker;
use crate::journal::retention::RetentionError;
use crate::journal::scan::{ReadError, Scan};
use crate::journal::shared::Segments;
use crate::{filter::Filter, query::Order};

impl Journal {
    /// Leaves the newest segment if its first record is older than `time_us`.
    pub(crate) fn leave_if_older(&self, time_us: i64) -> Result<(), AppendError> {
        let mut writer = self.shared.writer.lock();
        let content = self.shared.segments().last().and_then(|segment| segment.outline().content);
        if content.is_some_and(|content| content.time_us_min < time_us) { writer.roll(&self.shared) } else { Ok(()) }
    }

    /// The last sequence of closed segments that hold records above `after`: of as many as have `bytes` together, and
    /// of one at least. `None` if there is none.
    pub(crate) fn closed_after(&self, after: u64, bytes: u64) -> Option<u64> {
        let segments = self.shared.segments();
        let mut found = None;
        let mut total = 0;
        for pair in segments.windows(2) {
            let [segment, next] = pair else { continue };
            if next.first_sequence <= after + 1 {
                continue;
            }
            total += segment.outline().end;
            if found.is_some() && total > bytes {
                break;
            }
            found = Some(next.first_sequence - 1);
        }
        found
    }

    /// How many records are known to lie above `after` and up to `up_to`, both the ends of segments.
    pub(crate) fn records_between(&self, after: u64, up_to: u64) -> u64 {
        let segments = self.shared.segments();
        let within = segments.iter().filter(|segment| (after + 1..=up_to).contains(&segment.first_sequence));
        within.map(|segment| segment.outline().records).sum()
    }

    /// Gives up all closed segments with no record above `sequence`. Returns how many.
    pub(crate) fn give_up(&self, sequence: u64) -> Result<usize, RetentionError> {
        let _removal = self.shared.removal.lock();
        let segments = self.shared.segments();
        let settled = segments.windows(2).take_while(|pair| match pair {
            [_, next] => next.first_sequence <= sequence + 1,
            _ => false,
        });
        let mut given_up = 0;
        for pair in settled {
            let Some(segment) = pair.first() else { continue };
            let step = self.shared.faults.as_ref().map_or(Ok(()), |faults| faults.step());
            step.map_err(|source| RetentionError::Remove { path: segment.path.clone(), source })?;
            self.shared.change_segments(|segments| {
                segments.retain(|kept| kept.first_sequence != segment.first_sequence);
            });
            segment.remove_after_last_reader();
            given_up += 1;
        }
        Ok(given_up)
    }

    /// Notes that records up to this sequence are about to be safe elsewhere.
    pub(crate) fn mark_settled(&self, sequence: u64) -> Result<(), ReadError> {
        let path = &self.shared.directory;
        marker::write(path, sequence).map_err(|source| ReadError { path: path.clone(), source })
    }

    /// Makes sure that the next record has a sequence above this one.
    pub(crate) fn go_on_after(&self, sequence: u64) -> Result<(), AppendError> {
        self.shared.writer.lock().go_on_after(&self.shared, sequence)
    }

    /// The segments at this moment. Whoever holds them can read them.
    pub(crate) fn segments(&self) -> Segments {
        self.shared.segments()
    }

    /// A scan over segments that were taken before.
    pub(crate) fn scan_of(
        &self,
        segments: Segments,
        filter: Filter,
        order: Order,
        after: u64,
        before: Option<u64>,
    ) -> Scan {
        Scan::over(&self.shared, segments, filter, order, after, before)
    }
}
