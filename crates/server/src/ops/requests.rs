//! Requests: permissions that were asked for and need the word of somebody who answers for the place (DESIGN §4).
//!
//! A request belongs to one organization and one credential; each of its lines is one permission in one place, and has a
//! state of its own. Who decides follows the place: whoever holds `tokens:approve` there. The rule itself is
//! `tegata_core::request`.

pub mod approvers;
pub mod ask;
pub mod close;
pub mod decide;
pub mod expire;
pub mod file;
pub mod look;
pub mod mine;
pub mod own;
pub mod sight;
pub mod told;
pub mod ungrant;
pub mod view;
pub mod wait;

/// Most lines of one request; a credential has no more scopes.
pub const LINES_MAX: usize = tegata_core::scope::LIST_MAX;
