//! Tokens of people: their own, at `/v1/me/tokens`, and each organization's part of them, at
//! `/v1/orgs/{org}/tokens`.
//!
//! Nobody issues beyond themself: what a new token is given, its owner holds at that moment, and where a token makes or
//! renews a token, what it gives out is covered by what it was given (`bounds`).

pub mod bounds;
pub mod broken;
pub mod create;
pub mod legacy;
pub mod look;
pub mod org;
pub mod regenerate;
pub mod revoke;
pub mod show;
pub mod unused;
pub mod view;
