//! Of what was given, as much as was used: the choice of permissions, which knows no database and no log.

use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::catalogue::Catalogue;

/// The permissions, by name, that are enough for what was used of some that were given in a place of this type. What
/// they come to is never more than what was given, and never less than what was used of it.
pub fn fit(catalogue: &Catalogue, given: &[String], used: &PermissionSet, context_type: Option<&str>) -> Vec<String> {
    let known: Vec<(PermissionNumber, PermissionSet)> = given
        .iter()
        .filter_map(|name| catalogue.number(name))
        .map(|number| (number, with(catalogue, number)))
        .collect();
    // Each use is put down to the smallest that covers it.
    let mut put_down: Vec<PermissionSet> = known.iter().map(|_| PermissionSet::new()).collect();
    for number in used.iter() {
        let covering = known.iter().enumerate().filter(|(_, (_, set))| set.contains(number));
        let smallest = covering.min_by_key(|(place, (_, set))| (set.len(), *place));
        if let Some(share) = smallest.and_then(|(place, _)| put_down.get_mut(place)) {
            share.insert(number);
        }
    }
    let mut kept: Vec<PermissionNumber> = Vec::new();
    for ((number, set), share) in known.iter().zip(&put_down).filter(|(_, share)| !share.is_empty()) {
        let enough = |other: &PermissionNumber| {
            let may_be_given = other == number || catalogue.grantable_in(context_type).contains(*other);
            may_be_given && share.is_subset_of(&with(catalogue, *other))
        };
        let smallest = set.iter().filter(enough).min_by_key(|other| (with(catalogue, *other).len(), *other != *number));
        let smallest = smallest.unwrap_or(*number);
        if !kept.contains(&smallest) {
            kept.push(smallest);
        }
    }
    kept.into_iter().filter_map(|number| Some(catalogue.permission(number)?.name.clone())).collect()
}

/// A permission with what it implies.
fn with(catalogue: &Catalogue, number: PermissionNumber) -> PermissionSet {
    catalogue.permission(number).map(|info| info.with_implied.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use tegata_core::catalogue::Document;

    /// Permission `n` implies the earlier ones that the bits of `implied[n]` name.
    fn catalogue(implied: &[u8]) -> Catalogue {
        let name = |place: usize| format!("p{place}:use");
        let permissions = implied.iter().enumerate().map(|(place, bits)| {
            let earlier: Vec<String> = (0..place).filter(|other| bits & (1 << other) != 0).map(name).collect();
            json!({"name": name(place), "implies": earlier})
        });
        let document = json!({"api": "town", "permissions": permissions.collect::<Vec<_>>()});
        let document: Document = serde_json::from_value(document).unwrap();
        Catalogue::compile(&document, &[]).unwrap()
    }

    fn set(catalogue: &Catalogue, names: &[String]) -> PermissionSet {
        catalogue.with_implied(&names.iter().filter_map(|name| catalogue.number(name)).collect())
    }

    #[test]
    fn what_was_not_used_goes_and_what_was_used_in_part_becomes_smaller() {
        // 0: read, 1: write with read, 2: apart.
        let catalogue = catalogue(&[0, 1, 0]);
        let used = |names: &[&str]| names.iter().filter_map(|name| catalogue.number(name)).collect();
        let given = ["p1:use".to_owned(), "p2:use".to_owned()];
        assert_eq!(fit(&catalogue, &given, &used(&["p0:use"]), None), ["p0:use"]);
        assert_eq!(fit(&catalogue, &given, &used(&["p1:use"]), None), ["p1:use"]);
        assert_eq!(fit(&catalogue, &given, &used(&["p2:use", "p0:use"]), None), ["p0:use", "p2:use"]);
        assert_eq!(fit(&catalogue, &given, &used(&[]), None), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn never_more_than_given_and_never_less_than_used(
            implied in proptest::collection::vec(any::<u8>(), 1..8),
            given in proptest::collection::btree_set(0_usize..8, 0..8),
            used in any::<u8>(),
        ) {
            let catalogue = catalogue(&implied);
            let given: Vec<String> = given.into_iter().map(|place| format!("p{place}:use")).collect();
            let covered = set(&catalogue, &given);
            let used: PermissionSet = covered.iter().filter(|number| used & (1 << (number.0 % 8)) != 0).collect();
            let kept = set(&catalogue, &fit(&catalogue, &given, &used, None));
            prop_assert!(kept.is_subset_of(&covered), "{given:?}: {kept:?} of {covered:?}");
            prop_assert!(used.is_subset_of(&kept), "{given:?}: {kept:?} without {used:?}");
        }
    }
}
