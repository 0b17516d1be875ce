//! Examples of the rule, one thing at a time.

use super::scene::*;
use crate::credential::{CredentialState, GrantState, PartState};
use crate::decide::{Decision, Facts, Gate, Grant, Organization, Reason, is_granted, is_held_by_owner};
use crate::level::Level;
use crate::policy::{Admission, LevelLimit};
use crate::time::Timestamp;
use std::time::Duration;

pub fn allow(alternative: u16) -> Decision {
    Decision::Allow { alternative: Some(alternative) }
}

pub fn deny(reason: Reason, alternative: u16) -> Decision {
    Decision::Deny { reason, alternative: Some(alternative) }
}

pub fn read_in(spot: Spot) -> Wish {
    wish(READ, Level::Read, spot)
}

pub const IN_PROJECT: Spot = Spot::Context(PROJECT);

#[test]
fn a_granted_permission_that_the_owner_has_is_allowed() {
    let decision = Scene::reading().decide();
    assert_eq!(decision, allow(0));
    assert!(decision.is_allowed());
    assert_eq!(decision.reason(), Reason::Granted);
}

#[test]
fn a_part_that_is_revoked_stops_the_token_as_the_whole_does() {
    for scene in [
        Scene { part: PartState::Revoked, ..Scene::reading() },
        Scene { state: CredentialState::Revoked, ..Scene::reading() },
    ] {
        assert_eq!(scene.decide().reason(), Reason::Revoked);
    }
}

#[test]
fn a_revoked_token_is_revoked_also_where_the_organization_is_unknown() {
    let scene = Scene { state: CredentialState::Revoked, organization_known: false, ..Scene::reading() };
    assert_eq!(scene.decide().reason(), Reason::Revoked);
}

#[test]
fn the_exact_moment_of_expiry_is_too_late() {
    let microsecond = Duration::from_micros(1);
    let at = |now| Scene { now, expires_at: NOON, ..Scene::reading() }.decide();
    assert_eq!(at(NOON.minus(microsecond)), allow(0));
    assert_eq!(at(NOON).reason(), Reason::Expired);
    assert_eq!(at(NOON.plus(microsecond)).reason(), Reason::Expired);
    assert_eq!(at(Timestamp::MAX).reason(), Reason::Expired);
}

#[test]
fn address_ranges_admit_what_lies_inside_and_nothing_unknown() {
    let ranges: Vec<_> = ["203.0.113.0/24", "2001:db8::/32"].map(|range| range.parse().unwrap()).into();
    let from = |address: Option<&str>| {
        let address = address.map(|text| text.parse().unwrap());
        Scene { ranges: ranges.clone(), address, ..Scene::reading() }.decide().reason()
    };
    assert_eq!(from(Some("203.0.113.9")), Reason::Granted);
    assert_eq!(from(Some("2001:db8::1")), Reason::Granted);
    assert_eq!(from(Some("203.0.114.1")), Reason::AddressNotAllowed);
    assert_eq!(from(Some("2001:db9::1")), Reason::AddressNotAllowed);
    assert_eq!(from(None), Reason::AddressNotAllowed);
}

#[test]
fn an_undecided_grant_waits_and_a_granted_one_beside_it_is_enough() {
    use GrantState::{Granted, Rejected, Requested};
    let in_state = |state| Grant { state, ..grant(Some(PROJECT), &[READ]) };
    let decide_with = |states: &[GrantState]| {
        Scene::reading().granted(states.iter().map(|state| in_state(*state)).collect()).decide().reason()
    };
    assert_eq!(decide_with(&[Requested]), Reason::ApprovalPending);
    assert_eq!(decide_with(&[Rejected]), Reason::ApprovalRejected);
    assert_eq!(decide_with(&[Rejected, Requested]), Reason::ApprovalPending, "asked for once more");
    assert_eq!(decide_with(&[Rejected, Requested, Granted]), Reason::Granted);
    assert_eq!(decide_with(&[]), Reason::InsufficientScope);
}

/// Reading by alternative 0, writing by alternative 1.
fn read_or_write() -> Scene {
    let writing = wish(WRITE, Level::Write, IN_PROJECT);
    Scene::reading().asking(vec![vec![read_in(IN_PROJECT)], vec![writing]])
}

#[test]
fn one_and_the_same_alternative_has_to_be_covered_by_grant_and_owner() {
    let split = read_or_write().granted(vec![grant(None, &[READ])]).owner_has(vec![right(None, &[WRITE])]);
    assert_eq!(split.decide(), deny(Reason::OwnerLacksPermission, 0));
    let joined = read_or_write().granted(vec![grant(None, &[WRITE])]).owner_has(vec![right(None, &[WRITE])]);
    assert_eq!(joined.decide(), allow(1));
}

#[test]
fn the_alternative_that_came_furthest_gives_the_reason() {
    let nowhere = read_in(Spot::Unregistered);
    let scene = Scene::reading().granted(Vec::new());
    let found = scene.clone().asking(vec![vec![nowhere], vec![read_in(IN_PROJECT)]]);
    assert_eq!(found.decide(), deny(Reason::InsufficientScope, 1));
    let alike = scene.asking(vec![vec![read_in(IN_PROJECT)], vec![read_in(Spot::Organization)]]);
    assert_eq!(alike.decide(), deny(Reason::InsufficientScope, 0), "the first of equals");
}

#[test]
fn the_first_alternative_that_is_met_is_named() {
    let met = vec![read_in(IN_PROJECT)];
    let scene = Scene::reading().asking(vec![vec![read_in(Spot::Organization)], met.clone(), met]);
    assert_eq!(scene.decide(), allow(1));
}

#[test]
fn a_read_only_policy_admits_reading_alone() {
    let mut scene = read_or_write().granted(vec![grant(None, &[READ, WRITE])]);
    scene = scene.owner_has(vec![administrator(None)]);
    scene.policy = Some(policy(Admission::Allow, LevelLimit::ReadOnly));
    assert_eq!(scene.decide(), allow(0));
    for level in [Level::Write, Level::Admin] {
        let mixed = scene.clone().asking(vec![vec![read_in(IN_PROJECT), wish(WRITE, level, IN_PROJECT)]]);
        assert_eq!(mixed.decide(), deny(Reason::PolicyReadOnly, 0));
    }
}

#[test]
fn a_policy_of_approval_lets_what_was_granted_work() {
    let scene = Scene { policy: Some(policy(Admission::Approval, LevelLimit::All)), ..Scene::reading() };
    assert_eq!(scene.decide(), allow(0));
}

#[test]
fn a_session_does_what_its_owner_may_and_no_more() {
    let session = Scene { grants: None, policy: None, ..read_or_write() };
    assert_eq!(session.decide(), allow(0));
    let writer = session.clone().owner_has(vec![right(None, &[WRITE])]);
    assert_eq!(writer.decide(), allow(1));
    assert_eq!(session.owner_has(Vec::new()).decide(), deny(Reason::OwnerLacksPermission, 0));
}

#[test]
fn endpoints_without_a_permission() {
    use LevelLimit::{All, ReadOnly};
    let decide_as = |asked, session, limit| {
        let mut scene = Scene { asked, policy: Some(policy(Admission::Allow, limit)), ..Scene::reading() };
        if session {
            (scene.grants, scene.policy) = (None, None);
        }
        scene.decide()
    };
    let open = Decision::Allow { alternative: None };
    let refused = |reason| Decision::Deny { reason, alternative: None };
    for session in [false, true] {
        assert_eq!(decide_as(Asked::Closed, session, All), refused(Reason::InsufficientScope));
        assert_eq!(decide_as(Asked::AuthenticatedOnly, session, All), open);
        assert_eq!(decide_as(Asked::AnyOf(Vec::new()), session, All), refused(Reason::InsufficientScope));
        assert_eq!(decide_as(Asked::AnyOf(vec![Vec::new()]), session, All), deny(Reason::InsufficientScope, 0));
    }
    assert_eq!(decide_as(Asked::UnscopedOnly, true, All), open);
    assert_eq!(decide_as(Asked::UnscopedOnly, false, All), refused(Reason::InsufficientScope));
    // Nothing says that they only read.
    for asked in [Asked::Closed, Asked::AuthenticatedOnly, Asked::UnscopedOnly, Asked::AnyOf(Vec::new())] {
        assert_eq!(decide_as(asked, false, ReadOnly), refused(Reason::PolicyReadOnly));
    }
}

#[test]
fn an_endpoint_for_whoever_is_authenticated_still_asks_for_an_active_owner_and_an_open_gate() {
    let scene = Scene { asked: Asked::AuthenticatedOnly, ..Scene::reading() };
    let inactive = Scene { owner_active: false, ..scene.clone() };
    assert_eq!(inactive.decide().reason(), Reason::OwnerInactive);
    let lost = Scene { gate: Gate::LeaseLost, ..scene.clone() };
    assert_eq!(lost.decide().reason(), Reason::LeaseLost);
    let blocked = Scene { part: PartState::Blocked, ..scene };
    assert_eq!(blocked.decide().reason(), Reason::Blocked);
}

#[test]
fn more_alternatives_than_can_be_numbered_are_refused_and_not_miscounted() {
    let mut alternatives = vec![Vec::new(); usize::from(u16::MAX)];
    alternatives.push(vec![read_in(IN_PROJECT)]);
    let numbered = Scene::reading().asking(alternatives.clone());
    assert_eq!(numbered.decide(), allow(u16::MAX));
    alternatives.insert(0, Vec::new());
    let beyond = Scene::reading().asking(alternatives);
    assert_eq!(beyond.decide(), deny(Reason::InsufficientScope, 0));
}

#[test]
fn what_is_missing_is_told_apart() {
    let told = |scene: &Scene| {
        scene.with_facts(|facts: &Facts<'_>| {
            let Organization::Known(part) = &facts.organization else { panic!("the organization is known") };
            let crate::decide::Target::AnyOf(alternatives) = facts.target else { panic!("permissions are asked for") };
            let need = &alternatives[0].needs[0];
            (is_granted(part, need, facts.now), is_held_by_owner(part, need))
        })
    };
    assert_eq!(told(&Scene::reading()), (true, true));
    assert_eq!(told(&Scene::reading().granted(Vec::new())), (false, true));
    assert_eq!(told(&Scene::reading().owner_has(Vec::new())), (true, false));
    let nowhere = Scene::reading().asking(vec![vec![read_in(Spot::Unregistered)]]);
    assert_eq!(told(&nowhere), (false, false), "nothing is granted in a place that nobody knows");
    assert_eq!(told(&Scene { grants: None, ..nowhere }), (false, false));
}

#[test]
fn a_legacy_token_covers_the_levels_that_it_has_and_its_owner_too() {
    let in_organization = |permission, level| vec![wish(permission, level, Spot::Organization)];
    let asks = |level: Level, wished: Vec<Wish>| Scene::legacy(level).asking(vec![wished]);
    let lacking = Reason::InsufficientScope;
    assert_eq!(asks(Level::Read, in_organization(READ, Level::Read)).decide(), allow(0));
    assert_eq!(asks(Level::Read, in_organization(WRITE, Level::Write)).decide(), deny(lacking, 0));
    assert_eq!(asks(Level::Write, in_organization(WRITE, Level::Write)).decide(), allow(0));
    assert_eq!(asks(Level::Write, in_organization(ADMIN, Level::Admin)).decide(), deny(lacking, 0));
    let powerless = asks(Level::Write, in_organization(READ, Level::Read)).owner_has(Vec::new());
    assert_eq!(powerless.decide(), deny(Reason::OwnerLacksPermission, 0));
    let own = Scene { own_api: true, ..asks(Level::Write, in_organization(READ, Level::Read)) };
    assert_eq!(own.decide(), deny(lacking, 0), "never on Tegata's own API");
}

#[test]
fn an_organization_key_acts_for_itself() {
    assert_eq!(Scene::organization_key().decide(), allow(0));
    let beyond = Scene::organization_key().asking(vec![vec![wish(WRITE, Level::Write, IN_PROJECT)]]);
    assert_eq!(beyond.decide(), deny(Reason::InsufficientScope, 0));
    let nowhere = Scene::organization_key().asking(vec![vec![read_in(Spot::Unregistered)]]);
    assert_eq!(nowhere.decide(), deny(Reason::NoSuchContext, 0));
    let blocked = Scene { part: PartState::Blocked, ..Scene::organization_key() };
    assert_eq!(blocked.decide().reason(), Reason::Blocked);
}

#[test]
fn an_unscoped_key_reaches_everything_but_the_own_api_while_the_policy_says_so() {
    let key = Scene::unscoped_key().asking(vec![vec![wish(ADMIN, Level::Admin, Spot::Organization)]]);
    assert_eq!(key.decide(), allow(0));
    let only = Scene { asked: Asked::UnscopedOnly, ..key.clone() };
    assert_eq!(only.decide(), Decision::Allow { alternative: None });
    assert_eq!(Scene { own_api: true, ..key.clone() }.decide(), deny(Reason::InsufficientScope, 0));
    assert_eq!(Scene { own_api: true, ..only }.decide().reason(), Reason::InsufficientScope);
    let refused = Scene { policy: Some(policy(Admission::Allow, LevelLimit::All)), ..key.clone() };
    assert_eq!(refused.decide(), deny(Reason::PolicyDenied, 0));
    let mut reading = key;
    reading.policy.as_mut().unwrap().level = LevelLimit::ReadOnly;
    assert_eq!(reading.decide(), deny(Reason::PolicyReadOnly, 0));
}

#[test]
fn an_access_key_does_what_the_roles_of_its_account_give() {
    let key = Scene { wide: Some(Wide::UpTo(Level::Admin)), ..Scene::reading() };
    assert_eq!(key.decide(), allow(0));
    assert_eq!(key.clone().owner_has(Vec::new()).decide(), deny(Reason::OwnerLacksPermission, 0));
    assert_eq!(Scene { owner_active: false, ..key.clone() }.decide().reason(), Reason::OwnerInactive);
    let only = Scene { asked: Asked::UnscopedOnly, ..key };
    assert_eq!(only.decide().reason(), Reason::InsufficientScope, "its roles are its scopes");
}

#[test]
fn a_token_of_an_application_does_what_it_chose_of_what_the_application_was_granted() {
    let token = Scene::application_token(vec![grant(Some(PROJECT), &[READ, WRITE])]);
    assert_eq!(token.decide(), allow(0));
    let other = Scene::application_token(vec![grant(Some(PROJECT), &[WRITE])]);
    assert_eq!(
        other.decide(),
        deny(Reason::InsufficientScope, 0),
        "the application was granted it, this token did not choose it"
    );
    let more = token.clone().asking(vec![vec![wish(WRITE, Level::Write, Spot::Context(PROJECT))]]);
    assert_eq!(more.decide(), deny(Reason::InsufficientScope, 0), "it chose what the application was not granted");
    let pending = Grant { state: GrantState::Requested, ..grant(Some(PROJECT), &[READ]) };
    assert_eq!(token.clone().granted(vec![pending]).decide(), deny(Reason::ApprovalPending, 0));
    let nothing = Scene { asked: Asked::AuthenticatedOnly, ..Scene::application_token(Vec::new()) };
    assert_eq!(nothing.decide().reason(), Reason::InsufficientScope);
}
