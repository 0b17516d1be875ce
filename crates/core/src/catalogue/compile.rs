//! From a document to a compiled catalogue.

use crate::bits::{PermissionNumber, PermissionSet};
use crate::catalogue::check::{self, GLOBAL_KIND, Kinds, Resolved, ResolvedAccess, ResolvedEndpoint, kind_bit};
use crate::catalogue::compiled::{Access, Alternative, Catalogue, ContextType, Endpoint, Need, PermissionInfo, Role};
use crate::catalogue::document::{AccessEntry, Document, EndpointEntry, GLOBAL, PermissionEntry};
use crate::catalogue::place::ContextTemplate;
use crate::catalogue::problem::{Fault, Problems};
use crate::catalogue::router::Router;
use std::collections::{HashMap, HashSet};

/// The highest number a permission can get. Sets grow with the highest number, so it is bounded too; a catalogue of
/// the largest size can replace all its permissions three times.
const NUMBER_MAX: u16 = 16_383;

impl Catalogue {
    /// Compiles a document. `numbers` are those handed out at earlier imports: they stay, and permissions without one
    /// get the next, in the order of the document.
    pub fn compile(document: &Document, numbers: &[(String, PermissionNumber)]) -> Result<Self, Problems> {
        let resolved = check::resolve(document)?;
        let numbers = hand_out(document, numbers)?;
        let known: HashMap<&str, PermissionNumber> =
            numbers.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        let number_of: Vec<PermissionNumber> =
            document.permissions.iter().filter_map(|permission| known.get(permission.name.as_str()).copied()).collect();

        let permissions = permissions(document, &resolved, &number_of);
        let mut by_number = vec![None; numbers.last().map_or(0, |(_, number)| usize::from(number.0) + 1)];
        for (place, permission) in permissions.iter().enumerate() {
            by_number[usize::from(permission.number.0)] = Some(place);
        }
        let by_name = permissions.iter().map(|permission| (permission.name.clone(), permission.number)).collect();
        let grantable = |kind: Kinds| -> PermissionSet {
            let fitting = number_of.iter().zip(&resolved.grantable).filter(|(_, kinds)| **kinds & kind != 0);
            fitting.map(|(number, _)| *number).collect()
        };
        let roles = document.roles.iter().zip(&resolved.roles);
        let roles = roles.map(|(role, permissions)| Role {
            key: role.key.clone(),
            context_type: (role.context_type != GLOBAL).then(|| role.context_type.clone()),
            permissions: permissions.iter().map(|place| number_of[*place]).collect(),
            title: role.title.clone(),
            flags: role.flags.clone(),
        });
        let mut router = Router::default();
        let mut endpoints = Vec::with_capacity(document.endpoints.len());
        for (place, (entry, resolved)) in document.endpoints.iter().zip(resolved.endpoints).enumerate() {
            router.add(&entry.method, &resolved.path, place);
            endpoints.push(endpoint(entry, resolved, &document.permissions, &number_of));
        }
        Ok(Self {
            api: document.api.clone(),
            title: document.title.clone(),
            version: document.version.clone(),
            context_types: context_types(document, &grantable),
            by_number,
            by_name,
            all: number_of.iter().copied().collect(),
            grantable_globally: grantable(GLOBAL_KIND),
            nothing: PermissionSet::new(),
            roles: roles.collect(),
            permissions,
            numbers,
            endpoints,
            router,
        })
    }
}

/// The numbers of old and new permissions, ascending.
fn hand_out(
    document: &Document,
    earlier: &[(String, PermissionNumber)],
) -> Result<Vec<(String, PermissionNumber)>, Problems> {
    let mut problems = Problems::default();
    let mut numbers = earlier.to_vec();
    numbers.sort_by_key(|(_, number)| *number);
    let mut names = HashSet::with_capacity(numbers.len());
    let mut previous = None;
    for (name, number) in earlier {
        if !names.insert(name.as_str()) || number.0 > NUMBER_MAX {
            problems.push(|| "numbers".into(), Fault::BadNumber { name: name.clone(), number: number.0 });
        }
    }
    for (name, number) in &numbers {
        if previous.replace(*number) == Some(*number) {
            problems.push(|| "numbers".into(), Fault::BadNumber { name: name.clone(), number: number.0 });
        }
    }
    let mut problems = problems.or(Problems::default())?;
    let first = numbers.last().map_or(0, |(_, number)| number.0 + 1);
    let new = document.permissions.iter().filter(|permission| !names.contains(permission.name.as_str()));
    for (number, permission) in (first..).zip(new) {
        if number > NUMBER_MAX {
            problems.push(|| "permissions".into(), Fault::NoNumberLeft);
            break;
        }
        numbers.push((permission.name.clone(), PermissionNumber(number)));
    }
    problems.or(numbers)
}

fn permissions(document: &Document, resolved: &Resolved, number_of: &[PermissionNumber]) -> Vec<PermissionInfo> {
    let mut closures = vec![PermissionSet::new(); document.permissions.len()];
    for &place in &resolved.order {
        let mut closure = PermissionSet::new();
        closure.insert(number_of[place]);
        for &implied in &resolved.implies[place] {
            closure.extend(&closures[implied]);
        }
        closures[place] = closure;
    }
    let permissions = document.permissions.iter().zip(number_of).zip(closures);
    permissions
        .map(|((entry, number), with_implied)| PermissionInfo {
            number: *number,
            name: entry.name.clone(),
            level: entry.level,
            contexts: entry.contexts.clone(),
            with_implied,
            title: entry.title.clone(),
            description: entry.description.clone(),
            risk: entry.risk,
            flags: entry.flags.clone(),
        })
        .collect()
}

fn context_types(document: &Document, grantable: &dyn Fn(Kinds) -> PermissionSet) -> Vec<ContextType> {
    let parents: HashMap<&str, &str> =
        document.context_types.iter().map(|kind| (kind.name.as_str(), kind.parent.as_str())).collect();
    let above = |name: &str| {
        let step = |name: &&str| parents.get(*name).copied().filter(|parent| *parent != GLOBAL);
        std::iter::successors(step(&name), step).map(str::to_owned).collect()
    };
    let kinds = document.context_types.iter().enumerate();
    kinds
        .map(|(place, kind)| ContextType {
            name: kind.name.clone(),
            above: above(&kind.name),
            case_sensitive: kind.case_sensitive,
            unregistered: kind.unregistered,
            title: kind.title.clone(),
            grantable: grantable(kind_bit(place)),
        })
        .collect()
}

fn endpoint(
    entry: &EndpointEntry,
    resolved: ResolvedEndpoint,
    permissions: &[PermissionEntry],
    number_of: &[PermissionNumber],
) -> Endpoint {
    let mut places: Vec<ContextTemplate> = Vec::new();
    let mut need = |(permission, context): (usize, ContextTemplate)| {
        let place = places.iter().position(|known| *known == context).unwrap_or(places.len());
        if place == places.len() {
            places.push(context);
        }
        Need { permission: number_of[permission], level: permissions[permission].level, place }
    };
    let mut alternative =
        |needs: Vec<(usize, ContextTemplate)>| Alternative { needs: needs.into_iter().map(&mut need).collect() };
    let access = match resolved.access {
        ResolvedAccess::Denied => Access::Denied,
        ResolvedAccess::Rule(AccessEntry::AuthenticatedOnly) => Access::AuthenticatedOnly,
        ResolvedAccess::Rule(AccessEntry::UnscopedOnly) => Access::UnscopedOnly,
        ResolvedAccess::AnyOf(alternatives) => Access::AnyOf(alternatives.into_iter().map(&mut alternative).collect()),
    };
    Endpoint {
        method: entry.method.as_str().into(),
        path: entry.path.as_str().into(),
        parameters: resolved.path.parameters().into(),
        access,
        places: places.into(),
        context: resolved.context,
        organization: resolved.organization,
        class: entry.class.as_deref().map(Box::from),
        flags: entry.flags.as_slice().into(),
    }
}
