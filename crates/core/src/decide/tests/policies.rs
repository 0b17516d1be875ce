//! Examples of what organizations and contexts say of a kind of credential.

use super::scene::*;
use super::table::{IN_PROJECT, allow, deny, read_in};
use crate::credential::PartState;
use crate::decide::Reason;
use crate::level::Level;
use crate::policy::{Admission, ContextPolicy, KindPolicy, LevelLimit};
use ipnet::IpNet;

fn office() -> Vec<IpNet> {
    vec!["203.0.113.0/24".parse().unwrap()]
}

/// The usual call from an address, under a policy that takes those of the office.
fn from(address: Option<&str>) -> Scene {
    let policy = KindPolicy { addresses: office(), ..policy(Admission::Allow, LevelLimit::All) };
    Scene { policy: Some(policy), address: address.map(|text| text.parse().unwrap()), ..Scene::reading() }
}

fn denying() -> ContextPolicy {
    ContextPolicy { admission: Some(Admission::Deny), ..ContextPolicy::default() }
}

fn reading_only() -> ContextPolicy {
    ContextPolicy { level: Some(LevelLimit::ReadOnly), ..ContextPolicy::default() }
}

fn in_the_office() -> ContextPolicy {
    ContextPolicy { addresses: office(), ..ContextPolicy::default() }
}

#[test]
fn an_organization_says_from_where_credentials_are_shown() {
    assert_eq!(from(Some("203.0.113.9")).decide(), allow(0));
    for address in [Some("203.0.114.9"), Some("2001:db8::1"), None] {
        assert_eq!(from(address).decide().reason(), Reason::AddressNotAllowed, "{address:?}");
    }
    // Both have to take it: what the credential itself says, and what the organization does.
    let elsewhere = vec!["198.51.100.0/24".parse().unwrap()];
    let scene = Scene { ranges: elsewhere, ..from(Some("203.0.113.9")) };
    assert_eq!(scene.decide().reason(), Reason::AddressNotAllowed);
}

#[test]
fn an_organization_that_is_not_known_says_nothing_of_addresses() {
    let scene = Scene { organization_known: false, ..from(None) };
    assert_eq!(scene.decide().reason(), Reason::OrganizationUnknown);
    let blocked = Scene { part: PartState::Blocked, ..from(None) };
    assert_eq!(blocked.decide().reason(), Reason::Blocked);
    assert_eq!(Scene { asked: Asked::NoSuchEndpoint, ..from(None) }.decide().reason(), Reason::AddressNotAllowed);
    assert_eq!(Scene { asked: Asked::AuthenticatedOnly, ..from(None) }.decide().reason(), Reason::AddressNotAllowed);
}

#[test]
fn what_a_context_says_counts_there_and_below() {
    for (says, reason, needs) in [
        (denying(), Reason::PolicyDenied, Level::Read),
        (reading_only(), Reason::PolicyReadOnly, Level::Write),
        (in_the_office(), Reason::AddressNotAllowed, Level::Read),
    ] {
        let reason_in = |spot, context| {
            let grants = vec![grant(None, &[READ])];
            let scene = Scene::reading().granted(grants).owner_has(vec![administrator(None)]);
            scene.asking(vec![vec![wish(READ, needs, spot)]]).where_says(context, says.clone()).decide()
        };
        let in_channel = Spot::Context(CHANNEL);
        assert_eq!(reason_in(IN_PROJECT, PROJECT), deny(reason, 0));
        assert_eq!(reason_in(in_channel, PROJECT), deny(reason, 0), "below");
        assert_eq!(reason_in(IN_PROJECT, CHANNEL), allow(0), "above");
        assert_eq!(reason_in(IN_PROJECT, OTHER_PROJECT), allow(0), "beside");
        assert_eq!(reason_in(Spot::Organization, PROJECT), allow(0), "the organization itself");
    }
}

#[test]
fn a_context_that_only_reads_lets_read() {
    let scene = Scene::reading().where_says(PROJECT, reading_only());
    assert_eq!(scene.decide(), allow(0));
}

#[test]
fn what_is_said_looser_below_changes_nothing() {
    let looser = ContextPolicy {
        admission: Some(Admission::Allow),
        level: Some(LevelLimit::All),
        addresses: vec!["0.0.0.0/0".parse().unwrap()],
        ..ContextPolicy::default()
    };
    let address = Some("198.51.100.1".parse().unwrap());
    for (says, reason) in [(denying(), Reason::PolicyDenied), (in_the_office(), Reason::AddressNotAllowed)] {
        let scene = Scene { address, ..Scene::reading() }.asking(vec![vec![read_in(Spot::Context(CHANNEL))]]);
        let scene = scene.granted(vec![grant(None, &[READ])]).owner_has(vec![administrator(None)]);
        assert_eq!(scene.clone().where_says(CHANNEL, looser.clone()).decide(), allow(0));
        let both = scene.where_says(PROJECT, says).where_says(CHANNEL, looser.clone());
        assert_eq!(both.decide(), deny(reason, 0));
    }
}

#[test]
fn another_alternative_in_another_place_is_enough() {
    let grants = vec![grant(None, &[READ])];
    let scene = Scene::reading().granted(grants).owner_has(vec![administrator(None)]).where_says(PROJECT, denying());
    let elsewhere = vec![read_in(Spot::Context(OTHER_PROJECT))];
    assert_eq!(scene.clone().asking(vec![vec![read_in(IN_PROJECT)], elsewhere.clone()]).decide(), allow(1));
    // One and the same alternative has to be met in all of its places.
    let both = [vec![read_in(IN_PROJECT)], elsewhere].concat();
    assert_eq!(scene.asking(vec![both]).decide(), deny(Reason::PolicyDenied, 0));
}

#[test]
fn address_place_owner_and_policy_are_named_in_their_order() {
    let everything =
        ContextPolicy { addresses: office(), ..ContextPolicy { level: reading_only().level, ..denying() } };
    let nowhere = wish(READ, Level::Read, Spot::Unregistered);
    let scene = Scene { owner_active: false, ..Scene::reading() }
        .asking(vec![vec![wish(READ, Level::Write, IN_PROJECT), nowhere]])
        .where_says(PROJECT, everything);
    assert_eq!(scene.decide().reason(), Reason::AddressNotAllowed);
    let scene = Scene { address: Some("203.0.113.1".parse().unwrap()), ..scene };
    assert_eq!(scene.decide().reason(), Reason::NoSuchContext);
    let scene = scene.asking(vec![vec![wish(READ, Level::Write, IN_PROJECT)]]);
    assert_eq!(scene.decide().reason(), Reason::OwnerInactive);
    let scene = Scene { owner_active: true, ..scene };
    assert_eq!(scene.decide().reason(), Reason::PolicyDenied);
    assert_eq!(scene.where_says(PROJECT, reading_only()).decide().reason(), Reason::PolicyReadOnly);
}
