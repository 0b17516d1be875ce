//! Facts that own what they hold, in the words of people: a story to change one thing in and to decide again.

use crate::bits::{PermissionNumber, PermissionSet};
use crate::ceiling::{Ceiling, Ceilings};
use crate::credential::{CredentialKind, CredentialState, GrantState, PartState};
use crate::decide::{
    Acting, Alternative, Credential, Decision, Facts, Gate, Grant, Grants, Need, Organization, Part, Place, Presented,
    Target, decide,
};
use crate::ids::{AccessPolicyId, ApiId, ContextId};
use crate::level::Level;
use crate::policy::{Admission, ContextPolicy, KindPolicies, KindPolicy, LevelLimit};
use crate::role::{Held, Right};
use crate::time::Timestamp;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The API of the call, and another.
pub const API: ApiId = ApiId::from_u128(1);
pub const OTHER_API: ApiId = ApiId::from_u128(2);

/// The usual tree: a project with a channel, and another project.
pub const PROJECT: ContextId = ContextId::from_u128(10);
pub const CHANNEL: ContextId = ContextId::from_u128(11);
pub const OTHER_PROJECT: ContextId = ContextId::from_u128(20);

/// The usual permissions. The last is in another word of the bitset than the others.
pub const READ: u16 = 1;
pub const WRITE: u16 = 2;
pub const ADMIN: u16 = 200;

/// The moment of the usual call.
pub const NOON: Timestamp = Timestamp::from_micros(1_795_600_800_000_000);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Malformed,
    Unknown,
    Known,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    NoSuchEndpoint,
    Closed,
    AuthenticatedOnly,
    UnscopedOnly,
    AnyOf(Vec<Vec<Wish>>),
}

/// What a credential covers without a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    UpTo(Level),
    Unscoped,
}

/// A permission in a place that is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub permission: u16,
    pub level: Level,
    pub spot: Spot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    Unregistered,
    Organization,
    Context(ContextId),
}

/// What a role gives the owner; no set means everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRight {
    pub context: Option<ContextId>,
    pub api: Option<ApiId>,
    pub set: Option<PermissionSet>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and tests change one at a time")]
pub struct Scene {
    pub gate: Gate,
    pub now: Timestamp,
    pub address: Option<IpAddr>,
    pub shown: Shown,
    pub state: CredentialState,
    pub expires_at: Timestamp,
    pub ranges: Vec<IpNet>,
    pub asked: Asked,
    pub organization_known: bool,
    pub part: PartState,
    pub owner_active: bool,
    pub policy: Option<KindPolicy>,
    /// What contexts say beyond that.
    pub context_policies: BTreeMap<ContextId, ContextPolicy>,
    /// What the credential was given; none for a session.
    pub grants: Option<Vec<Grant>>,
    /// What it covers in place of that, without a list.
    pub wide: Option<Wide>,
    pub chosen: Option<Vec<Grant>>,
    /// Whether it acts for itself, and nobody's rights bound it.
    pub for_itself: bool,
    /// Whether the API of the call is Tegata's own.
    pub own_api: bool,
    /// Access policies that grants may name.
    pub ceilings: BTreeMap<AccessPolicyId, Ceiling>,
    pub rights: Vec<OwnedRight>,
    /// Each context with the one above it.
    pub parents: BTreeMap<ContextId, Option<ContextId>>,
}

pub fn wish(permission: u16, level: Level, spot: Spot) -> Wish {
    Wish { permission, level, spot }
}

pub fn set(permissions: &[u16]) -> PermissionSet {
    permissions.iter().copied().map(PermissionNumber).collect()
}

pub fn grant(context: Option<ContextId>, permissions: &[u16]) -> Grant {
    Grant::new(API, context, set(permissions), GrantState::Granted)
}

pub fn right(context: Option<ContextId>, permissions: &[u16]) -> OwnedRight {
    OwnedRight { context, api: Some(API), set: Some(set(permissions)) }
}

pub fn administrator(context: Option<ContextId>) -> OwnedRight {
    OwnedRight { context, api: None, set: None }
}

pub fn policy(admission: Admission, level: LevelLimit) -> KindPolicy {
    KindPolicy { admission, level, ..KindPolicy::fresh(CredentialKind::PersonalToken) }
}

impl Scene {
    /// A token for reading in the project, shown at noon by an owner who may read there: allowed.
    pub fn reading() -> Self {
        Self {
            gate: Gate::Open,
            now: NOON,
            address: None,
            shown: Shown::Known,
            state: CredentialState::Active,
            expires_at: Timestamp::MAX,
            ranges: Vec::new(),
            asked: Asked::AnyOf(vec![vec![wish(READ, Level::Read, Spot::Context(PROJECT))]]),
            organization_known: true,
            part: PartState::Active,
            owner_active: true,
            policy: Some(policy(Admission::Allow, LevelLimit::All)),
            context_policies: BTreeMap::new(),
            grants: Some(vec![grant(Some(PROJECT), &[READ])]),
            wide: None,
            chosen: None,
            for_itself: false,
            own_api: false,
            ceilings: BTreeMap::new(),
            rights: vec![right(Some(PROJECT), &[READ])],
            parents: BTreeMap::from([(PROJECT, None), (CHANNEL, Some(PROJECT)), (OTHER_PROJECT, None)]),
        }
    }

    /// A legacy token up to a level, of an owner who administers everything.
    pub fn legacy(level: Level) -> Self {
        Self { wide: Some(Wide::UpTo(level)), rights: vec![administrator(None)], ..Self::reading() }
    }

    /// An organization key that lists what the usual token does; nobody's rights bound it.
    pub fn organization_key() -> Self {
        Self { for_itself: true, rights: Vec::new(), ..Self::reading() }
    }

    /// A token of an application that was granted what the usual token was, and chose less.
    pub fn application_token(chosen: Vec<Grant>) -> Self {
        Self { chosen: Some(chosen), ..Self::organization_key() }
    }

    /// An unscoped organization key, where the policy takes such.
    pub fn unscoped_key() -> Self {
        let policy = KindPolicy { unscoped: true, ..policy(Admission::Allow, LevelLimit::All) };
        Self { wide: Some(Wide::Unscoped), policy: Some(policy), ..Self::organization_key() }
    }

    /// The same scene, asking for other alternatives.
    pub fn asking(self, alternatives: Vec<Vec<Wish>>) -> Self {
        Self { asked: Asked::AnyOf(alternatives), ..self }
    }

    /// The same scene, where a context says this of the kind.
    pub fn where_says(mut self, context: ContextId, policy: ContextPolicy) -> Self {
        self.context_policies.insert(context, policy);
        self
    }

    /// The same scene with these grants.
    pub fn granted(self, grants: Vec<Grant>) -> Self {
        Self { grants: Some(grants), ..self }
    }

    /// The same scene with an owner who has these rights.
    pub fn owner_has(self, rights: Vec<OwnedRight>) -> Self {
        Self { rights, ..self }
    }

    pub fn alternatives(&self) -> &[Vec<Wish>] {
        match &self.asked {
            Asked::AnyOf(alternatives) => alternatives,
            _ => &[],
        }
    }

    fn chain(&self, spot: Spot) -> Vec<ContextId> {
        let first = match spot {
            Spot::Context(context) => Some(context),
            Spot::Organization | Spot::Unregistered => None,
        };
        std::iter::successors(first, |context| self.parents[context]).collect()
    }

    pub fn decide(&self) -> Decision {
        self.with_facts(decide)
    }

    /// Hands out the facts as the rule sees them.
    pub fn with_facts<R>(&self, look: impl FnOnce(&Facts<'_>) -> R) -> R {
        let chains: Vec<Vec<_>> = self
            .alternatives()
            .iter()
            .map(|wishes| wishes.iter().map(|wish| self.chain(wish.spot)).collect())
            .collect();
        let needs: Vec<Vec<Need<'_>>> =
            self.alternatives().iter().zip(&chains).map(|pair| needs_of(pair.0, pair.1)).collect();
        let alternatives: Vec<_> = needs.iter().map(|needs| Alternative { needs }).collect();
        let rights: Vec<_> = self.rights.iter().map(OwnedRight::borrow).collect();
        let contexts = || self.context_policies.iter().map(|(context, policy)| (*context, policy.clone())).collect();
        let policies = self.policy.as_ref().map(|policy| KindPolicies::new(policy.clone(), contexts()));
        let ceilings: Vec<_> = self.ceilings.iter().map(|(id, ceiling)| (*id, ceiling)).collect();
        let part = Part {
            api: API,
            own_api: self.own_api,
            state: self.part,
            owner_active: self.owner_active,
            policies: policies.as_ref(),
            grants: match self.wide {
                Some(Wide::UpTo(level)) => Grants::UpTo(level),
                Some(Wide::Unscoped) => Grants::Unscoped,
                None => {
                    self.grants.as_deref().map_or(Grants::Whole, |grants| Grants::Listed(grants, Ceilings(&ceilings)))
                }
            },
            chosen: self.chosen.as_deref(),
            acting: if self.for_itself { Acting::Itself } else { Acting::For(&rights) },
        };
        look(&Facts {
            gate: self.gate,
            now: self.now,
            address: self.address,
            presented: match self.shown {
                Shown::Malformed => Presented::Malformed,
                Shown::Unknown => Presented::Unknown,
                Shown::Known => Presented::Known(Credential {
                    state: self.state,
                    expires_at: self.expires_at,
                    addresses: &self.ranges,
                }),
            },
            target: match self.asked {
                Asked::NoSuchEndpoint => Target::NoSuchEndpoint,
                Asked::Closed => Target::Closed,
                Asked::AuthenticatedOnly => Target::AuthenticatedOnly,
                Asked::UnscopedOnly => Target::UnscopedOnly,
                Asked::AnyOf(_) => Target::AnyOf(&alternatives),
            },
            organization: if self.organization_known { Organization::Known(part) } else { Organization::Unknown },
        })
    }
}

fn needs_of<'a>(wishes: &[Wish], chains: &'a [Vec<ContextId>]) -> Vec<Need<'a>> {
    let place = |spot, chain| {
        if spot == Spot::Unregistered { Place::Unregistered } else { Place::Chain(chain) }
    };
    wishes
        .iter()
        .zip(chains)
        .map(|(wish, chain)| Need {
            permission: PermissionNumber(wish.permission),
            level: wish.level,
            place: place(wish.spot, chain),
        })
        .collect()
}

impl OwnedRight {
    fn borrow(&self) -> Right<'_> {
        let held = self.set.as_ref().map_or(Held::Everything, Held::Set);
        Right { context: self.context, api: self.api, held }
    }
}
