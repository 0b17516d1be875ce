//! Organizations as callers see them.

use crate::catalogues::Loaded;
use crate::db::orgs::Org;
use serde::Serialize;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// An organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrgView {
    /// Its id.
    pub id: String,
    /// What stands in URLs.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// `publisher`, or `tenant`.
    pub kind: String,
    /// When it was made.
    pub created_at: String,
}

impl From<&Org> for OrgView {
    fn from(org: &Org) -> Self {
        Self {
            id: org.id.to_string(),
            key: org.key.clone(),
            name: org.name.clone(),
            kind: if org.publisher { "publisher" } else { "tenant" }.to_owned(),
            created_at: org.created_at.to_string(),
        }
    }
}

/// An API that an organization uses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrgApiView {
    /// The API's id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Its name for people.
    pub title: String,
    /// Since when the organization uses it.
    pub enabled_at: String,
    /// Keys of the roles that it brings.
    pub roles: Vec<String>,
}

impl OrgApiView {
    /// An API as an organization uses it.
    pub fn new(loaded: &Loaded, enabled_at: Timestamp) -> Self {
        let roles = loaded.catalogue.roles().iter();
        Self {
            id: loaded.id.to_string(),
            key: loaded.key.clone(),
            title: loaded.catalogue.title().text("en").unwrap_or(&loaded.key).to_owned(),
            enabled_at: enabled_at.to_string(),
            roles: roles.map(|role| super::catalogue_roles::role_key(&loaded.key, &role.key)).collect(),
        }
    }
}
