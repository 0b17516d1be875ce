//! What a verifier is told. An answer borrows what it says and is written once, as JSON.

use serde::{Serialize, Serializer};
use smallvec::SmallVec;
use std::fmt;
use tegata_core::catalogue::PlaceRef;
use tegata_core::decide::{Decision, Reason};
use tegata_core::ids::{TokenId, UserId};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// The answer to one check (DESIGN §5).
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer<'a> {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Why: `granted`, or the first condition that failed.
    #[schema(value_type = String)]
    pub reason: &'static str,
    /// The permission that decided; absent where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub permission: Option<&'a str>,
    /// The place of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub context: Option<Named<'a>>,
    /// The organization of the call, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub organization: Option<&'a str>,
    /// What the credential or its owner lacks, as scopes.
    #[serde(skip_serializing_if = "SmallVec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub missing: SmallVec<[Missing<'a>; 2]>,
    /// The credential, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialSeen<'a>>,
    /// Who acts, where the credential is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalSeen<'a>>,
    /// For whom the principal acts; a personal token's owner acts for themself.
    pub on_behalf_of: Option<PrincipalSeen<'a>>,
    /// The id of the access record; absent only where it could not be written, and then the answer is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub record: Option<&'static str>,
}

/// A credential as a verifier sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CredentialSeen<'a> {
    /// Its id.
    #[schema(value_type = String)]
    pub id: TokenId,
    /// What it is.
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// What its owner calls it.
    #[schema(value_type = String)]
    pub name: &'a str,
    /// When it ends.
    #[schema(value_type = String)]
    pub expires_at: Timestamp,
}

/// A principal as a verifier sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrincipalSeen<'a> {
    /// `user`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: &'static str,
    /// Their id.
    #[schema(value_type = String)]
    pub id: UserId,
    /// What they are called.
    #[schema(value_type = String)]
    pub name: &'a str,
}

/// A permission that is lacking in a place: a scope.
#[derive(Debug)]
pub struct Missing<'a> {
    /// The place.
    pub place: &'a PlaceRef<'a>,
    /// The permission.
    pub permission: &'a str,
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.permission)
    }
}

impl Serialize for Missing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A place, as scopes name it.
#[derive(Debug)]
pub struct Named<'a>(pub &'a PlaceRef<'a>);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

impl<'a> CredentialSeen<'a> {
    pub(super) fn of(entry: &'a super::entry::TokenEntry) -> Self {
        Self { id: entry.id, kind: entry.kind.as_str(), name: &entry.name, expires_at: entry.expires_at }
    }
}

/// The answer to a check whose record could not be written: without a record there is no yes, and nothing else either.
pub(super) fn unrecorded() -> Answer<'static> {
    Answer {
        allowed: false,
        reason: Reason::RecordUnavailable.as_str(),
        permission: None,
        context: None,
        organization: None,
        missing: SmallVec::new(),
        credential: None,
        principal: None,
        on_behalf_of: None,
        record: None,
    }
}

/// A decision as the access log writes it.
pub const fn recorded(decision: Decision) -> tegata_record::Decision {
    if decision.is_allowed() { tegata_record::Decision::Allow } else { tegata_record::Decision::Deny }
}
