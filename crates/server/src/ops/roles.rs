//! Roles of an organization: predefined ones, those that catalogues bring, and its own. Assignments of them have
//! their own room.

pub mod create;
pub mod delete;
pub mod listed;
pub mod look;
pub mod update;
pub mod view;
