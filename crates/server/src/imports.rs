//! Files of keys that were made elsewhere: reading them row by row, and what is wrong with a row as far as that can be told without
//! knowing the installation. See docs/import.md. The server and the command line both read with this.

pub mod candidate;
pub mod row;
pub mod shape;

pub use candidate::{Candidate, FoundBy, Kind, Settings, Weakness};
pub use row::{FileError, Format, Row, RowError, Rows};
pub use shape::Shape;

/// Most rows of one import.
pub const ROWS_MAX: usize = 100_000;
