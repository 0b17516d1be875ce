//! Opening files: their metadata, which is kept for a while, and their bytes by range.

use crate::columns::error::ColumnsError;
use crate::columns::hours::{self, Hours};
use crate::columns::manifest::DataFile;
use crate::columns::schema::{Field, schema};
use crate::columns::store::Store;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of metadata that are kept. A file's are some ten thousand.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// How much is read from the end of a file at once, in the hope that it is all of the metadata.
const TAIL_BYTES: usize = 64 << 10;

/// Opens files.
#[derive(Debug)]
pub(crate) struct Reader {
    store: Store,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<String, ArrowReaderMetadata>,
    bytes: usize,
}

/// A file whose metadata is known.
#[derive(Debug, Clone)]
pub(crate) struct OpenFile {
    store: Store,
    pub(crate) file: Arc<DataFile>,
    metadata: ArrowReaderMetadata,
}

/// The bytes of a file, as its reader asks for them.
pub(crate) struct Source {
    store: Store,
    file: Arc<DataFile>,
    metadata: Option<Arc<ParquetMetaData>>,
}

impl Reader {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, kept: Mutex::new(Kept::default()) }
    }

    pub(crate) async fn open(&self, file: &Arc<DataFile>) -> Result<OpenFile, ColumnsError> {
        let kept = self.kept.lock().files.get(&file.path).cloned();
        let metadata = match kept {
            Some(metadata) => metadata,
            None => self.load(file).await?,
        };
        Ok(OpenFile { store: self.store.clone(), file: Arc::clone(file), metadata })
    }

    async fn load(&self, file: &Arc<DataFile>) -> Result<ArrowReaderMetadata, ColumnsError> {
        let failed = |error: ParquetError| ColumnsError::store("read", &file.path, error);
        let mut source = Source { store: self.store.clone(), file: Arc::clone(file), metadata: None };
        let metadata = source.get_metadata(None).await.map_err(failed)?;
        let bytes = metadata.memory_size();
        let options = ArrowReaderOptions::new().with_schema(schema());
        let metadata = ArrowReaderMetadata::try_new(metadata, options).map_err(failed)?;
        let mut kept = self.kept.lock();
        if kept.bytes + bytes > KEPT_BYTES_MAX {
            *kept = Kept::default();
        }
        if kept.files.insert(file.path.clone(), metadata.clone()).is_none() {
            kept.bytes += bytes;
        }
        Ok(metadata)
    }
}

impl OpenFile {
    pub(crate) fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// The counts by the hour, if the file has them and they are of all its rows, as the manifest counts them.
    pub(crate) fn hours(&self) -> Option<Hours> {
        let entries = self.metadata().file_metadata().key_value_metadata()?;
        let entry = entries.iter().find(|entry| entry.key == hours::KEY)?;
        Hours::parse(entry.value.as_ref()?).filter(|hours| hours.total() == [self.file.allowed, self.file.denied])
    }

    /// A reader of some columns of one group of rows.
    pub(crate) fn group(&self, group: usize, fields: &[Field]) -> ParquetRecordBatchStreamBuilder<Source> {
        let metadata = Some(Arc::clone(self.metadata.metadata()));
        let source = Source { store: self.store.clone(), file: Arc::clone(&self.file), metadata };
        let roots = fields.iter().map(|field| field.position());
        let projection = ProjectionMask::roots(self.metadata.parquet_schema(), roots);
        ParquetRecordBatchStreamBuilder::new_with_metadata(source, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(projection)
    }

    /// An error of the library that is about this file.
    pub(crate) fn failed(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ColumnsError {
        ColumnsError::store("read", &self.file.path, error)
    }
}

impl AsyncFileReader for Source {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        async move {
            let mut bytes = self.get_byte_ranges(vec![range]).await?;
            bytes.pop().ok_or_else(|| ParquetError::General("a range came back empty".to_owned()))
        }
        .boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            let read = self.store.ranges(&self.file.path, &ranges).await;
            read.map_err(|error| ParquetError::External(Box::new(error)))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        async move {
            if let Some(metadata) = &self.metadata {
                return Ok(Arc::clone(metadata));
            }
            let bytes = self.file.bytes;
            let reader = ParquetMetaDataReader::new()
                .with_page_index_policy(PageIndexPolicy::Optional)
                .with_prefetch_hint(Some(TAIL_BYTES));
            Ok(Arc::new(reader.load_and_finish(self, bytes).await?))
        }
        .boxed()
    }
}
