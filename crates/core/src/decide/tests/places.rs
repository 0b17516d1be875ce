//! Examples of where grants and rights hold.

use super::scene::*;
use super::table::{IN_PROJECT, allow, deny, read_in};
use crate::decide::{Grant, Reason};
use crate::level::Level;

#[test]
fn a_grant_holds_in_its_context_and_below() {
    let decide_in = |spot, place| {
        let grants = vec![grant(place, &[READ])];
        let scene = Scene::reading().asking(vec![vec![read_in(spot)]]).granted(grants);
        scene.owner_has(vec![administrator(None)]).decide().reason()
    };
    let in_channel = Spot::Context(CHANNEL);
    assert_eq!(decide_in(IN_PROJECT, Some(PROJECT)), Reason::Granted);
    assert_eq!(decide_in(in_channel, Some(PROJECT)), Reason::Granted, "below");
    assert_eq!(decide_in(in_channel, None), Reason::Granted, "below the organization");
    assert_eq!(decide_in(Spot::Organization, None), Reason::Granted);
    assert_eq!(decide_in(IN_PROJECT, Some(CHANNEL)), Reason::InsufficientScope, "above");
    assert_eq!(decide_in(IN_PROJECT, Some(OTHER_PROJECT)), Reason::InsufficientScope, "beside");
    assert_eq!(decide_in(in_channel, Some(OTHER_PROJECT)), Reason::InsufficientScope, "below another");
    assert_eq!(decide_in(Spot::Organization, Some(PROJECT)), Reason::InsufficientScope);
}

#[test]
fn a_right_holds_in_its_context_and_below() {
    let decide_in = |spot, owner| {
        let scene = Scene::reading().asking(vec![vec![read_in(spot)]]).granted(vec![grant(None, &[READ])]);
        scene.owner_has(vec![owner]).decide().reason()
    };
    let in_channel = Spot::Context(CHANNEL);
    assert_eq!(decide_in(in_channel, right(Some(PROJECT), &[READ])), Reason::Granted);
    assert_eq!(decide_in(in_channel, administrator(Some(PROJECT))), Reason::Granted);
    assert_eq!(decide_in(IN_PROJECT, right(None, &[READ])), Reason::Granted);
    for beyond in [Some(OTHER_PROJECT), Some(CHANNEL)] {
        assert_eq!(decide_in(IN_PROJECT, right(beyond, &[READ])), Reason::OwnerLacksPermission);
        assert_eq!(decide_in(IN_PROJECT, administrator(beyond)), Reason::OwnerLacksPermission);
    }
}

#[test]
fn grants_and_rights_of_another_api_are_worth_nothing_here() {
    let foreign = Grant { api: OTHER_API, ..grant(None, &[READ]) };
    assert_eq!(Scene::reading().granted(vec![foreign]).decide(), deny(Reason::InsufficientScope, 0));
    let foreign = OwnedRight { api: Some(OTHER_API), ..right(None, &[READ]) };
    assert_eq!(Scene::reading().owner_has(vec![foreign]).decide(), deny(Reason::OwnerLacksPermission, 0));
    let nameless = OwnedRight { api: None, ..right(None, &[READ]) };
    assert_eq!(Scene::reading().owner_has(vec![nameless]).decide(), deny(Reason::OwnerLacksPermission, 0));
}

#[test]
fn needs_of_one_alternative_may_be_covered_by_several_grants_and_rights() {
    let needs = vec![read_in(IN_PROJECT), wish(ADMIN, Level::Admin, Spot::Organization)];
    let scene = Scene::reading()
        .asking(vec![needs])
        .granted(vec![grant(Some(PROJECT), &[READ]), grant(None, &[ADMIN])])
        .owner_has(vec![right(None, &[ADMIN]), right(Some(PROJECT), &[READ])]);
    assert_eq!(scene.decide(), allow(0));
    for missing in 0..2 {
        let mut less = scene.clone();
        less.grants.as_mut().unwrap().remove(missing);
        assert_eq!(less.decide(), deny(Reason::InsufficientScope, 0));
        let mut less = scene.clone();
        less.rights.remove(missing);
        assert_eq!(less.decide(), deny(Reason::OwnerLacksPermission, 0));
    }
}
