//! Read-only SQL for auditors, over the records of one organization.
//!
//! The table holds these records and no others, whatever the statement says: there is nothing in the engine that a
//! statement could reach beyond it.

use crate::columns::predicate::Wanted;
use crate::engine::Interrupted;
use crate::filter::Filter;
use crate::journal::ReadError;
use crate::log::{AccessLog, View};
use crate::query::Scope;
use crate::question::answer::{self, SqlAnswer, SqlColumn};
use crate::question::guard;
use crate::question::session::session;
use crate::question::table::RecordsTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SQLOptions, SessionContext};
use futures_util::StreamExt;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// No statement is longer, in bytes.
const STATEMENT_BYTES_MAX: usize = 10_000;
/// How much later than its time a statement is given up that does not even stop to look.
const GRACE: Duration = Duration::from_secs(2);

/// What a statement may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// Rows of the answer; there may be more, which the answer says.
    pub rows: usize,
    /// Bytes of the answer, about; as with rows.
    pub bytes: usize,
    /// Memory for sorting, grouping and joining, in bytes.
    pub memory_bytes: usize,
    /// How long it may take.
    pub time: Duration,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { rows: 10_000, bytes: 16 << 20, memory_bytes: 256 << 20, time: Duration::from_secs(30) }
    }
}

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The statement is none, or none that is allowed.
    #[error("the statement is refused: {0}")]
    Refused(String),
    /// It took too long.
    #[error("the statement took longer than {0:?}")]
    TookTooLong(Duration),
    /// It needed too much memory.
    #[error("the statement needs more memory than it may have")]
    NeedsTooMuch,
    /// It could be planned, but not carried out: a division by zero, a text that is no number.
    #[error("the statement failed: {0}")]
    Failed(String),
    /// Records could not be read.
    #[error("records could not be read")]
    Read(#[from] ReadError),
}

impl From<Interrupted> for SqlError {
    fn from(interrupted: Interrupted) -> Self {
        Self::Failed(interrupted.to_string())
    }
}

impl AccessLog {
    /// Answers a `SELECT` over the table `records`, which holds the records of one organization.
    pub fn sql(&self, organization: &str, statement: &str, limits: &SqlLimits) -> Result<SqlAnswer, SqlError> {
        if statement.len() > STATEMENT_BYTES_MAX {
            return Err(SqlError::Refused(format!("it is longer than {STATEMENT_BYTES_MAX} bytes")));
        }
        let filter = Filter::scope_only(Scope::Organization(organization));
        let table = self.table(self.view()?, Wanted { filter, sequences: 0..=u64::MAX });
        let (statement, limits) = (statement.to_owned(), *limits);
        let answer = self.engine.run_within(limits.time + GRACE, async move {
            match tokio::time::timeout(limits.time, answer(table, &statement, &limits)).await {
                Ok(answer) => answer,
                Err(_) => Err(SqlError::TookTooLong(limits.time)),
            }
        })?;
        answer.unwrap_or(Err(SqlError::TookTooLong(limits.time)))
    }

    /// What is wanted of a view, as a table.
    pub(crate) fn table(&self, view: View, wanted: Wanted) -> RecordsTable {
        let (journal, columns) = (Arc::clone(&self.journal), Arc::clone(&self.columns));
        RecordsTable { journal, columns, view, wanted, partitions: self.engine.threads() }
    }
}

async fn answer(table: RecordsTable, statement: &str, limits: &SqlLimits) -> Result<SqlAnswer, SqlError> {
    let context = session(table, limits.memory_bytes).map_err(told)?;
    let mut batches = plan(&context, statement).await?.execute_stream().await.map_err(told)?;
    let schema = batches.schema();
    let column = |field: &Arc<arrow::datatypes::Field>| SqlColumn::new(field.name(), field.data_type());
    let columns = schema.fields().iter().map(column).collect();
    let mut answer = SqlAnswer { columns, rows: Vec::new(), truncated: false };
    let mut bytes = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(told)?;
        let room = limits.rows - answer.rows.len();
        answer.truncated = batch.num_rows() > room;
        for row in answer::rows(&batch, room).map_err(|error| SqlError::Failed(error.to_string()))? {
            bytes += row.iter().map(weight).sum::<usize>();
            if bytes > limits.bytes {
                answer.truncated = true;
                break;
            }
            answer.rows.push(row);
        }
        if answer.truncated {
            break;
        }
    }
    Ok(answer)
}

async fn plan(context: &SessionContext, statement: &str) -> Result<datafusion::prelude::DataFrame, SqlError> {
    let state = context.state();
    let dialect = state.config().options().sql_parser.dialect;
    let parsed = state.sql_to_statement(statement, &dialect).map_err(told)?;
    if let Some(why) = guard::refusal(&parsed) {
        return Err(SqlError::Refused(why.to_owned()));
    }
    let plan = state.statement_to_plan(parsed).await.map_err(told)?;
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(&plan).map_err(told)?;
    context.execute_logical_plan(plan).await.map_err(told)
}

/// About how many bytes a value is of an answer.
fn weight(value: &Value) -> usize {
    const OTHER: usize = 8;
    value.as_str().map_or(OTHER, |text| text.len() + OTHER)
}

/// An error of the engine in our words, and without its types.
#[expect(clippy::needless_pass_by_value, reason = "made for `map_err`")]
fn told(error: DataFusionError) -> SqlError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => SqlError::NeedsTooMuch,
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_) => refused(&error),
        DataFusionError::External(source) => match source.downcast_ref::<crate::columns::ColumnsError>() {
            Some(failed) => {
                SqlError::Read(ReadError { path: "columns".into(), source: std::io::Error::other(failed.to_string()) })
            }
            None => SqlError::Failed(source.to_string()),
        },
        other => SqlError::Failed(first_line(&other.to_string())),
    }
}

fn refused(error: &DataFusionError) -> SqlError {
    SqlError::Refused(first_line(&error.strip_backtrace()))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(500).collect()
}
