//! A compiled catalogue: the document with its names looked up, its implications closed and its paths in a tree.
//! Immutable, shared between threads, and asked on the way of every check.

use crate::bits::{PermissionNumber, PermissionSet};
use crate::catalogue::document::{Risk, Texts, Unregistered};
use crate::catalogue::params::Params;
use crate::catalogue::path::{self, PathRefused};
use crate::catalogue::place::{ContextTemplate, NoSuchContext, OrganizationOf, OrganizationTemplate, PlaceRef};
use crate::catalogue::router::Router;
use crate::level::Level;
use std::collections::HashMap;

/// The compiled catalogue of one API.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub(crate) api: String,
    pub(crate) title: Texts,
    pub(crate) version: Option<String>,
    pub(crate) context_types: Vec<ContextType>,
    pub(crate) permissions: Vec<PermissionInfo>,
    /// By number: the place in `permissions`.
    pub(crate) by_number: Vec<Option<usize>>,
    pub(crate) by_name: HashMap<String, PermissionNumber>,
    pub(crate) numbers: Vec<(String, PermissionNumber)>,
    pub(crate) all: PermissionSet,
    pub(crate) grantable_globally: PermissionSet,
    pub(crate) nothing: PermissionSet,
    pub(crate) roles: Vec<Role>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) router: Router,
}

/// One permission.
#[derive(Debug, Clone)]
pub struct PermissionInfo {
    /// Its number; stays the same in every version of the catalogue.
    pub number: PermissionNumber,
    /// Its name.
    pub name: String,
    /// How far it reaches.
    pub level: Level,
    /// The context types in which it may be granted; `global` is the organization.
    pub contexts: Vec<String>,
    /// Itself and everything that comes with it.
    pub with_implied: PermissionSet,
    /// Its name for people.
    pub title: Texts,
    /// What it allows, for people.
    pub description: Texts,
    /// How much harm it can do.
    pub risk: Option<Risk>,
    /// What was inferred or decided the safe way.
    pub flags: Vec<String>,
}

/// One kind of place.
#[derive(Debug, Clone)]
pub struct ContextType {
    /// The word that scopes use.
    pub name: String,
    /// The types above it, nearest first, without the organization.
    pub above: Vec<String>,
    /// Whether keys that differ in case are different places.
    pub case_sensitive: bool,
    /// What becomes of a call that names a place nobody registered.
    pub unregistered: Unregistered,
    /// Its name for people.
    pub title: Texts,
    /// The permissions that may be granted in it.
    pub grantable: PermissionSet,
}

impl ContextType {
    /// The type of place it lies in; none for the organization.
    pub fn parent(&self) -> Option<&str> {
        self.above.first().map(String::as_str)
    }
}

/// A role that an organization gets when it enables the API.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its key.
    pub key: String,
    /// The context type it is assigned in; none for the organization.
    pub context_type: Option<String>,
    /// Its permissions, as listed.
    pub permissions: PermissionSet,
    /// Its name for people.
    pub title: Texts,
    /// What was inferred or decided the safe way.
    pub flags: Vec<String>,
}

/// One endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The method.
    pub method: Box<str>,
    /// The path, as written in the catalogue.
    pub path: Box<str>,
    /// The names of the parameters, from the left.
    pub parameters: Box<[Box<str>]>,
    /// What a call needs.
    pub access: Access,
    /// The places of the needs, each once.
    pub places: Box<[ContextTemplate]>,
    /// The place in which a call is made, where a need has none of its own.
    pub context: ContextTemplate,
    /// The organization of a call.
    pub organization: OrganizationTemplate,
    /// Its class, for limits on calls.
    pub class: Option<Box<str>>,
    /// What was inferred or decided the safe way.
    pub flags: Box<[String]>,
}

/// What a call needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing is enough: the catalogue names no permission.
    Denied,
    /// Any live credential.
    AuthenticatedOnly,
    /// A credential that was explicitly made without scopes.
    UnscopedOnly,
    /// One of these, as a whole. Never empty, and no alternative is.
    AnyOf(Box<[Alternative]>),
}

/// Permissions that are all needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The needs.
    pub needs: Box<[Need]>,
}

/// A permission in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The permission.
    pub permission: PermissionNumber,
    /// Its level.
    pub level: Level,
    /// The place: one of [`Endpoint::places`].
    pub place: usize,
}

/// A call, recognized.
#[derive(Debug, Clone)]
pub struct Matched<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// The parameters of its path.
    pub params: Params<'a>,
}

impl Matched<'_> {
    /// The organization that the call is in, as far as the catalogue says.
    pub fn organization(&self) -> OrganizationOf<'_> {
        self.endpoint.organization.of(&self.params)
    }

    /// The place of the endpoint itself.
    pub fn place(&self) -> Result<PlaceRef<'_>, NoSuchContext> {
        self.endpoint.context.place(&self.params)
    }

    /// The place of a need of this endpoint.
    pub fn place_of(&self, need: &Need) -> Result<PlaceRef<'_>, NoSuchContext> {
        self.endpoint.places.get(need.place).ok_or(NoSuchContext)?.place(&self.params)
    }

    /// A parameter by its name.
    pub fn param(&self, name: &str) -> Option<&str> {
        let place = self.endpoint.parameters.iter().position(|known| **known == *name)?;
        u8::try_from(place).ok().map(|number| self.params.get(number))
    }
}

/// Why a call is no endpoint of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchEndpoint {
    /// The path could be read in more than one way, or is no path.
    #[error("the path is refused: {0}")]
    Refused(#[from] PathRefused),
    /// The parameters of a segment could be cut in more than one way.
    #[error("the parameters in one segment of the path could be cut in more than one way")]
    Ambiguous,
    /// Nothing fits.
    #[error("no endpoint of this API has this method and path")]
    Unknown,
}

impl Catalogue {
    /// The API's key.
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The API's name for people.
    pub const fn title(&self) -> &Texts {
        &self.title
    }

    /// The version of the API itself.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The number of a permission that exists.
    pub fn number(&self, name: &str) -> Option<PermissionNumber> {
        self.by_name.get(name).copied()
    }

    /// A permission that exists.
    pub fn permission(&self, number: PermissionNumber) -> Option<&PermissionInfo> {
        let place = self.by_number.get(usize::from(number.0)).copied().flatten()?;
        self.permissions.get(place)
    }

    /// All permissions, in the order of the document.
    pub fn permissions(&self) -> &[PermissionInfo] {
        &self.permissions
    }

    /// Every number that was ever handed out, ascending, with the name it belongs to; also those of permissions that
    /// were removed. To be kept and handed in at the next import.
    pub fn numbers(&self) -> &[(String, PermissionNumber)] {
        &self.numbers
    }

    /// The set with everything that its permissions imply, and without permissions that no longer exist.
    #[must_use]
    pub fn with_implied(&self, set: &PermissionSet) -> PermissionSet {
        let mut all = PermissionSet::new();
        for permission in set.iter().filter_map(|number| self.permission(number)) {
            all.extend(&permission.with_implied);
        }
        all
    }

    /// What may be granted in a context type, or in the organization (`None`). Nothing for a type that is not
    /// declared.
    pub fn grantable_in(&self, context_type: Option<&str>) -> &PermissionSet {
        match context_type {
            None => &self.grantable_globally,
            Some(name) => self.context_type(name).map_or(&self.nothing, |kind| &kind.grantable),
        }
    }

    /// Every permission that exists.
    pub const fn all(&self) -> &PermissionSet {
        &self.all
    }

    /// Whether a word is a context type of this API.
    pub fn is_type(&self, name: &str) -> bool {
        self.context_type(name).is_some()
    }

    /// A context type.
    pub fn context_type(&self, name: &str) -> Option<&ContextType> {
        self.context_types.iter().find(|kind| kind.name == name)
    }

    /// The context types, in the order of the document.
    pub fn context_types(&self) -> &[ContextType] {
        &self.context_types
    }

    /// The predefined roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The endpoints, in the order of the document.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The endpoint of a call. The method is compared as it is; the path is the request's, still encoded, and may
    /// have a query, which is not looked at.
    pub fn route<'a>(&'a self, method: &str, path: &'a str) -> Result<Matched<'a>, NoSuchEndpoint> {
        let text = path::canonical(path)?;
        let found = self.router.find(method, &text).ok_or(NoSuchEndpoint::Unknown)?;
        if found.ambiguous {
            return Err(NoSuchEndpoint::Ambiguous);
        }
        let endpoint = self.endpoints.get(found.endpoint).ok_or(NoSuchEndpoint::Unknown)?;
        Ok(Matched { endpoint, params: Params::new(text, found.spans) })
    }
}
