//! Sending to receivers outside, whoever wants to: a signed webhook, syslog messages. Where a message may go at all, how
//! a connection is made, when to try again.
//!
//! Nothing here knows what is sent or for whom; nothing keeps a queue. A sending is one try, bounded in time and bytes:
//! whoever sends remembers how far it has come, and tries again.

pub mod backoff;
mod connect;
pub mod destination;
mod error;
pub mod fetch;
pub mod guard;
pub mod syslog;
pub mod webhook;

pub use connect::{Sender, Settings, SettingsError};
pub use destination::{Destination, Scheme};
pub use error::SendError;
