//! Memberships: who belongs to an organization.

pub mod activate;
pub mod add;
pub mod administrators;
pub mod deactivate;
pub mod leave;
pub mod list;
pub mod passing_on;
pub mod show;
pub mod view;
