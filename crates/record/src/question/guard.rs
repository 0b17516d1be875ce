//! What a statement may be: one `SELECT` over the one table, with the functions of a list, and nothing that multiplies
//! text. And which of its conditions a scan understands.

use crate::column::Column;
use crate::columns::predicate::Wanted;
use crate::columns::schema::Field;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, Statement, visit_expressions};
use std::ops::ControlFlow;

/// Each of these can double a text, and the next one double it again.
const CONCATENATIONS_MAX: usize = 6;

/// The functions of a single value that are there. Absent on purpose: whatever makes long texts out of short ones
/// (`repeat`, `lpad`, `replace`, `concat` …), files, and anything random.
pub(crate) const SCALAR_FUNCTIONS: [&str; 33] = [
    "ascii",
    "btrim",
    "character_length",
    "coalesce",
    "contains",
    "date_bin",
    "date_part",
    "date_trunc",
    "ends_with",
    "from_unixtime",
    "greatest",
    "initcap",
    "least",
    "left",
    "lower",
    "ltrim",
    "nullif",
    "nvl",
    "octet_length",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "to_date",
    "to_local_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_seconds",
    "upper",
];

/// The functions of many values that are there. Absent on purpose: those that collect all values into one.
pub(crate) const AGGREGATE_FUNCTIONS: [&str; 15] = [
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "first_value",
    "last_value",
    "max",
    "median",
    "min",
    "stddev",
    "sum",
    "var",
];

/// Why a statement is refused before it is planned.
pub(crate) fn refusal(statement: &Parsed) -> Option<&'static str> {
    let Parsed::Statement(statement) = statement else {
        return Some("only SELECT is allowed");
    };
    if !matches!(&**statement, Statement::Query(_)) {
        return Some("only SELECT is allowed");
    }
    let mut concatenations = 0;
    let broken = visit_expressions(&**statement, |expression| match expression {
        ast::Expr::Cube(_) | ast::Expr::Rollup(_) | ast::Expr::GroupingSets(_) => {
            ControlFlow::Break("CUBE, ROLLUP and GROUPING SETS are not there")
        }
        ast::Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } => {
            concatenations += 1;
            let many = concatenations > CONCATENATIONS_MAX;
            if many { ControlFlow::Break("texts are joined too often") } else { ControlFlow::Continue(()) }
        }
        _ => ControlFlow::Continue(()),
    });
    match broken {
        ControlFlow::Break(why) => Some(why),
        ControlFlow::Continue(()) => None,
    }
}

/// Adds a condition to what is wanted, if it is one that scans understand. It only ever narrows.
pub(crate) fn narrow(wanted: &mut Wanted, condition: &Expr) {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else {
        return;
    };
    if *op == Operator::And {
        narrow(wanted, left);
        narrow(wanted, right);
        return;
    }
    let (column, value, op) = match (&**left, &**right) {
        (Expr::Column(column), Expr::Literal(value, _)) => (column, value, Some(*op)),
        (Expr::Literal(value, _), Expr::Column(column)) => (column, value, op.swap()),
        _ => return,
    };
    let (Some(op), Some(field)) = (op, Field::ALL.into_iter().find(|field| field.name() == column.name)) else {
        return;
    };
    match (field, value) {
        (Field::Time, ScalarValue::TimestampMicrosecond(Some(time_us), _)) => narrow_time(wanted, op, *time_us),
        (Field::Text(column), value) if op == Operator::Eq => {
            if let Some(Some(text)) = value.try_as_str() {
                require(wanted, column, text);
            }
        }
        _ => {}
    }
}

fn require(wanted: &mut Wanted, column: Column, text: &str) {
    // The organization that the table is of is tested first; a second one would be another question.
    if column != Column::Organization {
        wanted.filter.require(column, text);
    }
}

fn narrow_time(wanted: &mut Wanted, op: Operator, time_us: i64) {
    let after = time_us.checked_add(1);
    match op {
        Operator::Gt => wanted.filter.narrow(after, None),
        Operator::GtEq => wanted.filter.narrow(Some(time_us), None),
        Operator::Lt => wanted.filter.narrow(None, Some(time_us)),
        Operator::LtEq => wanted.filter.narrow(None, after),
        Operator::Eq => wanted.filter.narrow(Some(time_us), after),
        _ => {}
    }
}
