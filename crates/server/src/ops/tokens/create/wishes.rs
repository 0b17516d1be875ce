//! What a new token shall be able to do, read and looked up: organizations, APIs, places and permissions. Whether its
//! owner may have it is not asked here.

use super::GrantBody;
use super::scopes::{self, Places};
use super::world::{self, World};
use crate::catalogues::Loaded;
use crate::ops::Act;
use crate::ops::act::Reading;
use crate::ops::tokens::broken::Broken;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use tegata_core::bits::PermissionNumber;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::problem::Problem;
use tegata_core::scope::{LIST_MAX, Place};

/// Most entries of `grants`.
const GRANTS_MAX: usize = 100;

/// One permission in one place, as it was asked for.
pub struct Wish {
    /// Where it stands in the body.
    pub field: String,
    /// The organization.
    pub org: OrgId,
    /// The API.
    pub api: Arc<Loaded>,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The ids of the place and of those above it, innermost first.
    pub chain: Vec<ContextId>,
    /// The place, for messages.
    pub place: Place,
    /// The permission.
    pub permission: PermissionNumber,
}

/// Everything that was asked for.
#[derive(Default)]
pub struct Wishes {
    /// The organizations.
    pub worlds: BTreeMap<OrgId, World>,
    /// The permissions.
    pub list: Vec<Wish>,
}

/// Reads what was asked for; what cannot be is noted.
pub async fn read<T: Reading>(
    act: &mut Act<'_, T>,
    kind: CredentialKind,
    grants: &[GrantBody],
    broken: &mut Broken,
) -> Result<Wishes, Problem> {
    let mut wishes = Wishes::default();
    if grants.is_empty() || grants.len() > GRANTS_MAX {
        broken.note("grants", format!("name 1 to {GRANTS_MAX} entries, each an organization, an API and scopes"));
        return Ok(wishes);
    }
    if grants.iter().map(|grant| grant.scopes.list().len()).sum::<usize>() > LIST_MAX {
        broken.note("grants", format!("a token has at most {LIST_MAX} scopes; make two tokens"));
        return Ok(wishes);
    }
    let mut places = Places::default();
    for (place, grant) in grants.iter().enumerate() {
        let at = format!("grants[{place}]");
        let Some(org) = world::organization(act, grant, &at, broken).await? else { continue };
        let org = org.id;
        if let Entry::Vacant(vacant) = wishes.worlds.entry(org) {
            vacant.insert(World::read(act, kind, org).await?);
        }
        let world = &wishes.worlds[&org];
        let Some(api) = world.api(grant, &at, broken) else { continue };
        let scopes = grant.scopes.list();
        if scopes.is_empty() {
            broken.note(format!("{at}.scopes"), "name at least one scope");
        }
        for (number, text) in scopes.into_iter().enumerate() {
            let field = format!("{at}.scopes[{number}]");
            let found = scopes::read(act, world, &api, text, &field, &mut places, broken).await?;
            wishes.list.extend(found);
        }
    }
    // What is for use in a place lives no longer than the place says.
    for wish in &wishes.list {
        if let Some(world) = wishes.worlds.get_mut(&wish.org) {
            world.max_lifetime = world.policies.counting_in(&wish.chain).max_lifetime.min(world.max_lifetime);
        }
    }
    Ok(wishes)
}
