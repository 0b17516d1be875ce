//! Subject, action, resource and context, as they come (Authorization API 1.0, §5). Members that are not known here are
//! left alone.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Reads what has to be an object: a list would be read as its members, in their order.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    read_object(&raw).map_err(D::Error::custom)
}

/// The same, where it may be absent, or null.
pub fn optional_object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = Option::<Box<RawValue>>::deserialize(deserializer)?;
    raw.map(|raw| read_object(&raw)).transpose().map_err(D::Error::custom)
}

/// The same for a list of objects.
pub fn optional_objects<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let raw = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?;
    let read = |list: Vec<Box<RawValue>>| list.iter().map(|raw| read_object(raw)).collect();
    raw.map(read).transpose().map_err(D::Error::custom)
}

/// Reads an object.
pub fn read_object<T: DeserializeOwned>(raw: &RawValue) -> Result<T, String> {
    if !raw.get().starts_with('{') {
        return Err("send an object".to_owned());
    }
    serde_json::from_str(raw.get()).map_err(|error| error.to_string())
}

/// Whoever wants something: a credential, as it was shown.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = AuthzenSubject)]
pub struct Subject {
    /// `token` (or `credential`), or `access_key`; any other kind of subject is denied.
    #[serde(rename = "type")]
    pub kind: String,
    /// The token that was shown; of an access key its client id.
    pub id: String,
    /// What else is known of it.
    #[serde(default, deserialize_with = "optional_object")]
    pub properties: Option<SubjectProperties>,
}

/// What else is known of a subject.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenSubjectProperties)]
pub struct SubjectProperties {
    /// The secret that was shown with the client id of an access key.
    #[serde(default)]
    pub client_secret: Option<String>,
}

/// What is wanted.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = AuthzenAction)]
pub struct Action {
    /// A permission of the API; with a resource of the type `endpoint`, the method of the call.
    pub name: String,
    /// Left alone.
    #[serde(default, deserialize_with = "optional_object")]
    pub properties: Option<Left>,
}

/// An object whose members say nothing here.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenProperties)]
pub struct Left {}

/// What it is wanted of.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = AuthzenResource)]
pub struct Resource {
    /// A context type of the API's catalogue, `organization`, `global`, or `endpoint`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key of the context; the key or id of the organization; `global`; or the path of the call.
    pub id: String,
    /// What else is known of it.
    #[serde(default, deserialize_with = "optional_object")]
    pub properties: Option<ResourceProperties>,
}

/// What else is known of a resource.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenResourceProperties)]
pub struct ResourceProperties {
    /// The API, by its key; a verifier of one API need not say it.
    #[serde(default)]
    pub api: Option<String>,
    /// The organization, by key or id, where nothing else says it.
    #[serde(default)]
    pub organization: Option<String>,
    /// `id` where the resource's id is the context's id, and not its key.
    #[serde(default)]
    #[schema(pattern = "^(key|id)$")]
    pub by: Option<String>,
}

/// Under which circumstances.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[schema(as = AuthzenContext)]
pub struct Context {
    /// The address of the caller, as the enforcement point saw it.
    #[serde(default)]
    pub ip: Option<String>,
    /// The program of the caller.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The id of the caller's request.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The approval of an access request, as it was given. It decides nothing; a denial says more where it is there.
    #[serde(default)]
    #[schema(value_type = serde_json::Value)]
    pub approval: Option<Box<RawValue>>,
}
