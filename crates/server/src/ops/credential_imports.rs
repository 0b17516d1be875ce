//! Importing credentials that were made elsewhere, at `/v1/orgs/{org}/credential-imports`: by the hash that was kept of each key, so
//! that their callers notice nothing. See docs/import.md.
//!
//! All of an import becomes true, or nothing of it. Its rows are staged first, in short transactions that hold nobody up; what
//! makes it true is one small change. From then on every row becomes a credential, in short transactions again, and what a server
//! did not finish is finished when it starts.

pub mod commit;
pub mod finish;
pub mod look;
pub mod plan;
mod rows;
pub mod run;
pub mod view;
