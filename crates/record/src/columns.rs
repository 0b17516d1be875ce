//! Columns: what has left the journal, as Parquet files in a folder or an S3-compatible bucket.
//!
//! ```text
//! manifest.json                                        which files there are, and up to where the journal is settled
//! org=org_1/day=2026-11-22/1-5000-7.parquet            records of one organization and one day (UTC), by sequence
//! ```
//!
//! Records move in one direction. Closed segments of the journal are written as files, the manifest is replaced, and
//! only then are the segments given up (`settle`); many small files of a day become one (`compact`); days go (`retain`).
//! Whatever ends such a step midway, the manifest says what is true: a file that it does not list does not exist, and a
//! record that it says is settled is not read from the journal. So nothing is lost and nothing is there twice.
//!
//! A reader takes the segments and then the manifest, in this order, and holds both: a file or segment is removed when
//! nobody holds it any more.
//!
//! | module | subject |
//! |--------|---------|
//! | `schema`, `batch`, `write`, `hours` | the columns of a file, rows as columns and back, a file in the making, its counts |
//! | `store`, `name`, `manifest`, `state` | where files lie, what they are called, which there are |
//! | `settle`, `compact`, `retain`, `tidy`, `copy`, `outside` | the journal into files, small files into one, old days, leftovers, backups |
//! | `read`, `predicate`, `scan`, `merge` | opening, what is a hit, one file, many files |

pub(crate) mod batch;
mod compact;
mod copy;
mod error;
pub(crate) mod hours;
mod manifest;
pub(crate) mod merge;
pub(crate) mod name;
mod outside;
pub(crate) mod predicate;
pub(crate) mod read;
mod retain;
pub(crate) mod scan;
pub(crate) mod schema;
mod settle;
mod state;
mod store;
mod tidy;
pub(crate) mod write;

pub use crate::columns::error::ColumnsError;
pub use crate::columns::outside::{ColumnsCopied, copy_columns, has_columns, is_free, move_columns};
pub(crate) use crate::columns::retain::Droppable;
pub use crate::columns::retain::{Keep, Retention};
pub use crate::columns::settle::Settled;
pub use crate::columns::store::Location;

pub(crate) use crate::columns::manifest::{DataFile, Manifest};
pub(crate) use crate::columns::read::Source;
pub(crate) use crate::columns::state::Columns;

use crate::files::Faults;
use std::sync::Arc;

/// Opens the place that files lie in.
pub(crate) fn open_store(location: &Location, faults: Option<Arc<Faults>>) -> Result<store::Store, ColumnsError> {
    store::Store::open(location, faults)
}

/// How records are moved into columns.
#[derive(Debug, Clone)]
pub struct ColumnsOptions {
    /// A segment whose first record is older than this is closed by the next round, so that it can be settled, in
    /// microseconds.
    pub segment_age_us: i64,
    /// Bytes of segments that are turned into files at once, and so held in memory.
    pub batch_bytes: u64,
    /// Files of one organization and day with fewer rows than this are small.
    pub small_rows: u64,
    /// So many small files of a day that is not over become one.
    pub small_files: usize,
    /// No file that is made of smaller ones gets more rows.
    pub file_rows: u64,
    /// Rows of a file that are read, or passed over, together.
    pub group_rows: usize,
    /// How long a file that is no longer listed stays for readers outside of this process, in microseconds.
    pub grace_us: i64,
}

impl Default for ColumnsOptions {
    fn default() -> Self {
        Self {
            segment_age_us: 3_600_000_000,
            batch_bytes: 128 << 20,
            small_rows: 1 << 20,
            small_files: 8,
            file_rows: 4 << 20,
            group_rows: write::ROWS_PER_GROUP,
            grace_us: 600_000_000,
        }
    }
}
