//! Going through one file, group by group, in either direction.
//!
//! Two steps for each group of rows: first only the columns that a filter asks about are read, which says where the
//! hits are; then the wanted columns of as many hits as are asked for. A group that statistics or bloom filters rule
//! out is not read at all.

use crate::column::Column;
use crate::columns::batch;
use crate::columns::error::ColumnsError;
use crate::columns::manifest::DataFile;
use crate::columns::predicate::{Predicate, Wanted};
use crate::columns::read::{OpenFile, Reader, Source};
use crate::columns::schema::Field;
use crate::query::Order;
use crate::record::Record;
use futures_util::TryStreamExt;
use parquet::arrow::arrow_reader::RowSelection;
use parquet::arrow::async_reader::ParquetRecordBatchStream;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

const ROWS_PER_BATCH: usize = 8 << 10;

#[derive(Debug)]
pub(crate) struct FileScan {
    open: OpenFile,
    predicate: Predicate,
    order: Order,
    /// Groups not yet entered, the next one first.
    ahead: VecDeque<usize>,
    group: usize,
    /// Hits of the current group not yet handed out, in the order of the file.
    hits: VecDeque<Range<usize>>,
}

impl FileScan {
    pub(crate) async fn start(
        reader: &Reader,
        file: &Arc<DataFile>,
        wanted: Wanted,
        order: Order,
    ) -> Result<Self, ColumnsError> {
        let open = reader.open(file).await?;
        let times = (file.time_us_min, file.time_us_max);
        let sequences = (file.first_sequence, file.last_sequence);
        let predicate = Predicate::new(wanted, times, sequences, file.organization.as_deref());
        let groups = open.metadata().row_groups().iter().enumerate();
        let mut ahead: VecDeque<usize> =
            groups.filter(|(_, group)| may_contain(group, &predicate)).map(|(position, _)| position).collect();
        if order == Order::NewestFirst {
            ahead.make_contiguous().reverse();
        }
        Ok(Self { open, predicate, order, ahead, group: 0, hits: VecDeque::new() })
    }

    /// How many hits are left.
    pub(crate) async fn count(mut self) -> Result<u64, ColumnsError> {
        let mut count = 0;
        while self.next_group().await? {
            count += self.hits.drain(..).map(|hits| hits.len() as u64).sum::<u64>();
        }
        Ok(count)
    }

    /// The next records, at most so many; none at the end.
    pub(crate) async fn records(&mut self, most: usize) -> Result<Vec<Record>, ColumnsError> {
        while self.hits.is_empty() {
            if !self.next_group().await? {
                return Ok(Vec::new());
            }
        }
        let taken = self.take(most);
        let stream = self.read(&Field::ALL, taken)?;
        let batches: Vec<_> = stream.try_collect().await.map_err(|error| self.open.failed(error))?;
        let mut records = Vec::new();
        for batch in &batches {
            records.extend(batch::records(batch).map_err(|error| self.open.failed(error))?);
        }
        if self.order == Order::NewestFirst {
            records.reverse();
        }
        Ok(records)
    }

    /// Some columns of all hits of the next group that has any; `None` at the end.
    pub(crate) async fn group_stream(
        &mut self,
        fields: &[Field],
    ) -> Result<Option<ParquetRecordBatchStream<Source>>, ColumnsError> {
        while self.hits.is_empty() {
            if !self.next_group().await? {
                return Ok(None);
            }
        }
        let taken = std::mem::take(&mut self.hits);
        self.read(fields, taken.into()).map(Some)
    }

    /// The file.
    pub(crate) fn path(&self) -> &str {
        &self.open.file.path
    }

    pub(crate) fn failed(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ColumnsError {
        self.open.failed(error)
    }

    /// Enters the next group that can contain a hit and finds its hits, which may be none. `false` at the end.
    async fn next_group(&mut self) -> Result<bool, ColumnsError> {
        while let Some(group) = self.ahead.pop_front() {
            if self.ruled_out(group).await? {
                continue;
            }
            self.group = group;
            self.hits = self.find(group).await?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn find(&self, group: usize) -> Result<VecDeque<Range<usize>>, ColumnsError> {
        let fields = self.predicate.fields();
        if fields.is_empty() {
            return Ok(std::iter::once(0..self.rows(group)).collect());
        }
        let builder = self.open.group(group, &fields).with_batch_size(ROWS_PER_BATCH);
        let mut stream = builder.build().map_err(|error| self.open.failed(error))?;
        let mut found: VecDeque<Range<usize>> = VecDeque::new();
        let mut before = 0;
        while let Some(batch) = stream.try_next().await.map_err(|error| self.open.failed(error))? {
            let hits = self.predicate.hits(&batch).map_err(|error| self.open.failed(error))?;
            for (start, end) in hits.values().set_slices() {
                match found.back_mut() {
                    Some(last) if last.end == before + start => last.end = before + end,
                    _ => found.push_back(before + start..before + end),
                }
            }
            before += batch.num_rows();
        }
        Ok(found)
    }

    /// Takes the next hits off, at most so many, in the order of the file.
    fn take(&mut self, most: usize) -> Vec<Range<usize>> {
        let mut taken = Vec::new();
        let mut left = most.max(1);
        while left > 0 {
            let next = match self.order {
                Order::OldestFirst => self.hits.pop_front(),
                Order::NewestFirst => self.hits.pop_back(),
            };
            let Some(range) = next else { break };
            let rows = range.len().min(left);
            left -= rows;
            match self.order {
                Order::OldestFirst => {
                    let middle = range.start + rows;
                    taken.push(range.start..middle);
                    if middle < range.end {
                        self.hits.push_front(middle..range.end);
                    }
                }
                Order::NewestFirst => {
                    let middle = range.end - rows;
                    taken.push(middle..range.end);
                    if range.start < middle {
                        self.hits.push_back(range.start..middle);
                    }
                }
            }
        }
        if self.order == Order::NewestFirst {
            taken.reverse();
        }
        taken
    }

    fn read(
        &self,
        fields: &[Field],
        hits: Vec<Range<usize>>,
    ) -> Result<ParquetRecordBatchStream<Source>, ColumnsError> {
        let rows = self.rows(self.group);
        let mut builder = self.open.group(self.group, fields).with_batch_size(ROWS_PER_BATCH);
        if hits.iter().map(Range::len).sum::<usize>() < rows {
            builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(hits.into_iter(), rows));
        }
        builder.build().map_err(|error| self.open.failed(error))
    }

    fn rows(&self, group: usize) -> usize {
        let group = self.open.metadata().row_groups().get(group);
        group.and_then(|group| usize::try_from(group.num_rows()).ok()).unwrap_or(0)
    }

    /// Whether bloom filters say that a group contains no hit.
    async fn ruled_out(&self, group: usize) -> Result<bool, ColumnsError> {
        for (column, text) in self.predicate.equal() {
            if !has_bloom_filter(column) {
                continue;
            }
            let field = Field::Text(column);
            let mut builder = self.open.group(group, &[]);
            let filter = builder.get_row_group_column_bloom_filter(group, field.position()).await;
            if filter.map_err(|error| self.open.failed(error))?.is_some_and(|filter| !filter.check(text)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The columns that files have bloom filters of.
pub(crate) fn has_bloom_filter(column: Column) -> bool {
    matches!(column, Column::Credential | Column::RequestId)
}

/// Whether statistics leave it open that a group contains a hit.
fn may_contain(group: &RowGroupMetaData, predicate: &Predicate) -> bool {
    let statistics = |field: Field| group.columns().get(field.position()).and_then(|column| column.statistics());
    let bounds = |field| match statistics(field) {
        Some(Statistics::Int64(values)) => values.min_opt().copied().zip(values.max_opt().copied()),
        _ => None,
    };
    let times = bounds(Field::Time).unwrap_or((i64::MIN, i64::MAX));
    let sequences = bounds(Field::Sequence).map_or((0, u64::MAX), |(first, last)| {
        (u64::try_from(first).unwrap_or(0), u64::try_from(last).unwrap_or(u64::MAX))
    });
    let texts_may_match = predicate.equal().all(|(column, wanted)| {
        let Some(Statistics::ByteArray(values)) = statistics(Field::Text(column)) else {
            return true;
        };
        let above = values.min_opt().is_none_or(|least| least.data() <= wanted.as_bytes());
        let below = values.max_opt().is_none_or(|most| wanted.as_bytes() <= most.data());
        above && below
    });
    predicate.wanted().may_be_within(times, sequences) && texts_may_match
}
