//! Permissions: names, where they may be granted, and what they imply.

use super::{GLOBAL_KIND, Kinds, Names, kind_bit};
use crate::catalogue::document::{Document, GLOBAL};
use crate::catalogue::problem::{Fault, Problems};
use crate::name;
use std::collections::HashMap;

pub(super) fn names<'d>(
    document: &'d Document,
    kinds: &HashMap<&str, usize>,
    problems: &mut Problems,
) -> HashMap<&'d str, usize> {
    let mut names = HashMap::with_capacity(document.permissions.len());
    for (place, permission) in document.permissions.iter().enumerate() {
        let at = || format!("permissions[{place}].name");
        problems.note(at, name::check_permission(&permission.name));
        if let Some((kind, _)) = permission.name.split_once(':')
            && (kind == GLOBAL || kinds.contains_key(kind))
        {
            let fault = Fault::LooksLikeScope { name: permission.name.clone(), kind: kind.to_owned() };
            problems.push(at, fault);
        }
        super::texts(problems, &permission.title, || format!("permissions[{place}].title"));
        super::descriptions(problems, &permission.description, || format!("permissions[{place}].description"));
        super::flags(problems, &permission.flags, || format!("permissions[{place}].flags"));
        match names.get(permission.name.as_str()) {
            None => {
                names.insert(permission.name.as_str(), place);
            }
            Some(first) => problems.push(
                at,
                Fault::Duplicate {
                    what: "permission",
                    name: permission.name.clone(),
                    first: format!("permissions[{first}]"),
                },
            ),
        }
    }
    names
}

pub(super) fn grantable(document: &Document, names: &Names<'_>, problems: &mut Problems) -> Vec<Kinds> {
    let mut all = Vec::with_capacity(document.permissions.len());
    for (place, permission) in document.permissions.iter().enumerate() {
        let mut grantable = 0;
        if permission.contexts.is_empty() {
            problems.push(|| format!("permissions[{place}].contexts"), Fault::GrantedNowhere);
        }
        for (which, kind) in permission.contexts.iter().enumerate() {
            let at = || format!("permissions[{place}].contexts[{which}]");
            let bit = if kind == GLOBAL {
                GLOBAL_KIND
            } else if let Some(kind) = names.kinds.get(kind.as_str()) {
                kind_bit(*kind)
            } else {
                problems.push(at, Fault::Unknown { what: "context type", name: kind.clone() });
                continue;
            };
            if grantable & bit != 0 {
                let first = format!("permissions[{place}].contexts");
                problems.push(at, Fault::Duplicate { what: "context type", name: kind.clone(), first });
            }
            grantable |= bit;
        }
        all.push(grantable);
    }
    all
}

pub(super) fn implies(
    document: &Document,
    names: &Names<'_>,
    grantable: &[Kinds],
    problems: &mut Problems,
) -> Vec<Vec<usize>> {
    let mut all = Vec::with_capacity(document.permissions.len());
    for (place, permission) in document.permissions.iter().enumerate() {
        let mut implied = Vec::with_capacity(permission.implies.len());
        for (which, name) in permission.implies.iter().enumerate() {
            let at = || format!("permissions[{place}].implies[{which}]");
            let Some(&other) = names.permissions.get(name.as_str()) else {
                problems.push(at, Fault::Unknown { what: "permission", name: name.clone() });
                continue;
            };
            if document.permissions[other].level > permission.level {
                problems.push(at, Fault::ImpliesHigher { implied: name.clone() });
            }
            let elsewhere = grantable[place] & !grantable[other];
            if elsewhere != 0 {
                let kind = kind_name(document, elsewhere);
                problems.push(at, Fault::ImpliesElsewhere { implied: name.clone(), kind });
            }
            implied.push(other);
        }
        all.push(implied);
    }
    all
}

/// The name of the first type in a set.
fn kind_name(document: &Document, kinds: Kinds) -> String {
    match kinds.trailing_zeros().checked_sub(1) {
        None => GLOBAL.to_owned(),
        Some(place) => document.context_types.get(place as usize).map_or_else(String::new, |kind| kind.name.clone()),
    }
}

/// The permissions so that each comes after everything it implies; tells of a circle if there is one.
pub(super) fn order(document: &Document, implies: &[Vec<usize>], problems: &mut Problems) -> Vec<usize> {
    let mut waits_for: Vec<usize> = implies.iter().map(Vec::len).collect();
    let mut implied_by = vec![Vec::new(); implies.len()];
    for (place, implied) in implies.iter().enumerate() {
        for &other in implied {
            implied_by[other].push(place);
        }
    }
    let mut order: Vec<usize> = (0..implies.len()).filter(|place| waits_for[*place] == 0).collect();
    let mut done = 0;
    while let Some(&place) = order.get(done) {
        done += 1;
        for &other in &implied_by[place] {
            waits_for[other] -= 1;
            if waits_for[other] == 0 {
                order.push(other);
            }
        }
    }
    if let Some(start) = waits_for.iter().position(|count| *count > 0) {
        let circle = circle_from(start, implies, &waits_for);
        let at = format!("permissions[{}].implies", circle[0]);
        let circle = circle.iter().map(|place| document.permissions[*place].name.clone()).collect();
        problems.push(|| at, Fault::Cycle { what: "implied permissions", circle });
    }
    order
}

/// Follows permissions that still wait until one comes again.
fn circle_from(start: usize, implies: &[Vec<usize>], waits_for: &[usize]) -> Vec<usize> {
    let mut way = vec![start];
    let mut seen = vec![false; implies.len()];
    let mut here = start;
    while !seen[here] {
        seen[here] = true;
        here = implies[here].iter().copied().find(|next| waits_for[*next] > 0).unwrap_or(start);
        way.push(here);
    }
    let first = way.iter().position(|place| *place == here).unwrap_or(0);
    way.split_off(first)
}
