//! The context types that an organization has: those that the catalogues of its APIs declare. And the one way from a
//! place as somebody wrote it to the context that is meant.

use crate::app::App;
use crate::db::contexts::Context;
use crate::db::{self, DbError, Tx};
use std::collections::BTreeMap;
use tegata_core::ids::{ApiId, OrgId};
use tegata_core::name;
use tegata_core::scope::Place;

/// A context type, as the organization's APIs declare it.
#[derive(Debug, Clone)]
pub struct Kind {
    /// The word that scopes use.
    pub name: String,
    /// Whether keys that differ in case are different places.
    pub case_sensitive: bool,
    /// The type of place that it lies in; none for the organization itself.
    pub parent: Option<String>,
    /// The APIs that declare it.
    pub apis: Vec<ApiId>,
}

impl Kind {
    /// A key as keys of this type are compared.
    pub fn folded(&self, key: &str) -> String {
        if self.case_sensitive { key.to_owned() } else { name::fold(key) }
    }
}

/// The context types of an organization by name.
#[derive(Debug, Clone, Default)]
pub struct Kinds(BTreeMap<String, Kind>);

impl Kinds {
    /// The type of this name.
    pub fn get(&self, name: &str) -> Option<&Kind> {
        self.0.get(name)
    }

    /// Whether a word is a context type here; for reading scopes and places.
    pub fn is_type(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names, for messages.
    pub fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// What a place turned out to be.
#[derive(Debug, Clone)]
pub enum Resolved {
    /// The organization itself.
    Global,
    /// A context that is registered.
    Context(Context),
    /// A place of a declared type that nobody registered.
    Unregistered,
    /// No API of the organization declares this type.
    UnknownType,
}

/// The context types that an organization's APIs declare. Where several declare one, they declare the same: an import
/// that does otherwise is refused.
pub async fn kinds_of(app: &App, tx: &mut Tx, org: OrgId) -> Result<Kinds, DbError> {
    let mut kinds = BTreeMap::<String, Kind>::new();
    for (api, _) in db::orgs::apis(tx, org).await? {
        let Some(loaded) = app.catalogues.of(tx, &api.to_string()).await? else {
            continue;
        };
        for declared in loaded.catalogue.context_types() {
            let kind = kinds.entry(declared.name.clone()).or_insert_with(|| Kind {
                name: declared.name.clone(),
                case_sensitive: declared.case_sensitive,
                parent: declared.parent().map(str::to_owned),
                apis: Vec::new(),
            });
            kind.apis.push(api);
        }
    }
    Ok(Kinds(kinds))
}

/// The context that a place means in an organization.
pub async fn resolve(app: &App, tx: &mut Tx, org: OrgId, place: &Place) -> Result<Resolved, DbError> {
    let kinds = kinds_of(app, tx, org).await?;
    resolve_among(&kinds, tx, org, place).await
}

/// The same, for whoever has read the types already.
pub async fn resolve_among(kinds: &Kinds, tx: &mut Tx, org: OrgId, place: &Place) -> Result<Resolved, DbError> {
    let Some(word) = place.kind() else {
        return Ok(Resolved::Global);
    };
    let Some(kind) = kinds.get(word) else {
        return Ok(Resolved::UnknownType);
    };
    let found = match place {
        Place::Global => return Ok(Resolved::Global),
        Place::Id { id, .. } => db::contexts::by_any_id(tx, org, word, id).await?,
        Place::Key { key, .. } => db::contexts::by_key(tx, org, word, &kind.folded(key)).await?,
    };
    Ok(found.map_or(Resolved::Unregistered, Resolved::Context))
}
