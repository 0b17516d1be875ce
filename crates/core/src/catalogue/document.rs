//! The catalogue document as it is written in YAML or JSON. Only shapes and defaults live here; what makes a document
//! wrong is the business of `check`.

use crate::level::Level;
use serde::{Deserialize, Deserializer, Serialize};

/// The word for the organization itself, where a context type is named.
pub const GLOBAL: &str = "global";
/// The word that says an endpoint belongs to no organization.
pub const NO_ORGANIZATION: &str = "none";

/// One API: its permissions, context types, roles and endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The API's key.
    pub api: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub title: Texts,
    /// The version of the API itself, as its publisher writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The kinds of place in which its permissions may be granted, besides the organization.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context_types: Vec<ContextTypeEntry>,
    /// Its permissions. Order carries no meaning, but numbers are handed out in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionEntry>,
    /// Roles that an organization gets when it enables the API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleEntry>,
    /// Its endpoints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<EndpointEntry>,
}

/// A text for people in the languages of the house.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
    /// Japanese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja: Option<String>,
}

impl Texts {
    /// An English text only.
    pub fn en(text: impl Into<String>) -> Self {
        Self { en: Some(text.into()), ja: None }
    }

    /// The same thing in both languages.
    pub fn both(en: impl Into<String>, ja: impl Into<String>) -> Self {
        Self { en: Some(en.into()), ja: Some(ja.into()) }
    }

    /// Whether nothing is written in any language.
    pub fn is_empty(&self) -> bool {
        self.en.is_none() && self.ja.is_none()
    }

    /// The text in a language (`ja` or anything else for English), or else in the other one.
    pub fn text(&self, language: &str) -> Option<&str> {
        let (first, second) = if language == "ja" { (&self.ja, &self.en) } else { (&self.en, &self.ja) };
        first.as_deref().or(second.as_deref())
    }
}

/// A kind of place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextTypeEntry {
    /// The word that scopes use: `project`, `repository`.
    pub name: String,
    /// The type of place it lies in; `global` for the organization.
    #[serde(default = "global", skip_serializing_if = "is_global")]
    pub parent: String,
    /// Whether keys that differ in case are different places.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub case_sensitive: bool,
    /// What becomes of a call that names a place nobody registered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unregistered: Unregistered,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub title: Texts,
}

/// What becomes of a call that names a place nobody registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unregistered {
    /// It is refused: `no_such_context`.
    #[default]
    Deny,
    /// It is judged in the parent, if the organization is known otherwise.
    Parent,
}

/// How much harm a permission can do; for people who decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

/// One thing that may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionEntry {
    /// Its name, unique in the API.
    pub name: String,
    /// How far it reaches; `write` where nothing is said.
    #[serde(default)]
    pub level: Level,
    /// The context types in which it may be granted, and in no others.
    #[serde(default = "global_only", skip_serializing_if = "is_global_only")]
    pub contexts: Vec<String>,
    /// Permissions that come with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<String>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub title: Texts,
    /// What it allows, for people.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub description: Texts,
    /// How much harm it can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    /// What was inferred or decided the safe way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// A role that an organization gets when it enables the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// Its key.
    pub key: String,
    /// The context type it is assigned in.
    #[serde(default = "global", skip_serializing_if = "is_global")]
    pub context_type: String,
    /// Its permissions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub title: Texts,
    /// What was inferred or decided the safe way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// One endpoint. At most one of `permission`, `all_of`, `any_of` and `access` is written; with none, every call is
/// denied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointEntry {
    /// The method, in capitals.
    pub method: String,
    /// The path, with parameters in braces.
    pub path: String,
    /// One permission that is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Permissions that are all needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<NeedEntry>,
    /// Alternatives, of which one must be met as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Vec<NeedEntry>>,
    /// A rule without permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessEntry>,
    /// The place in which its permissions are needed; the organization where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The organization a call is in; `none` where there is none at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// The class of the endpoint, for limits on calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What was inferred or decided the safe way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// A rule for an endpoint that names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessEntry {
    /// Any live credential will do.
    AuthenticatedOnly,
    /// Only a credential that was explicitly made without scopes.
    UnscopedOnly,
}

/// One permission that is needed: its name, or its name and a place of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum NeedEntry {
    /// In the endpoint's context.
    Name(String),
    /// In a context of its own.
    InContext {
        /// The permission.
        permission: String,
        /// The place.
        context: String,
    },
}

impl NeedEntry {
    /// The permission's name.
    pub fn permission(&self) -> &str {
        match self {
            Self::Name(permission) | Self::InContext { permission, .. } => permission,
        }
    }

    /// The context of its own, if it has one.
    pub fn context(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::InContext { context, .. } => Some(context),
        }
    }
}

impl From<&str> for NeedEntry {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

/// By hand, since an untagged enum would lose the line of a mistake and its nature.
impl<'de> Deserialize<'de> for NeedEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NeedVisitor;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct InContext {
            permission: String,
            context: String,
        }

        impl<'de> serde::de::Visitor<'de> for NeedVisitor {
            type Value = NeedEntry;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a permission's name or {permission, context}")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<NeedEntry, E> {
                Ok(NeedEntry::Name(name.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<NeedEntry, A::Error> {
                let need = InContext::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(NeedEntry::InContext { permission: need.permission, context: need.context })
            }
        }

        deserializer.deserialize_any(NeedVisitor)
    }
}

fn global() -> String {
    GLOBAL.to_owned()
}

fn global_only() -> Vec<String> {
    vec![global()]
}

fn yes() -> bool {
    true
}

fn is_global(word: &str) -> bool {
    word == GLOBAL
}

fn is_global_only(contexts: &[String]) -> bool {
    contexts == [GLOBAL]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
