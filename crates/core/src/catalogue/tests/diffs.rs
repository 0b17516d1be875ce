//! Differences, and above all which of them open something.

use super::{SMALL, document};
use crate::catalogue::diff::Change;
use crate::catalogue::{Document, diff};

fn changed(from: &str, to: &str) -> (Document, Document) {
    assert!(SMALL.contains(from), "{from}");
    (document(SMALL), document(&SMALL.replace(from, to)))
}

#[test]
fn nothing_changes_nothing() {
    let diff = diff(&document(SMALL), &document(SMALL)).unwrap();
    assert!(diff.is_empty() && !diff.widens());
}

#[test]
fn a_renamed_parameter_is_wording() {
    let renamed = SMALL.replace("{owner}", "{login}");
    let diff = diff(&document(SMALL), &document(&renamed)).unwrap();
    assert!(diff.endpoints.is_empty() && diff.wording && !diff.widens(), "{diff:#?}");
}

#[test]
fn permissions_that_gain_are_found_through_others() {
    let (old, new) = changed("implies: [\"issues:read\"]", "implies: [\"issues:read\", \"pull_requests:read\"]");
    let diff = diff(&old, &new).unwrap();
    let gains: Vec<_> = diff.permissions_that_gain().collect();
    let gained = ["pull_requests:read".to_owned()];
    assert_eq!(gains, [("administration:admin", &gained[..]), ("issues:write", &gained[..])]);
    assert!(diff.widens());
    assert!(diff.permissions.changed[0].implies.is_none());
}

#[test]
fn removed_permissions_and_levels() {
    let new = SMALL
        .replace("  - {name: \"pull_requests:read\", level: read, contexts: [global, repository]}\n", "")
        .replace(", [\"pull_requests:read\"]]", "]")
        .replace(", \"pull_requests:read\"]", "]")
        .replace("{name: \"members:read\", level: read}", "{name: \"members:read\", level: write}");
    let (old, new) = (document(SMALL), document(&new));
    let diff_there = diff(&old, &new).unwrap();
    assert_eq!(diff_there.removed_permissions(), ["pull_requests:read"]);
    assert!(!diff_there.widens(), "{diff_there:#?}");
    let back = diff(&new, &old).unwrap();
    assert!(back.widens());
    assert_eq!(back.permissions.added, ["pull_requests:read"]);
    assert_eq!(back.endpoints_more_open().count(), 1);
    assert_eq!(back.roles.changed[0].added, ["pull_requests:read"]);
    assert!(serde_json::to_string(&back).unwrap().contains("\"opens\":true"));
}

#[test]
fn another_class_is_told_and_opens_nothing() {
    let old = document("api: town\nendpoints: [{method: GET, path: /doors, access: authenticated_only}]");
    let with = |class: &str| {
        document(&format!(
            "api: town\nendpoints: [{{method: GET, path: /doors, access: authenticated_only, class: {class}}}]"
        ))
    };
    let diff_there = diff(&old, &with("search")).unwrap();
    assert_eq!(diff_there.endpoints.changed[0].class, Some(Change { was: "none".into(), is: "search".into() }));
    assert!(!diff_there.widens() && !diff_there.is_empty());
    let diff_on = diff(&with("search"), &with("write")).unwrap();
    assert_eq!(diff_on.endpoints.changed[0].class, Some(Change { was: "search".into(), is: "write".into() }));
    assert!(diff(&with("search"), &with("search")).unwrap().is_empty());
}

#[test]
fn which_endpoints_open() {
    let get = "any_of: [[\"issues:read\"], [\"pull_requests:read\"]],\n     context: \"repository:key:{owner}/{repo}\"";
    let with = |needs: &str| format!("{needs},\n     context: \"repository:key:{{owner}}/{{repo}}\"");
    let cases = [
        (with("permission: \"issues:read\""), false),
        // Whoever may write may read, and so could before.
        (with("permission: \"issues:write\""), false),
        (with("all_of: [\"issues:read\", \"pull_requests:read\"]"), false),
        (with("all_of: [{permission: \"issues:read\", context: global}]"), false),
        (with("permission: \"members:read\""), true),
        (with("any_of: [[\"issues:read\"], [\"members:read\"]]"), true),
        (with("access: authenticated_only"), true),
        (with("access: unscoped_only"), false),
        (with("flags: [closed]"), false),
        ("permission: \"issues:read\", context: \"repository:key:{repo}/{owner}\"".to_owned(), true),
    ];
    for (needs, opens) in cases {
        let (old, new) = changed(get, &needs);
        let diff = diff(&old, &new).unwrap();
        assert_eq!(diff.endpoints.changed.len(), 1, "{needs}");
        assert_eq!(diff.endpoints.changed[0].opens, opens, "{needs}");
        assert_eq!(diff.widens(), opens, "{needs}");
    }
    for (from, to, opens) in [
        ("path: /nothing, flags", "path: /nothing, access: unscoped_only, flags", true),
        ("path: /user, access: unscoped_only", "path: /user, permission: \"members:read\"", true),
        ("authenticated_only, organization: none", "authenticated_only", true),
        ("path: /user, access: unscoped_only", "path: /user, access: unscoped_only, organization: none", false),
    ] {
        let (old, new) = changed(from, to);
        let diff = diff(&old, &new).unwrap();
        assert_eq!(diff.endpoints.changed.len(), 1, "{to}");
        assert_eq!(diff.widens(), opens, "{to}");
    }
}

#[test]
fn a_more_specific_path_takes_calls_from_another() {
    let new = format!("{SMALL}  - {{method: POST, path: \"/deploy/{{r}}/test\", access: authenticated_only}}\n");
    let (old, new) = (document(SMALL), document(&new));
    let there = diff(&old, &new).unwrap();
    assert_eq!(there.rerouted.len(), 1);
    assert_eq!(there.rerouted[0].was, "POST /deploy/{repository}/{environment}");
    assert_eq!(there.rerouted[0].is, "POST /deploy/{r}/test");
    assert!(there.rerouted[0].opens && there.widens());
    let back = diff(&new, &old).unwrap();
    assert_eq!(back.rerouted[0].is, "POST /deploy/{repository}/{environment}");
}

#[test]
fn places_that_loosen() {
    for (from, to) in [
        ("case_sensitive: false", "case_sensitive: true"),
        ("parent: global, case_sensitive: false", "parent: global, case_sensitive: false, unregistered: parent"),
    ] {
        let (old, new) = changed(from, to);
        let (there, back) = (diff(&old, &new).unwrap(), diff(&new, &old).unwrap());
        assert_eq!(there.context_types.changed.len(), 1);
        assert_ne!(there.widens(), back.widens(), "{to}");
    }
}
