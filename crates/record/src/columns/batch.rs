//! Rows as columns in memory, and back. Nothing is lost either way: a record that went through both is the same.

use crate::column::{self, Column};
use crate::columns::schema::{Field, schema};
use crate::id::RecordId;
use crate::record::{Decision, NewRecord, Record, RecordView};
use arrow::array::{
    Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder, TimestampMicrosecondBuilder, UInt16Array,
    UInt16Builder, UInt32Builder, UInt64Builder,
};
use arrow::datatypes::{TimestampMicrosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use std::sync::Arc;

/// Collects rows.
pub(crate) struct BatchBuilder {
    time: TimestampMicrosecondBuilder,
    sequence: UInt64Builder,
    journal: UInt16Builder,
    alternative: UInt16Builder,
    decision: StringViewBuilder,
    rule_version: UInt32Builder,
    catalogue_version: UInt64Builder,
    count: UInt64Builder,
    texts: [StringViewBuilder; column::COUNT],
    rows: usize,
}

impl BatchBuilder {
    /// An empty batch with room for so many rows.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            time: TimestampMicrosecondBuilder::with_capacity(rows),
            sequence: UInt64Builder::with_capacity(rows),
            journal: UInt16Builder::with_capacity(rows),
            alternative: UInt16Builder::with_capacity(rows),
            decision: StringViewBuilder::with_capacity(rows),
            rule_version: UInt32Builder::with_capacity(rows),
            catalogue_version: UInt64Builder::with_capacity(rows),
            count: UInt64Builder::with_capacity(rows),
            texts: std::array::from_fn(|_| StringViewBuilder::with_capacity(rows)),
            rows: 0,
        }
    }

    pub(crate) fn push(&mut self, record: &RecordView<'_>) {
        let row = &record.row;
        self.time.append_value(row.time_us);
        self.sequence.append_value(record.sequence);
        self.journal.append_value(record.id.tag());
        self.alternative.append_option(row.alternative);
        self.decision.append_value(row.decision.as_str());
        self.rule_version.append_value(row.rule_version);
        self.catalogue_version.append_value(row.catalogue_version);
        self.count.append_value(row.count);
        for (builder, text) in self.texts.iter_mut().zip(row.columns()) {
            builder.append_option(text);
        }
        self.rows += 1;
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let columns = Field::ALL.map(|field| -> ArrayRef {
            match field {
                Field::Time => Arc::new(self.time.finish().with_timezone("UTC")),
                Field::Sequence => Arc::new(self.sequence.finish()),
                Field::Journal => Arc::new(self.journal.finish()),
                Field::Alternative => Arc::new(self.alternative.finish()),
                Field::Decision => Arc::new(self.decision.finish()),
                Field::RuleVersion => Arc::new(self.rule_version.finish()),
                Field::CatalogueVersion => Arc::new(self.catalogue_version.finish()),
                Field::Count => Arc::new(self.count.finish()),
                Field::Text(column) => Arc::new(self.texts[column as usize].finish()),
            }
        });
        RecordBatch::try_new(schema(), columns.to_vec())
    }
}

/// The rows of a batch that has all columns.
pub(crate) struct Rows<'a> {
    time: &'a [i64],
    sequence: &'a [u64],
    journal: &'a [u16],
    alternative: &'a UInt16Array,
    decision: &'a StringViewArray,
    rule_version: &'a [u32],
    catalogue_version: &'a [u64],
    count: &'a [u64],
    texts: [&'a StringViewArray; column::COUNT],
}

impl<'a> Rows<'a> {
    pub(crate) fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let (time, sequence) = (place(batch, Field::Time)?, place(batch, Field::Sequence)?);
        let catalogue_version = place(batch, Field::CatalogueVersion)?;
        let decision = text(batch, Field::Decision)?;
        let mut texts = [decision; column::COUNT];
        for column in Column::ALL {
            texts[column as usize] = text(batch, Field::Text(column))?;
        }
        Ok(Self {
            time: time.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| wrong(Field::Time))?.values(),
            sequence: sequence.as_primitive_opt::<UInt64Type>().ok_or_else(|| wrong(Field::Sequence))?.values(),
            journal: short(batch, Field::Journal)?.values(),
            alternative: short(batch, Field::Alternative)?,
            decision,
            rule_version: place(batch, Field::RuleVersion)?
                .as_primitive_opt::<UInt32Type>()
                .ok_or_else(|| wrong(Field::RuleVersion))?
                .values(),
            catalogue_version: catalogue_version
                .as_primitive_opt::<UInt64Type>()
                .ok_or_else(|| wrong(Field::CatalogueVersion))?
                .values(),
            count: place(batch, Field::Count)?
                .as_primitive_opt::<UInt64Type>()
                .ok_or_else(|| wrong(Field::Count))?
                .values(),
            texts,
        })
    }

    /// The record in a row; `None` past the end, and for a decision that is none.
    pub(crate) fn view(&self, row: usize) -> Option<RecordView<'_>> {
        let (time_us, sequence) = (*self.time.get(row)?, *self.sequence.get(row)?);
        let mut texts = [None; column::COUNT];
        for (text, column) in texts.iter_mut().zip(self.texts) {
            *text = column.is_valid(row).then(|| column.value(row));
        }
        let new = NewRecord {
            alternative: self.alternative.is_valid(row).then(|| self.alternative.value(row)),
            rule_version: *self.rule_version.get(row)?,
            catalogue_version: *self.catalogue_version.get(row)?,
            count: *self.count.get(row)?,
            ..NewRecord::from_columns(time_us, Decision::parse(self.decision.value(row))?, &texts)
        };
        Some(RecordView { id: RecordId::new(time_us, *self.journal.get(row)?, sequence), sequence, row: new })
    }
}

/// The records of a batch that has all columns.
pub(crate) fn records(batch: &RecordBatch) -> Result<Vec<Record>, ArrowError> {
    let rows = Rows::new(batch)?;
    let record = |row| rows.view(row).map(|view| view.to_record()).ok_or_else(|| wrong(Field::Decision));
    (0..batch.num_rows()).map(record).collect()
}

fn place(batch: &RecordBatch, field: Field) -> Result<&ArrayRef, ArrowError> {
    batch.column_by_name(field.name()).ok_or_else(|| wrong(field))
}

fn short(batch: &RecordBatch, field: Field) -> Result<&UInt16Array, ArrowError> {
    place(batch, field)?.as_primitive_opt::<UInt16Type>().ok_or_else(|| wrong(field))
}

fn text(batch: &RecordBatch, field: Field) -> Result<&StringViewArray, ArrowError> {
    place(batch, field)?.as_string_view_opt().ok_or_else(|| wrong(field))
}

fn wrong(field: Field) -> ArrowError {
    ArrowError::SchemaError(format!("the column `{}` is missing or of another kind", field.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use crate::testing::record_parts;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_journal_row_comes_back_as_it_was(
            parts in prop::collection::vec(record_parts(), 0..8),
            tag: u16,
            first in 1..=RecordId::SEQUENCE_MAX - 8,
        ) {
            let payloads: Vec<Vec<u8>> = parts.iter().zip(first..).map(|(parts, sequence)| {
                let mut payload = Vec::new();
                codec::encode(&parts.as_new(), &mut payload);
                codec::set_sequence(&mut payload, sequence);
                payload
            }).collect();
            let written: Vec<Record> = payloads.iter()
                .map(|payload| codec::decode(payload).unwrap().view(tag).unwrap().to_record())
                .collect();
            let mut builder = BatchBuilder::with_capacity(parts.len());
            for record in &written {
                builder.push(&record.view());
            }
            prop_assert_eq!(builder.rows(), written.len());
            prop_assert_eq!(records(&builder.finish().unwrap()).unwrap(), written);
        }
    }

    #[test]
    fn a_batch_without_a_column_is_refused() {
        let batch = BatchBuilder::with_capacity(0).finish().unwrap();
        let fewer = batch.project(&[0, 1, 2]).unwrap();
        assert!(records(&fewer).is_err());
    }
}
