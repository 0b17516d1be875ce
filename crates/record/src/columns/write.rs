//! A Parquet file in the making, in memory: rows come in the order of their sequence, and out come bytes and what the
//! manifest says of them.
//!
//! The order is that of the journal, which is the order of time but for the moments that concurrent checks overtake
//! each other by: statistics of time stay as narrow, and a listing needs no sorting.

use crate::column::Column;
use crate::columns::error::ColumnsError;
use crate::columns::hours::{self, Hours};
use crate::columns::manifest::DataFile;
use crate::columns::name;
use crate::columns::schema::{Field, schema};
use crate::record::Decision;
use arrow::array::AsArray;
use arrow::datatypes::{TimestampMicrosecondType, UInt64Type};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

/// Rows that are read, or passed over, together, unless the options say otherwise.
pub(crate) const ROWS_PER_GROUP: usize = 256 << 10;
/// Rows that are decompressed together.
const ROWS_PER_PAGE: usize = 8 << 10;
const ZSTD_LEVEL: i32 = 3;
/// One in a hundred groups is read in vain for a credential that it does not have.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;
/// One in twenty: the filter has a place for every record, and this halves it to a byte.
const BLOOM_FALSE_POSITIVES_OF_REQUESTS: f64 = 0.05;

pub(crate) struct FileWriter {
    writer: ArrowWriter<Vec<u8>>,
    outline: Outline,
    hours: Hours,
}

/// What the manifest says of the rows of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline {
    rows: u64,
    allowed: u64,
    denied: u64,
    time_us_min: i64,
    time_us_max: i64,
    first_sequence: u64,
    last_sequence: u64,
}

impl FileWriter {
    /// A file whose rows are read, or passed over, so many together.
    pub(crate) fn new(group_rows: usize) -> Result<Self, ColumnsError> {
        // Without the hint that would make other readers bring texts to memory as this program does.
        let options = ArrowWriterOptions::new().with_properties(properties(group_rows)?).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema(), options).map_err(failed)?;
        Ok(Self { writer, outline: Outline::default(), hours: Hours::default() })
    }

    /// Adds rows, all with sequences above those before.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), ColumnsError> {
        let hours = &mut self.hours;
        self.outline.add(batch, |time_us, decision, checks| hours.add(time_us, decision, checks));
        self.writer.write(batch).map_err(failed)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.outline.rows
    }

    /// The bytes of the file, and what the manifest says of it. `version` is that of the manifest that will list it.
    pub(crate) fn finish(
        mut self,
        organization: Option<&str>,
        day: i64,
        version: u64,
    ) -> Result<(Vec<u8>, DataFile), ColumnsError> {
        self.writer.append_key_value_metadata(KeyValue::new(hours::KEY.to_owned(), self.hours.to_text()));
        let bytes = self.writer.into_inner().map_err(failed)?;
        let Outline { rows, allowed, denied, time_us_min, time_us_max, first_sequence, last_sequence } = self.outline;
        let file = DataFile {
            path: name::path(organization, day, first_sequence, last_sequence, version),
            organization: organization.map(str::to_owned),
            day,
            rows,
            allowed,
            denied,
            bytes: bytes.len() as u64,
            time_us_min,
            time_us_max,
            first_sequence,
            last_sequence,
            sha256: name::digest_of(&bytes),
        };
        Ok((bytes, file))
    }
}

impl Default for Outline {
    fn default() -> Self {
        Self {
            rows: 0,
            allowed: 0,
            denied: 0,
            time_us_min: i64::MAX,
            time_us_max: i64::MIN,
            first_sequence: u64::MAX,
            last_sequence: 0,
        }
    }
}

impl Outline {
    /// Adds rows, of which at least time, sequence, decision and count are here; `each` hears of every row.
    pub(crate) fn add(&mut self, batch: &RecordBatch, mut each: impl FnMut(i64, Decision, u64)) {
        self.rows += batch.num_rows() as u64;
        let column = |field: Field| batch.column_by_name(field.name());
        if let Some(sequences) = column(Field::Sequence).and_then(|column| column.as_primitive_opt::<UInt64Type>()) {
            self.first_sequence = sequences.values().iter().copied().fold(self.first_sequence, u64::min);
            self.last_sequence = sequences.values().iter().copied().fold(self.last_sequence, u64::max);
        }
        let times = column(Field::Time).and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let decisions = column(Field::Decision).and_then(|column| column.as_string_view_opt());
        let counts = column(Field::Count).and_then(|column| column.as_primitive_opt::<UInt64Type>());
        if let (Some(times), Some(decisions), Some(counts)) = (times, decisions, counts) {
            for ((time_us, decision), checks) in times.values().iter().zip(decisions).zip(counts.values()) {
                self.time_us_min = self.time_us_min.min(*time_us);
                self.time_us_max = self.time_us_max.max(*time_us);
                if let Some(decision) = decision.and_then(Decision::parse) {
                    let sum = if decision == Decision::Allow { &mut self.allowed } else { &mut self.denied };
                    *sum = sum.saturating_add(*checks);
                    each(*time_us, decision, *checks);
                }
            }
        }
    }

    /// Whether the manifest says this of a file.
    pub(crate) fn is_of(&self, file: &DataFile) -> bool {
        (self.rows, self.allowed, self.denied) == (file.rows, file.allowed, file.denied)
            && (self.time_us_min, self.time_us_max) == (file.time_us_min, file.time_us_max)
            && (self.first_sequence, self.last_sequence) == (file.first_sequence, file.last_sequence)
    }
}

/// How files are written, here and in exports.
pub(crate) fn properties(group_rows: usize) -> Result<WriterProperties, ColumnsError> {
    let path = |field: Field| ColumnPath::from(field.name());
    let sequence = i32::try_from(Field::Sequence.position()).unwrap_or_default();
    let (credential, request_id) = (Field::Text(Column::Credential), Field::Text(Column::RequestId));
    Ok(WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("tegata ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).map_err(failed)?))
        .set_max_row_group_row_count(Some(group_rows.max(1)))
        .set_data_page_row_count_limit(ROWS_PER_PAGE)
        .set_write_batch_size(1024)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![SortingColumn { column_idx: sequence, descending: false, nulls_first: false }]))
        .set_column_dictionary_enabled(path(Field::Time), false)
        .set_column_encoding(path(Field::Time), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(path(Field::Sequence), false)
        .set_column_encoding(path(Field::Sequence), Encoding::DELTA_BINARY_PACKED)
        // Every request has its own: a dictionary would only be given up halfway.
        .set_column_dictionary_enabled(path(request_id), false)
        .set_column_encoding(path(request_id), Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_statistics_enabled(path(request_id), EnabledStatistics::None)
        .set_column_bloom_filter_enabled(path(credential), true)
        .set_column_bloom_filter_fpp(path(credential), BLOOM_FALSE_POSITIVES)
        .set_column_bloom_filter_enabled(path(request_id), true)
        .set_column_bloom_filter_fpp(path(request_id), BLOOM_FALSE_POSITIVES_OF_REQUESTS)
        .build())
}

fn failed(error: parquet::errors::ParquetError) -> ColumnsError {
    ColumnsError::store("make", "a file of columns", error)
}

#[cfg(test)]
mod tests;
