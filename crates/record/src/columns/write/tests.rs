//! What other programs find in a file.

use super::*;
use crate::columns::batch::BatchBuilder;
use crate::id::RecordId;
use crate::record::{NewRecord, RecordView};
use crate::testing::{T0, full_record};
use arrow::datatypes::{DataType, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::PageIndexPolicy;

fn file(rows: i64) -> (Bytes, DataFile) {
    let mut writer = FileWriter::new(ROWS_PER_GROUP).unwrap();
    for numbers in (1..=rows).collect::<Vec<_>>().chunks(1_000) {
        let mut builder = BatchBuilder::with_capacity(numbers.len());
        for number in numbers {
            let (time_us, sequence) = (T0 + number, number.unsigned_abs());
            let decision = if number % 3 == 0 { crate::Decision::Deny } else { crate::Decision::Allow };
            let row = NewRecord { time_us, decision, level: None, ..full_record() };
            builder.push(&RecordView { id: RecordId::new(time_us, 7, sequence), sequence, row });
        }
        writer.push(&builder.finish().unwrap()).unwrap();
    }
    let (bytes, file) = writer.finish(Some("org_a"), 19_675, 3).unwrap();
    (bytes.into(), file)
}

#[test]
fn the_manifest_says_what_the_file_holds() {
    let (bytes, file) = file(2_500);
    assert_eq!((file.rows, file.allowed, file.bytes), (2_500, 1_667, bytes.len() as u64));
    assert_eq!((file.first_sequence, file.last_sequence), (1, 2_500));
    assert_eq!((file.time_us_min, file.time_us_max), (T0 + 1, T0 + 2_500));
    assert_eq!(file.path, "org=org_a/day=2023-11-14/1-2500-3.parquet");
    assert_eq!(file.sha256, name::digest_of(&bytes));
}

#[test]
fn types_are_those_that_every_engine_knows() {
    let (bytes, _) = file(10);
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let entries = builder.metadata().file_metadata().key_value_metadata().unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(),
        [hours::KEY],
        "no hints for one library"
    );
    let kind = |name: &str| builder.schema().field_with_name(name).unwrap().data_type().clone();
    assert_eq!(kind("time"), DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    assert_eq!(kind("sequence"), DataType::UInt64);
    assert_eq!(kind("journal"), DataType::UInt16);
    assert_eq!(kind("alternative"), DataType::UInt16);
    assert_eq!(kind("rule_version"), DataType::UInt32);
    assert_eq!(kind("path"), DataType::Utf8);
    assert_eq!(kind("decision"), DataType::Utf8);
}

#[test]
fn groups_have_statistics_pages_an_index_and_credentials_a_bloom_filter() {
    let (bytes, _) = file(20_000);
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).unwrap();
    let metadata = builder.metadata();
    let group = metadata.row_group(0);
    let column = |field: Field| group.column(field.position());
    assert!(column(Field::Time).statistics().is_some() && column(Field::Text(Column::Endpoint)).statistics().is_some());
    let pages = metadata.offset_index().unwrap()[0][Field::Time.position()].page_locations().len();
    assert_eq!(pages, 3, "8,192 rows on a page");
    let credential = Field::Text(Column::Credential);
    let filter = builder.get_row_group_column_bloom_filter(0, credential.position()).unwrap().unwrap();
    assert!(filter.check("tok_1") && !filter.check("tok_2"));
}
