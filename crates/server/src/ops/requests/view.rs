//! Requests as they are shown.

use crate::ops::apis::view::TextView;
use crate::ops::view::PersonView;
use serde::Serialize;
use utoipa::ToSchema;

/// Permissions that were asked for together.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Request)]
pub struct RequestView {
    /// Its id.
    pub id: String,
    /// The key of the organization that decides it.
    pub organization: String,
    /// The credential it is for; it works with whatever is granted, and needs no new secret.
    pub credential: CredentialView,
    /// Who asks.
    pub requester: PersonView,
    /// What for.
    pub reason: String,
    /// `open` while a line waits for a decision, and then `closed`.
    pub state: String,
    /// When it was made.
    pub created_at: String,
    /// When it expires, as far as it is not decided.
    pub expires_at: String,
    /// When nothing of it waited any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// Its lines, as far as one may see them.
    pub lines: Vec<LineView>,
}

/// A credential that something is asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RequestCredential)]
pub struct CredentialView {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// When it ends.
    pub expires_at: String,
}

/// One permission in one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RequestLine)]
pub struct LineView {
    /// Its number in the request, from 1.
    pub line: i64,
    /// The key of the API.
    pub api: String,
    /// The scope: what is asked for, and once it was granted what was granted.
    pub scope: String,
    /// The scope that was asked for, where less was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// What the permission is about, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<TextView>,
    /// The level of the permission: `read`, `write` or `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// `requested`, `granted`, `rejected`, `withdrawn`, `expired` or `ungranted`.
    pub state: String,
    /// When what was granted ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The id of the access policy that bounds what was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_policy: Option<String>,
    /// Who decided it, when, and with which words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<DecidedView>,
    /// Whether whoever looks can decide it now.
    pub can_decide: bool,
    /// Who is asked to decide it; when one request is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_of: Option<AskedOf>,
}

/// Who decided something.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RequestDecided)]
pub struct DecidedView {
    /// Who; absent where nobody did in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonView>,
    /// When.
    pub at: String,
    /// What they said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Who is asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RequestAskedOf)]
pub struct AskedOf {
    /// The place whose administrators are asked: `global`, or as in scopes.
    pub place: String,
    /// Whether the place of the line has no active administrator, so that those of the next place up are asked.
    pub escalated: bool,
    /// They.
    pub people: Vec<PersonView>,
}
