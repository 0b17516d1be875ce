//! Ask the access log of an organization in SQL: one `SELECT` over the table `records`, bounded in time, memory and size.

use super::filters::{Asked, unreadable};
use super::question::LogQuestion;
use serde::{Deserialize, Serialize};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_record::{AccessLog, SqlError, SqlLimits};
use utoipa::ToSchema;

const ROWS_MAX: usize = 10_000;
const ROWS_DEFAULT: usize = 1_000;

/// The statement.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordSql)]
pub struct Body {
    /// A `SELECT` over the table `records`, which holds the records of this organization and nothing else.
    #[schema(example = "select reason, count(*) as calls from records group by reason order by calls desc")]
    pub statement: String,
    /// Most rows of the answer: 1 to 10,000, 1,000 if not said.
    #[schema(minimum = 1, maximum = 10_000)]
    pub limit: Option<usize>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordSqlAnswer)]
pub struct AnswerView {
    /// The columns.
    pub columns: Vec<ColumnView>,
    /// The rows, each with a value for each column.
    #[schema(value_type = Vec<Vec<Option<serde_json::Value>>>)]
    pub rows: Vec<Vec<serde_json::Value>>,
    /// Whether there were more rows than were asked for.
    pub truncated: bool,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordSqlColumn)]
pub struct ColumnView {
    /// Its name, as the statement has it.
    pub name: String,
    /// `text`, `integer`, `number`, `boolean`, `time` (RFC 3339), or `other`, which is shown as text.
    pub kind: String,
}

/// Ask in SQL.
#[derive(Debug, Clone)]
pub struct AskRecords {
    /// The organization.
    pub org: String,
    /// The statement.
    pub body: Body,
}

impl LogQuestion for AskRecords {
    const OPERATION: &'static Operation = operations::RECORD_SQL;
    type Output = AnswerView;
    type Ready = (String, SqlLimits);

    fn org(&self) -> &str {
        &self.org
    }

    fn read(&self) -> Result<(String, SqlLimits), Problem> {
        let rows = self.body.limit.unwrap_or(ROWS_DEFAULT);
        if !(1..=ROWS_MAX).contains(&rows) {
            return Err(Problem::field("limit", format!("write 1 to {ROWS_MAX}")));
        }
        if self.body.statement.trim().is_empty() {
            return Err(Problem::field("statement", "write a SELECT over the table `records`"));
        }
        Ok((self.body.statement.clone(), SqlLimits { rows, ..SqlLimits::default() }))
    }

    fn answer(log: &AccessLog, asked: &Asked, (statement, limits): (String, SqlLimits)) -> Result<AnswerView, Problem> {
        let answer = log.sql(asked.organization(), &statement, &limits).map_err(|error| match error {
            SqlError::Read(error) => unreadable(&error),
            error @ (SqlError::Refused(_) | SqlError::Failed(_)) => Problem::field("statement", error),
            error @ (SqlError::TookTooLong(_) | SqlError::NeedsTooMuch) => {
                let way = "narrow the time in its WHERE, or group by fewer columns";
                Problem::new(Code::Invalid, format!("statement: {error}; {way}")).with("statement", error.to_string())
            }
        })?;
        let column = |column: tegata_record::SqlColumn| ColumnView { name: column.name, kind: column.kind.to_owned() };
        Ok(AnswerView {
            columns: answer.columns.into_iter().map(column).collect(),
            rows: answer.rows,
            truncated: answer.truncated,
        })
    }
}
