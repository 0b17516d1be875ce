//! Members as an identity provider is shown them.

use crate::db::scim::Person;
use crate::db::{self, DbError, Tx};
use crate::ops::scim::version;
use crate::scim::schema::USER;
use serde_json::{Map, Value, json};
use tegata_core::ids::OrgId;

/// What is known of a member: what the identity provider wrote, or else the account; with `active`.
pub fn attributes(person: &Person) -> Map<String, Value> {
    let written = person.attributes.as_deref().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let mut attributes = written.filter(|written| written.contains_key("userName")).unwrap_or_else(|| {
        let mut account = Map::new();
        account.insert("userName".to_owned(), json!(person.email));
        account.insert("displayName".to_owned(), json!(person.name));
        account.insert("emails".to_owned(), json!([{"value": person.email, "type": "work", "primary": true}]));
        account
    });
    attributes.insert("active".to_owned(), json!(is_active(person)));
    attributes
}

/// Whether somebody is active here.
pub const fn is_active(person: &Person) -> bool {
    person.active && person.account_active
}

/// A member without their teams, for filters.
pub fn plain(person: &Person, base: &str) -> Value {
    let mut shown = Value::Object(attributes(person));
    shown["schemas"] = json!([USER]);
    shown["id"] = json!(person.user.to_string());
    shown["meta"] = json!({
        "resourceType": "User",
        "created": person.created_at.to_string(),
        "location": format!("{base}/Users/{}", person.user),
    });
    shown
}

/// A member with their teams and a version.
pub async fn shown(tx: &mut Tx, org: OrgId, person: &Person, base: &str) -> Result<Value, DbError> {
    let mut shown = plain(person, base);
    let mut groups = Vec::new();
    for team in db::teams::of_user(tx, org, person.user).await? {
        if let Some(team) = db::teams::find(tx, org, &team.to_string()).await? {
            let location = format!("{base}/Groups/{}", team.id);
            groups.push(json!({"value": team.id.to_string(), "$ref": location, "display": team.name}));
        }
    }
    if !groups.is_empty() {
        shown["groups"] = json!(groups);
    }
    version::stamp(&mut shown);
    Ok(shown)
}
