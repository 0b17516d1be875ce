//! Scopes of a new token: read, looked up, and whether each may be given in its place at all.

use super::near::near;
use super::wishes::Wish;
use super::world::World;
use crate::catalogues::Loaded;
use crate::db;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::contexts::kinds::{self, Resolved};
use crate::ops::tokens::broken::Broken;
use std::collections::HashMap;
use std::sync::Arc;
use tegata_core::bits::PermissionNumber;
use tegata_core::catalogue::PermissionInfo;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::{Guard, OPERATIONS};
use tegata_core::permissions::{OWN_API, OWN_PERMISSIONS, Reach};
use tegata_core::problem::Problem;
use tegata_core::scope::{Place, Scope};

/// Reads one scope: the permissions that it names, or a note why there are none.
pub async fn read<T: Reading>(
    act: &mut Act<'_, T>,
    world: &World,
    api: &Arc<Loaded>,
    text: &str,
    field: &str,
    places: &mut Places,
    broken: &mut Broken,
) -> Result<Vec<Wish>, Problem> {
    let own = api.key == OWN_API;
    let is_type = |word: &str| {
        if own { world.kinds.is_type(word) && !begins_own_permission(word) } else { api.catalogue.is_type(word) }
    };
    let wish = |permission, context, chain, place| Wish {
        field: field.to_owned(),
        org: world.org.id,
        api: Arc::clone(api),
        context,
        chain,
        place,
        permission,
    };
    let Some(scope) = broken.take(field, Scope::parse(text, &is_type)) else {
        return Ok(Vec::new());
    };
    let Scope::Permission { place, permission } = scope else {
        let all = if own {
            Err("`**` does not reach Tegata's own API: list its permissions")
        } else {
            everything(world, api)
        };
        let all = broken.take(field, all).unwrap_or_default();
        return Ok(all.into_iter().map(|number| wish(number, None, Vec::new(), Place::Global)).collect());
    };
    let number = api.catalogue.number(&permission);
    let Some(known) = number.and_then(|number| api.catalogue.permission(number)) else {
        broken
            .note(field, format!("{} has no permission `{permission}`{}", api.key, near(&permission, &api.catalogue)));
        return Ok(Vec::new());
    };
    let Some(found) = places.find(act, world, &place).await? else {
        broken.note(field, format!("nobody registered {place} in {}", world.org.key));
        return Ok(Vec::new());
    };
    let admitted = admissible(world, api, known, found.kind.as_deref());
    if let Err(why) = admitted.and_then(|()| world.admits_asking(api.id, known, &found.chain)) {
        broken.note(field, why);
        return Ok(Vec::new());
    }
    Ok(vec![wish(known.number, found.context, found.chain, place)])
}

/// A place that was looked up.
#[derive(Clone)]
struct Found {
    context: Option<ContextId>,
    kind: Option<String>,
    chain: Vec<ContextId>,
}

/// The places that were looked up so far: a token has many scopes in few places, and everybody waits meanwhile.
#[derive(Default)]
pub struct Places(HashMap<(OrgId, Place), Option<Found>>);

impl Places {
    async fn find<T: Reading>(
        &mut self,
        act: &mut Act<'_, T>,
        world: &World,
        place: &Place,
    ) -> Result<Option<Found>, Problem> {
        let org = world.org.id;
        if let Some(found) = self.0.get(&(org, place.clone())) {
            return Ok(found.clone());
        }
        let resolved = kinds::resolve_among(&world.kinds, act.tx(), org, place).await.map_err(internal)?;
        let found = match resolved {
            Resolved::Global => Some(Found { context: None, kind: None, chain: Vec::new() }),
            Resolved::Context(context) => {
                let chain = db::contexts::chain(act.tx(), org, context.id).await.map_err(internal)?;
                Some(Found { context: Some(context.id), kind: Some(context.kind), chain })
            }
            Resolved::Unregistered | Resolved::UnknownType => None,
        };
        self.0.insert((org, place.clone()), found.clone());
        Ok(found)
    }
}

/// Whether a permission may be granted in a place of this type at all, and could be used there.
fn admissible(world: &World, api: &Loaded, known: &PermissionInfo, kind: Option<&str>) -> Result<(), String> {
    let name = &known.name;
    if api.key == OWN_API {
        own_kind(world.kind, name)?;
        own_admissible(world, name, kind)?;
    } else if !api.catalogue.grantable_in(kind).contains(known.number) {
        let here = kind.unwrap_or("the whole organization (global)");
        return Err(format!("`{name}` cannot be granted in {here}, only in: {}", known.contexts.join(", ")));
    }
    Ok(())
}

/// Organization keys open the doors for identity providers and no other, and nothing else opens those.
fn own_kind(kind: CredentialKind, name: &str) -> Result<(), String> {
    let provisioning =
        OPERATIONS.iter().any(|operation| matches!(operation.guard, Guard::Provisioning(needed) if needed == name));
    match (kind, provisioning) {
        (CredentialKind::PersonalToken, false) | (CredentialKind::OrganizationKey, true) => Ok(()),
        (_, true) => Err(format!("`{name}` is for organization keys only")),
        (CredentialKind::OrganizationKey, false) => Err(format!(
            "of Tegata's own API an organization key can do no more than `scim`; a personal token can have `{name}`"
        )),
        _ => Err("credentials of this kind never open Tegata's own API; a personal token can".to_owned()),
    }
}

fn own_admissible(world: &World, name: &str, kind: Option<&str>) -> Result<(), String> {
    let publishers = OWN_PERMISSIONS.iter().any(|own| own.name == name && own.reach == Reach::Publisher);
    if publishers && !world.org.publisher {
        return Err(format!("`{name}` counts in the publisher's organization only"));
    }
    let in_contexts = name == "tokens:approve"
        || OPERATIONS.iter().any(|operation| matches!(operation.guard, Guard::Context(needed) if needed == name));
    if kind.is_some() && !in_contexts {
        return Err(format!("`{name}` is about the whole organization: leave the context out"));
    }
    Ok(())
}

/// A word before the colon of one of Tegata's own permissions is never a context type in their scopes.
fn begins_own_permission(word: &str) -> bool {
    OWN_PERMISSIONS.iter().any(|own| own.name.split(':').next() == Some(word))
}

/// What `**` stands for at this moment: everything of the API that the actor could be given in the whole organization.
fn everything(world: &World, api: &Loaded) -> Result<Vec<PermissionNumber>, &'static str> {
    // What an application shall have is granted by whoever answers for the place: whoever asks need not have it.
    let for_another = matches!(world.kind, CredentialKind::Application | CredentialKind::ApplicationToken);
    let all: Vec<PermissionNumber> = world.rights.with_authority(|authority| {
        let usable = |number: &PermissionNumber| {
            let known = api.catalogue.permission(*number);
            known.is_some_and(|known| {
                let theirs = || authority.covers_all(api.id, &known.with_implied, &[]).is_ok();
                world.admits_asking(api.id, known, &[]).is_ok() && (for_another || theirs())
            })
        };
        api.catalogue.grantable_in(None).iter().filter(usable).collect()
    });
    if all.is_empty() {
        Err("you have nothing of this API in the whole organization that `**` could stand for")
    } else {
        Ok(all)
    }
}
