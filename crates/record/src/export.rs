//! Records as files for other programs. All columns, one order, any writer.
//!
//! An export takes whatever yields records, usually a stream that was opened with a scope, and reports how many it has
//! written. It must not know where records come from or who may see them.

mod csv;
mod jsonl;
mod ocsf;
mod parquet;

pub use crate::export::csv::{csv, csv_rows};
pub use crate::export::jsonl::jsonl;
pub use crate::export::ocsf::{ocsf, ocsf_event};
pub use crate::export::parquet::parquet;

use crate::journal::ReadError;
use std::io;

/// The names of the columns, in the order of export and of the API.
pub const COLUMNS: [&str; 24] = [
    "id",
    "time",
    "sequence",
    "api",
    "organization",
    "alternative",
    "permission",
    "context_id",
    "level",
    "decision",
    "reason",
    "credential",
    "kind",
    "principal",
    "acted_for",
    "method",
    "endpoint",
    "path",
    "address",
    "user_agent",
    "request_id",
    "rule_version",
    "catalogue_version",
    "count",
];

const RECORDS_PER_REPORT: u64 = 1_000;

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The records could not be read.
    #[error("the export stopped because records could not be read")]
    Read(#[from] ReadError),
    /// The file could not be written.
    #[error("the export stopped after {records} records because they could not be written")]
    Write {
        /// How many records were written before.
        records: u64,
        /// What the writer said.
        source: io::Error,
    },
}

/// Counts records and reports every thousandth, and the last.
struct Progress<F> {
    records: u64,
    report: F,
}

impl<F: FnMut(u64)> Progress<F> {
    fn new(report: F) -> Self {
        Self { records: 0, report }
    }

    fn one_more(&mut self) {
        self.records += 1;
        if self.records.is_multiple_of(RECORDS_PER_REPORT) {
            (self.report)(self.records);
        }
    }

    fn finish(mut self) -> u64 {
        (self.report)(self.records);
        self.records
    }

    fn failed(&self, source: io::Error) -> ExportError {
        ExportError::Write { records: self.records, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reports_thousands_and_the_end() {
        let mut reports = Vec::new();
        let mut progress = Progress::new(|records| reports.push(records));
        for _ in 0..2_500 {
            progress.one_more();
        }
        assert_eq!(progress.finish(), 2_500);
        assert_eq!(reports, [1_000, 2_000, 2_500]);
    }
}
