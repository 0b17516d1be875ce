//! Which attributes an answer shows (RFC 7644 §3.9): those that were asked for, or all but those that were not wanted. The id
//! and the schemas are always there.

use super::schema::Resource;
use serde_json::{Map, Value};

/// Most names in a list.
const NAMES_MAX: usize = 100;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    include: Vec<String>,
    exclude: Vec<String>,
}

impl Asked {
    /// Lists of names as they stand in queries, separated by commas.
    pub fn of(include: Option<&str>, exclude: Option<&str>) -> Self {
        let names = |list: Option<&str>| {
            let names = list.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
            names.take(NAMES_MAX).map(str::to_owned).collect()
        };
        Self { include: names(include), exclude: names(exclude) }
    }

    /// Whether an attribute is to be shown, so that it has to be read at all.
    pub fn wants(&self, resource: Resource, name: &str) -> bool {
        let names =
            |list: &[String]| list.iter().any(|asked| Self::split(resource, asked).0.eq_ignore_ascii_case(name));
        if self.include.is_empty() {
            let whole = |asked: &&String| Self::split(resource, asked).1.is_none();
            let exclude: Vec<String> = self.exclude.iter().filter(whole).cloned().collect();
            return !names(&exclude);
        }
        names(&self.include)
    }

    /// Leaves what is to be shown of a resource.
    pub fn project(&self, resource: Resource, shown: &mut Value) {
        let Some(fields) = shown.as_object_mut() else { return };
        if !self.include.is_empty() {
            let whole = std::mem::take(fields);
            for (name, value) in &whole {
                if matches!(name.as_str(), "id" | "schemas") {
                    fields.insert(name.clone(), value.clone());
                }
            }
            for asked in &self.include {
                let (name, part) = Self::split(resource, asked);
                let Some((name, value)) = whole.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
                    continue;
                };
                match part {
                    None => drop(fields.insert(name.clone(), value.clone())),
                    Some(part) => {
                        let mut only = value.clone();
                        each(&mut only, &mut |parts| parts.retain(|known, _| known.eq_ignore_ascii_case(part)));
                        join(fields.entry(name.clone()).or_insert(Value::Null), only);
                    }
                }
            }
            return;
        }
        for asked in &self.exclude {
            let (name, part) = Self::split(resource, asked);
            if ["id", "schemas"].iter().any(|always| always.eq_ignore_ascii_case(name)) {
                continue;
            }
            match part {
                None => fields.retain(|known, _| !known.eq_ignore_ascii_case(name)),
                Some(part) => {
                    let chosen = fields.iter_mut().filter(|(known, _)| known.eq_ignore_ascii_case(name));
                    for (_, value) in chosen {
                        each(value, &mut |parts| parts.retain(|known, _| !known.eq_ignore_ascii_case(part)));
                    }
                }
            }
        }
    }

    fn split(resource: Resource, asked: &str) -> (&str, Option<&str>) {
        let name = resource.without_schema(asked).unwrap_or(asked);
        name.split_once('.').map_or((name, None), |(name, part)| (name, Some(part)))
    }
}

fn each(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(parts) => change(parts),
        Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(change),
        _ => {}
    }
}

/// Adds parts to those that are shown already.
fn join(shown: &mut Value, more: Value) {
    match (shown, more) {
        (Value::Object(shown), Value::Object(more)) => shown.extend(more),
        (Value::Array(shown), Value::Array(more)) if shown.len() == more.len() => {
            shown.iter_mut().zip(more).for_each(|(shown, more)| join(shown, more));
        }
        (shown, more) => *shown = more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(include: Option<&str>, exclude: Option<&str>) -> Value {
        let mut person = json!({"schemas": ["x"], "id": "usr_1", "userName": "ann",
            "name": {"givenName": "Ann", "familyName": "Berg"}, "emails": [{"value": "a", "type": "work"}], "meta": {}});
        Asked::of(include, exclude).project(Resource::User, &mut person);
        person
    }

    #[test]
    fn what_was_asked_for_is_shown() {
        assert_eq!(shown(Some("USERNAME"), None), json!({"schemas": ["x"], "id": "usr_1", "userName": "ann"}));
        assert_eq!(
            shown(Some("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName,name.familyName,emails.value"), None),
            json!({"schemas": ["x"], "id": "usr_1", "name": {"givenName": "Ann", "familyName": "Berg"}, "emails": [{"value": "a"}]})
        );
        let without = shown(None, Some("emails, id,name.familyName,meta"));
        assert_eq!(without, json!({"schemas": ["x"], "id": "usr_1", "userName": "ann", "name": {"givenName": "Ann"}}));
        let asked = Asked::of(None, Some("members, name.givenName"));
        assert!(!asked.wants(Resource::Group, "members") && asked.wants(Resource::User, "name"));
        assert!(!Asked::of(Some("id"), None).wants(Resource::Group, "members"));
    }
}
