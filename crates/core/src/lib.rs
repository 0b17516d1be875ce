//! The rules of Tegata, and nothing else: what a scope is, what a catalogue says, what a credential may do, and the
//! one decision that joins them.
//!
//! Everything here is pure and synchronous. Time and randomness come in as arguments, facts come in as values, and a
//! decision goes out with its reason. Nothing here knows of a database, a network or a clock, and nothing imports a
//! crate of ours: the rest of the house leans on this one.

pub mod authority;
pub mod base32;
pub mod bits;
pub mod catalogue;
pub mod ceiling;
pub mod credential;
pub mod decide;
pub mod ids;
pub mod level;
pub mod limit;
pub mod name;
pub mod operations;
pub mod owner;
pub mod permissions;
pub mod policy;
pub mod problem;
pub mod request;
pub mod role;
pub mod scope;
pub mod secret;
pub mod time;
