//! Teams as an identity provider is shown them.

use crate::db::teams::Team;
use crate::db::{self, DbError, Tx};
use crate::ops::scim::version;
use crate::scim::schema::GROUP;
use serde_json::{Map, Value, json};
use tegata_core::ids::OrgId;

/// What is known of a team, with its members.
pub async fn attributes(tx: &mut Tx, org: OrgId, team: &Team, base: &str) -> Result<Map<String, Value>, DbError> {
    let mut attributes = Map::new();
    attributes.insert("displayName".to_owned(), json!(team.name));
    if let Some(external_id) = db::scim::team(tx, org, team.id).await?.and_then(|note| note.external_id) {
        attributes.insert("externalId".to_owned(), json!(external_id));
    }
    let members = db::scim::members(tx, org, team.id).await?;
    let members: Vec<Value> = members
        .into_iter()
        .map(|user| json!({"value": user.to_string(), "$ref": format!("{base}/Users/{user}"), "type": "User"}))
        .collect();
    if !members.is_empty() {
        attributes.insert("members".to_owned(), json!(members));
    }
    Ok(attributes)
}

/// A team with a version.
pub async fn shown(tx: &mut Tx, org: OrgId, team: &Team, base: &str) -> Result<Value, DbError> {
    let mut shown = Value::Object(attributes(tx, org, team, base).await?);
    shown["schemas"] = json!([GROUP]);
    shown["id"] = json!(team.id.to_string());
    shown["meta"] = json!({
        "resourceType": "Group",
        "created": team.created_at.to_string(),
        "location": format!("{base}/Groups/{}", team.id),
    });
    version::stamp(&mut shown);
    Ok(shown)
}
