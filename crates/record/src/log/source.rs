//! The log as proofs see it: every record in the order of sequences, and an organization's day as its files have it.
//!
//! What the manifest says of a file decides only which file is read, not which of its rows: whoever checks is shown every
//! row, in the order of the file, so that one that was moved, added or changed shows.

use crate::columns::predicate::Wanted;
use crate::columns::read::Reader;
use crate::columns::scan::FileScan;
use crate::columns::{ColumnsError, DataFile};
use crate::engine::Engine;
use crate::filter::Filter;
use crate::journal::{ReadError, Scan};
use crate::log::{AccessLog, View};
use crate::proof::{DayRecords, Days, Source, SourceError};
use crate::query::{Order, Query, Scope};
use crate::record::{Record, RecordView};
use crate::time::{self, DAY_US};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Records that are taken out of a file at once.
const RECORDS_PER_STEP: usize = 8 << 10;

/// All records at one moment, and what they are read with.
pub(crate) struct Moment {
    pub(crate) view: View,
    pub(crate) tag: u16,
    pub(crate) engine: Arc<Engine>,
    /// `None` where there are no columns.
    pub(crate) reader: Option<Arc<Reader>>,
    pub(crate) damage_met: Arc<AtomicU64>,
    /// Whether a segment that is not there any more is an error.
    pub(crate) is_strict: bool,
}

impl Moment {
    /// Shows each record with a sequence above `after` and up to `last`, in order.
    pub(crate) fn visit(
        &self,
        after: u64,
        last: u64,
        each: &mut dyn FnMut(&RecordView<'_>),
    ) -> Result<(), SourceError> {
        let within = |file: &&Arc<DataFile>| file.last_sequence > after && file.first_sequence <= last;
        if let Some(reader) = &self.reader
            && self.view.manifest.files.iter().any(|file| within(&file))
        {
            let files = self.view.manifest.files.iter().filter(within).cloned().collect();
            let wanted = Wanted { filter: everything(), sequences: after.saturating_add(1)..=last };
            let mut merge =
                Some(crate::columns::merge::Merge::new(Arc::clone(reader), wanted, Order::OldestFirst, files, None));
            while let Some(mut taken) = merge.take() {
                let (taken, records) = self.engine.run(async move {
                    let records = taken.next(RECORDS_PER_STEP).await;
                    (taken, records)
                })?;
                let records = records?;
                for record in &records {
                    each(&record.view());
                }
                merge = Some(taken).filter(|_| !records.is_empty());
            }
        }
        let after = after.max(self.view.manifest.settled);
        if after < last {
            self.scan(everything(), after, last).each(each)?;
        }
        Ok(())
    }

    /// Whether an organization may have records of days before this one.
    pub(crate) fn has_before(&self, organization: Option<&str>, day: i64) -> Result<bool, SourceError> {
        let files = &self.view.manifest.files;
        if files.iter().any(|file| file.organization.as_deref() == organization && file.day < day) {
            return Ok(true);
        }
        let to_us = Some(day.saturating_mul(DAY_US));
        let filter = Filter::new(&Query { to_us, ..Query::new(scope(organization)) });
        let mut any = false;
        self.scan(filter, self.view.manifest.settled, u64::MAX)
            .each(|view| any |= view.row.organization == organization)?;
        Ok(any)
    }

    /// The days of which an organization has records, or of which a file says so.
    pub(crate) fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        let files = self.view.manifest.files.iter().filter(|file| file.organization.as_deref() == organization);
        let mut days: BTreeSet<i64> = files.map(|file| file.day).collect();
        let own = Filter::scope_only(scope(organization));
        self.scan(own, self.view.manifest.settled, u64::MAX).each(|view| {
            if view.row.organization == organization {
                days.insert(time::day(view.row.time_us));
            }
        })?;
        Ok(days.into_iter().collect())
    }

    /// The organizations of which there are records, or of which a file says so.
    pub(crate) fn organizations(&self) -> Result<BTreeSet<Option<String>>, SourceError> {
        let mut organizations: BTreeSet<_> =
            self.view.manifest.files.iter().map(|file| file.organization.clone()).collect();
        let mut last = None;
        self.scan(everything(), self.view.manifest.settled, u64::MAX).each(|view| {
            if last.as_ref().is_none_or(|last: &Option<String>| last.as_deref() != view.row.organization) {
                let organization = view.row.organization.map(str::to_owned);
                organizations.insert(organization.clone());
                last = Some(organization);
            }
        })?;
        Ok(organizations)
    }

    /// The records of a day.
    pub(crate) fn records(self, organization: Option<&str>, day: i64) -> DayRecords<'static> {
        let files = self.view.manifest.files.iter();
        let files = files.filter(|file| file.organization.as_deref() == organization && file.day == day);
        let files = files.cloned().collect();
        let from_us = day.checked_mul(DAY_US);
        let to_us = day.checked_add(1).and_then(|day| day.checked_mul(DAY_US));
        let filter = Filter::new(&Query { from_us, to_us, ..Query::new(scope(organization)) });
        let journal = Some(self.scan(filter, self.view.manifest.settled, u64::MAX));
        let organization = organization.map(str::to_owned);
        Box::new(OneDay { moment: self, organization, day, files, file: None, ready: VecDeque::new(), journal })
    }

    fn scan(&self, filter: Filter, after: u64, last: u64) -> Scan {
        let (segments, damage_met) = (Arc::clone(&self.view.segments), Arc::clone(&self.damage_met));
        let scan = Scan::of(self.tag, damage_met, segments, filter, Order::OldestFirst, after..=last);
        if self.is_strict { scan.strict() } else { scan }
    }
}

fn everything() -> Filter {
    Filter::scope_only(Scope::Installation)
}

fn scope(organization: Option<&str>) -> Scope<'_> {
    organization.map_or(Scope::Installation, Scope::Organization)
}

/// The records of an organization and day: its files one after the other, and then what is in the journal.
struct OneDay {
    /// What is read stays there while it is held.
    moment: Moment,
    organization: Option<String>,
    day: i64,
    files: VecDeque<Arc<DataFile>>,
    file: Option<FileScan>,
    ready: VecDeque<Record>,
    journal: Option<Scan>,
}

impl OneDay {
    fn step(&mut self) -> Result<Option<Record>, ReadError> {
        while self.ready.is_empty() {
            let Some(reader) = self.moment.reader.clone() else { break };
            let (open, next) = match self.file.take() {
                Some(open) => (Some(open), None),
                None => (None, self.files.pop_front()),
            };
            if open.is_none() && next.is_none() {
                break;
            }
            let (open, records) = self.moment.engine.run(step_in_file(reader, open, next))??;
            self.ready = records.into();
            self.file = Some(open).filter(|_| !self.ready.is_empty());
        }
        if let Some(record) = self.ready.pop_front() {
            return Ok(Some(record));
        }
        let Some(scan) = &mut self.journal else { return Ok(None) };
        while let Some(view) = scan.next_view()? {
            if view.row.organization == self.organization.as_deref() && time::day(view.row.time_us) == self.day {
                return Ok(Some(view.to_record()));
            }
        }
        self.journal = None;
        Ok(None)
    }
}

/// The next records of a file that is open, or the first of one that is not.
async fn step_in_file(
    reader: Arc<Reader>,
    open: Option<FileScan>,
    next: Option<Arc<DataFile>>,
) -> Result<(FileScan, Vec<Record>), ColumnsError> {
    let mut scan = match (open, next) {
        (Some(open), _) => open,
        (None, Some(file)) => {
            let wanted = Wanted { filter: everything(), sequences: 0..=u64::MAX };
            FileScan::start(&reader, &file, wanted, Order::OldestFirst).await?
        }
        (None, None) => return Err(ColumnsError::Interrupted),
    };
    let records = scan.records(RECORDS_PER_STEP).await?;
    Ok((scan, records))
}

impl Iterator for OneDay {
    type Item = Result<Record, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.step();
        if next.is_err() {
            self.files.clear();
            (self.file, self.journal) = (None, None);
            self.ready.clear();
        }
        next.map_err(SourceError::from).transpose()
    }
}

impl AccessLog {
    pub(crate) fn moment(&self) -> Result<Moment, ReadError> {
        Ok(Moment {
            view: self.view()?,
            tag: self.journal.tag(),
            engine: Arc::clone(&self.engine),
            reader: Some(Arc::clone(&self.columns.reader)),
            damage_met: Arc::clone(&self.journal.shared.damage_met),
            is_strict: false,
        })
    }
}

impl Source for AccessLog {
    fn tag(&self) -> u16 {
        self.journal.tag()
    }

    fn settled(&self) -> u64 {
        // Columns are written through to the disk, or to the bucket, before the journal gives anything up.
        let in_columns = self.columns.known().map_or(0, |manifest| manifest.settled);
        self.journal.settled_sequence().max(in_columns)
    }

    fn visit(&self, after: u64, last: u64, each: &mut dyn FnMut(&RecordView<'_>)) -> Result<(), SourceError> {
        self.moment()?.visit(after, last, each)
    }
}

impl Days for AccessLog {
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        self.moment()?.days(organization)
    }

    fn records(&self, organization: Option<&str>, day: i64) -> Result<DayRecords<'_>, SourceError> {
        Ok(self.moment()?.records(organization, day))
    }
}
