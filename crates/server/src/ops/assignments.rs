//! Assignments: roles given to people and teams, in the organization or in one of its contexts. Also what the use
//! cases about roles and contexts share: names for people, and the refusal to pass on what one does not have.

pub mod authority;
pub mod create;
pub mod delete;
pub mod look;
pub mod names;
pub mod principal;
pub mod view;
