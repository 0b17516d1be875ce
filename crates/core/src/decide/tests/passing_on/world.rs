//! A small world of people, places and roles. It asks [`Authority`] what is permitted, and works out by itself what
//! everybody then has.

use crate::authority::Authority;
use crate::bits::{PermissionNumber, PermissionSet};
use crate::ceiling::Ceilings;
use crate::credential::GrantState;
use crate::decide::{Grant, Grants};
use crate::ids::{ApiId, ContextId};
use crate::role::{Held, Right};
use std::collections::{BTreeMap, BTreeSet};

pub const APIS: [ApiId; 2] = [ApiId::from_u128(1), ApiId::from_u128(2)];
pub const PERMISSIONS: u16 = 4;
pub const USERS: usize = 4;
/// Making a context below another needs this of the first API there.
pub const MAKE_CONTEXT: PermissionNumber = PermissionNumber(0);
/// The role of administrators; the others are sets.
pub const ADMINISTRATOR: usize = 0;

/// A context by its number; none for the organization.
pub type Place = Option<usize>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Everything,
    Permission(ApiId, u16),
}

/// Something that somebody may do somewhere.
pub type Power = (What, Place);

#[derive(Debug, Clone)]
pub enum Role {
    Administrator,
    Of(BTreeMap<ApiId, PermissionSet>),
}

#[derive(Debug, Clone)]
pub struct Token {
    pub owner: usize,
    pub grants: Vec<Grant>,
}

#[derive(Debug, Clone)]
pub struct World {
    pub parents: Vec<Place>,
    pub roles: Vec<Role>,
    /// Who has which role where.
    pub assignments: Vec<(usize, usize, Place)>,
    pub tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy)]
pub enum Actor {
    SignedIn(usize),
    With(usize),
}

#[derive(Debug, Clone)]
pub enum Deed {
    Assign { user: usize, role: usize, place: Place },
    Unassign { assignment: usize },
    Edit { role: usize, api: ApiId, permissions: PermissionSet },
    MakeContext { parent: Place },
    Issue { grants: Vec<Grant> },
}

pub fn id(context: usize) -> ContextId {
    ContextId::from_u128(100 + context as u128)
}

pub fn number(context: ContextId) -> usize {
    usize::try_from(context.as_u128() - 100).expect("a context of this world")
}

pub fn set(permissions: &[u16]) -> PermissionSet {
    permissions.iter().copied().map(PermissionNumber).collect()
}

pub fn grant(api: ApiId, context: Place, permissions: &[u16]) -> Grant {
    Grant::new(api, context.map(id), set(permissions), GrantState::Granted)
}

impl World {
    fn chain(&self, place: Place) -> Vec<ContextId> {
        std::iter::successors(place, |context| self.parents[*context]).map(id).collect()
    }

    pub fn owner(&self, actor: Actor) -> usize {
        match actor {
            Actor::SignedIn(user) => user,
            Actor::With(token) => self.tokens[token].owner,
        }
    }

    fn rights(&self, user: usize) -> Vec<Right<'_>> {
        let of_role = |(_, role, place): &(usize, usize, Place)| -> Vec<Right<'_>> {
            let context = place.map(id);
            match &self.roles[*role] {
                Role::Administrator => vec![Right { context, api: None, held: Held::Everything }],
                Role::Of(sets) => {
                    sets.iter().map(|(api, set)| Right { context, api: Some(*api), held: Held::Set(set) }).collect()
                }
            }
        };
        self.assignments.iter().filter(|(holder, ..)| *holder == user).flat_map(of_role).collect()
    }

    /// Whether the rules let this actor do this, by the word of [`Authority`].
    pub fn permits(&self, actor: Actor, deed: &Deed) -> bool {
        let user = self.owner(actor);
        let grants = match actor {
            Actor::SignedIn(_) => Grants::Whole,
            Actor::With(token) => Grants::Listed(&self.tokens[token].grants, Ceilings::NONE),
        };
        let authority = Authority { rights: &self.rights(user), grants };
        match deed {
            Deed::Assign { role, place, .. } => match &self.roles[*role] {
                Role::Administrator => authority.covers_everything(&self.chain(*place)).is_ok(),
                Role::Of(sets) => {
                    sets.iter().all(|(api, set)| authority.covers_all(*api, set, &self.chain(*place)).is_ok())
                }
            },
            Deed::Unassign { .. } => true,
            Deed::Edit { role, api, permissions } => {
                let Role::Of(sets) = &self.roles[*role] else {
                    return false;
                };
                let added = sets.get(api).map_or(permissions.clone(), |old| permissions.difference(old));
                let of_role = self.assignments.iter().filter(|(_, assigned, _)| assigned == role);
                let holds_it = of_role.clone().any(|(holder, ..)| *holder == user);
                let mut places = of_role.map(|(.., place)| *place).chain([None]);
                !holds_it && places.all(|place| authority.covers_all(*api, &added, &self.chain(place)).is_ok())
            }
            Deed::MakeContext { parent } => authority.covers(APIS[0], MAKE_CONTEXT, &self.chain(*parent)),
            // Anybody may ask for more than they have: what is not granted passes nothing on.
            Deed::Issue { grants } => grants.iter().all(|grant| {
                let chain = self.chain(grant.context.map(number));
                grant.state != GrantState::Granted
                    || authority.covers_all(grant.api, &grant.permissions, &chain).is_ok()
            }),
        }
    }

    /// Does it, permitted or not.
    pub fn perform(&mut self, actor: Actor, deed: Deed) {
        let user = self.owner(actor);
        match deed {
            Deed::Assign { user, role, place } => self.assignments.push((user, role, place)),
            Deed::Unassign { assignment } => {
                if assignment < self.assignments.len() {
                    self.assignments.remove(assignment);
                }
            }
            Deed::Edit { role, api, permissions } => {
                if let Role::Of(sets) = &mut self.roles[role] {
                    sets.insert(api, permissions);
                }
            }
            Deed::MakeContext { parent } => {
                self.parents.push(parent);
                self.assignments.push((user, ADMINISTRATOR, Some(self.parents.len() - 1)));
            }
            Deed::Issue { grants } => self.tokens.push(Token { owner: user, grants }),
        }
    }

    /// Whether a place is another or lies below it.
    fn lies_in(&self, place: Place, top: Place) -> bool {
        place == top || place.is_some_and(|context| self.lies_in(self.parents[context], top))
    }

    /// All that a person may do, one by one.
    pub fn powers(&self, user: usize) -> BTreeSet<Power> {
        let everything = APIS
            .into_iter()
            .flat_map(|api| (0..PERMISSIONS).map(move |permission| What::Permission(api, permission)))
            .chain([What::Everything]);
        let places = || (0..self.parents.len()).map(Some).chain([None]);
        let role_gives = |role: usize, what| match (&self.roles[role], what) {
            (Role::Administrator, _) => true,
            (Role::Of(_), What::Everything) => false,
            (Role::Of(sets), What::Permission(api, permission)) => {
                sets.get(&api).is_some_and(|set| set.iter().any(|held| held.0 == permission))
            }
        };
        let has = |(what, place): &Power| {
            self.assignments
                .iter()
                .any(|(holder, role, top)| *holder == user && self.lies_in(*place, *top) && role_gives(*role, *what))
        };
        everything.flat_map(|what| places().map(move |place| (what, place))).filter(has).collect()
    }

    /// All that may be done with a credential.
    pub fn powers_of(&self, actor: Actor) -> BTreeSet<Power> {
        let mut powers = self.powers(self.owner(actor));
        if let Actor::With(token) = actor {
            powers.retain(|(what, place)| match what {
                What::Everything => false,
                What::Permission(api, permission) => self.tokens[token].grants.iter().any(|grant| {
                    grant.state == GrantState::Granted
                        && grant.api == *api
                        && grant.permissions.iter().any(|held| held.0 == *permission)
                        && self.lies_in(*place, grant.context.map(number))
                }),
            });
        }
        powers
    }
}
