//! The access log: every check leaves one record here before its answer leaves.
//!
//! Callers know one type, [`AccessLog`]. Records go to a row journal on disk ([`Journal`]) and leave it, in the
//! background, for Parquet files in a folder or a bucket. Questions are asked of both together: a page, one record, a
//! stream, a count, a histogram, what is most frequent, SQL; and exports write whatever a stream yields.
//!
//! | module    | subject |
//! |-----------|---------|
//! | `record`  | what one record says: [`NewRecord`] going in, [`RecordView`] inside, [`Record`] coming out |
//! | `column`  | the text columns, their names and the most that each of them keeps |
//! | `id`      | [`RecordId`], from which the record is found without a search |
//! | `codec`, `frame`, `segment` | the bytes on disk, from the inside out |
//! | `query`, `filter`, `cursor` | what can be asked, and how far an answer has come |
//! | `journal` | opening and recovery, append, flush, reading, retention, snapshot |
//! | `columns` | Parquet files: settling, joining, dropping, and going through them |
//! | `log`     | [`AccessLog`]: journal and columns as one |
//! | `summary` | denials of a flood, counted in place of being written |
//! | `question` | most frequent values and SQL, by way of a query engine |
//! | `engine`  | the threads that columns and questions are worked on |
//! | `export`  | CSV, JSON Lines, Parquet and OCSF |
//! | `proof`   | signed trees over the records: what makes a missing or changed one show |
//!
//! What this crate must not know: HTTP, the database, the rules of a decision, secrets, who may read what (callers hand in a
//! [`Scope`]). It reads no clock and no randomness: times and the journal's tag are handed in. Types of the libraries
//! below, Arrow's, Parquet's and the query engine's, do not leave it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on has failed"))]

mod base32;
mod codec;
mod column;
mod columns;
mod cursor;
mod engine;
pub mod export;
mod files;
mod filter;
mod frame;
mod id;
mod journal;
mod log;
pub mod proof;
mod query;
mod question;
mod record;
mod segment;
mod summary;
#[cfg(test)]
mod testing;
mod time;

pub use crate::columns::{
    ColumnsCopied, ColumnsError, ColumnsOptions, Keep, Location, Retention, Settled, copy_columns, has_columns,
    is_free, move_columns,
};
pub use crate::cursor::{Cursor, MalformedCursor};
pub use crate::files::Faults;
pub use crate::id::{MalformedRecordId, RecordId, TEXT_BYTES as RECORD_ID_BYTES};
pub use crate::journal::{
    AppendError, Batch, Dropped, Finding, FindingKind, Flush, Journal, JournalRecords, OpenError, Options, Page,
    ReadError, Recovery, RetentionError, SnapshotError, Stats, Writing,
};
pub use crate::log::{AccessLog, Bucket, Buckets, ColumnStats, FileProblem, HistogramError, LogReader, Records};
pub use crate::query::{Order, Query, Scope};
pub use crate::question::{Calls, CallsWanted, SqlAnswer, SqlColumn, SqlError, SqlLimits, TopEntry, TopError, TopOf};
pub use crate::record::{Decision, NewRecord, Record, RecordView};
pub use crate::summary::SummaryError;
