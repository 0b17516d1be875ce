//! Many files as one list in the order of sequences. Files are opened when their turn comes, so that a page of the
//! newest records touches the newest files only.

use crate::columns::error::ColumnsError;
use crate::columns::manifest::DataFile;
use crate::columns::predicate::Wanted;
use crate::columns::read::Reader;
use crate::columns::scan::FileScan;
use crate::query::Order;
use crate::record::Record;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// Records held at once, about, over all files that are open.
const RECORDS_HELD: usize = 64 << 10;
const RECORDS_PER_STEP_MIN: usize = 64;
const RECORDS_PER_STEP_MAX: usize = 8 << 10;

#[derive(Debug)]
pub(crate) struct Merge {
    reader: Arc<Reader>,
    wanted: Wanted,
    order: Order,
    /// Files not yet opened, the next one last.
    ahead: Vec<Arc<DataFile>>,
    /// Open files; `None` once one has been read to its end.
    open: Vec<Option<Cursor>>,
    /// For each open file the key of its next record, and its place in `open`.
    heads: BinaryHeap<(u64, usize)>,
    step: usize,
}

#[derive(Debug)]
struct Cursor {
    scan: FileScan,
    /// Never empty between calls.
    records: VecDeque<Record>,
}

impl Merge {
    /// `most` is how many records will be asked for, if that is known.
    pub(crate) fn new(
        reader: Arc<Reader>,
        wanted: Wanted,
        order: Order,
        mut files: Vec<Arc<DataFile>>,
        most: Option<usize>,
    ) -> Self {
        match order {
            Order::NewestFirst => files.sort_by_key(|file| file.last_sequence),
            Order::OldestFirst => files.sort_by_key(|file| std::cmp::Reverse(file.first_sequence)),
        }
        let fair = RECORDS_HELD / overlap(&files).max(1);
        let step = most.unwrap_or(RECORDS_PER_STEP_MAX).min(fair).clamp(RECORDS_PER_STEP_MIN, RECORDS_PER_STEP_MAX);
        Self { reader, wanted, order, ahead: files, open: Vec::new(), heads: BinaryHeap::new(), step }
    }

    /// The next records, at most so many; none at the end.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<Record>, ColumnsError> {
        let mut records = Vec::new();
        while records.len() < most {
            match self.next_one().await? {
                Some(record) => records.push(record),
                None => break,
            }
        }
        Ok(records)
    }

    async fn next_one(&mut self) -> Result<Option<Record>, ColumnsError> {
        self.open_those_before_the_first().await?;
        let Some((_, position)) = self.heads.pop() else {
            return Ok(None);
        };
        let Some(cursor) = self.open.get_mut(position).and_then(Option::as_mut) else {
            return Ok(None);
        };
        let record = cursor.records.pop_front();
        if cursor.records.is_empty() {
            cursor.records = cursor.scan.records(self.step).await?.into();
        }
        match cursor.records.front().map(|next| next.sequence) {
            Some(sequence) => self.heads.push((self.key(sequence), position)),
            None => drop(self.open.get_mut(position).and_then(Option::take)),
        }
        Ok(record)
    }

    /// Opens files that may have a record that comes before the first one known.
    async fn open_those_before_the_first(&mut self) -> Result<(), ColumnsError> {
        while let Some(file) = self.ahead.last() {
            let best = self.key(match self.order {
                Order::NewestFirst => file.last_sequence,
                Order::OldestFirst => file.first_sequence,
            });
            if self.heads.peek().is_some_and(|(first, _)| *first > best) {
                break;
            }
            let Some(file) = self.ahead.pop() else { break };
            let mut scan = FileScan::start(&self.reader, &file, self.wanted.clone(), self.order).await?;
            let records: VecDeque<Record> = scan.records(self.step).await?.into();
            if let Some(first) = records.front() {
                self.heads.push((self.key(first.sequence), self.open.len()));
                self.open.push(Some(Cursor { scan, records }));
            }
        }
        Ok(())
    }

    /// The higher, the sooner.
    fn key(&self, sequence: u64) -> u64 {
        match self.order {
            Order::NewestFirst => sequence,
            Order::OldestFirst => u64::MAX - sequence,
        }
    }
}

/// How many files at most share a sequence.
fn overlap(files: &[Arc<DataFile>]) -> usize {
    let mut edges: Vec<(u64, bool)> =
        files.iter().flat_map(|file| [(file.first_sequence, true), (file.last_sequence + 1, false)]).collect();
    edges.sort_unstable();
    let (mut open, mut most) = (0_usize, 0);
    for (_, begins) in edges {
        open = if begins { open + 1 } else { open.saturating_sub(1) };
        most = most.max(open);
    }
    most
}
