//! What can be wrong with a SCIM request: the words of RFC 7644 §3.12, table 9, as far as they are said here.

use tegata_core::problem::{Code, Problem};

/// The field of a [`Problem`] that carries the word.
pub const FIELD: &str = "scimType";

/// The word (`scimType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The filter has another grammar, or asks for what cannot be searched.
    InvalidFilter,
    /// The body has another structure.
    InvalidSyntax,
    /// The path of a patch has another grammar, or names no attribute.
    InvalidPath,
    /// The path of a patch leads to nothing.
    NoTarget,
    /// A value is missing or does not fit.
    InvalidValue,
    /// The attribute cannot be changed.
    Mutability,
    /// The value is somebody else's.
    Uniqueness,
}

impl Kind {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::Mutability => "mutability",
            Self::Uniqueness => "uniqueness",
        }
    }
}

/// What is wrong, and a way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Wrong {
    /// The word.
    pub kind: Kind,
    /// The sentence.
    pub detail: String,
}

impl Wrong {
    /// Something is wrong.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// A value does not fit.
    pub fn value(detail: impl Into<String>) -> Self {
        Self::new(Kind::InvalidValue, detail)
    }
}

impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Self {
        let code = match wrong.kind {
            Kind::Uniqueness => Code::Duplicate,
            Kind::InvalidSyntax => Code::MalformedBody,
            _ => Code::Invalid,
        };
        Self::new(code, wrong.detail).with(FIELD, wrong.kind.as_str())
    }
}
