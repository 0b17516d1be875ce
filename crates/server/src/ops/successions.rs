//! Successions, at `/v1/orgs/{org}/successions`: what leavers answered for, until a named member takes it over. Nobody's
//! credentials live on for good without anybody who answers for them: at the deadline they stop.
//!
//! So far these are service accounts. Whatever else has an owner joins in three places: [`open::of_leaver`] lists it,
//! [`hand_over`] gives it to the successor, and [`lapse`] stops it.

pub mod hand_over;
pub mod lapse;
pub mod look;
pub mod open;
pub mod view;

/// The event: something waits for a successor.
pub const OPENED: &str = "succession.open";
/// The event: it still does, and the deadline is near.
pub const DUE: &str = "succession.due";
/// The event: nobody took it over in time.
pub const LAPSED: &str = "succession.lapse";
