//! Whether a new token may have what was asked for, and what of it is in force at once.

use super::wishes::{Wish, Wishes};
use super::world::World;
use crate::catalogues::Loaded;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use std::collections::{BTreeMap, BTreeSet};
use tegata_core::credential::{GrantState, PartState};
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::permissions::OWN_API;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};

/// Permissions of one API in one place that share a fate; one permission where it waits for somebody's word.
pub struct Admitted {
    /// The organization.
    pub org: OrgId,
    /// The API.
    pub api: ApiId,
    /// The place.
    pub context: Option<ContextId>,
    /// Whether they are in force.
    pub state: GrantState,
    /// Whether the owner granted them to themself.
    pub self_granted: bool,
    /// Their names.
    pub permissions: BTreeSet<String>,
}

/// What permissions have in common that become one grant: organization, API, place, state, and whether the owner
/// granted them to themself.
type Fate = (OrgId, ApiId, Option<ContextId>, GrantState, bool);

/// Decides. Everything is the actor's own, or nothing is given.
pub async fn admit<T: Reading>(act: &mut Act<'_, T>, wishes: &Wishes) -> Result<Vec<Admitted>, Problem> {
    for world in wishes.worlds.values() {
        require_open(world)?;
    }
    let mut beyond: Option<Problem> = None;
    for wish in &wishes.list {
        if let Err(missing) = covered(&wishes.worlds[&wish.org], wish) {
            let problem = beyond.unwrap_or_else(|| Problem::new(Code::BeyondOwnRights, missing.clone()));
            beyond = Some(problem.with(wish.field.clone(), missing));
        }
    }
    if let Some(problem) = beyond {
        return Err(problem);
    }
    let app = act.app;
    let own = app.catalogues.of(act.tx(), OWN_API).await.map_err(internal)?;
    let own = own.ok_or_else(|| Problem::new(Code::Unavailable, "the installation has not been set up yet"))?;
    // No credential decides a request of its own: with a token, everything waits that needs a word.
    let in_person = act.actor.token.is_none();
    let mut groups: BTreeMap<Fate, BTreeSet<String>> = BTreeMap::new();
    for wish in &wishes.list {
        let Some(known) = wish.api.catalogue.permission(wish.permission) else { continue };
        let world = &wishes.worlds[&wish.org];
        let policy = world.policies.counting_in(&wish.chain);
        let (state, self_granted) = match policy.admission {
            Admission::Allow => (GrantState::Granted, false),
            Admission::Approval if in_person && !policy.four_eyes && answers_for(world, &own, &wish.chain) => {
                (GrantState::Granted, true)
            }
            Admission::Approval | Admission::Deny => (GrantState::Requested, false),
        };
        let key = (wish.org, wish.api.id, wish.context, state, self_granted);
        groups.entry(key).or_default().insert(known.name.clone());
    }
    let mut admitted = Vec::with_capacity(groups.len());
    for ((org, api, context, state, self_granted), permissions) in groups {
        let of = |permissions| Admitted { org, api, context, state, self_granted, permissions };
        if state == GrantState::Requested {
            // Each is decided for itself.
            admitted.extend(permissions.into_iter().map(|name| of(BTreeSet::from([name]))));
        } else {
            admitted.push(of(permissions));
        }
    }
    Ok(admitted)
}

/// Whether the organization takes personal tokens at all, and the one that acts still counts there.
fn require_open(world: &World) -> Result<(), Problem> {
    let key = &world.org.key;
    if world.policy().admission == Admission::Deny {
        return Err(Problem::new(
            Code::Forbidden,
            format!("the policy of {key} admits no credential of the kind {}", world.kind),
        )
        .with("reason", "policy_denied"));
    }
    if world.rights.part_state != PartState::Active {
        return Err(Problem::new(Code::BeyondOwnRights, format!("the token that acts is stopped in {key}")));
    }
    Ok(())
}

/// Whether the actor has this permission, with what it implies, in this place at this moment.
pub fn covered(world: &World, wish: &Wish) -> Result<(), String> {
    let set = wish.api.catalogue.permission(wish.permission).map(|known| (&known.with_implied, &known.name));
    let Some((set, name)) = set.filter(|_| world.rights.owner_active) else {
        return Err("your membership is not active".to_owned());
    };
    let outcome = world.rights.with_authority(|authority| authority.covers_all(wish.api.id, set, &wish.chain));
    outcome.map_err(|_| format!("you do not have `{name}` in {} of {} yourself", wish.place, world.org.key))
}

/// Whether the actor answers for tokens that are used in a place.
pub fn answers_for(world: &World, own: &Loaded, chain: &[ContextId]) -> bool {
    let approve = own.catalogue.number("tokens:approve");
    approve.is_some_and(|approve| world.rights.with_authority(|authority| authority.covers(own.id, approve, chain)))
}
