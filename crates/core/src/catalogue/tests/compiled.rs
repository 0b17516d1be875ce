//! The compiled catalogue: numbers that stay, implications, places, organizations.

use super::{SMALL, catalogue, document};
use crate::bits::{PermissionNumber, PermissionSet};
use crate::catalogue::{Access, Catalogue, NoSuchContext, OrganizationOf, PlaceRef};
use std::borrow::Cow;

fn set(catalogue: &Catalogue, names: &[&str]) -> PermissionSet {
    names.iter().map(|name| catalogue.number(name).unwrap()).collect()
}

#[test]
fn it_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Catalogue>();
}

#[test]
fn numbers_stay_and_are_never_used_again() {
    let mut document = document(SMALL);
    let first = Catalogue::compile(&document, &[]).unwrap();
    assert_eq!(first.number("issues:read"), Some(PermissionNumber(0)));
    assert_eq!(first.number("administration:admin"), Some(PermissionNumber(4)));

    let removed = document.permissions.remove(3);
    document.endpoints.remove(2);
    let mut new = removed.clone();
    new.name = "members:write".into();
    document.permissions.insert(0, new);
    let second = Catalogue::compile(&document, first.numbers()).unwrap();
    assert_eq!(second.number("members:write"), Some(PermissionNumber(5)));
    assert_eq!(second.number("issues:read"), Some(PermissionNumber(0)));
    assert_eq!(second.number("members:read"), None);
    assert!(second.permission(PermissionNumber(3)).is_none());
    assert_eq!(second.numbers().len(), 6);
    assert!(!second.all().contains(PermissionNumber(3)));
    let old_grant: PermissionSet = [PermissionNumber(3), PermissionNumber(1)].into_iter().collect();
    assert_eq!(second.with_implied(&old_grant), set(&second, &["issues:read", "issues:write"]));

    document.permissions.push(removed);
    let third = Catalogue::compile(&document, second.numbers()).unwrap();
    assert_eq!(third.number("members:read"), Some(PermissionNumber(3)));
}

#[test]
fn damaged_numbers_are_refused() {
    let document = document(SMALL);
    let numbers = |list: &[(&str, u16)]| -> Vec<(String, PermissionNumber)> {
        list.iter().map(|(name, number)| ((*name).to_owned(), PermissionNumber(*number))).collect()
    };
    for damaged in [&[("a", 1), ("b", 1)][..], &[("a", 1), ("a", 2)], &[("a", u16::MAX)]] {
        let problems = Catalogue::compile(&document, &numbers(damaged)).unwrap_err();
        assert_eq!(problems.list()[0].fault.code(), "bad_number");
    }
    let full = Catalogue::compile(&document, &numbers(&[("a", 16_382)])).unwrap_err();
    assert!(full.to_string().contains("used up"));
}

#[test]
fn implications_are_closed() {
    let catalogue = catalogue(SMALL);
    let admin = set(&catalogue, &["administration:admin"]);
    let expected = set(&catalogue, &["administration:admin", "issues:write", "issues:read"]);
    assert_eq!(catalogue.with_implied(&admin), expected);
    assert_eq!(catalogue.permission(catalogue.number("administration:admin").unwrap()).unwrap().with_implied, expected);
}

#[test]
fn contexts_are_strict() {
    let catalogue = catalogue(SMALL);
    let globally = ["issues:read", "issues:write", "pull_requests:read", "members:read"];
    assert_eq!(*catalogue.grantable_in(None), set(&catalogue, &globally));
    let there = ["issues:read", "issues:write", "pull_requests:read", "administration:admin"];
    assert_eq!(*catalogue.grantable_in(Some("repository")), set(&catalogue, &there));
    assert!(catalogue.grantable_in(Some("environment")).is_empty());
    assert!(catalogue.grantable_in(Some("nowhere")).is_empty());
    assert!(catalogue.is_type("repository") && !catalogue.is_type("global"));
    let environment = catalogue.context_type("environment").unwrap();
    assert_eq!(environment.above, ["repository"]);
    assert_eq!(catalogue.context_type("repository").unwrap().parent(), None);
}

#[test]
fn a_call_says_its_place_and_organization() {
    let catalogue = catalogue(SMALL);
    let matched = catalogue.route("GET", "/repos/octo/hello/issues?page=2").unwrap();
    assert_eq!(matched.organization(), OrganizationOf::Named("octo".into()));
    let place = PlaceRef::Key { kind: "repository", key: "octo/hello".into() };
    assert_eq!(matched.place(), Ok(place.clone()));
    let Access::AnyOf(alternatives) = &matched.endpoint.access else { panic!() };
    assert_eq!(alternatives.len(), 2);
    assert_eq!(alternatives[0].needs[0].permission, catalogue.number("issues:read").unwrap());
    assert_eq!(matched.place_of(&alternatives[0].needs[0]), Ok(place.clone()));

    let matched = catalogue.route("PUT", "/orgs/acme/repos/octo/hello").unwrap();
    let Access::AnyOf(alternatives) = &matched.endpoint.access else { panic!() };
    let places: Vec<_> = alternatives[0].needs.iter().map(|need| matched.place_of(need)).collect();
    assert_eq!(places, [Ok(PlaceRef::Global), Ok(place)]);

    let access = |method: &str, path: &str| catalogue.route(method, path).unwrap().endpoint.access.clone();
    assert_eq!(access("GET", "/user"), Access::AuthenticatedOnly);
    assert_eq!(access("DELETE", "/user"), Access::UnscopedOnly);
    assert_eq!(access("GET", "/nothing"), Access::Denied);
    assert_eq!(catalogue.route("GET", "/user").unwrap().organization(), OrganizationOf::None);
    assert_eq!(catalogue.route("DELETE", "/user").unwrap().organization(), OrganizationOf::Unsaid);
}

#[test]
fn a_parameter_may_say_itself_what_it_is() {
    let catalogue = catalogue(SMALL);
    let place = |written: &str| {
        let path = format!("/deploy/x/{written}");
        let matched = catalogue.route("POST", &path).unwrap();
        matched.place().map(|place| match place {
            PlaceRef::Key { key, .. } => format!("key {key}"),
            PlaceRef::Id { id, .. } => format!("id {id}"),
            PlaceRef::Global => "global".to_owned(),
        })
    };
    assert_eq!(place("key:PROD"), Ok("key PROD".into()));
    assert_eq!(place("key:a:b"), Ok("key a:b".into()));
    assert_eq!(place("id:42"), Ok("id 42".into()));
    assert_eq!(place("42P9E54"), Ok("id 42P9E54".into()));
    for impossible in ["key", "id", "key:", "id:", "id:key", "name:x", "%20x", "key:x%20", &"x".repeat(201)] {
        assert_eq!(place(impossible), Err(NoSuchContext), "{impossible}");
    }
}

#[test]
fn a_single_parameter_is_lent() {
    let catalogue = catalogue(SMALL);
    let matched = catalogue.route("POST", "/deploy/x/key:PROD").unwrap();
    assert!(matches!(matched.place(), Ok(PlaceRef::Key { key: Cow::Borrowed("PROD"), .. })));
    let matched = catalogue.route("GET", "/repos/octo/hello/issues").unwrap();
    assert!(matches!(matched.organization(), OrganizationOf::Named(Cow::Borrowed("octo"))));
}

#[test]
fn roles_may_be_empty() {
    let catalogue = catalogue(SMALL);
    assert_eq!(catalogue.roles()[0].context_type.as_deref(), Some("repository"));
    assert_eq!(catalogue.roles()[0].permissions.len(), 2);
    assert!(catalogue.roles()[1].permissions.is_empty());
    assert_eq!(catalogue.roles()[1].context_type, None);
}
