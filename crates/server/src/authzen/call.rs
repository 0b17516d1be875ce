//! What an evaluation asks, as a question that a check answers.

use super::entities::{Action, Context, Resource, Subject};
use crate::verify::check::{Question, What};
use crate::verify::clients;
use std::net::IpAddr;
use tegata_core::scope::Place;

/// Something in an evaluation that cannot be read as a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct Wrong {
    /// The member, as a path.
    pub field: &'static str,
    /// The rule, and a way out.
    pub rule: &'static str,
}

/// What is wanted of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The API, by its key, where it was said.
    pub api: Option<String>,
    /// The organization, where it was said.
    pub organization: Option<String>,
    what: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Endpoint { method: String, path: String },
    Permission { permission: String, context: Option<String> },
}

impl Wish {
    /// Reads action and resource.
    pub fn of(action: &Action, resource: &Resource) -> Result<Self, Wrong> {
        let wrong = |field, rule| Err(Wrong { field, rule });
        if action.name.is_empty() {
            return wrong("action.name", "write a permission, or a method");
        }
        if resource.id.is_empty() {
            return wrong("resource.id", "write what it is wanted of");
        }
        let properties = resource.properties.clone().unwrap_or_default();
        let by_id = match properties.by.as_deref() {
            None | Some("key") => false,
            Some("id") => true,
            Some(_) => return wrong("resource.properties.by", "write `key` or `id`"),
        };
        let permission = action.name.clone();
        let (mut organization, id) = (properties.organization, resource.id.clone());
        let what = match resource.kind.as_str() {
            "" => return wrong("resource.type", "write a context type, `organization`, `global` or `endpoint`"),
            "endpoint" => Wanted::Endpoint { method: permission, path: id },
            "global" if id == "global" => Wanted::Permission { permission, context: None },
            "global" => return wrong("resource.id", "write `global`, or ask for the type `organization`"),
            "organization" => {
                if organization.as_ref().is_some_and(|other| *other != id) {
                    return wrong("resource.properties.organization", "the resource is another organization");
                }
                organization = Some(id);
                Wanted::Permission { permission, context: None }
            }
            kind => {
                let kind = kind.to_owned();
                let place = if by_id { Place::Id { kind, id } } else { Place::Key { kind, key: id } };
                Wanted::Permission { permission, context: Some(place.to_string()) }
            }
        };
        Ok(Self { api: properties.api, organization, what })
    }

    /// The same, as a check puts it.
    pub fn what(&self) -> What<'_> {
        match &self.what {
            Wanted::Endpoint { method, path } => What::Endpoint { method, path },
            Wanted::Permission { permission, context } => What::Permission { permission, context: context.as_deref() },
        }
    }
}

/// What was shown, as one text: a check knows what to make of it. Empty where it is no kind of subject that can be
/// known here, which no credential is.
pub fn shown(subject: &Subject) -> Result<String, Wrong> {
    match subject.kind.as_str() {
        "token" | "credential" => Ok(subject.id.clone()),
        "access_key" => {
            let secret = subject.properties.as_ref().and_then(|properties| properties.client_secret.as_deref());
            let missing = Wrong { field: "subject.properties.client_secret", rule: "send it with the client id" };
            Ok(clients::pair(&subject.id, secret.ok_or(missing)?))
        }
        _ => Ok(String::new()),
    }
}

/// One evaluation.
#[derive(Debug)]
pub struct Call {
    shown: String,
    /// What is wanted.
    pub wish: Wish,
    address: Option<IpAddr>,
    /// The circumstances.
    pub context: Context,
}

impl Call {
    /// Reads one.
    pub fn of(subject: &Subject, action: &Action, resource: &Resource, context: Context) -> Result<Self, Wrong> {
        let address = context.ip.as_deref().map(|text| text.parse::<IpAddr>().map(|address| address.to_canonical()));
        let wrong = Wrong { field: "context.ip", rule: "send an IPv4 or IPv6 address, without a port" };
        let address = address.transpose().map_err(|_| wrong)?;
        Ok(Self { shown: shown(subject)?, wish: Wish::of(action, resource)?, address, context })
    }

    /// The question; `only` is the API where none was said.
    pub fn question<'a>(&'a self, only: Option<&'a str>) -> Result<Question<'a>, Wrong> {
        let unsaid =
            Wrong { field: "resource.properties.api", rule: "say which API; this verifier asks about several" };
        Ok(Question {
            token: &self.shown,
            api: self.wish.api.as_deref().or(only).ok_or(unsaid)?,
            what: self.wish.what(),
            organization: self.wish.organization.as_deref(),
            address: self.address,
            user_agent: self.context.user_agent.as_deref(),
            request_id: self.context.request_id.as_deref(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn wish(action: &str, resource: serde_json::Value) -> Result<Wish, Wrong> {
        let action = Action { name: action.to_owned(), properties: None };
        Wish::of(&action, &serde_json::from_value(resource).unwrap())
    }

    fn permission(action: &str, resource: serde_json::Value) -> (Option<String>, Option<String>) {
        let wish = wish(action, resource).unwrap();
        match wish.what() {
            What::Permission { context, .. } => (context.map(str::to_owned), wish.organization),
            What::Endpoint { .. } => panic!("{wish:?} is an endpoint"),
        }
    }

    #[test]
    fn resources_are_places_or_endpoints() {
        let key = json!({"type": "house", "id": "a:b", "properties": {"api": "town", "organization": "octo"}});
        assert_eq!(permission("doors:read", key), (Some("house:key:a%3Ab".to_owned()), Some("octo".to_owned())));
        let id = json!({"type": "house", "id": "ctx_1", "properties": {"by": "id"}});
        assert_eq!(permission("doors:read", id), (Some("house:id:ctx_1".to_owned()), None));
        assert_eq!(permission("doors:read", json!({"type": "global", "id": "global"})), (None, None));
        let whole = json!({"type": "organization", "id": "octo"});
        assert_eq!(permission("doors:read", whole), (None, Some("octo".to_owned())));
        let endpoint = wish("GET", json!({"type": "endpoint", "id": "/houses/main/doors"})).unwrap();
        assert!(matches!(endpoint.what(), What::Endpoint { method: "GET", path: "/houses/main/doors" }));
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for (resource, field) in [
            (json!({"type": "global", "id": "octo"}), "resource.id"),
            (json!({"type": "", "id": "octo"}), "resource.type"),
            (json!({"type": "house", "id": ""}), "resource.id"),
            (json!({"type": "house", "id": "x", "properties": {"by": "name"}}), "resource.properties.by"),
            (
                json!({"type": "organization", "id": "a", "properties": {"organization": "b"}}),
                "resource.properties.organization",
            ),
        ] {
            assert_eq!(wish("doors:read", resource).unwrap_err().field, field);
        }
        assert_eq!(wish("", json!({"type": "house", "id": "x"})).unwrap_err().field, "action.name");
    }

    proptest! {
        /// A type cannot say more than a type: what is made of it is the place of that type and key, or none.
        #[test]
        fn no_place_can_be_smuggled_in(kind in "[a-z:%]{1,12}|house:key:[a-z]{1,3}", id in "\\PC{1,12}") {
            let (context, _) = permission("p", json!({"type": if kind == "global" || kind == "endpoint" || kind == "organization" { "house" } else { &kind }, "id": id}));
            let read = Place::parse(&context.unwrap(), &|word| word == "house");
            if let Ok(place) = read {
                prop_assert_eq!(place, Place::Key { kind: "house".to_owned(), key: id });
            }
        }
    }
}
