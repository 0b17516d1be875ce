//! Random scenes: small worlds in which grants, rights and needs meet often, and in which much is in order.

use super::scene::{API, Asked, NOON, OTHER_API, OwnedRight, Scene, Shown, Spot, Wide, Wish};
use crate::bits::{PermissionNumber, PermissionSet};
use crate::ceiling::{Ceiling, CeilingPart};
use crate::credential::{CredentialKind, CredentialState, GrantState, PartState};
use crate::decide::{Gate, Grant};
use crate::ids::{AccessPolicyId, ApiId, ContextId};
use crate::level::Level;
use crate::policy::{Admission, ContextPolicy, KindPolicy, LevelLimit};
use crate::time::Timestamp;
use ipnet::IpNet;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// Any scene. Everything that comes before permissions is in order more often than not.
pub fn scenes() -> impl Strategy<Value = Scene> {
    (0_usize..6).prop_flat_map(|contexts| (doors(), permissions(contexts))).prop_map(|(door, inside)| Scene {
        asked: inside.asked,
        policy: inside.policy,
        context_policies: inside.context_policies,
        grants: inside.grants,
        wide: inside.wide,
        chosen: inside.chosen,
        for_itself: inside.for_itself,
        own_api: inside.own_api,
        ceilings: inside.ceilings,
        rights: inside.rights,
        parents: inside.parents,
        ..door
    })
}

/// Scenes in which only permissions, policy, grants and rights are in question.
pub fn open_scenes() -> impl Strategy<Value = Scene> {
    scenes().prop_map(|scene| {
        let usual = Scene::reading();
        Scene {
            asked: scene.asked,
            address: scene.address,
            policy: scene.policy,
            context_policies: scene.context_policies,
            grants: scene.grants,
            wide: scene.wide,
            chosen: scene.chosen,
            for_itself: scene.for_itself,
            own_api: scene.own_api,
            ceilings: scene.ceilings,
            rights: scene.rights,
            parents: scene.parents,
            ..usual
        }
    })
}

pub fn contexts_below(count: usize) -> impl Strategy<Value = Option<ContextId>> {
    // Number 0 stands for the organization.
    (0..=count).prop_map(context)
}

pub fn grants(contexts: usize) -> impl Strategy<Value = Grant> {
    let state = prop_oneof![
        4 => Just(GrantState::Granted),
        1 => Just(GrantState::Requested),
        1 => Just(GrantState::Rejected),
        1 => prop::sample::select(vec![GrantState::Withdrawn, GrantState::Expired, GrantState::Ungranted]),
    ];
    // Now and then one that is not there.
    let bounds = (option::weighted(0.1, moments()), option::weighted(0.3, 0..=CEILINGS));
    (apis(), contexts_below(contexts), sets(), state, bounds).prop_map(|(api, context, permissions, state, bounds)| {
        let (until, ceiling) = bounds;
        Grant::new(api, context, permissions, state).within(until, ceiling.map(AccessPolicyId::from_u128))
    })
}

/// How many access policies there are.
const CEILINGS: u128 = 2;

/// Access policies, most of them narrow.
fn ceilings(contexts: usize) -> impl Strategy<Value = BTreeMap<AccessPolicyId, Ceiling>> {
    let part = (apis(), contexts_below(contexts), sets());
    let part = part.prop_map(|(api, context, permissions)| CeilingPart { api, context, permissions });
    let ceiling = vec(part, 0..3).prop_map(|parts| Ceiling { parts });
    vec(ceiling, usize::try_from(CEILINGS).expect("few"))
        .prop_map(|list| (0..).map(AccessPolicyId::from_u128).zip(list).collect())
}

pub fn wishes(contexts: usize) -> impl Strategy<Value = Wish> {
    let level = prop_oneof![3 => Just(Level::Read), 2 => Just(Level::Write), 1 => Just(Level::Admin)];
    let spot = prop_oneof![
        1 => Just(Spot::Unregistered),
        12 => contexts_below(contexts).prop_map(|place| place.map_or(Spot::Organization, Spot::Context)),
    ];
    (numbers(), level, spot).prop_map(|(permission, level, spot)| Wish { permission, level, spot })
}

#[derive(Debug)]
struct Inside {
    asked: Asked,
    policy: Option<KindPolicy>,
    context_policies: BTreeMap<ContextId, ContextPolicy>,
    grants: Option<Vec<Grant>>,
    ceilings: BTreeMap<AccessPolicyId, Ceiling>,
    wide: Option<Wide>,
    chosen: Option<Vec<Grant>>,
    for_itself: bool,
    own_api: bool,
    rights: Vec<OwnedRight>,
    parents: BTreeMap<ContextId, Option<ContextId>>,
}

fn permissions(contexts: usize) -> impl Strategy<Value = Inside> {
    let asked = prop_oneof![
        1 => Just(Asked::NoSuchEndpoint),
        1 => Just(Asked::Closed),
        1 => Just(Asked::AuthenticatedOnly),
        1 => Just(Asked::UnscopedOnly),
        3 => vec(vec(wishes(contexts), 0..3), 0..3).prop_map(Asked::AnyOf),
        30 => vec(vec(wishes(contexts), 1..4), 1..5).prop_map(Asked::AnyOf),
    ];
    let grants = option::weighted(0.9, vec(grants(contexts), 0..9));
    let chosen = option::weighted(0.15, vec(self::grants(contexts), 0..9));
    let grants = (grants, ceilings(contexts), chosen);
    let kind = (option::weighted(0.3, wides()), prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let policies = (policies(), context_policies(contexts));
    (asked, policies, grants, kind, vec(rights(contexts), 0..5), trees(contexts)).prop_map(
        |(asked, policies, (grants, ceilings, chosen), (wide, for_itself, own_api), rights, parents)| Inside {
            asked,
            policy: policies.0,
            context_policies: policies.1,
            grants,
            ceilings,
            wide,
            chosen,
            for_itself,
            own_api,
            rights,
            parents,
        },
    )
}

fn wides() -> impl Strategy<Value = Wide> {
    let levels = prop::sample::select(vec![Level::Read, Level::Write, Level::Admin]);
    prop_oneof![2 => levels.prop_map(Wide::UpTo), 1 => Just(Wide::Unscoped)]
}

/// Trees in which every context lies below an earlier one or the organization.
fn trees(contexts: usize) -> impl Strategy<Value = BTreeMap<ContextId, Option<ContextId>>> {
    vec(any::<prop::sample::Index>(), contexts).prop_map(|above| {
        let below = |(place, above): (usize, &prop::sample::Index)| {
            context(place + 1).map(|context_id| (context_id, context(above.index(place + 1))))
        };
        above.iter().enumerate().filter_map(below).collect()
    })
}

fn context(number: usize) -> Option<ContextId> {
    (number > 0).then(|| ContextId::from_u128(number as u128))
}

fn doors() -> impl Strategy<Value = Scene> {
    let gate = prop_oneof![
        30 => Just(Gate::Open),
        1 => Just(Gate::VerifierNotAllowed),
        1 => Just(Gate::LeaseLost),
        1 => Just(Gate::RecordUnavailable),
    ];
    let shown = prop_oneof![20 => Just(Shown::Known), 1 => Just(Shown::Malformed), 1 => Just(Shown::Unknown)];
    let state = prop_oneof![20 => Just(CredentialState::Active), 1 => Just(CredentialState::Revoked)];
    let part = prop_oneof![20 => Just(PartState::Active), 1 => Just(PartState::Blocked), 1 => Just(PartState::Revoked)];
    let expires_at = prop_oneof![10 => Just(Timestamp::MAX), 1 => moments()];
    let yes = || prop::bool::weighted(0.95);
    let ranges = prop_oneof![3 => Just(Vec::new()), 1 => vec(ranges(), 1..3)];
    let states = (gate, shown, state, part);
    let now = prop_oneof![10 => Just(NOON), 1 => moments()];
    let life = (now, expires_at);
    let origin = (option::of(addresses()), ranges);
    (states, life, origin, (yes(), yes())).prop_map(|(states, life, origin, organization)| {
        let (gate, shown, state, part) = states;
        let (now, expires_at) = life;
        let (address, ranges) = origin;
        let (organization_known, owner_active) = organization;
        Scene {
            gate,
            now,
            address,
            shown,
            state,
            expires_at,
            ranges,
            organization_known,
            part,
            owner_active,
            ..Scene::reading()
        }
    })
}

fn moments() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::EPOCH),
        Just(Timestamp::MAX),
        (0_i64..3).prop_map(Timestamp::from_micros),
        any::<i64>().prop_map(Timestamp::from_micros),
    ]
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![4 => (0_u8..4).prop_map(|last| IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))), 1 => any::<IpAddr>()]
}

fn ranges() -> impl Strategy<Value = IpNet> {
    (addresses(), 0_u8..=128).prop_map(|(address, length)| {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        IpNet::new(address, length.min(longest)).expect("a length within the address")
    })
}

fn policies() -> impl Strategy<Value = Option<KindPolicy>> {
    let admission = prop_oneof![
        8 => Just(Admission::Allow),
        8 => Just(Admission::Approval),
        1 => Just(Admission::Deny),
    ];
    let level = prop_oneof![6 => Just(LevelLimit::All), 1 => Just(LevelLimit::ReadOnly)];
    let policy = (admission, level, any::<bool>(), limits());
    let policy = policy.prop_map(|(admission, level, unscoped, addresses)| KindPolicy {
        admission,
        level,
        unscoped,
        addresses,
        ..KindPolicy::fresh(CredentialKind::OrganizationKey)
    });
    option::weighted(0.9, policy)
}

/// Where credentials may be shown from, of a policy: mostly anywhere, or where most callers are.
fn limits() -> impl Strategy<Value = Vec<IpNet>> {
    let usual = || "203.0.113.0/30".parse().expect("a range");
    prop_oneof![8 => Just(Vec::new()), 2 => Just(vec![usual()]), 1 => vec(ranges(), 1..3)]
}

/// What a context says of a kind: of each thing mostly nothing.
pub fn context_policy() -> impl Strategy<Value = ContextPolicy> {
    let admissions = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Admission::Allow)),
        1 => Just(Some(Admission::Approval)),
        1 => Just(Some(Admission::Deny)),
    ];
    let levels = prop_oneof![6 => Just(None), 1 => Just(Some(LevelLimit::All)), 1 => Just(Some(LevelLimit::ReadOnly))];
    (admissions, levels, limits()).prop_map(|(admission, level, addresses)| ContextPolicy {
        admission,
        level,
        addresses,
        ..ContextPolicy::default()
    })
}

/// Policies of some contexts; of many scenes none has any.
fn context_policies(contexts: usize) -> impl Strategy<Value = BTreeMap<ContextId, ContextPolicy>> {
    let some = vec((1..=contexts.max(1), context_policy()), 0..3);
    some.prop_map(|list| {
        list.into_iter().filter_map(|(number, policy)| Some((context(number)?, policy))).collect::<BTreeMap<_, _>>()
    })
}

pub fn rights(contexts: usize) -> impl Strategy<Value = OwnedRight> {
    let some = (option::weighted(0.95, apis()), sets()).prop_map(|(api, set)| (api, Some(set)));
    let held = prop_oneof![4 => some, 1 => Just((None, None))];
    (contexts_below(contexts), held).prop_map(|(context, (api, set))| OwnedRight { context, api, set })
}

fn apis() -> impl Strategy<Value = ApiId> {
    prop_oneof![6 => Just(API), 1 => Just(OTHER_API)]
}

/// Few numbers, the edges of the words of a bitset among them.
fn numbers() -> impl Strategy<Value = u16> {
    prop_oneof![6 => 0_u16..3, 1 => prop::sample::select(vec![63, 64, 127, u16::MAX])]
}

fn sets() -> impl Strategy<Value = PermissionSet> {
    vec(numbers(), 0..9).prop_map(|numbers| numbers.into_iter().map(PermissionNumber).collect())
}
