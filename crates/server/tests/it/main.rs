//! The integration suite: every capability over HTTP, on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(missing_docs, reason = "the names of tests say what they show")]

#[macro_use]
mod support;

mod applications;
mod authzen;
mod checks;
mod cli;
mod concurrency;
mod credentials;
mod doors;
mod expiring;
mod floods;
mod foresight;
mod generated;
mod inbox;
mod leaks;
mod leavers;
mod limits;
mod machine;
mod maintenance;
mod matrix;
mod openapi;
mod people;
mod places;
mod policies;
mod preload;
mod proof;
mod questions;
mod races;
mod records;
mod requests;
mod rights;
mod scim;
mod seeds;
mod storage;
mod streams;
mod tenants;
mod town;
mod upgrades;
mod uses;
mod webhooks;
