//! What goes over the wire, as far as OpenAPI describes it. `/Schemas` tells the attributes of resources in SCIM's own words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A member.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimUser {
    /// The URI of its schema.
    pub schemas: Option<Vec<String>>,
    /// What the identity provider calls the person.
    #[serde(rename = "userName")]
    #[schema(example = "ann@example.com")]
    pub user_name: String,
}

/// A team.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimGroup {
    /// The URI of its schema.
    pub schemas: Option<Vec<String>>,
    /// What the team is called.
    #[serde(rename = "displayName")]
    #[schema(example = "Tokyo")]
    pub display_name: String,
}

/// A list of resources.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimList {
    /// The URI of the message.
    pub schemas: Vec<String>,
    /// How many resources fit.
    #[serde(rename = "totalResults")]
    pub total_results: u64,
    /// The number of the first of this page, counted from 1.
    #[serde(rename = "startIndex")]
    pub start_index: u64,
    /// How many are on this page.
    #[serde(rename = "itemsPerPage")]
    pub items_per_page: u64,
    /// The resources.
    #[serde(rename = "Resources")]
    #[schema(value_type = Vec<Object>)]
    pub resources: Vec<serde_json::Value>,
}

/// A patch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimPatch {
    /// The URI of the message.
    pub schemas: Option<Vec<String>>,
    /// The operations, one after the other.
    #[serde(rename = "Operations")]
    pub operations: Vec<ScimPatchOperation>,
}

/// One operation of a patch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimPatchOperation {
    /// `add`, `replace` or `remove`.
    #[schema(example = "replace")]
    pub op: String,
    /// What is changed; without it, the value says so.
    pub path: Option<String>,
    /// What it becomes.
    #[schema(value_type = Option<Object>)]
    pub value: Option<serde_json::Value>,
}

/// A search.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScimSearch {
    /// The URI of the message.
    pub schemas: Option<Vec<String>>,
    /// Only what fits.
    pub filter: Option<String>,
    /// The first of the page, counted from 1.
    pub start_index: Option<i64>,
    /// How many at most.
    pub count: Option<i64>,
    /// Only these attributes.
    pub attributes: Option<Vec<String>>,
    /// All attributes but these.
    pub excluded_attributes: Option<Vec<String>>,
}

/// A document about the protocol.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimDocument {
    /// The URI of what it is.
    pub schemas: Option<Vec<String>>,
}

/// What went wrong (RFC 7644 §3.12).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ScimError {
    /// The URI of the message.
    pub schemas: Vec<String>,
    /// The status of the answer.
    pub status: String,
    /// What happened, and a way out.
    pub detail: String,
    /// The class of the mistake.
    #[serde(rename = "scimType")]
    pub scim_type: Option<String>,
}
