//! One example for each reason, in the order of DESIGN §2; and of every two that can fail together the earlier is named.

use super::scene::*;
use crate::credential::{CredentialState, GrantState, PartState};
use crate::decide::{Decision, Gate, Reason};
use crate::level::Level;
use crate::policy::{Admission, LevelLimit};

/// A way to spoil an allowed call. Two that change the same `part` of the facts cannot fail together.
struct Spoiler {
    reason: Reason,
    part: &'static str,
    spoil: fn(&mut Scene),
}

/// The permissions of the call; each of the reasons about permissions spoils another one.
const PLACED: u16 = 1;
const PENDING: u16 = 2;
const REJECTED: u16 = 3;
const UNASKED: u16 = 4;
const UNOWNED: u16 = 5;

/// Five needs in one alternative, each with a grant and a right of its own: allowed.
fn everything_in_order() -> Scene {
    let permissions = [PLACED, PENDING, REJECTED, UNASKED, UNOWNED];
    let needs = permissions.map(|permission| wish(permission, Level::Write, Spot::Context(CHANNEL)));
    let ranges = vec!["203.0.113.0/24".parse().unwrap()];
    Scene { ranges, address: Some("203.0.113.9".parse().unwrap()), ..Scene::reading() }
        .asking(vec![needs.into()])
        .granted(permissions.map(|permission| grant(Some(PROJECT), &[permission])).into())
        .owner_has(permissions.map(|permission| right(Some(PROJECT), &[permission])).into())
}

fn set_state(scene: &mut Scene, permission: u16, state: GrantState) {
    for grant in scene.grants.iter_mut().flatten() {
        if grant.permissions == set(&[permission]) {
            grant.state = state;
        }
    }
}

fn spoilers() -> Vec<Spoiler> {
    let spoiler = |reason, part, spoil| Spoiler { reason, part, spoil };
    vec![
        spoiler(Reason::VerifierNotAllowed, "gate", |scene| {
            scene.gate = Gate::VerifierNotAllowed;
        }),
        spoiler(Reason::LeaseLost, "gate", |scene| {
            scene.gate = Gate::LeaseLost;
        }),
        spoiler(Reason::RecordUnavailable, "gate", |scene| {
            scene.gate = Gate::RecordUnavailable;
        }),
        spoiler(Reason::Malformed, "shown", |scene| {
            scene.shown = Shown::Malformed;
        }),
        spoiler(Reason::Unknown, "shown", |scene| {
            scene.shown = Shown::Unknown;
        }),
        spoiler(Reason::Revoked, "state", |scene| {
            scene.state = CredentialState::Revoked;
        }),
        // Without an organization there is no part of it that could be blocked.
        spoiler(Reason::Blocked, "organization", |scene| {
            scene.part = PartState::Blocked;
        }),
        spoiler(Reason::Expired, "life", |scene| {
            scene.expires_at = scene.now;
        }),
        spoiler(Reason::AddressNotAllowed, "address", |scene| {
            scene.address = None;
        }),
        spoiler(Reason::NoSuchEndpoint, "endpoint", |scene| {
            scene.asked = Asked::NoSuchEndpoint;
        }),
        spoiler(Reason::OrganizationUnknown, "organization", |scene| {
            scene.organization_known = false;
        }),
        spoiler(Reason::NoSuchContext, "place", |scene| {
            if let Asked::AnyOf(alternatives) = &mut scene.asked {
                alternatives[0][0].spot = Spot::Unregistered;
            }
        }),
        spoiler(Reason::OwnerInactive, "owner", |scene| {
            scene.owner_active = false;
        }),
        spoiler(Reason::PolicyDenied, "admission", |scene| {
            scene.policy.as_mut().unwrap().admission = Admission::Deny;
        }),
        spoiler(Reason::PolicyReadOnly, "level", |scene| {
            scene.policy.as_mut().unwrap().level = LevelLimit::ReadOnly;
        }),
        spoiler(Reason::ApprovalPending, "pending", |scene| {
            set_state(scene, PENDING, GrantState::Requested);
        }),
        spoiler(Reason::ApprovalRejected, "rejected", |scene| {
            set_state(scene, REJECTED, GrantState::Rejected);
        }),
        spoiler(Reason::InsufficientScope, "unasked", |scene| {
            scene.grants.as_mut().unwrap().retain(|grant| grant.permissions != set(&[UNASKED]));
        }),
        spoiler(Reason::OwnerLacksPermission, "unowned", |scene| {
            scene.rights.retain(|right| right.set != Some(set(&[UNOWNED])));
        }),
    ]
}

fn spoiled_by(spoilers: &[&Spoiler]) -> Decision {
    let mut scene = everything_in_order();
    for spoiler in spoilers {
        (spoiler.spoil)(&mut scene);
    }
    scene.decide()
}

#[test]
fn every_reason_has_its_example_in_the_order_of_the_list() {
    assert_eq!(spoiled_by(&[]), Decision::Allow { alternative: Some(0) });
    let spoilers = spoilers();
    let named: Vec<_> = spoilers.iter().map(|spoiler| spoiled_by(&[spoiler]).reason()).collect();
    assert_eq!(named, spoilers.iter().map(|spoiler| spoiler.reason).collect::<Vec<_>>());
    // Who counts calls says `rate_limited`; the rule does not count.
    let said_elsewhere = [Reason::RateLimited, Reason::Granted];
    assert_eq!([named, said_elsewhere.into()].concat(), Reason::ALL);
}

#[test]
fn a_denial_about_permissions_and_no_other_names_the_alternative() {
    for spoiler in spoilers() {
        let about_permissions = spoiler.reason >= Reason::NoSuchContext;
        let expected = about_permissions.then_some(0);
        assert_eq!(spoiled_by(&[&spoiler]).alternative(), expected, "{}", spoiler.reason);
    }
}

#[test]
fn of_two_reasons_the_earlier_is_named() {
    let spoilers = spoilers();
    for (place, earlier) in spoilers.iter().enumerate() {
        for later in spoilers[place + 1..].iter().filter(|later| later.part != earlier.part) {
            let both = format!("{} and {}", earlier.reason, later.reason);
            assert_eq!(spoiled_by(&[later, earlier]).reason(), earlier.reason, "{both}");
        }
    }
}

#[test]
fn everything_from_one_reason_on_spoiled_still_names_that_one() {
    let spoilers = spoilers();
    for first in 0..spoilers.len() {
        // Backwards, so that of those that change the same part of the facts the earlier stays.
        let rest: Vec<_> = spoilers[first..].iter().rev().collect();
        // Of the blocked part nothing is left where the organization is unknown.
        if spoilers[first].reason == Reason::Blocked {
            continue;
        }
        assert_eq!(spoiled_by(&rest).reason(), spoilers[first].reason);
    }
}

#[test]
fn endpoints_without_a_permission_name_owner_and_policy_first() {
    let asked = [Asked::Closed, Asked::UnscopedOnly, Asked::AnyOf(Vec::new()), Asked::AnyOf(vec![Vec::new()])];
    let about_owner_and_policy = [Reason::OwnerInactive, Reason::PolicyDenied, Reason::PolicyReadOnly];
    for asked in asked {
        for spoiler in spoilers().iter().filter(|spoiler| about_owner_and_policy.contains(&spoiler.reason)) {
            let mut scene = Scene { asked: asked.clone(), ..everything_in_order() };
            (spoiler.spoil)(&mut scene);
            assert_eq!(scene.decide().reason(), spoiler.reason, "{asked:?}");
        }
    }
}
