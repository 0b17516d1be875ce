//! Why a sending did not arrive.

use std::io;
use std::net::IpAddr;

/// Why a sending did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The operator lets nothing go there unencrypted.
    #[error("the destination is not encrypted, which this installation does not allow")]
    Insecure,
    /// The name leads to no address.
    #[error("the name of the destination leads to no address")]
    Unresolved,
    /// The name leads to addresses of a network that nothing is sent to.
    #[error("{0} is not a public address, and this installation does not allow it")]
    Forbidden(IpAddr),
    /// No connection.
    #[error("no connection could be made")]
    Connect(#[source] io::Error),
    /// There is a connection, and its other end is not who it should be.
    #[error("the connection could not be secured")]
    Tls(#[source] io::Error),
    /// This process cannot secure connections.
    #[error("connections cannot be secured here: {0}")]
    NoTls(String),
    /// It took too long.
    #[error("the receiver did not answer in time")]
    TimedOut,
    /// The connection ended, or what came was no answer.
    #[error("the connection ended before the receiver had everything")]
    Broken(#[source] io::Error),
}

impl SendError {
    /// A word for it that is stored and shown. It says nothing that the receiver or its network said.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Insecure => "not_encrypted",
            Self::Unresolved => "name_not_found",
            Self::Forbidden(_) => "address_not_allowed",
            Self::Connect(_) => "not_reachable",
            Self::Tls(_) => "not_secured",
            Self::NoTls(_) => "no_certificates",
            Self::TimedOut => "timed_out",
            Self::Broken(_) => "connection_broken",
        }
    }
}
