//! The records of a view as a table for the query engine, with a filter that it cannot lift.

use crate::columns::batch::BatchBuilder;
use crate::columns::predicate::Wanted;
use crate::columns::scan::FileScan;
use crate::columns::schema::{Field, schema};
use crate::columns::{Columns, ColumnsError, DataFile};
use crate::journal::{Journal, Scan};
use crate::log::View;
use crate::query::Order;
use crate::question::guard;
use arrow::array::RecordBatchOptions;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures_util::{StreamExt, TryStreamExt, stream};
use parquet::arrow::async_reader::ParquetRecordBatchStream;
use std::fmt;
use std::sync::Arc;

const ROWS_PER_BATCH: usize = 8 << 10;

/// What passes a filter, as a table.
pub(crate) struct RecordsTable {
    pub(crate) journal: Arc<Journal>,
    pub(crate) columns: Arc<Columns>,
    pub(crate) view: View,
    pub(crate) wanted: Wanted,
    pub(crate) partitions: usize,
}

impl fmt::Debug for RecordsTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("RecordsTable")
    }
}

/// A share of the rows: some files, or what is in the journal.
struct Share {
    columns: Arc<Columns>,
    wanted: Wanted,
    files: Vec<Arc<DataFile>>,
    tail: Option<(Arc<Journal>, View)>,
    fields: Vec<Field>,
    schema: SchemaRef,
}

/// How far a share has been read.
struct Reading {
    columns: Arc<Columns>,
    wanted: Wanted,
    files: Vec<Arc<DataFile>>,
    tail: Option<Scan>,
    fields: Vec<Field>,
    schema: SchemaRef,
    scan: Option<FileScan>,
    group: Option<ParquetRecordBatchStream<crate::columns::Source>>,
}

#[async_trait]
impl TableProvider for RecordsTable {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters that are understood rule out files and rows before they are read. The engine tests them all again.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut wanted = self.wanted.clone();
        for filter in filters {
            guard::narrow(&mut wanted, filter);
        }
        let fields: Vec<Field> = match projection {
            Some(positions) => positions.iter().filter_map(|at| Field::ALL.get(*at).copied()).collect(),
            None => Field::ALL.to_vec(),
        };
        let schema = Arc::new(schema().project(&fields.iter().map(|field| field.position()).collect::<Vec<_>>())?);
        let share = |files, tail| -> Arc<dyn PartitionStream> {
            let (columns, wanted) = (Arc::clone(&self.columns), wanted.clone());
            Arc::new(Share { columns, wanted, files, tail, fields: fields.clone(), schema: Arc::clone(&schema) })
        };
        let mut shares = vec![share(Vec::new(), Some((Arc::clone(&self.journal), self.view.clone())))];
        let files = Columns::select(&self.view.manifest, &wanted);
        shares.extend(divide(files, self.partitions).into_iter().map(|files| share(files, None)));
        // The engine asks for a limit only where no filter of its own follows, and may get more.
        let plan = StreamingTableExec::try_new(Arc::clone(&schema), shares, None, None, false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// Files in so many shares of about the same number of rows.
fn divide(mut files: Vec<Arc<DataFile>>, shares: usize) -> Vec<Vec<Arc<DataFile>>> {
    files.sort_by_key(|file| std::cmp::Reverse(file.rows));
    let mut divided: Vec<(u64, Vec<Arc<DataFile>>)> = vec![(0, Vec::new()); shares.max(1)];
    for file in files {
        if let Some((rows, share)) = divided.iter_mut().min_by_key(|(rows, _)| *rows) {
            *rows += file.rows;
            share.push(file);
        }
    }
    divided.into_iter().map(|(_, share)| share).filter(|share| !share.is_empty()).collect()
}

impl fmt::Debug for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Share({} files)", self.files.len())
    }
}

impl PartitionStream for Share {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let tail = self.tail.as_ref().map(|(journal, view)| {
            let after = view.manifest.settled.max(self.wanted.sequences.start().saturating_sub(1));
            let before = self.wanted.sequences.end().checked_add(1);
            let (segments, filter) = (Arc::clone(&view.segments), self.wanted.filter.clone());
            journal.scan_of(segments, filter, Order::OldestFirst, after, before)
        });
        let reading = Reading {
            columns: Arc::clone(&self.columns),
            wanted: self.wanted.clone(),
            files: self.files.clone(),
            tail,
            fields: self.fields.clone(),
            schema: Arc::clone(&self.schema),
            scan: None,
            group: None,
        };
        let batches = stream::try_unfold(reading, |mut reading| async move {
            let next = reading.next().await.map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(next.map(|batch| (batch, reading)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches.boxed()))
    }
}

impl Reading {
    async fn next(&mut self) -> std::result::Result<Option<RecordBatch>, ColumnsError> {
        if let Some(batch) = self.next_of_journal()? {
            return Ok(Some(batch));
        }
        loop {
            if let Some(group) = &mut self.group {
                if let Some(batch) = group.try_next().await.map_err(|error| self.failed(error))? {
                    return self.arrange(&batch).map(Some);
                }
                self.group = None;
            }
            if let Some(scan) = &mut self.scan {
                self.group = scan.group_stream(&self.fields).await?;
                if self.group.is_some() {
                    continue;
                }
                self.scan = None;
            }
            let Some(file) = self.files.pop() else {
                return Ok(None);
            };
            let (reader, wanted) = (&self.columns.reader, self.wanted.clone());
            self.scan = Some(FileScan::start(reader, &file, wanted, Order::OldestFirst).await?);
        }
    }

    fn next_of_journal(&mut self) -> std::result::Result<Option<RecordBatch>, ColumnsError> {
        let Some(scan) = &mut self.tail else {
            return Ok(None);
        };
        let mut builder = BatchBuilder::with_capacity(ROWS_PER_BATCH);
        while builder.rows() < ROWS_PER_BATCH {
            match scan.next_view()? {
                Some(record) => builder.push(&record),
                None => break,
            }
        }
        if builder.rows() < ROWS_PER_BATCH {
            self.tail = None;
        }
        if builder.rows() == 0 {
            return Ok(None);
        }
        let batch = builder.finish().map_err(|error| ColumnsError::store("read", "the journal", error))?;
        self.arrange(&batch).map(Some)
    }

    /// The wanted columns in the wanted order.
    fn arrange(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ColumnsError> {
        let columns = self.fields.iter().filter_map(|field| batch.column_by_name(field.name()).cloned()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ColumnsError {
        let path = self.scan.as_ref().map_or("the journal", FileScan::path);
        ColumnsError::store("read", path, error)
    }
}
