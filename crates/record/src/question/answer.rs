//! What SQL answers, as JSON: numbers as numbers where they are exact, times as RFC 3339, everything else as text.

use crate::time::Rfc3339;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use serde_json::Value;

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlColumn {
    /// Its name, as the statement has it.
    pub name: String,
    /// Its kind: `text`, `integer`, `number`, `boolean`, `time`, or `other`, which is shown as text.
    pub kind: &'static str,
}

/// What a statement yields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SqlAnswer {
    /// The columns.
    pub columns: Vec<SqlColumn>,
    /// The rows, each with a value for each column.
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more rows than the limits allow.
    pub truncated: bool,
}

impl SqlColumn {
    pub(crate) fn new(name: &str, data_type: &DataType) -> Self {
        let kind = match data_type {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
            kind if kind.is_integer() => "integer",
            kind if kind.is_floating() => "number",
            DataType::Boolean => "boolean",
            DataType::Timestamp(_, _) => "time",
            _ => "other",
        };
        Self { name: name.to_owned(), kind }
    }
}

/// The rows of a batch, at most so many.
pub(crate) fn rows(batch: &RecordBatch, most: usize) -> Result<Vec<Vec<Value>>, ArrowError> {
    let count = batch.num_rows().min(most);
    let batch = batch.slice(0, count);
    let mut rows: Vec<Vec<Value>> = (0..count).map(|_| Vec::with_capacity(batch.num_columns())).collect();
    for column in batch.columns() {
        for (row, value) in rows.iter_mut().zip(values(column)?) {
            row.push(value);
        }
    }
    Ok(rows)
}

fn values(column: &dyn Array) -> Result<Vec<Value>, ArrowError> {
    let kind = column.data_type();
    let as_kind = |kind: &DataType| arrow::compute::cast(column, kind);
    let rows = 0..column.len();
    let values: Vec<Value> = if kind.is_unsigned_integer() {
        let numbers = as_kind(&DataType::UInt64)?;
        let numbers = numbers.as_primitive::<UInt64Type>();
        rows.map(|row| numbers.is_valid(row).then(|| numbers.value(row)).into()).collect()
    } else if kind.is_integer() {
        let numbers = as_kind(&DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        rows.map(|row| numbers.is_valid(row).then(|| numbers.value(row)).into()).collect()
    } else if kind.is_floating() {
        let numbers = as_kind(&DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        // JSON knows no infinity.
        rows.map(|row| numbers.is_valid(row).then(|| numbers.value(row)).into()).collect()
    } else if let DataType::Timestamp(_, zone) = kind {
        let times = as_kind(&DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
        let times = times.as_primitive::<TimestampMicrosecondType>();
        rows.map(|row| times.is_valid(row).then(|| Rfc3339(times.value(row)).to_string()).into()).collect()
    } else if let DataType::Boolean = kind {
        let values = column.as_boolean();
        rows.map(|row| values.is_valid(row).then(|| values.value(row)).into()).collect()
    } else {
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(column, &options)?;
        let text = |row| formatter.value(row).try_to_string();
        let value = |row| if column.is_valid(row) { text(row).map(Value::from) } else { Ok(Value::Null) };
        rows.map(value).collect::<Result<_, _>>()?
    };
    Ok(values)
}
