//! Assignments as they are shown.

use super::names::Names;
use crate::db::assignments::Assignment;
use crate::db::{DbError, Tx};
use serde::Serialize;
use utoipa::ToSchema;

/// Who has which role where.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Assignment)]
pub struct AssignmentView {
    /// Its id.
    pub id: String,
    /// The role.
    pub role: RoleRef,
    /// Who has it.
    pub principal: PrincipalRef,
    /// Where; null for the whole organization.
    pub context: Option<ContextRef>,
    /// Since when.
    pub created_at: String,
    /// The id of whoever gave it.
    pub created_by: String,
}

/// A role, named.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AssignmentRole)]
pub struct RoleRef {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// A user or team, named.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AssignmentPrincipal)]
pub struct PrincipalRef {
    /// `user`, `team` or `service_account`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A context, named.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AssignmentContext)]
pub struct ContextRef {
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
}

impl AssignmentView {
    /// An assignment with the names of everything in it.
    pub async fn of(tx: &mut Tx, names: &mut Names, assignment: &Assignment) -> Result<Self, DbError> {
        let role = names.role(tx, assignment.role).await?;
        let context = match assignment.context {
            None => None,
            Some(id) => names.context(tx, id).await?.map(|context| ContextRef {
                id: context.id.to_string(),
                kind: context.kind,
                key: context.key,
                name: context.name,
            }),
        };
        let (key, name) = role.map(|role| (role.key, role.name)).unwrap_or_default();
        Ok(Self {
            id: assignment.id.to_string(),
            role: RoleRef { id: assignment.role.to_string(), key, name },
            principal: PrincipalRef {
                kind: assignment.principal.kind().to_owned(),
                id: assignment.principal.id(),
                name: names.principal(tx, assignment.principal).await?,
            },
            context,
            created_at: assignment.created_at.to_string(),
            created_by: assignment.created_by.clone(),
        })
    }
}
