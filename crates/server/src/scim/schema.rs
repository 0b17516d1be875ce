//! Which attributes of people and teams are kept, and the documents that say so (RFC 7643 §7). What the standard names
//! besides is taken and not kept, so that an identity provider with its usual mapping works.

use serde_json::{Map, Value, json};

/// The URI of the schema of people.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URI of the schema of teams.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URI of the extension for employees, which is taken and not kept.
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A type of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Members.
    User,
    /// Teams.
    Group,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Yes or no.
    Boolean,
    /// The address of a resource of one of these types.
    Reference(&'static [&'static str]),
    /// Attributes of its own.
    Complex(&'static [Attribute]),
}

/// Who writes an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Clients.
    ReadWrite,
    /// Clients, once.
    Immutable,
    /// This server.
    ReadOnly,
}

/// Whether two resources may have the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// They may.
    None,
    /// No two resources of a type.
    Server,
}

/// An attribute.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub kind: Type,
    /// Whether it has several.
    pub multi: bool,
    /// Whether it always has one.
    pub required: bool,
    /// Who writes it.
    pub mutability: Mutability,
    /// Whether upper and lower case differ.
    pub case_exact: bool,
    /// Whether two resources may have the same.
    pub uniqueness: Uniqueness,
    /// The usual values, where there are some.
    pub canonical: &'static [&'static str],
    /// What it is.
    pub description: &'static str,
}

const fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute {
        name,
        kind: Type::Text,
        multi: false,
        required: false,
        mutability: Mutability::ReadWrite,
        case_exact: false,
        uniqueness: Uniqueness::None,
        canonical: &[],
        description,
    }
}

const NAME: &[Attribute] = &[
    text("formatted", "The whole name."),
    text("familyName", "The family name."),
    text("givenName", "The given name."),
];

const EMAILS: &[Attribute] = &[
    Attribute { required: true, ..text("value", "The address.") },
    Attribute { canonical: &["work", "home", "other"], ..text("type", "What it is for.") },
    Attribute { kind: Type::Boolean, ..text("primary", "Whether it is the one that is used; one at most.") },
];

const GROUPS: &[Attribute] = &[
    Attribute { mutability: Mutability::ReadOnly, case_exact: true, ..text("value", "The id of the team.") },
    Attribute {
        kind: Type::Reference(&["Group"]),
        mutability: Mutability::ReadOnly,
        case_exact: true,
        ..text("$ref", "The address of the team.")
    },
    Attribute { mutability: Mutability::ReadOnly, ..text("display", "What the team is called.") },
];

const MEMBERS: &[Attribute] = &[
    Attribute { mutability: Mutability::Immutable, case_exact: true, ..text("value", "The id of the member.") },
    Attribute {
        kind: Type::Reference(&["User"]),
        mutability: Mutability::Immutable,
        case_exact: true,
        ..text("$ref", "The address of the member.")
    },
    Attribute { mutability: Mutability::Immutable, canonical: &["User"], ..text("type", "Always `User`.") },
];

const USER_ATTRIBUTES: &[Attribute] = &[
    Attribute {
        required: true,
        uniqueness: Uniqueness::Server,
        ..text("userName", "What the identity provider calls the person; once in the organization.")
    },
    Attribute { kind: Type::Complex(NAME), ..text("name", "The parts of the name.") },
    text("displayName", "What the person is called."),
    Attribute {
        kind: Type::Complex(EMAILS),
        multi: true,
        required: true,
        ..text("emails", "Addresses; may be left out where the user name is one.")
    },
    Attribute {
        kind: Type::Boolean,
        required: true,
        ..text("active", "Whether the membership is active; true where it is left out. Setting it to false is leaving.")
    },
    Attribute {
        kind: Type::Complex(GROUPS),
        multi: true,
        mutability: Mutability::ReadOnly,
        ..text("groups", "The teams that the person is in.")
    },
];

const GROUP_ATTRIBUTES: &[Attribute] = &[
    Attribute { required: true, ..text("displayName", "What the team is called.") },
    Attribute { kind: Type::Complex(MEMBERS), multi: true, ..text("members", "Who is in the team.") },
];

/// What every resource has (RFC 7643 §3.1), besides `schemas`.
const COMMON: &[Attribute] = &[
    Attribute { mutability: Mutability::ReadOnly, case_exact: true, ..text("id", "Its id here.") },
    Attribute { case_exact: true, ..text("externalId", "Its id at the identity provider.") },
];

/// Attributes of people that the standard has (RFC 7643 §4.1) and that are not kept.
const NOT_KEPT: &[&str] = &[
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "password",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
];

/// Parts of a name that the standard has and that are not kept.
const NAME_NOT_KEPT: &[&str] = &["middleName", "honorificPrefix", "honorificSuffix"];

impl Resource {
    /// Both types.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The last part of its addresses.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "Users",
            Self::Group => "Groups",
        }
    }

    /// The URI of its schema.
    pub const fn schema(self) -> &'static str {
        match self {
            Self::User => USER,
            Self::Group => GROUP,
        }
    }

    /// What is kept of it, besides what every resource has.
    pub const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::User => USER_ATTRIBUTES,
            Self::Group => GROUP_ATTRIBUTES,
        }
    }

    /// The attribute of this name, in whichever case (RFC 7643 §2.1).
    pub fn find(self, name: &str) -> Option<&'static Attribute> {
        COMMON.iter().chain(self.attributes()).find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// Whether the standard has this attribute, which is taken and not kept.
    pub fn is_not_kept(self, name: &str) -> bool {
        let common = ["schemas", "meta"].iter().any(|known| known.eq_ignore_ascii_case(name));
        common || self == Self::User && NOT_KEPT.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The name of an attribute without the URI of the schema before it; none where the URI is of another schema.
    pub fn without_schema(self, path: &str) -> Option<&str> {
        let known = [self.schema(), ENTERPRISE];
        for schema in known {
            let (Some(start), Some(rest)) = (path.get(..schema.len()), path.get(schema.len()..)) else { continue };
            if start.eq_ignore_ascii_case(schema) {
                return match rest.strip_prefix(':') {
                    Some(name) => Some(name),
                    // The extension as a whole.
                    None if rest.is_empty() && schema == ENTERPRISE => Some("department"),
                    None => None,
                };
            }
        }
        (!path.to_ascii_lowercase().starts_with("urn:")).then_some(path)
    }
}

impl Attribute {
    /// The part of this name, in whichever case.
    pub fn part(&self, name: &str) -> Option<&'static Attribute> {
        match self.kind {
            Type::Complex(parts) => parts.iter().find(|part| part.name.eq_ignore_ascii_case(name)),
            _ => None,
        }
    }

    /// Whether the standard has this part, which is taken and not kept.
    pub fn is_part_not_kept(&self, name: &str) -> bool {
        match self.name {
            "name" => NAME_NOT_KEPT.iter().any(|known| known.eq_ignore_ascii_case(name)),
            "emails" | "members" => name.eq_ignore_ascii_case("display"),
            _ => false,
        }
    }

    fn document(&self) -> Value {
        let (kind, parts) = match self.kind {
            Type::Text => ("string", None),
            Type::Boolean => ("boolean", None),
            Type::Reference(_) => ("reference", None),
            Type::Complex(parts) => ("complex", Some(parts)),
        };
        let mut document = json!({
            "name": self.name,
            "type": kind,
            "multiValued": self.multi,
            "description": self.description,
            "required": self.required,
            "mutability": match self.mutability {
                Mutability::ReadWrite => "readWrite",
                Mutability::Immutable => "immutable",
                Mutability::ReadOnly => "readOnly",
            },
            "returned": "default",
        });
        if let Type::Text | Type::Reference(_) = self.kind {
            document["caseExact"] = json!(self.case_exact);
            document["uniqueness"] = json!(match self.uniqueness {
                Uniqueness::None => "none",
                Uniqueness::Server => "server",
            });
        }
        if let Type::Reference(types) = self.kind {
            document["referenceTypes"] = json!(types);
        }
        if !self.canonical.is_empty() {
            document["canonicalValues"] = json!(self.canonical);
        }
        if let Some(parts) = parts {
            document["subAttributes"] = parts.iter().map(Self::document).collect();
        }
        document
    }
}

/// The document of a schema. `base` is the address of the organization's SCIM.
pub fn document(resource: Resource, base: &str) -> Value {
    let (schema, name) = (resource.schema(), resource.name());
    let description = match resource {
        Resource::User => "A member of the organization.",
        Resource::Group => "A team of the organization.",
    };
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema,
        "name": name,
        "description": description,
        "attributes": resource.attributes().iter().map(Attribute::document).collect::<Vec<_>>(),
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{schema}")},
    })
}

/// The document of a type of resources (RFC 7643 §6).
pub fn resource_type(resource: Resource, base: &str) -> Value {
    let name = resource.name();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": name,
        "name": name,
        "endpoint": format!("/{}", resource.endpoint()),
        "schema": resource.schema(),
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}")},
    })
}

/// Most resources in one answer.
pub const RESULTS_MAX: usize = 200;

/// What of the protocol is there (RFC 7643 §5).
pub fn configuration(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": RESULTS_MAX},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Organization key",
            "description": "A key of the organization with the permission `scim`, as a bearer token.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    })
}

/// A list of resources (RFC 7644 §3.4.2). `start` counts from one.
pub fn list(total: usize, start: usize, resources: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

/// The attributes of a resource that are kept, under the names that the schema gives them; what is read-only, empty or not kept
/// falls away, and what nobody knows is passed over, as RFC 7644 §3.3 has it for what a client sends in whole resources.
pub fn kept(resource: Resource, sent: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in sent {
        let name = resource.without_schema(name).unwrap_or(name);
        let Some(attribute) = resource.find(name) else { continue };
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        let value = shaped(attribute, value);
        if !is_unassigned(&value) {
            kept.insert(attribute.name.to_owned(), value);
        }
    }
    kept
}

/// A value as its attribute has it: parts under their names, one or many, and booleans also where they are sent as texts.
pub fn shaped(attribute: &Attribute, value: &Value) -> Value {
    match (attribute.multi, value) {
        (true, Value::Array(items)) => items.iter().map(|item| shaped_one(attribute, item)).collect(),
        (true, Value::Null) => Value::Null,
        (true, one) => json!([shaped_one(attribute, one)]),
        (false, one) => shaped_one(attribute, one),
    }
}

fn shaped_one(attribute: &Attribute, value: &Value) -> Value {
    match (attribute.kind, value) {
        // Entra ID sends booleans as texts.
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => json!(true),
        (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => json!(false),
        (Type::Complex(_), Value::Object(fields)) => {
            let mut shaped = Map::new();
            for (name, value) in fields {
                let Some(part) = attribute.part(name).filter(|part| part.mutability != Mutability::ReadOnly) else {
                    continue;
                };
                let value = shaped_one(part, value);
                if !is_unassigned(&value) {
                    shaped.insert(part.name.to_owned(), value);
                }
            }
            Value::Object(shaped)
        }
        // The plain form of a value with parts.
        (Type::Complex(_), Value::String(text)) if attribute.part("value").is_some() => json!({"value": text}),
        (_, value) => value.clone(),
    }
}

/// Whether a value stands for none (RFC 7643 §2.5).
pub fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
