//! Verifiers: whatever asks for decisions about one or more APIs. They are the publisher's, and so is the activity
//! about them.

pub mod create;
pub mod look;
pub mod regenerate;
pub mod revoke;
pub mod view;
