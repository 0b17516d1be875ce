//! Roles as they are shown.

use crate::app::App;
use crate::db::roles::Role;
use crate::db::{self, DbError, Tx};
use crate::ops::assignments::names::Names;
use serde::{Deserialize, Serialize};
use tegata_core::ids::OrgId;
use utoipa::ToSchema;

/// A role.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// Its id.
    pub id: String,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Where it may be given: `global` in the whole organization, `any` in any context, else in contexts of this type.
    pub context_type: String,
    /// Whether it holds everything that the place has, also what comes later.
    pub everything: bool,
    /// `predefined`, `catalogue` or `own`.
    pub origin: String,
    /// The key of the API whose catalogue brings it.
    pub api: Option<String>,
    /// What it lists, by API.
    pub permissions: Vec<ApiPermissions>,
    /// When it appeared.
    pub created_at: String,
}

/// Permissions of one API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RolePermissions)]
pub struct ApiPermissions {
    /// The API's key; its id is understood too.
    pub api: String,
    /// Names of its permissions.
    pub permissions: Vec<String>,
}

impl RoleView {
    /// A role with what it lists.
    pub async fn of(app: &App, tx: &mut Tx, org: OrgId, names: &mut Names, role: Role) -> Result<Self, DbError> {
        let mut permissions = Vec::new();
        for (api, listed) in db::roles::permissions(tx, org, role.id).await? {
            permissions.push(ApiPermissions { api: names.api(app, tx, api).await?, permissions: listed });
        }
        permissions.sort_by(|a, b| a.api.cmp(&b.api));
        let api = match role.api {
            Some(api) => Some(names.api(app, tx, api).await?),
            None => None,
        };
        Ok(Self {
            id: role.id.to_string(),
            key: role.key,
            name: role.name,
            context_type: role.context_type,
            everything: role.everything,
            origin: role.origin.as_str().to_owned(),
            api,
            permissions,
            created_at: role.created_at.to_string(),
        })
    }
}
