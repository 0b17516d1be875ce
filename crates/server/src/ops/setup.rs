//! How an installation begins: what every database has from its first start, and its first administrator.
//!
//! Every start calls [`at_start`]; `tegata serve` prints the set-up token that it gives. `tegata init --non-interactive`
//! goes on with [`first_administrator`].

pub mod complete;
pub mod first;
pub mod prepare;
pub mod token;

pub use first::first_administrator;
pub use prepare::at_start;
