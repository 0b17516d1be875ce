//! What one actor may pass on. What comes of it over time is in `decide::tests::passing_on`.

use super::*;
use crate::ceiling::Ceilings;
use crate::decide::Grant;

const API: ApiId = ApiId::from_u128(1);
const OTHER_API: ApiId = ApiId::from_u128(2);
const PROJECT: ContextId = ContextId::from_u128(10);
const CHANNEL: ContextId = ContextId::from_u128(11);
const OTHER_PROJECT: ContextId = ContextId::from_u128(20);
/// The places, as chains.
const IN_ORGANIZATION: &[ContextId] = &[];
const IN_PROJECT: &[ContextId] = &[PROJECT];
const IN_CHANNEL: &[ContextId] = &[CHANNEL, PROJECT];
const IN_OTHER_PROJECT: &[ContextId] = &[OTHER_PROJECT];

fn set(permissions: &[u16]) -> PermissionSet {
    permissions.iter().copied().map(PermissionNumber).collect()
}

fn grant(context: Option<ContextId>, permissions: &[u16]) -> Grant {
    Grant::new(API, context, set(permissions), GrantState::Granted)
}

fn administrator(context: Option<ContextId>) -> [Right<'static>; 1] {
    [Right { context, api: None, held: Held::Everything }]
}

fn signed_in<'a>(rights: &'a [Right<'a>]) -> Authority<'a> {
    Authority { rights, grants: Grants::Whole }
}

fn with_token<'a>(rights: &'a [Right<'a>], grants: &'a [Grant]) -> Authority<'a> {
    Authority { rights, grants: Grants::Listed(grants, Ceilings::NONE) }
}

fn beyond(permission: u16) -> Result<(), Beyond> {
    Err(Beyond::Permission(API, PermissionNumber(permission)))
}

#[test]
fn a_right_is_passed_on_in_its_place_and_below() {
    let held = set(&[1]);
    let rights = [Right { context: Some(PROJECT), api: Some(API), held: Held::Set(&held) }];
    let authority = signed_in(&rights);
    assert_eq!(authority.covers_all(API, &held, IN_PROJECT), Ok(()));
    assert_eq!(authority.covers_all(API, &held, IN_CHANNEL), Ok(()));
    assert_eq!(authority.covers_all(API, &held, IN_ORGANIZATION), beyond(1));
    assert_eq!(authority.covers_all(API, &held, IN_OTHER_PROJECT), beyond(1));
    assert!(!authority.covers(OTHER_API, PermissionNumber(1), IN_PROJECT));
}

#[test]
fn the_first_permission_beyond_is_named() {
    let held = set(&[1, 3]);
    let rights = [Right { context: None, api: Some(API), held: Held::Set(&held) }];
    let authority = signed_in(&rights);
    assert_eq!(authority.covers_all(API, &held, IN_ORGANIZATION), Ok(()));
    assert_eq!(authority.covers_all(API, &set(&[1, 2, 3, 4]), IN_ORGANIZATION), beyond(2));
    assert_eq!(authority.covers_all(OTHER_API, &PermissionSet::new(), IN_ORGANIZATION), Ok(()));
}

#[test]
fn permissions_may_come_from_several_roles() {
    let (one, two) = (set(&[1]), set(&[2]));
    let right = |context, set| Right { context, api: Some(API), held: Held::Set(set) };
    let rights = [right(None, &one), right(Some(PROJECT), &two)];
    assert_eq!(signed_in(&rights).covers_all(API, &set(&[1, 2]), IN_CHANNEL), Ok(()));
    assert_eq!(signed_in(&rights).covers_all(API, &set(&[1, 2]), IN_OTHER_PROJECT), beyond(2));
}

#[test]
fn a_token_passes_on_no_more_than_its_grants_even_where_its_owner_could() {
    let rights = administrator(None);
    let grants = [grant(Some(PROJECT), &[1])];
    let authority = with_token(&rights, &grants);
    assert_eq!(authority.covers_all(API, &set(&[1]), IN_CHANNEL), Ok(()));
    assert_eq!(authority.covers_all(API, &set(&[1, 2]), IN_CHANNEL), beyond(2));
    assert_eq!(authority.covers_all(API, &set(&[1]), IN_ORGANIZATION), beyond(1));
    assert!(!authority.covers(OTHER_API, PermissionNumber(1), IN_CHANNEL));
    assert_eq!(signed_in(&rights).covers_all(API, &set(&[1, 2]), IN_ORGANIZATION), Ok(()));
}

#[test]
fn a_token_passes_on_no_more_than_its_owner_has_now() {
    let grants = [grant(None, &[1, 2])];
    let rights = administrator(Some(OTHER_PROJECT));
    assert_eq!(with_token(&rights, &grants).covers_all(API, &set(&[1]), IN_PROJECT), beyond(1));
    assert_eq!(with_token(&[], &grants).covers_all(API, &set(&[1]), IN_PROJECT), beyond(1));
}

#[test]
fn what_is_not_granted_yet_or_was_refused_is_not_passed_on() {
    let rights = administrator(None);
    for state in [GrantState::Requested, GrantState::Rejected] {
        let grants = [Grant { state, ..grant(None, &[1]) }];
        assert_eq!(with_token(&rights, &grants).covers_all(API, &set(&[1]), IN_PROJECT), beyond(1));
    }
}

#[test]
fn administrators_name_administrators_in_their_place_and_below() {
    let rights = administrator(Some(PROJECT));
    let authority = signed_in(&rights);
    assert_eq!(authority.covers_everything(IN_PROJECT), Ok(()));
    assert_eq!(authority.covers_everything(IN_CHANNEL), Ok(()));
    assert_eq!(authority.covers_everything(IN_ORGANIZATION), Err(Beyond::Everything));
    assert_eq!(authority.covers_everything(IN_OTHER_PROJECT), Err(Beyond::Everything));
    assert_eq!(signed_in(&administrator(None)).covers_everything(IN_PROJECT), Ok(()));
}

#[test]
fn every_permission_there_is_does_not_make_an_administrator() {
    let all: PermissionSet = (0..=u16::MAX).map(PermissionNumber).collect();
    let rights = [API, OTHER_API].map(|api| Right { context: None, api: Some(api), held: Held::Set(&all) });
    assert_eq!(signed_in(&rights).covers_all(API, &all, IN_PROJECT), Ok(()));
    assert_eq!(signed_in(&rights).covers_everything(IN_PROJECT), Err(Beyond::Everything));
}

#[test]
fn a_token_of_an_administrator_names_no_administrators() {
    let rights = administrator(None);
    let all: Vec<u16> = (0..=u16::MAX).collect();
    let grants = [grant(None, &all)];
    assert_eq!(with_token(&rights, &grants).covers_everything(IN_PROJECT), Err(Beyond::Everything));
}

#[test]
fn who_has_nothing_passes_nothing_on() {
    let nobody = signed_in(&[]);
    assert_eq!(nobody.covers_all(API, &set(&[1]), IN_PROJECT), beyond(1));
    assert_eq!(nobody.covers_everything(IN_PROJECT), Err(Beyond::Everything));
}

#[test]
fn what_is_lent_is_not_passed_on() {
    let rights = administrator(None);
    let lasting = grant(None, &[1]);
    let lent = [
        lasting.clone().within(Some(crate::time::Timestamp::MAX), None),
        lasting.clone().within(None, Some(crate::ids::AccessPolicyId::from_u128(1))),
    ];
    assert!(with_token(&rights, &[lasting]).covers(API, PermissionNumber(1), &[]));
    for grant in lent {
        assert!(!with_token(&rights, &[grant]).covers(API, PermissionNumber(1), &[]));
    }
}
