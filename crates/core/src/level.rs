//! How far a permission reaches.

use serde::{Deserialize, Serialize};

/// The level of a permission. A level implies a lower one only where the catalogue says so (`implies`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Looks, changes nothing.
    Read,
    /// Changes data. What a catalogue leaves open is taken as this.
    #[default]
    Write,
    /// Changes who may do what.
    Admin,
}

impl Level {
    /// The word used in documents and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}
