//! APIs and imports as they are shown.

use super::in_use::RemovedInUse;
use crate::catalogues::Loaded;
use serde::Serialize;
use serde_json::Value;
use tegata_core::catalogue::{self, ContextType, PermissionInfo, Risk, Texts, Unregistered};
use utoipa::ToSchema;

/// What an import did, or would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "an answer, of which each says one thing to people and scripts")]
pub struct ImportView {
    /// The key of the API.
    pub api: String,
    /// Its id; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How often its catalogue was imported, this time included.
    pub version: u64,
    /// Whether nothing was changed and this only shows what would be.
    pub dry_run: bool,
    /// Whether the API is new.
    pub created: bool,
    /// How many permissions it has.
    pub permissions: usize,
    /// How many endpoints it has.
    pub endpoints: usize,
    /// Endpoints that every call is denied for, since they name no permission.
    pub endpoints_without_permission: Unguarded,
    /// Whether anybody may do more than before without being granted anything.
    pub widens: bool,
    /// Whether it takes permissions away that are granted, which needs `force`.
    pub needs_force: bool,
    /// Permissions that go while they are granted.
    pub removed_in_use: Vec<RemovedInUse>,
    /// What changes; absent for a new API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub diff: Option<Value>,
    /// What to look at after an import from OpenAPI.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub report: Option<Value>,
}

/// Endpoints that every call is denied for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Unguarded {
    /// How many.
    pub count: usize,
    /// The first 200 of them, as `GET /path`.
    pub listed: Vec<String>,
}

/// A text for people.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TextView {
    /// In English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
    /// In Japanese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja: Option<String>,
}

/// An API, in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiSummary {
    /// Its id.
    pub id: String,
    /// What stands in URLs and in checks.
    pub key: String,
    /// Its name for people.
    pub title: TextView,
    /// The version that its publisher writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// How often its catalogue was imported.
    pub version: u64,
    /// How many permissions it has.
    pub permission_count: usize,
    /// How many endpoints it has.
    pub endpoint_count: usize,
}

/// An API.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiView {
    /// What stands in lists.
    #[serde(flatten)]
    pub summary: ApiSummary,
    /// Its context types.
    pub context_types: Vec<ContextTypeView>,
    /// Its permissions.
    pub permissions: Vec<PermissionView>,
    /// The roles that it brings.
    pub roles: Vec<CatalogueRoleView>,
}

/// A kind of place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContextTypeView {
    /// The word that scopes use.
    pub name: String,
    /// The type of place it lies in, or `global`.
    pub parent: String,
    /// Whether keys that differ in case are different places.
    pub case_sensitive: bool,
    /// What becomes of a call that names a place nobody registered: `deny` or `parent`.
    pub unregistered: String,
    /// Its name for people.
    pub title: TextView,
}

/// A permission.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PermissionView {
    /// Its name.
    pub name: String,
    /// `read`, `write` or `admin`.
    pub level: String,
    /// The context types in which it may be granted; `global` is the organization.
    pub contexts: Vec<String>,
    /// Everything that comes with it.
    pub implies: Vec<String>,
    /// Its name for people.
    pub title: TextView,
    /// What it allows.
    pub description: TextView,
    /// How much harm it can do: `low`, `medium` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<String>,
    /// What was inferred or decided the safe way.
    pub flags: Vec<String>,
}

/// A role that a catalogue brings.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CatalogueRoleView {
    /// Its key in the catalogue.
    pub key: String,
    /// The context type in which it is assigned, or `global`.
    pub context_type: String,
    /// Its permissions.
    pub permissions: Vec<String>,
    /// Its name for people.
    pub title: TextView,
    /// What was inferred or decided the safe way.
    pub flags: Vec<String>,
}

/// The whole catalogue of an API.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CatalogueView {
    /// The key of the API.
    pub api: String,
    /// Its id.
    pub id: String,
    /// How often its catalogue was imported.
    pub version: u64,
    /// The document, as it can be imported again.
    #[schema(value_type = Object)]
    pub document: Value,
}

impl From<&Texts> for TextView {
    fn from(texts: &Texts) -> Self {
        Self { en: texts.en.clone(), ja: texts.ja.clone() }
    }
}

impl From<&Loaded> for ApiSummary {
    fn from(api: &Loaded) -> Self {
        Self {
            id: api.id.to_string(),
            key: api.key.clone(),
            title: api.catalogue.title().into(),
            api_version: api.catalogue.version().map(str::to_owned),
            version: api.version,
            permission_count: api.catalogue.permissions().len(),
            endpoint_count: api.catalogue.endpoints().len(),
        }
    }
}

impl From<&Loaded> for ApiView {
    fn from(api: &Loaded) -> Self {
        let catalogue = &api.catalogue;
        let name = |number| catalogue.permission(number).map(|permission| permission.name.clone());
        let permission = |known: &PermissionInfo| PermissionView {
            name: known.name.clone(),
            level: known.level.as_str().to_owned(),
            contexts: known.contexts.clone(),
            implies: known.with_implied.iter().filter(|number| *number != known.number).filter_map(name).collect(),
            title: (&known.title).into(),
            description: (&known.description).into(),
            risk: known.risk.map(|risk| risk_word(risk).to_owned()),
            flags: known.flags.clone(),
        };
        let role = |role: &catalogue::Role| CatalogueRoleView {
            key: role.key.clone(),
            context_type: role.context_type.clone().unwrap_or_else(|| "global".to_owned()),
            permissions: role.permissions.iter().filter_map(name).collect(),
            title: (&role.title).into(),
            flags: role.flags.clone(),
        };
        Self {
            summary: api.into(),
            context_types: catalogue.context_types().iter().map(Into::into).collect(),
            permissions: catalogue.permissions().iter().map(permission).collect(),
            roles: catalogue.roles().iter().map(role).collect(),
        }
    }
}

impl From<&ContextType> for ContextTypeView {
    fn from(kind: &ContextType) -> Self {
        Self {
            name: kind.name.clone(),
            parent: kind.parent().unwrap_or("global").to_owned(),
            case_sensitive: kind.case_sensitive,
            unregistered: match kind.unregistered {
                Unregistered::Deny => "deny",
                Unregistered::Parent => "parent",
            }
            .to_owned(),
            title: (&kind.title).into(),
        }
    }
}

const fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}
