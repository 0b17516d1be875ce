//! The journal from outside: what its callers rely on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod appending;
mod concurrency;
mod damage;
mod failures;
mod proof;
mod reading;
mod retention;
mod snapshot;
mod support;
mod torn;
