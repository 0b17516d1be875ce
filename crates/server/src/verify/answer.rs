//! What a verifier is told.

use serde::Serialize;
use tegata_core::decide::Decision;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// The answer to one check (DESIGN §5).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer {
    /// Whether the call may go on.
    pub allowed: bool,
    /// Why: `granted`, or the first condition that failed.
    pub reason: String,
    /// The permission that decided; absent where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The place of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The organization of the call, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// What the credential or its owner lacks, as scopes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The credential, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialSeen>,
    /// Who acts, where the credential is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalSeen>,
    /// For whom the principal acts; a personal token's owner acts for themself.
    pub on_behalf_of: Option<PrincipalSeen>,
    /// The id of the access record; absent only where it could not be written, and then the answer is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
}

/// A credential as a verifier sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CredentialSeen {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// When it ends.
    pub expires_at: String,
}

/// A principal as a verifier sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PrincipalSeen {
    /// `user`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Their id.
    pub id: String,
    /// What they are called.
    pub name: String,
}

impl CredentialSeen {
    pub(super) fn of(entry: &super::entry::TokenEntry) -> Self {
        let expires_at: Timestamp = entry.expires_at;
        Self {
            id: entry.id.to_string(),
            kind: entry.kind.as_str().to_owned(),
            name: entry.name.to_string(),
            expires_at: expires_at.to_string(),
        }
    }
}

/// A decision as the access log writes it.
pub const fn recorded(decision: Decision) -> tegata_record::Decision {
    if decision.is_allowed() { tegata_record::Decision::Allow } else { tegata_record::Decision::Deny }
}
