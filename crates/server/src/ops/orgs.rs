//! Organizations, and the APIs that each of them uses.

pub mod catalogue_roles;
pub mod create;
pub mod disable_api;
pub mod enable_api;
pub mod found;
pub mod list;
pub mod list_apis;
pub mod show;
pub mod update;
pub mod view;

pub use catalogue_roles::refresh_catalogue_roles;
