//! Contexts as they are shown.

use crate::db::contexts::Context;
use serde::Serialize;
use utoipa::ToSchema;

/// A context.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Context)]
pub struct ContextView {
    /// Its id.
    pub id: String,
    /// Its type, as a catalogue declares it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key that people use.
    pub key: String,
    /// The id by which the API knows it.
    pub external_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// The id of the context above it; null directly under the organization.
    pub parent: Option<String>,
    /// When it was registered.
    pub created_at: String,
    /// The id of whoever did.
    pub created_by: String,
}

impl From<&Context> for ContextView {
    fn from(context: &Context) -> Self {
        Self {
            id: context.id.to_string(),
            kind: context.kind.clone(),
            key: context.key.clone(),
            external_id: context.external_id.clone(),
            name: context.name.clone(),
            parent: context.parent.map(|parent| parent.to_string()),
            created_at: context.created_at.to_string(),
            created_by: context.created_by.clone(),
        }
    }
}

/// A context with those who answer for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContextDetail {
    /// The context.
    #[serde(flatten)]
    pub context: ContextView,
    /// Who administers this very context; administrators of what lies above it do so too and are not listed.
    pub administrators: Vec<Administrator>,
}

/// Somebody who administers a context.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextAdministrator)]
pub struct Administrator {
    /// `user` or `team`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the user or team.
    pub id: String,
    /// Their name.
    pub name: String,
    /// The key of the role that makes them so.
    pub role: String,
}

/// A context after a change, with what the change gave to whom.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContextUpdated {
    /// The context.
    #[serde(flatten)]
    pub context: ContextView,
    /// Rights that reach it now and did not before the move.
    pub gained: Vec<MovedRight>,
    /// Rights that reached it before the move and do not any more.
    pub lost: Vec<MovedRight>,
    /// Policies of contexts that tighten it now and did not before the move.
    pub policies_gained: Vec<MovedPolicy>,
    /// Policies of contexts that tightened it before the move and do not any more.
    pub policies_lost: Vec<MovedPolicy>,
}

/// What moving a context would change.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextMovePreview)]
pub struct MovePreview {
    /// The id of the context.
    pub context: String,
    /// The id of the context above it; null directly under the organization.
    pub parent: Option<String>,
    /// The id of the context that would be above it.
    pub new_parent: Option<String>,
    /// Rights that would reach it.
    pub gained: Vec<MovedRight>,
    /// Rights that would no longer reach it.
    pub lost: Vec<MovedRight>,
    /// Policies of contexts that would tighten it.
    pub policies_gained: Vec<MovedPolicy>,
    /// Policies of contexts that would no longer tighten it.
    pub policies_lost: Vec<MovedPolicy>,
}

/// A policy of a context above another.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextMovedPolicy)]
pub struct MovedPolicy {
    /// The id of the context that says it.
    pub context: String,
    /// The kind of credential.
    pub kind: String,
}

/// A right in a context above another.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextMovedRight)]
pub struct MovedRight {
    /// The id of the assignment.
    pub assignment: String,
    /// `user` or `team`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the user or team.
    pub principal: String,
    /// Their name.
    pub name: String,
    /// The key of the role.
    pub role: String,
    /// The id of the context in which they have it.
    pub context: String,
}
