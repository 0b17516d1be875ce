//! What an application needs, read and looked up.

use super::view::RequiredView;
use crate::db::applications::Required;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::world::World;
use std::collections::BTreeSet;
use tegata_core::permissions::OWN_API;

/// Most permissions that an application needs.
const REQUIRED_MAX: usize = 300;

/// Reads what an application shall need; what cannot be is noted.
pub fn read(list: &[RequiredView], world: &World, broken: &mut Broken) -> Required {
    let mut required = Required::new();
    if list.iter().map(|entry| entry.permissions.len()).sum::<usize>() > REQUIRED_MAX {
        broken.note("required", format!("an application needs at most {REQUIRED_MAX} permissions"));
        return required;
    }
    for (at, entry) in list.iter().enumerate() {
        let field = format!("required[{at}]");
        let found = world.apis.iter().find(|api| api.key == entry.api || api.id.to_string() == entry.api);
        let Some(api) = found.filter(|api| api.key != OWN_API) else {
            let why = if found.is_some() {
                "an application never opens Tegata's own API; a personal token can".to_owned()
            } else {
                format!("{} uses no such API", world.org.key)
            };
            broken.note(format!("{field}.api"), why);
            continue;
        };
        let mut names: BTreeSet<String> = required.remove(&api.id).unwrap_or_default().into_iter().collect();
        for (number, name) in entry.permissions.iter().enumerate() {
            if api.catalogue.number(name).is_none() {
                let why = format!("{} has no permission `{name}`", api.key);
                broken.note(format!("{field}.permissions[{number}]"), why);
            }
            names.insert(name.clone());
        }
        if entry.permissions.is_empty() {
            broken.note(format!("{field}.permissions"), "name at least one permission");
        }
        required.insert(api.id, names.into_iter().collect());
    }
    required
}
