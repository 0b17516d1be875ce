//! A filter held against columns: which groups of a file can contain a hit, and which rows are one.
//!
//! The same filter is held against rows of the journal. Both have to say the same of the same record: a test asks both.

use crate::column::Column;
use crate::columns::schema::Field;
use crate::filter::{Filter, Number, Test};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringViewArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{TimestampMicrosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use std::ops::RangeInclusive;

/// A filter, and the sequences that it is about.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    pub(crate) sequences: RangeInclusive<u64>,
}

/// What is left to be looked at in a file, once what the manifest says of all its rows is left out.
#[derive(Debug, Clone)]
pub(crate) struct Predicate {
    wanted: Wanted,
    check_time: bool,
    check_sequence: bool,
    check_organization: bool,
}

impl Wanted {
    /// Whether a block with these bounds can contain a hit.
    pub(crate) fn may_be_within(&self, times: (i64, i64), sequences: (u64, u64)) -> bool {
        self.filter.may_match(times.0, times.1)
            && sequences.1 >= *self.sequences.start()
            && sequences.0 <= *self.sequences.end()
    }
}

impl Predicate {
    /// What has to be looked at in a file with these bounds, all of whose rows are of one organization.
    pub(crate) fn new(wanted: Wanted, times: (i64, i64), sequences: (u64, u64), organization: Option<&str>) -> Self {
        let filter = &wanted.filter;
        let own = filter.tests().iter().all(|(column, test)| {
            *column != Column::Organization || organization.is_some_and(|id| test.passes(id.as_bytes()))
        });
        Self {
            check_time: !(filter.passes_time(times.0) && filter.passes_time(times.1)),
            check_sequence: !(wanted.sequences.contains(&sequences.0) && wanted.sequences.contains(&sequences.1)),
            check_organization: !own,
            wanted,
        }
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The columns that have to be looked at. If there are none, every row is a hit.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let filter = &self.wanted.filter;
        let mut fields = Vec::new();
        fields.extend(self.check_time.then_some(Field::Time));
        fields.extend(self.check_sequence.then_some(Field::Sequence));
        fields.extend(filter.decision().map(|_| Field::Decision));
        fields.extend(filter.numbers().map(|(number, _)| field_of(number)));
        fields.extend(self.tests().map(|(column, _)| Field::Text(*column)));
        if filter.text().is_some() {
            fields.extend([Field::Text(Column::Path), Field::Text(Column::Principal)]);
        }
        fields.dedup();
        fields
    }

    /// The tests of texts for equality, for statistics and bloom filters.
    pub(crate) fn equal(&self) -> impl Iterator<Item = (Column, &str)> {
        self.tests().filter_map(|(column, test)| match test {
            Test::Equal(wanted) => Some((*column, &**wanted)),
            Test::Prefix(_) => None,
        })
    }

    fn tests(&self) -> impl Iterator<Item = &(Column, Test)> {
        let tests = self.wanted.filter.tests().iter();
        tests.filter(|(column, _)| self.check_organization || *column != Column::Organization)
    }

    /// Which rows of a batch, which has at least [`Self::fields`], are hits.
    pub(crate) fn hits(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let rows = batch.num_rows();
        let mut hits = BooleanBuffer::new_set(rows);
        let filter = &self.wanted.filter;
        if self.check_time {
            let times = column(batch, Field::Time)?.as_primitive::<TimestampMicrosecondType>().values();
            hits = &hits & &BooleanBuffer::collect_bool(rows, |row| filter.passes_time(times[row]));
        }
        if self.check_sequence {
            let sequences = column(batch, Field::Sequence)?.as_primitive::<UInt64Type>().values();
            hits = &hits & &BooleanBuffer::collect_bool(rows, |row| self.wanted.sequences.contains(&sequences[row]));
        }
        if let Some(decision) = filter.decision() {
            let decisions = column(batch, Field::Decision)?.as_string_view();
            hits = &hits & &equal(decisions, decision.as_str());
        }
        for (number, wanted) in filter.numbers() {
            hits = &hits & &same_number(column(batch, field_of(number))?, number, wanted);
        }
        for (tested, test) in self.tests() {
            let texts = column(batch, Field::Text(*tested))?.as_string_view();
            let passing = match test {
                Test::Equal(wanted) => equal(texts, wanted),
                Test::Prefix(_) => passing(texts, |text| test.passes(text.as_bytes())),
            };
            hits = &hits & &passing;
        }
        if let Some(text) = filter.text() {
            let paths = column(batch, Field::Text(Column::Path))?.as_string_view();
            let principals = column(batch, Field::Text(Column::Principal))?.as_string_view();
            let within = |column| passing(column, |value| text.is_in(value.as_bytes()));
            hits = &hits & &(&within(paths) | &within(principals));
        }
        Ok(BooleanArray::new(hits, None))
    }
}

fn field_of(number: Number) -> Field {
    match number {
        Number::Alternative => Field::Alternative,
        Number::RuleVersion => Field::RuleVersion,
        Number::CatalogueVersion => Field::CatalogueVersion,
    }
}

fn column(batch: &RecordBatch, field: Field) -> Result<&ArrayRef, ArrowError> {
    let found = batch.column_by_name(field.name()).filter(|column| {
        let schema = crate::columns::schema::schema();
        column.data_type() == schema.field(field.position()).data_type()
    });
    found.ok_or_else(|| ArrowError::SchemaError(format!("the column `{}` is missing or of another kind", field.name())))
}

fn same_number(column: &ArrayRef, number: Number, wanted: u64) -> BooleanBuffer {
    let rows = column.len();
    match number {
        Number::Alternative => {
            let numbers = column.as_primitive::<UInt16Type>();
            BooleanBuffer::collect_bool(rows, |row| numbers.is_valid(row) && u64::from(numbers.value(row)) == wanted)
        }
        Number::RuleVersion => {
            let numbers = column.as_primitive::<UInt32Type>();
            BooleanBuffer::collect_bool(rows, |row| u64::from(numbers.value(row)) == wanted)
        }
        Number::CatalogueVersion => {
            let numbers = column.as_primitive::<UInt64Type>();
            BooleanBuffer::collect_bool(rows, |row| numbers.value(row) == wanted)
        }
    }
}

fn equal(texts: &StringViewArray, wanted: &str) -> BooleanBuffer {
    passing(texts, |text| text == wanted)
}

fn passing(texts: &StringViewArray, passes: impl Fn(&str) -> bool) -> BooleanBuffer {
    BooleanBuffer::collect_bool(texts.len(), |row| texts.is_valid(row) && passes(texts.value(row)))
}

#[cfg(test)]
mod tests;
