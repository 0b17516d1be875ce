//! The doors: they parse, call one use case, and render. They decide nothing and know no database.

pub mod api;
pub mod authzen;
pub mod body;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod routes;
pub mod scim;
pub mod server;
pub mod text;
pub mod verify;
pub mod waiting;
