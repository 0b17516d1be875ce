//! Parquet: one file, with the columns that the log's own files have, for other engines.

use crate::columns::batch::BatchBuilder;
use crate::columns::schema::schema;
use crate::columns::write::{ROWS_PER_GROUP, properties};
use crate::export::{ExportError, Progress};
use crate::journal::ReadError;
use crate::record::Record;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use std::io::{self, Write};

const ROWS_PER_BATCH: usize = 8 << 10;

/// Writes the records as one Parquet file and returns how many there were. `on_progress` hears the count now and then,
/// and at the end. The file can be read only when it is whole.
pub fn parquet<W: Write + Send>(
    writer: W,
    records: impl IntoIterator<Item = Result<Record, ReadError>>,
    on_progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let mut progress = Progress::new(on_progress);
    let made = properties(ROWS_PER_GROUP).map_err(|error| progress.failed(io::Error::other(error)))?;
    let options = ArrowWriterOptions::new().with_properties(made).with_skip_arrow_metadata(true);
    let mut out = ArrowWriter::try_new_with_options(writer, schema(), options)
        .map_err(|error| progress.failed(refused(error)))?;
    let mut builder = BatchBuilder::with_capacity(ROWS_PER_BATCH);
    for record in records {
        builder.push(&record?.view());
        if builder.rows() == ROWS_PER_BATCH {
            let full = std::mem::replace(&mut builder, BatchBuilder::with_capacity(ROWS_PER_BATCH));
            write(&mut out, full).map_err(|error| progress.failed(error))?;
        }
        progress.one_more();
    }
    write(&mut out, builder).map_err(|error| progress.failed(error))?;
    out.close().map_err(|error| progress.failed(refused(error)))?;
    Ok(progress.finish())
}

fn write<W: Write + Send>(out: &mut ArrowWriter<W>, rows: BatchBuilder) -> io::Result<()> {
    if rows.rows() == 0 {
        return Ok(());
    }
    let batch = rows.finish().map_err(|error: ArrowError| io::Error::other(error))?;
    out.write(&batch).map_err(refused)
}

/// What the writer below said, if it was that.
fn refused(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::batch;
    use crate::testing::{full_record, written};
    use bytes::Bytes;
    use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

    fn read(bytes: Vec<u8>) -> Vec<Record> {
        let options = ArrowReaderOptions::new().with_schema(schema());
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Bytes::from(bytes), options).unwrap();
        builder.build().unwrap().flat_map(|read| batch::records(&read.unwrap()).unwrap()).collect()
    }

    #[test]
    fn a_file_holds_every_record_as_it_is() {
        let records: Vec<Record> = (1..=10_000)
            .map(|sequence| Record { sequence, ..written(&full_record()) })
            .map(|record| Record { id: crate::RecordId::new(record.time_us, 7, record.sequence), ..record })
            .collect();
        let (mut bytes, mut reports) = (Vec::new(), Vec::new());
        let count = parquet(&mut bytes, records.iter().cloned().map(Ok), |count| reports.push(count)).unwrap();
        assert_eq!((count, reports.last()), (10_000, Some(&10_000)));
        assert_eq!(read(bytes), records);
    }

    #[test]
    fn nothing_is_a_file_too() {
        let mut bytes = Vec::new();
        assert_eq!(parquet(&mut bytes, [], |_| ()).unwrap(), 0);
        assert_eq!(read(bytes), []);
    }

    #[test]
    fn a_writer_that_refuses_is_told_of() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let records = (0..20_000).map(|_| Ok(written(&full_record())));
        let refused = parquet(Full, records, |_| ());
        assert!(
            matches!(refused, Err(ExportError::Write { source, .. }) if source.kind() == io::ErrorKind::StorageFull)
        );
        let unreadable = ReadError { path: "x".into(), source: io::Error::other("broken") };
        assert!(matches!(parquet(Vec::new(), [Err(unreadable)], |_| ()), Err(ExportError::Read(_))));
    }
}
