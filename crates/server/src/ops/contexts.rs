//! Contexts: the places of an organization, as a tree under it.

pub mod create;
pub mod kinds;
pub mod look;
pub mod moving;
pub mod place;
pub mod update;
pub mod view;
