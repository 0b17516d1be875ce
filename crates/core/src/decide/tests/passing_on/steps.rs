//! Random worlds and random steps in them.

use super::world::{APIS, Actor, Deed, PERMISSIONS, Place, Role, USERS, World, grant, set};
use crate::bits::PermissionSet;
use crate::credential::GrantState;
use crate::decide::Grant;
use crate::ids::ApiId;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;

fn sets() -> impl Strategy<Value = PermissionSet> {
    vec(0..PERMISSIONS, 0..4).prop_map(|permissions| set(&permissions))
}

pub fn worlds() -> impl Strategy<Value = World> {
    let roles = vec(btree_map(prop::sample::select(&APIS[..]), sets(), 0..=2), 3);
    let assignments = vec((0..USERS, 0_usize..4, any::<Index>()), 1..7);
    (vec(any::<Index>(), 0..5), roles, assignments).prop_map(|(parents, roles, assignments)| {
        let parents: Vec<Place> = parents.iter().enumerate().map(|(below, above)| place(*above, below)).collect();
        let assign = |(user, role, at): (usize, usize, Index)| (user, role, place(at, parents.len()));
        World {
            roles: std::iter::once(Role::Administrator).chain(roles.into_iter().map(Role::Of)).collect(),
            assignments: assignments.into_iter().map(assign).collect(),
            tokens: Vec::new(),
            parents,
        }
    })
}

/// One of the organization and the first so many contexts.
fn place(choice: Index, contexts: usize) -> Place {
    choice.index(contexts + 1).checked_sub(1)
}

/// A step, chosen before it is known how many places and tokens there will be when it is taken.
#[derive(Debug, Clone)]
pub struct Step {
    user: usize,
    token: Option<Index>,
    deed: usize,
    other: usize,
    role: usize,
    places: (Index, Index),
    api: ApiId,
    permissions: PermissionSet,
    states: (GrantState, GrantState),
}

pub fn steps() -> impl Strategy<Value = Step> {
    let choices = (0..USERS, any::<Option<Index>>(), 0_usize..8, 0..USERS, 0_usize..4);
    let states = || prop_oneof![2 => Just(GrantState::Granted), 1 => Just(GrantState::Requested)];
    let what = (prop::sample::select(&APIS[..]), sets(), (states(), states()));
    (choices, any::<(Index, Index)>(), what).prop_map(|(choices, places, what)| {
        let (user, token, deed, other, role) = choices;
        let (api, permissions, states) = what;
        Step { user, token, deed, other, role, places, api, permissions, states }
    })
}

impl Step {
    pub fn in_world(self, world: &World) -> (Actor, Deed) {
        let actor = match self.token {
            Some(token) if !world.tokens.is_empty() => Actor::With(token.index(world.tokens.len())),
            _ => Actor::SignedIn(self.user),
        };
        let place_of = |choice| place(choice, world.parents.len());
        let deed = match self.deed {
            0..=2 => Deed::Assign { user: self.other, role: self.role, place: place_of(self.places.0) },
            3 => Deed::Unassign { assignment: self.places.0.index(world.assignments.len().max(1)) },
            4 => Deed::Edit { role: self.role, api: self.api, permissions: self.permissions },
            5 => Deed::MakeContext { parent: place_of(self.places.0) },
            _ => {
                let given = |choice, state| Grant {
                    permissions: self.permissions.clone(),
                    state,
                    ..grant(self.api, place_of(choice), &[])
                };
                let (first, second) = (self.places.0, self.places.1);
                Deed::Issue { grants: vec![given(first, self.states.0), given(second, self.states.1)] }
            }
        };
        (actor, deed)
    }
}
