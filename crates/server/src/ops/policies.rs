//! What an organization allows for each kind of credential, and what its contexts say beyond that.

pub mod askable;
pub mod contexts;
pub mod fields;
pub mod list;
pub mod set;
pub mod view;
