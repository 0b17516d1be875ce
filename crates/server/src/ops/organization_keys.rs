//! Organization keys, at `/v1/orgs/{org}/organization-keys`: an organization owns them and they act for themselves, within
//! chosen scopes, or unscoped with everything of the organization's APIs, where its policy takes such.
//!
//! Nobody issues beyond themself: whoever makes a key holds everything that it lists at that moment, and administers the
//! whole organization where it is unscoped. None opens Tegata's own API.

pub mod change;
pub mod create;
pub mod look;
pub mod plan;
pub mod preview;
pub mod view;
