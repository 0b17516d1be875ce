//! The document as a whole. Everything that is wrong is collected; what comes out holds every name resolved and every
//! template read, so that compiling cannot fail on them.

mod endpoints;
mod permissions;
mod roles;
mod types;

use crate::catalogue::document::AccessEntry;
use crate::catalogue::document::{Document, Texts};
use crate::catalogue::place::{ContextTemplate, OrganizationTemplate};
use crate::catalogue::problem::{Fault, Problems};
use crate::catalogue::template::PathTemplate;
use crate::name;
use std::collections::HashMap;

/// Most permissions of one API.
pub const PERMISSIONS_MAX: usize = 4096;
/// Most endpoints of one API.
pub const ENDPOINTS_MAX: usize = 20_000;
/// Most context types of one API.
pub const CONTEXT_TYPES_MAX: usize = 63;
/// Most predefined roles of one API.
pub const ROLES_MAX: usize = 200;
/// Most alternatives of one endpoint, and most needs of one alternative.
pub const NEEDS_MAX: usize = 64;
/// Most flags of one thing.
pub const FLAGS_MAX: usize = 20;

/// A set of context types: one bit for each, the lowest for the organization itself.
pub(crate) type Kinds = u64;
/// The organization itself.
pub(crate) const GLOBAL_KIND: Kinds = 1;

/// A document that passed, with its names resolved. Numbers are places in the document's lists.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// For every permission, where it may be granted.
    pub(crate) grantable: Vec<Kinds>,
    /// For every permission, what it implies directly.
    pub(crate) implies: Vec<Vec<usize>>,
    /// The permissions so that each comes after everything it implies.
    pub(crate) order: Vec<usize>,
    /// For every role, its permissions.
    pub(crate) roles: Vec<Vec<usize>>,
    /// The endpoints.
    pub(crate) endpoints: Vec<ResolvedEndpoint>,
}

/// An endpoint with its templates read.
#[derive(Debug)]
pub(crate) struct ResolvedEndpoint {
    pub(crate) path: PathTemplate,
    pub(crate) context: ContextTemplate,
    pub(crate) organization: OrganizationTemplate,
    pub(crate) access: ResolvedAccess,
}

/// What an endpoint needs.
#[derive(Debug)]
pub(crate) enum ResolvedAccess {
    Denied,
    Rule(AccessEntry),
    AnyOf(Vec<Vec<(usize, ContextTemplate)>>),
}

/// Names and where they stand.
pub(crate) struct Names<'d> {
    pub(crate) kinds: HashMap<&'d str, usize>,
    pub(crate) permissions: HashMap<&'d str, usize>,
}

/// Checks a document: all problems, or nothing.
pub fn check(document: &Document) -> Result<(), Problems> {
    resolve(document).map(drop)
}

/// Checks a document and resolves its names.
pub(crate) fn resolve(document: &Document) -> Result<Resolved, Problems> {
    let mut problems = Problems::default();
    problems.note(|| "api".into(), name::check_key(&document.api));
    texts(&mut problems, &document.title, || "title".into());
    if let Some(version) = &document.version {
        problems.note(|| "version".into(), name::check_title(version));
    }
    let lengths = [
        ("context types", "context_types", document.context_types.len(), CONTEXT_TYPES_MAX),
        ("permissions", "permissions", document.permissions.len(), PERMISSIONS_MAX),
        ("roles", "roles", document.roles.len(), ROLES_MAX),
        ("endpoints", "endpoints", document.endpoints.len(), ENDPOINTS_MAX),
    ];
    let mut too_long = false;
    for (what, at, count, max) in lengths {
        if count > max {
            too_long = true;
            problems.push(|| at.into(), Fault::TooMany { what, count, max });
        }
    }
    if too_long {
        // The rest is not worth the work.
        return Err(problems);
    }

    let kinds = types::names(document, &mut problems);
    let ancestry = types::ancestry(document, &kinds, &mut problems);
    let permission_names = permissions::names(document, &kinds, &mut problems);
    let names = Names { kinds, permissions: permission_names };
    let grantable = permissions::grantable(document, &names, &mut problems);
    let implies = permissions::implies(document, &names, &grantable, &mut problems);
    let order = permissions::order(document, &implies, &mut problems);
    let roles = roles::resolve(document, &names, &grantable, &mut problems);
    let endpoints = endpoints::resolve(document, &names, &ancestry, &grantable, &mut problems);
    problems.or(Resolved { grantable, implies, order, roles, endpoints })
}

/// The bit of a context type by its place in the document.
pub(crate) fn kind_bit(place: usize) -> Kinds {
    u32::try_from(place + 1).ok().and_then(|shift| GLOBAL_KIND.checked_shl(shift)).unwrap_or(0)
}

fn texts(problems: &mut Problems, texts: &Texts, at: impl Fn() -> String) {
    for (language, text) in [("en", &texts.en), ("ja", &texts.ja)] {
        if let Some(text) = text {
            problems.note(|| format!("{}.{language}", at()), name::check_title(text));
        }
    }
}

fn descriptions(problems: &mut Problems, texts: &Texts, at: impl Fn() -> String) {
    for (language, text) in [("en", &texts.en), ("ja", &texts.ja)] {
        if let Some(text) = text {
            problems.note(|| format!("{}.{language}", at()), name::check_reason(text));
        }
    }
}

fn flags(problems: &mut Problems, flags: &[String], at: impl Fn() -> String) {
    if flags.len() > FLAGS_MAX {
        problems.push(&at, Fault::TooMany { what: "flags", count: flags.len(), max: FLAGS_MAX });
    }
    for (place, flag) in flags.iter().enumerate().take(FLAGS_MAX) {
        problems.note(|| format!("{}[{place}]", at()), name::check_title(flag));
    }
}
