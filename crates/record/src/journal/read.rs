//! The questions that callers ask: a page, one record, a stream, a number.

use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::id::RecordId;
use crate::journal::Journal;
use crate::journal::scan::{ReadError, Scan};
use crate::query::{Order, Query, Scope};
use crate::record::Record;

/// The most records on a page.
pub(crate) const RECORDS_PER_PAGE_MAX: usize = 10_000;

/// Some records, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` if this is the last.
    pub next_cursor: Option<Cursor>,
}

/// Records one by one. Ends after an error.
#[derive(Debug)]
pub struct Records {
    scan: Scan,
}

impl Journal {
    /// A page of records, newest first, from the cursor on or from the newest. New records do not move what a cursor
    /// points to. A limit of 0 counts as 1, one above 10,000 as 10,000.
    pub fn page(&self, query: &Query<'_>, cursor: Option<Cursor>, limit: usize) -> Result<Page, ReadError> {
        let limit = limit.clamp(1, RECORDS_PER_PAGE_MAX);
        let mut scan = self.scan(query, Order::NewestFirst, cursor.map(Cursor::sequence));
        let mut records: Vec<Record> = Vec::new();
        let mut next_cursor = None;
        while let Some(view) = scan.next_view()? {
            if records.len() == limit {
                next_cursor = records.last().map(|last| Cursor::new(last.sequence));
                break;
            }
            records.push(view.to_record());
        }
        Ok(Page { records, next_cursor })
    }

    /// The record with this id, if the scope may see it. Reads one block, however long the journal is.
    pub fn get(&self, id: &RecordId, scope: Scope<'_>) -> Result<Option<Record>, ReadError> {
        let Some(after) = id.sequence().checked_sub(1).filter(|_| id.tag() == self.shared.tag) else {
            return Ok(None);
        };
        let before = Some(id.sequence() + 1);
        let mut scan = Scan::new(&self.shared, Filter::scope_only(scope), Order::OldestFirst, after, before);
        // The sequence alone does not make an id: the time in it has to be the record's, too.
        Ok(scan.next_view()?.filter(|view| view.id == *id).map(|view| view.to_record()))
    }

    /// All records that pass, up to the newest at this moment.
    pub fn stream(&self, query: &Query<'_>, order: Order) -> Records {
        Records { scan: self.scan(query, order, None) }
    }

    /// How many records pass.
    pub fn count(&self, query: &Query<'_>) -> Result<u64, ReadError> {
        self.scan(query, Order::OldestFirst, None).count()
    }

    fn scan(&self, query: &Query<'_>, order: Order, before: Option<u64>) -> Scan {
        let after = query.after_sequence.unwrap_or(0);
        Scan::new(&self.shared, Filter::new(query), order, after, before)
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.scan.next_view().map(|view| view.map(|view| view.to_record())).transpose()
    }
}
