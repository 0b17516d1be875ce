//! OpenAPI documents: what is taken over, and that nothing becomes open by what is left out.

use crate::catalogue::openapi::{Options, Report, import};
use crate::catalogue::{AccessEntry, Document, EndpointEntry, Problems};
use crate::level::Level;
use proptest::prelude::*;
use serde_json::{Value, json};

fn base(paths: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Pets", "version": "1.2"},
        "servers": [{"url": "https://{host}/api/{v}/", "variables": {"v": {"default": "v2"}, "host": {"default": "pets.example"}}}],
        "x-tegata-api": "pets",
        "x-tegata-context-types": [{"name": "shop"}],
        "x-tegata-permissions": [
            {"name": "pets:read", "level": "read", "contexts": ["global", "shop"]},
            {"name": "drive", "scope": "https://auth.example/drive", "level": "admin", "implies": ["pets:read"]}
        ],
        "x-tegata-roles": [{"key": "keeper", "permissions": ["pets:read"]}],
        "security": [{"oauth": ["pets:read"]}],
        "components": {
            "securitySchemes": {
                "oauth": {"type": "oauth2", "flows": {"authorizationCode": {"scopes": {
                    "pets:read": "Look at pets", "pets:write": "Change pets\nin every way", "a b": "no name"
                }}}},
                "oidc": {"type": "openIdConnect"},
                "key": {"type": "apiKey"}
            },
            "parameters": {"File": {"name": "file", "in": "path", "x-tegata-rest": true}},
            "pathItems": {
                "Shared": {"get": {}},
                "Round": {"$ref": "#/components/pathItems/Round2"},
                "Round2": {"$ref": "#/components/pathItems/Round"}
            }
        },
        "paths": paths,
    })
}

fn made(paths: &Value) -> (Document, Report) {
    import(&base(paths), &Options::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn one(operation: &Value) -> EndpointEntry {
    let (document, _) = made(&json!({"/pets/{id}": {"get": operation}}));
    document.endpoints[0].clone()
}

#[test]
fn a_document_is_taken_over() {
    let (document, report) = made(&json!({
        "/pets": {"get": {}, "post": {"security": [{"oauth": ["pets:write"]}], "deprecated": true}, "trace": {}},
        "x-other": {},
    }));
    assert_eq!(document.api, "pets");
    assert_eq!(document.title.en.as_deref(), Some("Pets"));
    assert_eq!(document.version.as_deref(), Some("1.2"));
    let names: Vec<_> =
        document.permissions.iter().map(|permission| (permission.name.as_str(), permission.level)).collect();
    assert_eq!(names, [("pets:read", Level::Read), ("drive", Level::Admin), ("pets:write", Level::Write)]);
    assert_eq!(document.permissions[0].title.en.as_deref(), Some("Look at pets"));
    assert_eq!(document.permissions[2].title.en.as_deref(), Some("Change pets"));
    assert_eq!(document.permissions[2].flags, ["level_assumed"]);
    assert_eq!(report.levels_assumed, ["pets:write"]);
    assert_eq!(report.scopes_unusable, ["a b"]);
    let endpoints: Vec<_> = document
        .endpoints
        .iter()
        .map(|endpoint| (endpoint.method.as_str(), endpoint.path.as_str(), endpoint.permission.as_deref()))
        .collect();
    assert_eq!(endpoints, [("GET", "/api/v2/pets", Some("pets:read")), ("POST", "/api/v2/pets", Some("pets:write"))]);
    assert_eq!(document.endpoints[1].flags, ["deprecated"]);
    assert!(report.denied.is_empty());
}

#[test]
fn requirements() {
    let any_of =
        one(&json!({"security": [{"oauth": ["pets:read"]}, {"oauth": ["pets:write"], "oidc": ["drive"]}]})).any_of;
    assert_eq!(any_of, [vec!["pets:read".into()], vec!["pets:write".into(), "drive".into()]]);
    let scope = one(&json!({"security": [{"oauth": ["https://auth.example/drive"]}]}));
    assert_eq!(scope.permission.as_deref(), Some("drive"));
    let both = one(&json!({"security": [{"oauth": ["pets:read"], "key": []}]}));
    assert_eq!(
        (both.permission.as_deref(), both.flags.as_slice()),
        (Some("pets:read"), &["scheme_ignored".to_owned()][..])
    );
}

#[test]
fn nothing_is_open_by_what_is_left_out() {
    let cases = [
        (json!({"security": []}), "security_empty"),
        (json!({"security": [{}]}), "alternative_without_scopes"),
        (json!({"security": [{"key": []}]}), "alternative_without_scopes"),
        (json!({"security": [{"oauth": []}]}), "alternative_without_scopes"),
        (json!({"security": [{"unknown": ["pets:read"]}]}), "alternative_without_scopes"),
        (json!({"security": [{"oauth": ["pets:read", "a b"]}]}), "scope_unusable"),
        (json!({"security": [{"oauth": ["pets:read", 7]}]}), "scope_unusable"),
        (json!({"security": "none"}), "security_unreadable"),
        (json!({"security": [7]}), "security_unreadable"),
        (json!({"x-tegata-permissions": []}), "no_permission_listed"),
    ];
    for (operation, because) in cases {
        let (document, report) = made(&json!({"/pets": {"get": operation}}));
        let endpoint = &document.endpoints[0];
        assert!(
            endpoint.permission.is_none() && endpoint.any_of.is_empty() && endpoint.access.is_none(),
            "{operation}"
        );
        assert_eq!(report.denied.len(), 1, "{operation}");
        assert_eq!(report.denied[0].because, because, "{operation}");
        assert!(endpoint.flags.contains(&because.to_owned()), "{operation}");
    }
}

#[test]
fn extensions_say_the_rest() {
    let endpoint = one(&json!({
        "x-tegata-permissions": [["pets:read", {"permission": "drive", "context": "global"}], ["drive"]],
        "x-tegata-context": "shop:{id}", "x-tegata-organization": "none"
    }));
    assert_eq!(endpoint.any_of.len(), 2);
    assert_eq!(endpoint.context.as_deref(), Some("shop:{id}"));
    assert_eq!(endpoint.organization.as_deref(), Some("none"));
    let (document, _) =
        made(&json!({"/pets": {"x-tegata-class": "search", "get": {}, "put": {"x-tegata-class": "write"}}}));
    let class = |place: usize| document.endpoints[place].class.as_deref();
    assert_eq!((class(0), class(1)), (Some("search"), Some("write")));
    let open = one(&json!({"security": [], "x-tegata-access": "authenticated_only"}));
    assert_eq!(open.access, Some(AccessEntry::AuthenticatedOnly));
    let (document, _) = made(&json!({"/pets/{id}": {
        "x-tegata-context": "shop:{id}", "x-tegata-access": "unscoped_only",
        "get": {"x-tegata-permissions": [["pets:read"]]}, "put": {"x-tegata-context": "global"}
    }}));
    assert_eq!(document.endpoints[0].permission.as_deref(), Some("pets:read"));
    assert_eq!(document.endpoints[0].context.as_deref(), Some("shop:{id}"));
    assert_eq!(document.endpoints[1].access, Some(AccessEntry::UnscopedOnly));
    assert_eq!(document.endpoints[1].context.as_deref(), Some("global"));
}

#[test]
fn references_are_followed_within_the_document() {
    let (document, report) = made(&json!({
        "/a": {"$ref": "#/components/pathItems/Shared"},
        "/b": {"$ref": "#/components/pathItems/Round"},
        "/c": {"$ref": "other.yaml#/x"},
        "/d": {"$ref": "#/nowhere"},
        "/e/{file}": {"parameters": [{"$ref": "#/components/parameters/File"}], "get": {}},
        "/f/{x}": {"parameters": [{"$ref": "#/nothing"}], "get": {}},
    }));
    let paths: Vec<_> = document.endpoints.iter().map(|endpoint| endpoint.path.as_str()).collect();
    assert_eq!(paths, ["/api/v2/a", "/api/v2/e/{file+}", "/api/v2/f/{x}"]);
    assert_eq!(report.unresolved.len(), 4);
    assert_eq!(report.skipped.len(), 3);
}

#[test]
fn paths_that_cannot_be_endpoints_are_told() {
    let (document, report) = made(&json!({
        "/a?b=c": {"get": {}, "put": {}}, "/a//b": {"get": {}}, "/{x}{y}": {"get": {}}, "/a": {"get": {"servers": [{"url": "/other"}, {"url": "/two"}]}}
    }));
    assert_eq!(document.endpoints.len(), 1);
    assert_eq!(document.endpoints[0].path, "/other/a");
    assert_eq!(report.skipped.len(), 3);
    assert_eq!(report.servers_ignored, ["/two"]);
}

fn problems(document: &Value) -> Problems {
    import(document, &Options::default()).expect_err("problems")
}

#[test]
fn problems_point_into_the_openapi_document() {
    let cases = [
        (json!({"/a/{x}": {"get": {}}, "/a/{y}": {"get": {}}}), "paths./a/{y}.get.path"),
        (json!({"/a": {"get": {"x-tegata-context": "shop:{x}"}}}), "paths./a.get.context"),
        (json!({"/a": {"get": {"x-tegata-context": 7}}}), "paths./a.get.x-tegata-context"),
        (json!({"/a": {"get": {"x-tegata-class": "Not A Class"}}}), "paths./a.get.class"),
        (json!({"/a": {"get": {"x-tegata-access": "everybody"}}}), "paths./a.get.x-tegata-access"),
        (json!({"/a": {"get": {"x-tegata-permissions": ["pets:read"]}}}), "paths./a.get.x-tegata-permissions"),
        (json!({"/a": {"get": {"x-tegata-permissions": [[]]}}}), "paths./a.get.any_of[0]"),
        (json!({"/a": {"get": {"x-tegata-permissions": [["nothing"]]}}}), "paths./a.get.permission"),
        (
            json!({"/a": {"get": {"x-tegata-permissions": [["drive"], ["pets:read"]], "x-tegata-access": "unscoped_only"}}}),
            "paths./a.get.access",
        ),
    ];
    for (paths, at) in cases {
        let problems = problems(&base(&paths));
        assert_eq!(problems.list()[0].at, at, "{problems}");
    }
    assert!(problems(&json!({"swagger": "2.0"})).to_string().contains("Swagger"));
    assert!(problems(&json!({"openapi": "4.0.0"})).to_string().contains("3.0.x"));
    assert!(problems(&json!([])).to_string().contains("openapi"));
    assert_eq!(problems(&json!({"openapi": "3.0.3"})).list()[0].at, "x-tegata-api");
    let named = import(&json!({"openapi": "3.0.3"}), &Options { api: Some("x".into()) });
    assert_eq!(named.unwrap().0.api, "x");
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("get"),
        Just("$ref"),
        Just("security"),
        Just("parameters"),
        Just("servers"),
        Just("url"),
        Just("name"),
        Just("#/paths"),
        Just("#/paths/~1a"),
        Just("oauth"),
        Just("pets:read"),
        Just("/a"),
        Just("/b/{x}"),
        Just("x-tegata-rest"),
        Just("x-tegata-permissions"),
        Just("x-tegata-access"),
        Just("x-tegata-context"),
        Just("unscoped_only"),
        Just("shop:{x}"),
    ];
    let leaf = prop_oneof![
        words.clone().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!(7))
    ];
    leaf.prop_recursive(5, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..5).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn hostile_documents_never_panic_and_open_nothing(value in any_json(), security in any_json()) {
        let mut document = base(&json!({"/a": {"get": value.clone(), "put": {"security": security}}, "/b/{x}": value}));
        let _ = import(&document, &Options::default()).map(|(made, _)| {
            // Only the extension opens.
            for endpoint in &made.endpoints {
                assert!(endpoint.access != Some(AccessEntry::AuthenticatedOnly));
                assert!(endpoint.any_of.iter().all(|needs| !needs.is_empty()));
            }
        });
        document["components"] = document["paths"].take();
        let _ = import(&document, &Options::default());
    }
}
