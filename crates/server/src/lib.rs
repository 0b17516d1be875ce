//! Tegata: governed API access. One binary that issues, scopes, checks, records and stops every credential of an API.
//!
//! `ARCHITECTURE.md` shows the rooms; each module's first lines say what it is for and what it must not know.

pub mod app;
pub mod authn;
pub mod authzen;
pub mod catalogues;
pub mod cli;
pub mod db;
pub mod failing;
pub mod http;
pub mod imports;
pub mod jobs;
pub mod maintenance;
pub mod notices;
pub mod ops;
pub mod proofs;
pub mod scim;
pub mod send;
pub mod serve;
pub mod streams;
pub mod verify;
pub mod webhooks;
