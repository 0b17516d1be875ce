//! The journal from outside: what its callers rely on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod appending;
mod columns;
mod concurrency;
mod damage;
mod failures;
mod proof;
mod questions;
mod reading;
mod retention;
mod snapshot;
mod sql;
mod support;
mod torn;
