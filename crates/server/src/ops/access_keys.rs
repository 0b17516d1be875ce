//! Access keys, at `/v1/orgs/{org}/access-keys`: a client id and a secret that show a service account. What a key may do is what
//! the roles of its account give, at the moment of each check; it never opens Tegata's own API.
//!
//! Nobody issues beyond themself: whoever makes a key, or gives it a new secret, holds all that the account's roles hold.

pub mod bounds;
pub mod change;
pub mod create;
pub mod look;
pub mod regenerate;
pub mod secret;
pub mod sign_in;
pub mod view;
