//! Whether an endpoint became more open: whether a call could be allowed now that was denied before.
//!
//! From closed to open: denied, unscoped keys only, permissions, any live credential. Among permissions, a new
//! alternative is no news if it asks for everything that some old alternative asked for; a permission that implied an
//! old one asks for at least as much, and so does the same permission in the whole organization.

use super::{Change, Changes, EndpointChange, Reach, Rerouted, change};
use crate::catalogue::check::{Resolved, ResolvedAccess, ResolvedEndpoint};
use crate::catalogue::document::{AccessEntry, Document, EndpointEntry, NeedEntry};
use crate::catalogue::place::{ContextTemplate, OrganizationTemplate};
use crate::catalogue::router::Router;
use crate::catalogue::template::PathTemplate;
use std::collections::BTreeMap;

/// One version: the document and its names.
type Version<'d> = (&'d Document, &'d Resolved);
/// An endpoint as written and as read.
type Both<'d> = (&'d EndpointEntry, &'d ResolvedEndpoint);

pub(super) fn endpoints(old: Version<'_>, new: Version<'_>, old_reach: &Reach<'_>) -> Changes<EndpointChange> {
    let (before, after) = (by_shape(old), by_shape(new));
    let mut changes = Changes::default();
    for (shape, is) in &after {
        match before.get(shape) {
            None => changes.added.push(name(is.0)),
            Some(was) => changes.changed.extend(compare(old.0, *was, new.0, *is, old_reach)),
        }
    }
    changes.removed =
        before.iter().filter(|(shape, _)| !after.contains_key(shape)).map(|(_, was)| name(was.0)).collect();
    changes
}

fn by_shape((document, resolved): Version<'_>) -> BTreeMap<(String, &str), Both<'_>> {
    let both = document.endpoints.iter().zip(&resolved.endpoints);
    both.map(|(entry, resolved)| ((resolved.path.shape(), entry.method.as_str()), (entry, resolved))).collect()
}

fn name(entry: &EndpointEntry) -> String {
    format!("{} {}", entry.method, entry.path)
}

fn compare(
    old: &Document,
    was: Both<'_>,
    new: &Document,
    is: Both<'_>,
    old_reach: &Reach<'_>,
) -> Option<EndpointChange> {
    let (before, after) = (needs(old, was.1), needs(new, is.1));
    let opens = opens(&before, &after, old_reach);
    let needs = (before != after).then(|| Change { was: text(was.0), is: text(is.0) });
    let moved = was.1.organization != is.1.organization;
    let say = |entry: &EndpointEntry| entry.organization.clone().unwrap_or_else(|| "not said".to_owned());
    let class = |entry: &EndpointEntry| entry.class.clone().unwrap_or_else(|| "none".to_owned());
    let class = (was.0.class != is.0.class).then(|| Change { was: class(was.0), is: class(is.0) });
    if needs.is_none() && !moved && class.is_none() {
        return None;
    }
    // Another organization's grants count where another organization is meant, unless it was not said before: then
    // naming it only narrows what the check may say.
    let moves_out = moved && was.1.organization != OrganizationTemplate::Unsaid;
    Some(EndpointChange {
        endpoint: name(is.0),
        needs,
        organization: change(say(was.0), say(is.0)).filter(|_| moved),
        class,
        opens: opens || moves_out,
    })
}

/// Calls of an endpoint that came and meant another one before, and of one that went and mean another one now. One
/// example is tried for each, with parameters that are no literal text of any path.
pub(super) fn rerouted(old: Version<'_>, new: Version<'_>, old_reach: &Reach<'_>) -> Vec<Rerouted> {
    let (before, after) = (by_shape(old), by_shape(new));
    let (old_router, new_router) = (router(old), router(new));
    let target = |router: &Router, version: Version<'_>, method: &str, path: &PathTemplate| -> Option<usize> {
        let found = router.find(method, &path.example())?;
        (found.endpoint < version.1.endpoints.len()).then_some(found.endpoint)
    };
    let mut rerouted = Vec::new();
    let mut tell = |was: Both<'_>, is: Both<'_>| {
        let opens =
            opens(&needs(old.0, was.1), &needs(new.0, is.1), old_reach) || was.1.organization != is.1.organization;
        rerouted.push(Rerouted { was: name(was.0), is: name(is.0), opens });
    };
    for (_, is) in after.iter().filter(|(shape, _)| !before.contains_key(*shape)) {
        if let Some(place) = target(&old_router, old, &is.0.method, &is.1.path) {
            tell((&old.0.endpoints[place], &old.1.endpoints[place]), *is);
        }
    }
    for (_, was) in before.iter().filter(|(shape, _)| !after.contains_key(*shape)) {
        if let Some(place) = target(&new_router, new, &was.0.method, &was.1.path) {
            tell(*was, (&new.0.endpoints[place], &new.1.endpoints[place]));
        }
    }
    rerouted
}

fn router((document, resolved): Version<'_>) -> Router {
    let mut router = Router::default();
    for (place, (entry, resolved)) in document.endpoints.iter().zip(&resolved.endpoints).enumerate() {
        router.add(&entry.method, &resolved.path, place);
    }
    router
}

/// What an endpoint needs, with names in place of numbers, so that two versions compare.
#[derive(PartialEq, Eq)]
enum Needs<'d> {
    Denied,
    UnscopedOnly,
    AnyOf(Vec<Vec<(&'d str, &'d ContextTemplate)>>),
    AuthenticatedOnly,
}

fn needs<'d>(document: &'d Document, endpoint: &'d ResolvedEndpoint) -> Needs<'d> {
    match &endpoint.access {
        ResolvedAccess::Denied => Needs::Denied,
        ResolvedAccess::Rule(AccessEntry::UnscopedOnly) => Needs::UnscopedOnly,
        ResolvedAccess::Rule(AccessEntry::AuthenticatedOnly) => Needs::AuthenticatedOnly,
        ResolvedAccess::AnyOf(alternatives) => {
            let named = |needs: &'d Vec<(usize, ContextTemplate)>| {
                needs.iter().map(|(place, context)| (document.permissions[*place].name.as_str(), context)).collect()
            };
            Needs::AnyOf(alternatives.iter().map(named).collect())
        }
    }
}

fn opens(before: &Needs<'_>, after: &Needs<'_>, old_reach: &Reach<'_>) -> bool {
    match (before, after) {
        (_, Needs::Denied) | (Needs::AuthenticatedOnly, _) => false,
        (Needs::Denied, _) | (_, Needs::AuthenticatedOnly) | (Needs::UnscopedOnly, Needs::AnyOf(_)) => true,
        (_, Needs::UnscopedOnly) => false,
        (Needs::AnyOf(old), Needs::AnyOf(new)) => {
            let at_least = |asked: &(&str, &ContextTemplate), old: &(&str, &ContextTemplate)| {
                let brings = old_reach.get(asked.0).is_some_and(|with| with.contains(old.0)) || asked.0 == old.0;
                brings && (asked.1 == old.1 || *asked.1 == ContextTemplate::Global)
            };
            let covered = |new: &Vec<(&str, &ContextTemplate)>| {
                old.iter().any(|old| old.iter().all(|needed| new.iter().any(|asked| at_least(asked, needed))))
            };
            !new.iter().all(covered)
        }
    }
}

/// What an endpoint needs, for people.
fn text(entry: &EndpointEntry) -> String {
    if let Some(access) = entry.access {
        return match access {
            AccessEntry::AuthenticatedOnly => "any live credential".to_owned(),
            AccessEntry::UnscopedOnly => "a key without scopes".to_owned(),
        };
    }
    let context = entry.context.as_deref().unwrap_or("global");
    let need = |need: &NeedEntry| format!("{} in {}", need.permission(), need.context().unwrap_or(context));
    let all = |needs: &[NeedEntry]| needs.iter().map(need).collect::<Vec<_>>().join(" and ");
    if let Some(permission) = &entry.permission {
        format!("{permission} in {context}")
    } else if !entry.all_of.is_empty() {
        all(&entry.all_of)
    } else if entry.any_of.is_empty() {
        "denied".to_owned()
    } else {
        entry.any_of.iter().map(|needs| all(needs)).collect::<Vec<_>>().join(", or ")
    }
}
