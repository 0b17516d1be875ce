//! Questions for a query engine: groups and free SQL, over journal and columns together.
//!
//! `DataFusion` plans and runs; the rows come from the same scans as every other answer, so that what is pruned, what
//! is consistent and who may see what is decided in one place. Its types, and those of Arrow, do not leave this crate.

mod answer;
mod calls;
mod guard;
mod session;
mod sql;
mod table;
mod top;

pub use crate::question::answer::{SqlAnswer, SqlColumn};
pub use crate::question::calls::{Calls, CallsWanted};
pub use crate::question::sql::{SqlError, SqlLimits};
pub use crate::question::top::{TopEntry, TopError, TopOf};
