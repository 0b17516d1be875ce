//! Who and what comes up most often.

use crate::column::Column;
use crate::columns::ColumnsError;
use crate::columns::schema::Field;
use crate::journal::ReadError;
use crate::log::AccessLog;
use crate::query::Query;
use crate::question::session::{TABLE, session};
use crate::question::table::RecordsTable;
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Expr, cast, col, lit};
use serde::Serialize;

const ENTRIES_MAX: usize = 1_000;
const MEMORY_BYTES: usize = 512 << 20;

/// A column that can be counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopOf {
    /// The credentials that were shown.
    Credential,
    /// Those who called.
    Principal,
    /// The permissions that decided.
    Permission,
    /// The endpoints that were called.
    Endpoint,
    /// Why.
    Reason,
    /// Where calls came from.
    Address,
}

/// A value and how often it comes up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopEntry {
    /// The value; `None` for records that have none.
    pub value: Option<String>,
    /// How many of its checks were allowed.
    pub allowed: u64,
    /// How many were denied; a summary counts for all that it stands for.
    pub denied: u64,
}

/// Why it cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum TopError {
    /// There are too many different values to count them in the memory that is set aside for it.
    #[error("there are too many different values; make the time shorter")]
    TooMany,
    /// Records could not be read.
    #[error("records could not be read")]
    Read(#[from] ReadError),
}

impl TopOf {
    const fn column(self) -> Column {
        match self {
            Self::Credential => Column::Credential,
            Self::Principal => Column::Principal,
            Self::Permission => Column::Permission,
            Self::Endpoint => Column::Endpoint,
            Self::Reason => Column::Reason,
            Self::Address => Column::Address,
        }
    }
}

impl AccessLog {
    /// The values of a column that come up most often among the records that pass, at most `most` (and never more than
    /// 1,000), the most frequent first, then by value.
    pub fn top(&self, query: &Query<'_>, of: TopOf, most: usize) -> std::result::Result<Vec<TopEntry>, TopError> {
        let table = self.table(self.view()?, crate::log::wanted(query, None));
        let answered = self.engine.run(async move { top(table, of, most.clamp(1, ENTRIES_MAX)).await });
        answered.map_err(ReadError::from)?.map_err(told)
    }
}

async fn top(table: RecordsTable, of: TopOf, most: usize) -> Result<Vec<TopEntry>> {
    let context = session(table, MEMORY_BYTES)?;
    let value = col(Field::Text(of.column()).name());
    let integer = |number: Expr| cast(number, arrow::datatypes::DataType::Int64);
    let checks = || integer(col(Field::Count.name()));
    let allowed = integer(col(Field::Decision.name()).eq(lit("allow"))) * checks();
    let all = sum(checks()).alias("all");
    let frame = context
        .table(TABLE)
        .await?
        .aggregate(vec![value.alias("value")], vec![all, sum(allowed).alias("allowed")])?
        .sort(vec![col("all").sort(false, false), col("value").sort(true, true)])?
        .limit(0, Some(most))?;
    let mut entries = Vec::new();
    for batch in frame.collect().await? {
        let numbers = |name| batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let values = batch.column_by_name("value").and_then(|column| column.as_string_view_opt());
        let (Some(all), Some(allowed), Some(values)) = (numbers("all"), numbers("allowed"), values) else {
            return Err(DataFusionError::Internal("the counts came back as something else".to_owned()));
        };
        for row in 0..batch.num_rows() {
            let value = values.is_valid(row).then(|| values.value(row).to_owned());
            let allowed = u64::try_from(allowed.value(row)).unwrap_or(0);
            let all = u64::try_from(all.value(row)).unwrap_or(0);
            entries.push(TopEntry { value, allowed, denied: all.saturating_sub(allowed) });
        }
    }
    Ok(entries)
}

#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn told(error: DataFusionError) -> TopError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => TopError::TooMany,
        _ => TopError::Read(ColumnsError::store("read", "columns", error.strip_backtrace()).into()),
    }
}
