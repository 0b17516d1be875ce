//! The access log: every check leaves one record here before its answer leaves.
//!
//! Records go to a row journal on disk ([`Journal`]) behind an interface small enough that a columnar store can follow
//! without its callers noticing: append, page, get, stream, count, drop what is old, copy for a backup; and exports of
//! whatever a stream yields.
//!
//! | module    | subject |
//! |-----------|---------|
//! | `record`  | what one record says: [`NewRecord`] going in, [`RecordView`] inside, [`Record`] coming out |
//! | `column`  | the text columns, their names and the most that each of them keeps |
//! | `id`      | [`RecordId`], from which the record is found without a search |
//! | `codec`, `frame`, `segment` | the bytes on disk, from the inside out |
//! | `query`, `filter`, `cursor` | what can be asked, and how far an answer has come |
//! | `journal` | opening and recovery, append, flush, reading, retention, snapshot |
//! | `export`  | CSV and JSON Lines |
//! | `proof`   | signed trees over the records: what makes a missing or changed one show |
//!
//! What this crate must not know: HTTP, SQL, the rules of a decision, secrets, who may read what (callers hand in a
//! [`Scope`]). It reads no clock and no randomness: times and the journal's tag are handed in.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on has failed"))]

mod base32;
mod codec;
mod column;
mod cursor;
pub mod export;
mod files;
mod filter;
mod frame;
mod id;
mod journal;
pub mod proof;
mod query;
mod record;
mod segment;
#[cfg(test)]
mod testing;
mod time;

pub use crate::cursor::{Cursor, MalformedCursor};
pub use crate::files::Faults;
pub use crate::id::{MalformedRecordId, RecordId};
pub use crate::journal::{
    AppendError, Dropped, Finding, FindingKind, Flush, Journal, OpenError, Options, Page, ReadError, Records, Recovery,
    RetentionError, SnapshotError, Stats,
};
pub use crate::query::{Order, Query, Scope};
pub use crate::record::{Decision, NewRecord, Record, RecordView};
