//! Tokens as they are shown: to their owner with every part, to an organization with its own part only.

use serde::Serialize;
use utoipa::ToSchema;

/// A token, for its owner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id, which outlives its secrets.
    pub id: String,
    /// What it is: `personal_token` or `legacy_token`.
    pub kind: String,
    /// What it covers: what is `listed` in its grants, or everything of the level `read`, or of `read_write`, that its
    /// owner may do.
    pub covers: String,
    /// What speaks against it: `everything_of_owner`, `never_expires`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<&'static str>,
    /// Whether it was made elsewhere and imported.
    pub imported: bool,
    /// What its owner calls it.
    pub name: String,
    /// `active`, `revoked` or `expired`.
    pub state: String,
    /// Why it was asked for.
    pub reason: String,
    /// Addresses and ranges that it may be shown from; none for anywhere.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it ends; null where it does not.
    pub expires_at: Option<String>,
    /// When it was last let in, in whichever organization, give or take five minutes; absent where it was not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// When it was stopped everywhere for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Its state in each organization.
    pub parts: Vec<PartView>,
    /// What it was given, or asks for.
    pub grants: Vec<GrantView>,
}

/// One organization's part of a token.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartView {
    /// The key of the organization.
    pub organization: String,
    /// `active`, `blocked` or `revoked`.
    pub state: String,
    /// Why it is blocked or revoked there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    pub changed_at: String,
    /// When it was last let in here, give or take five minutes; absent where it was not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// Permissions of one API in one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// The key of the organization.
    pub organization: String,
    /// The key of the API.
    pub api: String,
    /// The place: `global`, or for example `repository:key:octo/hello`.
    pub context: String,
    /// The permissions, each as a whole scope.
    pub scopes: Vec<String>,
    /// `requested`, `granted`, `rejected`, `withdrawn`, `expired` or `ungranted`.
    pub state: String,
    /// Whether its owner, who answers for the place, granted it to themself.
    pub self_granted: bool,
    /// The id of the request that it is a line of, where somebody's word was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The scope that was asked for, where less was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// When it ends by itself, where that is before the token does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The id of the access policy that bounds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_policy: Option<String>,
    /// When it was asked for.
    pub created_at: String,
}

/// A token with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenWithSecret {
    /// The token.
    #[serde(flatten)]
    pub view: TokenView,
    /// Its secret: shown here, and never again.
    pub token: String,
    /// The ids of the requests that were filed, one for each organization where somebody's word is needed.
    pub requests: Vec<String>,
}

/// One organization's part of a token, for that organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrgTokenView {
    /// The token's id.
    pub id: String,
    /// What it is: `personal_token`, `legacy_token`, `organization_key` or `access_key`.
    pub kind: String,
    /// What it covers: what is `listed` in its grants; everything of the level `read`, or of `read_write`, that its owner may
    /// do; what the `roles` of its service account give; or everything (`unscoped`).
    pub covers: String,
    /// What speaks against it: `unscoped`, `everything_of_owner`, `never_expires`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<&'static str>,
    /// What its owner calls it.
    pub name: String,
    /// `active`, `blocked`, `revoked` or `expired`.
    pub state: String,
    /// Why this organization blocked or revoked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Whose it is.
    pub owner: OwnerView,
    /// Whether it was made elsewhere and imported.
    pub imported: bool,
    /// Why it was asked for.
    pub reason: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends; null where it does not.
    pub expires_at: Option<String>,
    /// When it was last let in here, give or take five minutes; absent where it was not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// What it was given here, or asks for.
    pub grants: Vec<GrantView>,
}

/// Whose a token is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnerView {
    /// `user`, `organization` or `service_account`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// The address, of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}
