//! Successions, at `/v1/orgs/{org}/successions`: what leavers answered for, until a named member takes it over. Nobody's
//! credentials live on for good without anybody who answers for them: at the deadline they stop.
//!
//! These are service accounts and applications; [`subject`] knows what they have in common.

pub mod hand_over;
pub mod lapse;
pub mod look;
pub mod open;
pub mod subject;
pub mod view;

/// The event: something waits for a successor.
pub const OPENED: &str = "succession.open";
/// The event: it still does, and the deadline is near.
pub const DUE: &str = "succession.due";
/// The event: nobody took it over in time.
pub const LAPSED: &str = "succession.lapse";
