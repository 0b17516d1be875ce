//! What counts in a place is the strictest of what is said on the way there.

use super::*;
use crate::credential::CredentialKind;
use crate::time::days;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

fn place(number: u128) -> ContextId {
    ContextId::from_u128(number)
}

fn admissions() -> impl Strategy<Value = Admission> {
    prop::sample::select(Admission::ALL)
}

fn levels() -> impl Strategy<Value = LevelLimit> {
    prop::sample::select(LevelLimit::ALL)
}

fn ranges() -> impl Strategy<Value = Vec<IpNet>> {
    let range = (0_u8..8, 28_u8..=32).prop_map(|(last, length)| {
        IpNet::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, last)), length).expect("a length within the address").trunc()
    });
    vec(range, 0..3).prop_map(|list| IpNet::aggregate(&list))
}

fn contexts() -> impl Strategy<Value = ContextPolicy> {
    let lives = (option::of((1_u64..5).prop_map(days)), option::of((1_u64..5).prop_map(days)));
    (option::of(admissions()), option::of(levels()), lives, any::<bool>(), ranges()).prop_map(
        |(admission, level, (max_lifetime, request_lifetime), four_eyes, addresses)| ContextPolicy {
            admission,
            level,
            max_lifetime,
            four_eyes,
            request_lifetime,
            addresses,
        },
    )
}

fn organizations() -> impl Strategy<Value = KindPolicy> {
    let lives = ((1_u64..5).prop_map(days), (1_u64..5).prop_map(days));
    (admissions(), levels(), lives, any::<bool>(), ranges()).prop_map(
        |(admission, level, (max_lifetime, request_lifetime), four_eyes, addresses)| KindPolicy {
            admission,
            level,
            max_lifetime,
            four_eyes,
            request_lifetime,
            addresses,
            ..KindPolicy::fresh(CredentialKind::PersonalToken)
        },
    )
}

/// Whether one policy is nowhere looser than another; of addresses see below.
fn is_no_looser(one: &KindPolicy, other: &KindPolicy) -> bool {
    strictness(one.admission) >= strictness(other.admission)
        && (one.level == LevelLimit::ReadOnly || other.level == LevelLimit::All)
        && one.max_lifetime <= other.max_lifetime
        && one.request_lifetime <= other.request_lifetime
        && (one.four_eyes || !other.four_eyes)
}

fn callers() -> impl Iterator<Item = IpAddr> {
    (0..20).map(|last| IpAddr::V4(Ipv4Addr::new(203, 0, 113, last)))
}

proptest! {
    #[test]
    fn every_context_on_the_way_only_tightens(organization in organizations(), list in vec(contexts(), 0..5)) {
        let chain: Vec<ContextId> = (0..list.len()).map(|number| place(number as u128)).collect();
        let all = chain.iter().copied().zip(list).collect();
        let policies = KindPolicies::new(organization.clone(), all);
        let mut above = organization;
        // From the outermost inwards.
        for inner in (0..chain.len()).rev() {
            let counting = policies.counting_in(&chain[inner..]).into_owned();
            prop_assert!(is_no_looser(&counting, &above), "{counting:?} {above:?}");
            above = counting;
        }
        prop_assert_eq!(&*policies.counting_in(&[place(99)]), &policies.organization);
    }

    /// Whatever stands above is tightened further: nothing below becomes looser by it.
    #[test]
    fn what_tightens_above_loosens_nothing_below(
        organization in organizations(), tighter in contexts(), inner in contexts(), outer in contexts(),
    ) {
        let chain = [place(1), place(2)];
        let build = |outer: ContextPolicy| {
            KindPolicies::new(organization.clone(), vec![(place(2), outer), (place(1), inner.clone())])
        };
        let before = build(outer.clone());
        let mut above = KindPolicy { addresses: Vec::new(), ..organization.clone() };
        above.tighten(&outer);
        above.tighten(&tighter);
        let after = build(ContextPolicy { addresses: outer.addresses.clone(), ..above.as_context() });
        prop_assert!(is_no_looser(&after.counting_in(&chain), &before.counting_in(&chain)));
        // And taken back, it is what it was.
        let back = build(outer);
        prop_assert_eq!(back.counting_in(&chain), before.counting_in(&chain));
    }

    /// What is accepted below something counts there as it says, as far as it says anything.
    #[test]
    fn what_is_within_counts_as_it_says(organization in organizations(), own in contexts()) {
        let within = own.is_within(&organization.as_context()).is_ok();
        let policies = KindPolicies::new(organization, vec![(place(1), own.clone())]);
        let chain = [place(1)];
        let counting = policies.counting_in(&chain);
        let said = own.admission.is_none_or(|own| own == counting.admission)
            && own.level.is_none_or(|own| own == counting.level)
            && own.max_lifetime.is_none_or(|own| own == counting.max_lifetime)
            && own.request_lifetime.is_none_or(|own| own == counting.request_lifetime);
        let addresses = policies.addresses_in(&chain);
        let same = own.addresses.is_empty() || addresses.as_ref() == Some(&own.addresses);
        prop_assert!(!within || said && same);
        prop_assert!(within || !said || !same);
    }

    /// The list that is shown takes whom all lists on the way take, and nobody else.
    #[test]
    fn addresses_are_what_all_lists_have_in_common(organization in organizations(), list in vec(contexts(), 0..4)) {
        let chain: Vec<ContextId> = (0..list.len()).map(|number| place(number as u128)).collect();
        let policies = KindPolicies::new(organization.clone(), chain.iter().copied().zip(list.clone()).collect());
        let shown = policies.addresses_in(&chain);
        for caller in callers() {
            let all = organization.admits_address(Some(caller))
                && list.iter().all(|own| crate::policy::contains(&own.addresses, Some(caller)));
            let is_shown = shown.as_ref().is_none_or(|ranges| ranges.iter().any(|range| range.contains(&caller)));
            prop_assert_eq!(all, is_shown);
        }
    }
}

#[test]
fn what_is_looser_is_named() {
    let above = ContextPolicy {
        admission: Some(Admission::Approval),
        level: Some(LevelLimit::ReadOnly),
        max_lifetime: Some(days(30)),
        request_lifetime: Some(days(3)),
        addresses: vec!["203.0.113.0/24".parse().unwrap()],
        four_eyes: true,
    };
    let none = ContextPolicy::default;
    let says = |own: ContextPolicy| own.is_within(&above);
    assert_eq!(says(none()), Ok(()));
    assert_eq!(says(above.clone()), Ok(()));
    assert_eq!(
        says(ContextPolicy { admission: Some(Admission::Allow), ..none() }),
        Err(Looser::Admission(Admission::Approval))
    );
    assert_eq!(says(ContextPolicy { admission: Some(Admission::Deny), ..none() }), Ok(()));
    assert_eq!(says(ContextPolicy { level: Some(LevelLimit::All), ..none() }), Err(Looser::Level));
    assert_eq!(says(ContextPolicy { max_lifetime: Some(days(31)), ..none() }), Err(Looser::MaxLifetime(days(30))));
    assert_eq!(
        says(ContextPolicy { request_lifetime: Some(days(4)), ..none() }),
        Err(Looser::RequestLifetime(days(3)))
    );
    let range: IpNet = "203.0.112.0/23".parse().unwrap();
    assert_eq!(says(ContextPolicy { addresses: vec![range], ..none() }), Err(Looser::Addresses(range)));
    assert_eq!(says(ContextPolicy { addresses: vec!["203.0.113.8/32".parse().unwrap()], ..none() }), Ok(()));
}
