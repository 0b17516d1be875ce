//! A page, one record, a stream, a number: out of journal and columns.

use crate::columns::merge::Merge;
use crate::columns::predicate::{Predicate, Wanted};
use crate::columns::scan::FileScan;
use crate::columns::{Columns, ColumnsError, DataFile};
use crate::cursor::Cursor;
use crate::filter::Filter;
use crate::id::RecordId;
use crate::journal::{Page, RECORDS_PER_PAGE_MAX, ReadError, Scan};
use crate::log::{AccessLog, Records, View};
use crate::query::{Order, Query, Scope};
use crate::record::Record;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// The milliseconds of an id are exact between these; an earlier or later time counts as the nearest.
const TIME_MS_EXACT: std::ops::Range<u64> = 1..(1 << 48) - 1;

impl AccessLog {
    /// A page of records, newest first, from the cursor on or from the newest. New records do not move what a cursor
    /// points to, and neither does the move of records into columns. A limit of 0 counts as 1, one above 10,000 as
    /// 10,000.
    pub fn page(&self, query: &Query<'_>, cursor: Option<Cursor>, limit: usize) -> Result<Page, ReadError> {
        let limit = limit.clamp(1, RECORDS_PER_PAGE_MAX);
        let view = self.view()?;
        let before = cursor.map(Cursor::sequence);
        let wanted = wanted(query, before);
        let mut scan = self.tail(&view, &wanted, Order::NewestFirst);
        let mut records: Vec<Record> = Vec::new();
        while records.len() <= limit {
            match scan.next_view()? {
                Some(record) => records.push(record.to_record()),
                None => break,
            }
        }
        let missing = (limit + 1).saturating_sub(records.len());
        if missing > 0 {
            let mut merge = self.merge(&view, wanted, Order::NewestFirst, Some(missing));
            records.extend(self.engine.run(async move { merge.next(missing).await })??);
        }
        let more = records.len() > limit;
        records.truncate(limit);
        let next_cursor = records.last().filter(|_| more).map(|last| Cursor::new(last.sequence));
        Ok(Page { records, next_cursor })
    }

    /// The record with this id, if the scope may see it. Looks into one block of the journal, or into the files of one
    /// day.
    pub fn get(&self, id: &RecordId, scope: Scope<'_>) -> Result<Option<Record>, ReadError> {
        if id.tag() != self.journal.tag() || id.sequence() == 0 {
            return Ok(None);
        }
        let view = self.view()?;
        let mut filter = Filter::scope_only(scope);
        let sequences = id.sequence()..=id.sequence();
        if id.sequence() > view.manifest.settled {
            let wanted = Wanted { filter, sequences };
            let mut scan = self.tail(&view, &wanted, Order::OldestFirst);
            // The sequence alone does not make an id: the time in it has to be the record's, too.
            return Ok(scan.next_view()?.filter(|found| found.id == *id).map(|found| found.to_record()));
        }
        if TIME_MS_EXACT.contains(&id.time_ms()) {
            let from_us = i64::try_from(id.time_ms() * 1_000).ok();
            filter.narrow(from_us, from_us.map(|from_us| from_us + 1_000));
        }
        let wanted = Wanted { filter, sequences };
        let mut merge = self.merge(&view, wanted, Order::OldestFirst, Some(1));
        let found = self.engine.run(async move { merge.next(1).await })??;
        Ok(found.into_iter().next().filter(|record| record.id == *id))
    }

    /// All records that pass, up to the newest at this moment.
    pub fn stream(&self, query: &Query<'_>, order: Order) -> Records {
        let engine = Arc::clone(&self.engine);
        match self.view() {
            Err(error) => Records::failed(engine, error),
            Ok(view) => {
                let wanted = wanted(query, None);
                let journal = self.tail(&view, &wanted, order);
                let columns = self.merge(&view, wanted, order, None);
                Records::new(engine, order, journal, columns, view)
            }
        }
    }

    /// How many records pass.
    pub fn count(&self, query: &Query<'_>) -> Result<u64, ReadError> {
        let view = self.view()?;
        let wanted = wanted(query, None);
        let in_journal = self.tail(&view, &wanted, Order::OldestFirst).count()?;
        let files = Columns::select(&view.manifest, &wanted);
        let (columns, threads) = (Arc::clone(&self.columns), self.engine.threads());
        let in_columns = self.engine.run(async move {
            let counts = stream::iter(files).map(|file| {
                let (columns, wanted) = (Arc::clone(&columns), wanted.clone());
                tokio::spawn(async move { count_file(&columns, &file, wanted).await })
            });
            let counts = counts.buffer_unordered(threads).map(|count| count.map_err(|_| ColumnsError::Interrupted)?);
            counts.try_fold(0, |sum, count| async move { Ok(sum + count) }).await
        })??;
        drop(view);
        Ok(in_journal + in_columns)
    }

    /// What is in the journal of a view and not in its columns.
    pub(crate) fn tail(&self, view: &View, wanted: &Wanted, order: Order) -> Scan {
        let after = view.manifest.settled.max(wanted.sequences.start().saturating_sub(1));
        let before = wanted.sequences.end().checked_add(1);
        self.journal.scan_of(Arc::clone(&view.segments), wanted.filter.clone(), order, after, before)
    }

    fn merge(&self, view: &View, wanted: Wanted, order: Order, most: Option<usize>) -> Merge {
        let files = Columns::select(&view.manifest, &wanted);
        Merge::new(Arc::clone(&self.columns.reader), wanted, order, files, most)
    }
}

/// What a query wants, of the records before a sequence if one is named.
pub(crate) fn wanted(query: &Query<'_>, before: Option<u64>) -> Wanted {
    let first = query.after_sequence.unwrap_or(0).saturating_add(1);
    let last = before.map_or(u64::MAX, |before| before.saturating_sub(1));
    Wanted { filter: Filter::new(query), sequences: first..=last }
}

async fn count_file(columns: &Columns, file: &Arc<DataFile>, wanted: Wanted) -> Result<u64, ColumnsError> {
    let times = (file.time_us_min, file.time_us_max);
    let sequences = (file.first_sequence, file.last_sequence);
    let predicate = Predicate::new(wanted.clone(), times, sequences, file.organization.as_deref());
    if predicate.fields().is_empty() {
        return Ok(file.rows);
    }
    FileScan::start(&columns.reader, file, wanted, Order::OldestFirst).await?.count().await
}
