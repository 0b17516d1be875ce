//! The rule once more, slowly: DESIGN §2's sentence read aloud, and for a denial every condition that fails, sorted.
//! It shares nothing with the rule but the words.

use super::scene::{API, Asked, OwnedRight, Scene, Shown, Spot, Wide, Wish};
use crate::credential::{CredentialState, GrantState, PartState};
use crate::decide::{Decision, Gate, Grant, Reason};
use crate::ids::ContextId;
use crate::level::Level;
use crate::policy::{Admission, ContextPolicy, LevelLimit};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Whether the call is allowed: the sentence, line by line.
pub fn allows(scene: &Scene) -> bool {
    let checkpoint = scene.gate == Gate::Open && scene.organization_known;
    let credential = scene.shown == Shown::Known
        && scene.state == CredentialState::Active
        && scene.part == PartState::Active
        && scene.now < scene.expires_at
        && from_allowed_address(scene);
    let owner = scene.owner_active;
    let endpoint = match &scene.asked {
        Asked::NoSuchEndpoint | Asked::Closed => false,
        Asked::AuthenticatedOnly => policy_admits(scene, Level::Write) && was_given(scene, GrantState::Granted),
        Asked::UnscopedOnly => {
            let unscoped = match scene.wide {
                Some(Wide::Unscoped) => !scene.own_api,
                Some(Wide::UpTo(_)) => false,
                None => scene.grants.is_none(),
            };
            let unscoped = unscoped && scene.chosen.is_none();
            policy_admits(scene, Level::Write) && unscoped
        }
        Asked::AnyOf(alternatives) => alternatives.iter().any(|wishes| meets(scene, wishes)),
    };
    checkpoint && credential && owner && endpoint
}

/// Whether all wishes of one alternative are within policy, grants and the owner's rights.
pub fn meets(scene: &Scene, wishes: &[Wish]) -> bool {
    !wishes.is_empty()
        && wishes.iter().all(|wish| {
            wish.spot != Spot::Unregistered
                && policy_admits(scene, wish.level)
                && contexts_admit(scene, wish)
                && grant_covers(scene, wish, GrantState::Granted)
                && owner_covers(scene, wish)
        })
}

/// The decision, reason and alternative included: of everything that fails the first is named, and of several
/// alternatives the first of those whose first failure comes last.
pub fn decision(scene: &Scene) -> Decision {
    if allows(scene) {
        let met = scene.alternatives().iter().position(|wishes| meets(scene, wishes));
        return Decision::Allow { alternative: met.map(index) };
    }
    if let Some(reason) = failing_before_permissions(scene).first() {
        return Decision::Deny { reason: *reason, alternative: None };
    }
    let first_failures: Vec<Reason> =
        scene.alternatives().iter().map(|wishes| failing(scene, wishes).first().copied().expect("it failed")).collect();
    match first_failures.iter().max_by_key(|reason| (order(**reason), **reason)) {
        Some(furthest) => Decision::Deny {
            reason: *furthest,
            alternative: first_failures.iter().position(|reason| reason == furthest).map(index),
        },
        None => Decision::Deny { reason: *failing(scene, &[]).first().expect("it failed"), alternative: None },
    }
}

/// Of several alternatives the one under way is named before the refused one, and that before one never asked for.
fn order(reason: Reason) -> u8 {
    let wanting = [Reason::InsufficientScope, Reason::ApprovalRejected, Reason::ApprovalPending];
    match wanting.iter().position(|other| *other == reason) {
        Some(place) => 10 + u8::try_from(place).expect("three reasons"),
        None if reason < Reason::ApprovalPending => 0,
        None => 20,
    }
}

/// Whether anything of the API was given, asked for or refused.
fn was_given(scene: &Scene, state: GrantState) -> bool {
    let chosen = |grant: &Grant| grant.api == API && grant.state == GrantState::Granted && lasts(scene, grant);
    if scene.chosen.as_ref().is_some_and(|list| !list.iter().any(chosen)) {
        return false;
    }
    if scene.wide.is_some() {
        return state == GrantState::Granted && !scene.own_api;
    }
    match &scene.grants {
        None => state == GrantState::Granted,
        Some(grants) => grants.iter().any(|grant| grant.api == API && grant.state == state && lasts(scene, grant)),
    }
}

fn index(position: usize) -> u16 {
    u16::try_from(position).expect("few alternatives")
}

fn failing_before_permissions(scene: &Scene) -> BTreeSet<Reason> {
    let known = scene.shown == Shown::Known;
    // Without an organization there is no part to look at.
    let part = if scene.organization_known { scene.part } else { PartState::Active };
    collect(&[
        (scene.gate == Gate::VerifierNotAllowed, Reason::VerifierNotAllowed),
        (scene.gate == Gate::LeaseLost, Reason::LeaseLost),
        (scene.gate == Gate::RecordUnavailable, Reason::RecordUnavailable),
        (scene.shown == Shown::Malformed, Reason::Malformed),
        (scene.shown == Shown::Unknown, Reason::Unknown),
        (known && (scene.state == CredentialState::Revoked || part == PartState::Revoked), Reason::Revoked),
        (known && part == PartState::Blocked, Reason::Blocked),
        (known && scene.now >= scene.expires_at, Reason::Expired),
        (known && !from_allowed_address(scene), Reason::AddressNotAllowed),
        // Where the organization is not known, nobody asks it.
        (known && scene.organization_known && !organization_takes_address(scene), Reason::AddressNotAllowed),
        (scene.asked == Asked::NoSuchEndpoint, Reason::NoSuchEndpoint),
        (!scene.organization_known, Reason::OrganizationUnknown),
    ])
}

/// Every reason against one alternative. Where no permission is named, it is taken as writing, and nothing covers it.
fn failing(scene: &Scene, wishes: &[Wish]) -> BTreeSet<Reason> {
    let denied = scene.policy.as_ref().is_some_and(|policy| policy.admission == Admission::Deny);
    let too_wide = scene.wide == Some(Wide::Unscoped) && !scene.policy.as_ref().is_some_and(|policy| policy.unscoped);
    let read_only = scene.policy.as_ref().is_some_and(|policy| policy.level == LevelLimit::ReadOnly);
    let writes = wishes.is_empty() || wishes.iter().any(|wish| wish.level != Level::Read);
    let mut failing = collect(&[
        (!scene.owner_active, Reason::OwnerInactive),
        (denied || too_wide, Reason::PolicyDenied),
        (read_only && writes, Reason::PolicyReadOnly),
        (wishes.is_empty(), Reason::InsufficientScope),
    ]);
    if scene.asked == Asked::AuthenticatedOnly {
        failing.extend(collect(&[
            (was_given(scene, GrantState::Requested), Reason::ApprovalPending),
            (was_given(scene, GrantState::Rejected), Reason::ApprovalRejected),
        ]));
    }
    for wish in wishes {
        for policy in said_on_the_way(scene, wish) {
            failing.extend(collect(&[
                (!takes(&policy.addresses, scene.address), Reason::AddressNotAllowed),
                (policy.admission == Some(Admission::Deny), Reason::PolicyDenied),
                (!takes_level(policy, wish), Reason::PolicyReadOnly),
            ]));
        }
        let in_state = |state| grant_covers(scene, wish, state);
        let (asked, refused) = (in_state(GrantState::Requested), in_state(GrantState::Rejected));
        let wanting = !in_state(GrantState::Granted);
        failing.extend(collect(&[
            (wish.spot == Spot::Unregistered, Reason::NoSuchContext),
            (wanting && asked, Reason::ApprovalPending),
            (wanting && refused, Reason::ApprovalRejected),
            (wanting && !asked && !refused, Reason::InsufficientScope),
            (!owner_covers(scene, wish), Reason::OwnerLacksPermission),
        ]));
    }
    failing
}

fn collect(conditions: &[(bool, Reason)]) -> BTreeSet<Reason> {
    conditions.iter().filter(|(fails, _)| *fails).map(|(_, reason)| *reason).collect()
}

fn from_allowed_address(scene: &Scene) -> bool {
    takes(&scene.ranges, scene.address)
}

fn organization_takes_address(scene: &Scene) -> bool {
    scene.policy.as_ref().is_none_or(|policy| takes(&policy.addresses, scene.address))
}

fn takes(ranges: &[IpNet], address: Option<IpAddr>) -> bool {
    match (ranges, address) {
        ([], _) => true,
        (_, None) => false,
        (ranges, Some(address)) => ranges.iter().any(|range| range.contains(&address)),
    }
}

/// What contexts say of a place that they are, or that lies in them. Nobody's policy governs sessions.
fn said_on_the_way<'s>(scene: &'s Scene, wish: &Wish) -> Vec<&'s ContextPolicy> {
    let reaching = scene.context_policies.iter().filter(|(context, _)| reaches(scene, Some(**context), wish.spot));
    reaching.map(|(_, policy)| policy).filter(|_| scene.policy.is_some()).collect()
}

fn takes_level(policy: &ContextPolicy, wish: &Wish) -> bool {
    policy.level != Some(LevelLimit::ReadOnly) || wish.level == Level::Read
}

fn contexts_admit(scene: &Scene, wish: &Wish) -> bool {
    said_on_the_way(scene, wish).iter().all(|policy| {
        takes(&policy.addresses, scene.address)
            && policy.admission != Some(Admission::Deny)
            && takes_level(policy, wish)
    })
}

fn policy_admits(scene: &Scene, level: Level) -> bool {
    if !organization_takes_address(scene) {
        return false;
    }
    let takes_it = |unscoped: bool| scene.wide != Some(Wide::Unscoped) || unscoped;
    match &scene.policy {
        None => takes_it(false),
        Some(policy) => {
            takes_it(policy.unscoped)
                && policy.admission != Admission::Deny
                && (policy.level == LevelLimit::All || level == Level::Read)
        }
    }
}

fn grant_covers(scene: &Scene, wish: &Wish, state: GrantState) -> bool {
    let covers = |grant: &Grant| {
        grant.state == state
            && grant.api == API
            && grant.permissions.iter().any(|number| number.0 == wish.permission)
            && reaches(scene, grant.context, wish.spot)
            && lasts(scene, grant)
            && within_ceiling(scene, grant, wish)
    };
    // Whatever becomes of what it was given, it has to have chosen it.
    let chosen = |grant: &Grant| {
        grant.state == GrantState::Granted
            && grant.api == API
            && grant.permissions.iter().any(|number| number.0 == wish.permission)
            && reaches(scene, grant.context, wish.spot)
            && lasts(scene, grant)
            && grant.ceiling().is_none()
    };
    if scene.chosen.as_ref().is_some_and(|list| !list.iter().any(chosen)) {
        return false;
    }
    match (scene.wide, &scene.grants) {
        (Some(Wide::UpTo(level)), _) => state == GrantState::Granted && !scene.own_api && wish.level <= level,
        (Some(Wide::Unscoped), _) => state == GrantState::Granted && !scene.own_api,
        (None, None) => state == GrantState::Granted,
        (None, Some(grants)) => grants.iter().any(covers),
    }
}

/// Whether its own time has not ended.
fn lasts(scene: &Scene, grant: &Grant) -> bool {
    match grant.bounds.as_ref().and_then(|bounds| bounds.until) {
        Some(until) => scene.now < until,
        None => true,
    }
}

/// Whether the access policy that was laid on it, if any, is there and has this wish in it.
fn within_ceiling(scene: &Scene, grant: &Grant, wish: &Wish) -> bool {
    let Some(id) = grant.bounds.as_ref().and_then(|bounds| bounds.ceiling) else { return true };
    scene.ceilings.get(&id).is_some_and(|ceiling| {
        ceiling.parts.iter().any(|part| {
            part.api == API
                && part.permissions.iter().any(|number| number.0 == wish.permission)
                && reaches(scene, part.context, wish.spot)
        })
    })
}

fn owner_covers(scene: &Scene, wish: &Wish) -> bool {
    let covers = |right: &OwnedRight| {
        reaches(scene, right.context, wish.spot)
            && match &right.set {
                None => true,
                Some(set) => right.api == Some(API) && set.iter().any(|number| number.0 == wish.permission),
            }
    };
    wish.spot != Spot::Unregistered && scene.for_itself || scene.rights.iter().any(covers)
}

/// Whether what holds in `from` (none for the organization) holds in `spot`: there, or anywhere above it.
fn reaches(scene: &Scene, from: Option<ContextId>, spot: Spot) -> bool {
    match (from, spot) {
        (_, Spot::Unregistered) | (Some(_), Spot::Organization) => false,
        (None, _) => true,
        (Some(from), Spot::Context(here)) => {
            from == here || scene.parents[&here].is_some_and(|above| reaches(scene, Some(from), Spot::Context(above)))
        }
    }
}
