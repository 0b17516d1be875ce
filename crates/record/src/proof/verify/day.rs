//! Goes over the records of an organization and day, and gives each to its tree.

use crate::id::RecordId;
use crate::proof::leaf::Leaves;
use crate::proof::source::SourceError;
use crate::proof::store::{Kind, Store};
use crate::proof::verify::problem::Problem;
use crate::proof::verify::tree::TreeCheck;
use crate::record::Record;
use crate::time;

pub(crate) struct DayCheck<'a> {
    organization: Option<&'a str>,
    day: i64,
    /// The parts of the day, in order.
    pub(crate) trees: Vec<TreeCheck>,
    at: usize,
    /// The highest sequence so far.
    previous: u64,
    pub(crate) records: u64,
    /// Records after everything that was signed.
    pub(crate) unsigned: u64,
    /// Records that no tree takes, though later ones are in trees: how many, the first, the last.
    added: (u64, u64, u64),
}

impl<'a> DayCheck<'a> {
    pub(crate) fn new(organization: Option<&'a str>, day: i64, trees: Vec<TreeCheck>) -> Self {
        Self { organization, day, trees, at: 0, previous: 0, records: 0, unsigned: 0, added: (0, 0, 0) }
    }

    pub(crate) fn push(
        &mut self,
        record: &Record,
        signed_through: u64,
        tag: u16,
        leaves: &mut Leaves,
        report: &mut dyn FnMut(Problem),
    ) {
        let sequence = record.sequence;
        self.records += 1;
        if !self.is_in_place(record, tag) {
            report(Problem::Misplaced { organization: self.owner(), day: self.day, sequence });
        }
        if sequence <= self.previous {
            report(Problem::Moved { organization: self.owner(), day: self.day, sequence });
        }
        self.previous = self.previous.max(sequence);
        while self.trees.get(self.at).is_some_and(|tree| tree.signed.last_sequence < sequence) {
            self.at += 1;
        }
        match self.trees.get_mut(self.at) {
            Some(tree) => tree.push(&record.view(), leaves),
            None if sequence > signed_through => self.unsigned += 1,
            None => {
                let (records, first, _) = self.added;
                self.added = (records + 1, if records == 0 { sequence } else { first }, sequence);
            }
        }
    }

    /// All records have been read.
    pub(crate) fn finish(self, store: &Store, since_day: Option<i64>, report: &mut dyn FnMut(Problem)) {
        let (records, first_sequence, last_sequence) = self.added;
        if records > 0 {
            let (organization, day) = (self.owner(), self.day);
            report(Problem::Unsigned { organization, day, records, first_sequence, last_sequence });
        }
        for tree in self.trees {
            let blocks = store.tree(&tree.signed.tree, Kind::Blocks);
            let result = tree.finish();
            for problem in result.problems {
                report(problem);
            }
            let is_forgotten = || since_day.is_some_and(|since| self.day < since) && !blocks.exists();
            if result.has_bad_blocks && !is_forgotten() {
                report(Problem::BlocksChanged { file: blocks });
            }
        }
    }

    /// The records could not be read to their end.
    pub(crate) fn unreadable(&self, error: &SourceError) -> Problem {
        let (organization, day) = (self.owner(), self.day);
        Problem::Unreadable { organization, day, after_sequence: self.previous, error: error.to_string() }
    }

    fn owner(&self) -> Option<Box<str>> {
        self.organization.map(Into::into)
    }

    fn is_in_place(&self, record: &Record, tag: u16) -> bool {
        record.organization.as_deref() == self.organization
            && time::day(record.time_us) == self.day
            && record.id == RecordId::new(record.time_us, tag, record.sequence)
    }
}
