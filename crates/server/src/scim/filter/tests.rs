//! Filters and paths: read as the RFC has them, and never in a panic.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn fits(text: &str) -> bool {
    let person = json!({
        "id": "usr_1", "userName": "Ann@Example.com", "externalId": "A1", "active": true,
        "name": {"familyName": "Berg"},
        "emails": [{"value": "ann@example.com", "type": "work", "primary": true}, {"value": "a@home.example"}],
        "meta": {"resourceType": "User", "created": "2026-01-02T00:00:00Z"},
    });
    parse(Resource::User, text).unwrap().fits_resource(Resource::User, &person)
}

#[test]
fn filters_say_what_they_say() {
    for yes in [
        r#"userName eq "ann@example.com""#,
        r#"USERNAME Eq "ANN@example.com""#,
        r#"userName sw "ann" and userName ew ".COM""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ann@example.com""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:name.familyName co "er""#,
        r#"externalId eq "A1""#,
        r#"emails eq "a@home.example""#,
        r#"emails.value eq "a@home.example""#,
        r#"emails[type eq "work" and value co "example.com"]"#,
        r#"not (userName eq "bob") and active eq true"#,
        r#"active eq "True""#,
        "active eq True",
        r#"userName eq "bob" or externalId pr"#,
        "title eq null",
        r#"meta.created gt "2026-01-01T00:00:00Z""#,
        r#"(userName ne "bob")"#,
    ] {
        assert!(fits(yes), "{yes}");
    }
    for no in [
        r#"externalId eq "a1""#,
        r#"emails[type eq "home"]"#,
        r#"userName eq "bob" or externalId eq "B" and active eq true"#,
        "displayName pr",
        "not (active eq true)",
        r#"meta.created lt "2026-01-01T00:00:00Z""#,
    ] {
        assert!(!fits(no), "{no}");
    }
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    for broken in [
        "",
        "userName",
        "userName eq",
        "userName eq bob",
        r#"userName is "bob""#,
        r#"userName eq "bob" and"#,
        r#"(userName eq "bob""#,
        r#"userName eq "bob") or"#,
        r#"emails[type eq "work""#,
        r#"urn:other:User:userName eq "bob""#,
        "userName eq {}",
    ] {
        assert_eq!(parse(Resource::User, broken).unwrap_err().kind, Kind::InvalidFilter, "{broken}");
    }
    let unknown = parse(Resource::User, r#"shoeSize eq "42""#).unwrap().check(Resource::User);
    assert_eq!(unknown.unwrap_err().kind, Kind::InvalidFilter);
    let nested = format!("{}userName pr{}", "(".repeat(50), ")".repeat(50));
    assert!(parse(Resource::User, &nested).is_err());
    let long = vec!["userName pr"; 100].join(" or ");
    assert!(parse(Resource::User, &long).is_err());
}

#[test]
fn paths_name_attributes_values_and_parts() {
    let path = |text: &str| parse_path(Resource::User, text).unwrap();
    let named = |attribute: &str, part: Option<&str>| Path {
        attribute: attribute.to_owned(),
        filter: None,
        part: part.map(str::to_owned),
    };
    assert_eq!(path("active"), named("active", None));
    assert_eq!(path("name.givenName"), named("name", Some("givenName")));
    assert_eq!(path("urn:ietf:params:scim:schemas:core:2.0:User:active"), named("active", None));
    let mail = path(r#"emails[type eq "work"].value"#);
    assert_eq!((mail.attribute.as_str(), mail.part.as_deref()), ("emails", Some("value")));
    assert!(mail.filter.is_some());
    assert!(path(r#"emails[type eq "work"]"#).filter.is_some());
    for broken in ["", "emails[", "emails[]", "emails[type eq \"work\"]value", "a.b.c", "emails.value[type pr]"] {
        assert_eq!(parse_path(Resource::User, broken).unwrap_err().kind, Kind::InvalidPath, "{broken}");
    }
}

proptest! {
    #[test]
    fn hostile_texts_never_panic(
        text in "\\PC{0,60}|(urn:[a-z:.0]{0,30}|[a-zA-Z.$\\[\\]() \"\\\\]|eq|and|or|not|pr|emails|userName|\"x\"| ){0,40}"
    ) {
        for resource in Resource::ALL {
            if let Ok(filter) = parse(resource, &text) {
                let _ = filter.check(resource);
                filter.fits_resource(resource, &json!({"userName": "x", "emails": [{"value": "x"}, 1], "members": "x"}));
            }
            let _ = parse_path(resource, &text);
        }
    }
}
