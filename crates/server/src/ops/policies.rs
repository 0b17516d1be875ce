//! What an organization allows for each kind of credential.

pub mod list;
pub mod set;
pub mod view;
