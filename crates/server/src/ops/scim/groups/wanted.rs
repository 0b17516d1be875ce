//! What an identity provider wants a team to be, checked.

use crate::scim::Wrong;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use tegata_core::ids::UserId;
use tegata_core::name;

/// What an identity provider wants a team to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is called.
    pub name: String,
    /// The identity provider's id of it.
    pub external_id: Option<String>,
    /// Who is in it.
    pub members: BTreeSet<UserId>,
}

impl Wanted {
    /// Reads the attributes that are kept.
    pub fn read(kept: &Map<String, Value>) -> Result<Self, Wrong> {
        let name = match kept.get("displayName") {
            Some(Value::String(name)) => name.trim().to_owned(),
            _ => return Err(Wrong::value("`displayName` is missing")),
        };
        name::check_title(&name).map_err(|error| Wrong::value(format!("`displayName`: {error}")))?;
        let external_id = match kept.get("externalId") {
            None => None,
            Some(Value::String(id)) if !id.is_empty() && id.chars().count() <= 254 => Some(id.clone()),
            Some(_) => return Err(Wrong::value("`externalId` has to be a text of 1 to 254 characters")),
        };
        let mut members = BTreeSet::new();
        for member in kept.get("members").and_then(Value::as_array).into_iter().flatten() {
            let is_group =
                member.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("Group"));
            if is_group {
                return Err(Wrong::value("a team has people as members, and no other team"));
            }
            let id = member.get("value").and_then(Value::as_str);
            let id = id.ok_or_else(|| Wrong::value("an entry of `members` has no `value`"))?;
            members.insert(id.parse().map_err(|_| Wrong::value(format!("nobody here has the id `{id}`")))?);
        }
        Ok(Self { name, external_id, members })
    }
}
