//! What a role may list: permissions that exist, of APIs that the organization uses, and that may be granted where the
//! role is given.

use super::view::ApiPermissions;
use crate::catalogues::Loaded;
use crate::db;
use crate::db::orgs::Org;
use crate::db::roles::Permissions;
use crate::ops::act::{Reading, internal};
use crate::ops::assignments::authority::must_cover_globally;
use crate::ops::rights::{self, RoleContent};
use crate::ops::{Act, Allowed};
use std::collections::{BTreeMap, BTreeSet};
use tegata_core::bits::PermissionSet;
use tegata_core::ids::ApiId;
use tegata_core::permissions::{self, OWN_API, Reach};
use tegata_core::problem::{Code, FieldError, Problem};

/// A role that is given in the whole organization.
pub const GLOBAL: &str = "global";
/// A role that is given in contexts of every type.
pub const ANY: &str = "any";
/// Most mistakes that are told at once.
const FAULTS_MAX: usize = 20;

/// Reads what a role of a context type is to list; tells every mistake with its place.
pub async fn read<T: Reading>(
    act: &mut Act<'_, T>,
    org: &Org,
    context_type: &str,
    wanted: &[ApiPermissions],
) -> Result<Permissions, Problem> {
    let enabled: BTreeSet<ApiId> =
        db::orgs::apis(act.tx(), org.id).await.map_err(internal)?.into_iter().map(|(api, _)| api).collect();
    let app = act.app;
    let mut listed = BTreeMap::<ApiId, BTreeSet<String>>::new();
    let mut faults = Vec::new();
    for (place, entry) in wanted.iter().enumerate() {
        let loaded = app.catalogues.of(act.tx(), &entry.api).await.map_err(internal)?;
        let Some(loaded) = loaded.filter(|loaded| loaded.key == OWN_API || enabled.contains(&loaded.id)) else {
            faults.push(fault(format!("permissions[{place}].api"), "this organization uses no such API"));
            continue;
        };
        let names = listed.entry(loaded.id).or_default();
        for (which, name) in entry.permissions.iter().enumerate() {
            match refusal(&loaded, org, context_type, name) {
                Some(why) => faults.push(fault(format!("permissions[{place}].permissions[{which}]"), &why)),
                None => {
                    names.insert(name.clone());
                }
            }
        }
    }
    if let Some(first) = faults.first() {
        let detail = format!("{}: {}", first.field, first.message);
        faults.truncate(FAULTS_MAX);
        return Err(Problem { errors: faults, ..Problem::new(Code::Invalid, detail) });
    }
    listed.retain(|_, names| !names.is_empty());
    Ok(listed.into_iter().map(|(api, names)| (api, names.into_iter().collect())).collect())
}

fn fault(field: String, message: &str) -> FieldError {
    FieldError { field, message: message.to_owned() }
}

/// Why a permission may not stand in a role of this context type; none when it may.
fn refusal(loaded: &Loaded, org: &Org, context_type: &str, name: &str) -> Option<String> {
    let catalogue = &loaded.catalogue;
    let shown: String = name.chars().take(100).collect();
    let Some(number) = catalogue.number(name) else {
        return Some(format!("the API `{}` has no permission `{shown}`", loaded.key));
    };
    if loaded.key == OWN_API {
        // Tegata's own permissions are about the organization or any part of it, except those about the installation.
        return match permissions::find(name).map(|permission| permission.reach) {
            Some(Reach::Organization) => None,
            Some(Reach::Publisher) if org.publisher && context_type == GLOBAL => None,
            Some(Reach::Publisher) => {
                Some(format!("`{name}` counts in the publisher's organization only, in roles for the whole of it"))
            }
            None => Some(format!("the API `{}` has no permission `{shown}`", loaded.key)),
        };
    }
    let fits = match context_type {
        GLOBAL => catalogue.grantable_in(None).contains(number),
        ANY => catalogue.context_types().iter().any(|kind| kind.grantable.contains(number)),
        kind => catalogue.grantable_in(Some(kind)).contains(number),
    };
    let kinds = || catalogue.permission(number).map(|found| found.contexts.join(", ")).unwrap_or_default();
    (!fits).then(|| format!("`{name}` may be granted in {} only, not where this role is given", kinds()))
}

/// Requires that the actor has, in the whole organization, everything that `after` lists and `before` did not.
pub async fn must_cover_added<T: Reading>(
    act: &mut Act<'_, T>,
    allowed: &Allowed,
    before: &Permissions,
    after: &Permissions,
) -> Result<(), Problem> {
    let old = sets(act, before).await?;
    for (api, set) in sets(act, after).await? {
        let added = old.get(&api).map_or_else(|| set.clone(), |old| set.difference(old));
        must_cover_globally(act, allowed, api, &added).await?;
    }
    Ok(())
}

/// Permissions with what they imply, by API.
async fn sets<T: Reading>(
    act: &mut Act<'_, T>,
    permissions: &Permissions,
) -> Result<BTreeMap<ApiId, PermissionSet>, Problem> {
    let app = act.app;
    match rights::listed(app, act.tx(), permissions).await.map_err(internal)? {
        RoleContent::Listed(list) => Ok(list.into_iter().collect()),
        RoleContent::Everything => Ok(BTreeMap::new()),
    }
}
