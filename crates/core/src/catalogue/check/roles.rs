//! Predefined roles: keys, and permissions that may be granted where the role is assigned.

use super::{GLOBAL_KIND, Kinds, Names, kind_bit};
use crate::catalogue::document::{Document, GLOBAL};
use crate::catalogue::problem::{Fault, Problems};
use crate::name;
use std::collections::HashMap;

pub(super) fn resolve(
    document: &Document,
    names: &Names<'_>,
    grantable: &[Kinds],
    problems: &mut Problems,
) -> Vec<Vec<usize>> {
    let mut keys: HashMap<&str, usize> = HashMap::new();
    let mut all = Vec::with_capacity(document.roles.len());
    for (place, role) in document.roles.iter().enumerate() {
        problems.note(|| format!("roles[{place}].key"), name::check_key(&role.key));
        super::texts(problems, &role.title, || format!("roles[{place}].title"));
        super::flags(problems, &role.flags, || format!("roles[{place}].flags"));
        if let Some(first) = keys.insert(&role.key, place) {
            let fault = Fault::Duplicate { what: "role", name: role.key.clone(), first: format!("roles[{first}]") };
            problems.push(|| format!("roles[{place}].key"), fault);
        }
        let kind = if role.context_type == GLOBAL {
            Some(GLOBAL_KIND)
        } else {
            names.kinds.get(role.context_type.as_str()).map(|kind| kind_bit(*kind))
        };
        if kind.is_none() {
            let fault = Fault::Unknown { what: "context type", name: role.context_type.clone() };
            problems.push(|| format!("roles[{place}].context_type"), fault);
        }
        let mut permissions = Vec::with_capacity(role.permissions.len());
        for (which, name) in role.permissions.iter().enumerate() {
            let at = || format!("roles[{place}].permissions[{which}]");
            match names.permissions.get(name.as_str()) {
                None => problems.push(at, Fault::Unknown { what: "permission", name: name.clone() }),
                Some(&permission) => {
                    if kind.is_some_and(|kind| grantable[permission] & kind == 0) {
                        let kind = role.context_type.clone();
                        problems.push(at, Fault::NotGrantable { permission: name.clone(), kind });
                    }
                    permissions.push(permission);
                }
            }
        }
        all.push(permissions);
    }
    all
}
