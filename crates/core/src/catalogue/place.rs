//! Where a call takes place: the context of each need, and the organization, both written with the parameters of the
//! endpoint's path.

use crate::catalogue::Params;
use crate::catalogue::document::{GLOBAL, NO_ORGANIZATION};
use crate::catalogue::template::{PathTemplate, TemplateFault, TextTemplate};
use crate::name;
use crate::scope::{BY_ID, BY_KEY, is_plain, write_id, write_key};
use std::borrow::Cow;
use std::fmt;

/// The context of a need, before the parameters are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextTemplate {
    /// The organization itself.
    Global,
    /// A place by its key.
    Key {
        /// The context type.
        kind: Box<str>,
        /// The key.
        key: TextTemplate,
    },
    /// A place by its id.
    Id {
        /// The context type.
        kind: Box<str>,
        /// The id.
        id: TextTemplate,
    },
    /// A parameter that says itself what it is: `key:K`, `id:I`, or a bare id.
    Written {
        /// The context type.
        kind: Box<str>,
        /// The parameter.
        parameter: TextTemplate,
    },
}

/// A place as a call names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PlaceRef<'a> {
    /// The organization itself.
    Global,
    /// A place by its id.
    Id {
        /// The context type.
        kind: &'a str,
        /// The id.
        id: Cow<'a, str>,
    },
    /// A place by its key.
    Key {
        /// The context type.
        kind: &'a str,
        /// The key.
        key: Cow<'a, str>,
    },
}

impl PlaceRef<'_> {
    /// What its text is made of, where nothing in it has to be encoded; none for the organization itself.
    pub fn plain_parts(&self) -> Option<[&str; 3]> {
        let (kind, by, name) = match self {
            Self::Global => return None,
            Self::Id { kind, id } => (kind, BY_ID, id),
            Self::Key { kind, key } => (kind, BY_KEY, key),
        };
        is_plain(name).then_some([kind, by, name])
    }
}

/// As scopes name it.
impl fmt::Display for PlaceRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str(GLOBAL),
            Self::Id { kind, id } => write_id(f, kind, id),
            Self::Key { kind, key } => write_key(f, kind, key),
        }
    }
}

/// A call names a place that cannot exist, since its key or id breaks the rules for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path names no possible context")]
pub struct NoSuchContext;

impl ContextTemplate {
    /// Reads a context for an endpoint with this path.
    pub fn parse(text: &str, path: &PathTemplate, is_type: impl Fn(&str) -> bool) -> Result<Self, TemplateFault> {
        if text == GLOBAL {
            return Ok(Self::Global);
        }
        let (kind, rest) = text.split_once(':').ok_or(TemplateFault::BadContext)?;
        if !is_type(kind) {
            return Err(TemplateFault::NoSuchType(kind.to_owned()));
        }
        let template = match rest.split_once(':') {
            Some(("key", key)) => Self::Key { kind: kind.into(), key: TextTemplate::parse(key, path)? },
            Some(("id", id)) => Self::Id { kind: kind.into(), id: TextTemplate::parse(id, path)? },
            Some(_) => return Err(TemplateFault::BadContext),
            None => {
                let single = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
                if single.is_none_or(|name| name.contains(['{', '}'])) {
                    return Err(TemplateFault::BadContext);
                }
                Self::Written { kind: kind.into(), parameter: TextTemplate::parse(rest, path)? }
            }
        };
        match &template {
            Self::Key { key: text, .. } | Self::Id { id: text, .. } if text.is_empty() => {
                Err(TemplateFault::BadContext)
            }
            _ => Ok(template),
        }
    }

    /// The context type; none for the organization itself.
    pub fn kind(&self) -> Option<&str> {
        match self {
            Self::Global => None,
            Self::Key { kind, .. } | Self::Id { kind, .. } | Self::Written { kind, .. } => Some(kind),
        }
    }

    /// The place, with the parameters of a call.
    pub fn place<'a>(&'a self, parameters: &'a Params<'_>) -> Result<PlaceRef<'a>, NoSuchContext> {
        match self {
            Self::Global => Ok(PlaceRef::Global),
            Self::Key { kind, key } => by_key(kind, key.fill(parameters)),
            Self::Id { kind, id } => by_id(kind, id.fill(parameters)),
            Self::Written { kind, parameter } => {
                let written = parameter.fill(parameters);
                let strip = |prefix: &str| match &written {
                    Cow::Borrowed(text) => text.strip_prefix(prefix).map(Cow::Borrowed),
                    Cow::Owned(text) => text.strip_prefix(prefix).map(|text| Cow::Owned(text.to_owned())),
                };
                if let Some(key) = strip("key:") {
                    by_key(kind, key)
                } else if let Some(id) = strip("id:") {
                    by_id(kind, id)
                } else if written.contains(':') {
                    // `name:x` and the like: another kind of reference, which we cannot tell from an id.
                    Err(NoSuchContext)
                } else {
                    by_id(kind, written)
                }
            }
        }
    }
}

fn by_key<'a>(kind: &'a str, key: Cow<'a, str>) -> Result<PlaceRef<'a>, NoSuchContext> {
    name::check_context_key(&key).map_err(|_| NoSuchContext)?;
    Ok(PlaceRef::Key { kind, key })
}

fn by_id<'a>(kind: &'a str, id: Cow<'a, str>) -> Result<PlaceRef<'a>, NoSuchContext> {
    name::check_context_key(&id).map_err(|_| NoSuchContext)?;
    if id == "id" || id == "key" { Err(NoSuchContext) } else { Ok(PlaceRef::Id { kind, id }) }
}

/// The organization of an endpoint's calls, before the parameters are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OrganizationTemplate {
    /// The catalogue does not say.
    #[default]
    Unsaid,
    /// There is none.
    None,
    /// Its name, from the path.
    Named(TextTemplate),
}

/// The organization that a call is in, as far as the catalogue says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrganizationOf<'a> {
    /// The catalogue does not say; the check must, or the credential belongs to exactly one.
    Unsaid,
    /// The endpoint belongs to no organization.
    None,
    /// The one with this name.
    Named(Cow<'a, str>),
}

impl OrganizationTemplate {
    /// Reads what a document says for an endpoint with this path.
    pub fn parse(text: Option<&str>, path: &PathTemplate) -> Result<Self, TemplateFault> {
        match text {
            None => Ok(Self::Unsaid),
            Some(NO_ORGANIZATION) => Ok(Self::None),
            Some(text) => {
                let template = TextTemplate::parse(text, path)?;
                if template.is_empty() { Err(TemplateFault::BadOrganization) } else { Ok(Self::Named(template)) }
            }
        }
    }

    /// The organization, with the parameters of a call.
    pub fn of<'a>(&'a self, parameters: &'a Params<'_>) -> OrganizationOf<'a> {
        match self {
            Self::Unsaid => OrganizationOf::Unsaid,
            Self::None => OrganizationOf::None,
            Self::Named(text) => OrganizationOf::Named(text.fill(parameters)),
        }
    }
}
