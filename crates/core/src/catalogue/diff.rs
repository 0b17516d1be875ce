//! What a new version of a catalogue changes, for those who decide whether to take it. Three things are worked out
//! rather than listed, since nobody sees them in a text comparison: which permissions are gone, which existing ones
//! reach further than before, and which endpoints let somebody in who was kept out.

mod access;

use crate::catalogue::check::{self, Resolved};
use crate::catalogue::document::{Document, EndpointEntry, PermissionEntry, Unregistered};
use crate::catalogue::problem::Problems;
use crate::catalogue::template::PathTemplate;
use crate::level::Level;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Everything that differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// Permissions.
    pub permissions: Changes<PermissionChange>,
    /// Context types.
    pub context_types: Changes<ContextTypeChange>,
    /// Predefined roles.
    pub roles: Changes<RoleChange>,
    /// Endpoints, as `GET /path`.
    pub endpoints: Changes<EndpointChange>,
    /// Calls that meant one endpoint and mean another now, since a more specific path came or went.
    pub rerouted: Vec<Rerouted>,
    /// A title, description, flag, parameter's name or the API's version differs on something that both have.
    pub wording: bool,
}

/// What came, what went, and what stayed but changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes<C> {
    /// New names.
    pub added: Vec<String>,
    /// Names that are gone.
    pub removed: Vec<String>,
    /// What changed under the same name.
    pub changed: Vec<C>,
}

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// Before.
    pub was: T,
    /// After.
    pub is: T,
}

/// A permission that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermissionChange {
    /// Its name.
    pub name: String,
    /// Its level, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Change<Level>>,
    /// Where it may be granted, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contexts: Option<Change<Vec<String>>>,
    /// What it implies directly, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implies: Option<Change<Vec<String>>>,
    /// What comes with it now and did not before, directly or through others: whoever holds it gains this.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gains: Vec<String>,
}

/// A context type that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextTypeChange {
    /// Its name.
    pub name: String,
    /// What it lies in, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Change<String>>,
    /// Whether case matters, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_sensitive: Option<Change<bool>>,
    /// What becomes of places nobody registered, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unregistered: Option<Change<Unregistered>>,
}

/// A role that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleChange {
    /// Its key.
    pub key: String,
    /// Where it is assigned, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_type: Option<Change<String>>,
    /// Permissions that came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Permissions that went.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
}

/// An endpoint that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointChange {
    /// The method and the new path.
    pub endpoint: String,
    /// What it needs, as text, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Change<String>>,
    /// Its organization, if that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Change<String>>,
    /// Its class, if that changed: limits on calls of a class count others from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Change<String>>,
    /// Some call may be allowed now that was denied before.
    pub opens: bool,
}

/// Calls that mean another endpoint than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rerouted {
    /// The endpoint they meant.
    pub was: String,
    /// The endpoint they mean now.
    pub is: String,
    /// Some of them may be allowed now and were denied before.
    pub opens: bool,
}

impl<C> Default for Changes<C> {
    fn default() -> Self {
        Self { added: Vec::new(), removed: Vec::new(), changed: Vec::new() }
    }
}

impl<C> Changes<C> {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Diff {
    /// Whether the two versions are the same in everything.
    pub fn is_empty(&self) -> bool {
        self.permissions.is_empty()
            && self.context_types.is_empty()
            && self.roles.is_empty()
            && self.endpoints.is_empty()
            && self.rerouted.is_empty()
            && !self.wording
    }

    /// Permissions that are gone. Where one is granted, its holders lose it.
    pub fn removed_permissions(&self) -> &[String] {
        &self.permissions.removed
    }

    /// Existing permissions with which more comes than before, and what.
    pub fn permissions_that_gain(&self) -> impl Iterator<Item = (&str, &[String])> {
        let gaining = self.permissions.changed.iter().filter(|change| !change.gains.is_empty());
        gaining.map(|change| (change.name.as_str(), change.gains.as_slice()))
    }

    /// Existing endpoints that may allow a call now which they denied before.
    pub fn endpoints_more_open(&self) -> impl Iterator<Item = &EndpointChange> {
        self.endpoints.changed.iter().filter(|change| change.opens)
    }

    /// Whether anybody may do more than before without being granted anything.
    pub fn widens(&self) -> bool {
        let looser = |change: &ContextTypeChange| {
            change.parent.is_some()
                || change.case_sensitive.as_ref().is_some_and(|change| !change.is)
                || change.unregistered.as_ref().is_some_and(|change| change.is == Unregistered::Parent)
        };
        // A lower level passes policies that stop at a level.
        let lower = |change: &PermissionChange| change.level.as_ref().is_some_and(|level| level.is < level.was);
        self.permissions_that_gain().next().is_some()
            || self.permissions.changed.iter().any(lower)
            || self.endpoints_more_open().next().is_some()
            || self.rerouted.iter().any(|rerouted| rerouted.opens)
            || self.roles.changed.iter().any(|role| !role.added.is_empty())
            || self.context_types.changed.iter().any(looser)
    }
}

/// Compares two versions. Both must be valid; which endpoint is which is told by method and shape, so that a
/// parameter may be renamed.
pub fn diff(old: &Document, new: &Document) -> Result<Diff, Problems> {
    let (old_resolved, new_resolved) = (check::resolve(old)?, check::resolve(new)?);
    let (old_reach, new_reach) = (reach(old, &old_resolved), reach(new, &new_resolved));
    Ok(Diff {
        permissions: permissions(old, new, &old_reach, &new_reach),
        context_types: context_types(old, new),
        roles: roles(old, new),
        endpoints: access::endpoints((old, &old_resolved), (new, &new_resolved), &old_reach),
        rerouted: access::rerouted((old, &old_resolved), (new, &new_resolved), &old_reach),
        wording: wording(old, new),
    })
}

/// For every permission, its name and the names of all that comes with it.
type Reach<'d> = HashMap<&'d str, BTreeSet<&'d str>>;

fn reach<'d>(document: &'d Document, resolved: &Resolved) -> Reach<'d> {
    let name = |place: usize| document.permissions[place].name.as_str();
    let mut reach: Reach<'d> = HashMap::with_capacity(document.permissions.len());
    for &place in &resolved.order {
        let mut with = BTreeSet::from([name(place)]);
        for &implied in &resolved.implies[place] {
            if let Some(more) = reach.get(name(implied)) {
                with.extend(more);
            }
        }
        reach.insert(name(place), with);
    }
    reach
}

fn change<T: PartialEq>(was: T, is: T) -> Option<Change<T>> {
    (was != is).then_some(Change { was, is })
}

/// Sorts two lists by name into what came, went and stayed.
fn compare<'d, T, C>(
    old: &'d [T],
    new: &'d [T],
    name: impl Fn(&'d T) -> &'d str,
    difference: impl Fn(&'d T, &'d T) -> Option<C>,
) -> Changes<C> {
    let before: BTreeMap<&str, &T> = old.iter().map(|entry| (name(entry), entry)).collect();
    let after: BTreeMap<&str, &T> = new.iter().map(|entry| (name(entry), entry)).collect();
    let mut changes = Changes::default();
    for (name, entry) in &after {
        match before.get(name) {
            None => changes.added.push((*name).to_owned()),
            Some(earlier) => changes.changed.extend(difference(earlier, entry)),
        }
    }
    changes.removed = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (*name).to_owned()).collect();
    changes
}

fn sorted(list: &[String]) -> Vec<String> {
    let mut list = list.to_vec();
    list.sort();
    list.dedup();
    list
}

fn permissions(
    old: &Document,
    new: &Document,
    old_reach: &Reach<'_>,
    new_reach: &Reach<'_>,
) -> Changes<PermissionChange> {
    let changed = |was: &PermissionEntry, is: &PermissionEntry| {
        let name = is.name.as_str();
        let gains = match (old_reach.get(name), new_reach.get(name)) {
            (Some(before), Some(after)) => after.difference(before).map(|name| (*name).to_owned()).collect(),
            _ => Vec::new(),
        };
        let change = PermissionChange {
            name: is.name.clone(),
            level: change(was.level, is.level),
            contexts: change(sorted(&was.contexts), sorted(&is.contexts)),
            implies: change(sorted(&was.implies), sorted(&is.implies)),
            gains,
        };
        let same =
            change.level.is_none() && change.contexts.is_none() && change.implies.is_none() && change.gains.is_empty();
        (!same).then_some(change)
    };
    compare(&old.permissions, &new.permissions, |permission| &permission.name, changed)
}

fn context_types(old: &Document, new: &Document) -> Changes<ContextTypeChange> {
    compare(
        &old.context_types,
        &new.context_types,
        |kind| &kind.name,
        |was, is| {
            let change = ContextTypeChange {
                name: is.name.clone(),
                parent: change(was.parent.clone(), is.parent.clone()),
                case_sensitive: change(was.case_sensitive, is.case_sensitive),
                unregistered: change(was.unregistered, is.unregistered),
            };
            let same = change.parent.is_none() && change.case_sensitive.is_none() && change.unregistered.is_none();
            (!same).then_some(change)
        },
    )
}

fn roles(old: &Document, new: &Document) -> Changes<RoleChange> {
    compare(
        &old.roles,
        &new.roles,
        |role| &role.key,
        |was, is| {
            let (before, after): (BTreeSet<_>, BTreeSet<_>) =
                (was.permissions.iter().collect(), is.permissions.iter().collect());
            let change = RoleChange {
                key: is.key.clone(),
                context_type: change(was.context_type.clone(), is.context_type.clone()),
                added: after.difference(&before).map(|name| (*name).clone()).collect(),
                removed: before.difference(&after).map(|name| (*name).clone()).collect(),
            };
            let same = change.context_type.is_none() && change.added.is_empty() && change.removed.is_empty();
            (!same).then_some(change)
        },
    )
}

/// Whether something that people read and no rule does changed on what both versions have.
fn wording(old: &Document, new: &Document) -> bool {
    fn differs<K: Eq + std::hash::Hash, V: PartialEq>(
        old: impl Iterator<Item = (K, V)>,
        new: impl Iterator<Item = (K, V)>,
    ) -> bool {
        let before: HashMap<K, V> = old.collect();
        new.into_iter().any(|(key, after)| before.get(&key).is_some_and(|before| *before != after))
    }
    let permissions = |document: &'_ Document| {
        let said = |entry: PermissionEntry| (entry.name, (entry.title, entry.description, entry.risk, entry.flags));
        document.permissions.clone().into_iter().map(said)
    };
    let roles =
        |document: &Document| document.roles.clone().into_iter().map(|role| (role.key, (role.title, role.flags)));
    let kinds = |document: &Document| document.context_types.clone().into_iter().map(|kind| (kind.name, kind.title));
    let endpoints = |document: &Document| {
        let shape = |path: &str| PathTemplate::parse(path).map(|path| path.shape()).unwrap_or_default();
        let said = move |entry: EndpointEntry| ((entry.method, shape(&entry.path)), (entry.path, entry.flags));
        document.endpoints.clone().into_iter().map(said)
    };
    old.title != new.title
        || old.version != new.version
        || differs(permissions(old), permissions(new))
        || differs(roles(old), roles(new))
        || differs(kinds(old), kinds(new))
        || differs(endpoints(old), endpoints(new))
}
