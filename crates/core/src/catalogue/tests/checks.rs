//! What makes a document wrong: every case with its place, and all of them at once.

use super::faults;
use crate::catalogue::check::{self, ENDPOINTS_MAX, PERMISSIONS_MAX};
use crate::catalogue::{Document, EndpointEntry, Format, parse};
use std::fmt::Write as _;

const HEAD: &str = "
api: x
context_types: [{name: project}, {name: channel}, {name: package, parent: project}]
permissions:
  - {name: view, contexts: [global, project]}
  - {name: talk, contexts: [channel]}
  - {name: low, level: read}
endpoints:
";

fn endpoint_faults(endpoint: &str) -> Vec<String> {
    faults(&format!("{HEAD}  - {{method: GET, {endpoint}}}\n"))
}

#[test]
fn endpoints() {
    let cases = [
        ("path: a", "endpoints[0].path bad_template"),
        ("path: /a//b", "endpoints[0].path bad_template"),
        ("path: /a/../b", "endpoints[0].path bad_template"),
        ("path: \"/a/{b\"", "endpoints[0].path bad_template"),
        ("path: \"/a/b}\"", "endpoints[0].path bad_template"),
        ("path: \"/a/{b}{c}\"", "endpoints[0].path bad_template"),
        ("path: \"/a/{b}/{b}\"", "endpoints[0].path bad_template"),
        ("path: \"/a/{9}\"", "endpoints[0].path bad_template"),
        ("path: \"/{rest+}/a\"", "endpoints[0].path bad_template"),
        ("path: \"/a-{rest+}\"", "endpoints[0].path bad_template"),
        ("path: \"/a%20b\"", "endpoints[0].path bad_template"),
        ("path: \"/a;b\"", "endpoints[0].path bad_template"),
        ("path: /a, permission: nothing", "endpoints[0].permission unknown"),
        ("path: /a, all_of: [view, nothing]", "endpoints[0].all_of[1] unknown"),
        ("path: /a, any_of: [[view], [nothing]]", "endpoints[0].any_of[1][0] unknown"),
        ("path: /a, any_of: [[]]", "endpoints[0].any_of[0] empty_alternative"),
        ("path: /a, permission: view, access: unscoped_only", "endpoints[0].access two_rules"),
        ("path: /a, permission: talk", "endpoints[0].permission not_grantable"),
        ("path: \"/a/{p}\", permission: talk, context: \"project:{p}\"", "endpoints[0].permission not_grantable"),
        ("path: \"/a/{p}\", context: \"project:{q}\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}\", context: \"nothing:{p}\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}\", context: \"project\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}\", context: \"project:x{p}\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}\", context: \"project:key:\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}/{q}\", context: \"project:key:{p}{q}\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}/{q}\", context: \"project:key:{p}-{q}\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}/{q+}\", context: \"project:key:{q}/{p}\"", "endpoints[0].context bad_template"),
        ("path: \"/a/{p}\", organization: \"{q}\"", "endpoints[0].organization bad_template"),
        ("path: \"/a/{p}\", organization: \"\"", "endpoints[0].organization bad_template"),
        ("path: /a, class: \"Not A Class\"", "endpoints[0].class bad_name"),
        ("path: /a, class: \"\"", "endpoints[0].class bad_name"),
        (
            "path: \"/a/{p}\", all_of: [{permission: talk, context: \"project:{p}\"}]",
            "endpoints[0].all_of[0] not_grantable",
        ),
    ];
    for (endpoint, expected) in cases {
        assert_eq!(endpoint_faults(endpoint), [expected], "{endpoint}");
    }
    let method = faults("api: x\nendpoints: [{method: get, path: /a}]");
    assert_eq!(method, ["endpoints[0].method bad_method"]);
}

#[test]
fn a_permission_reaches_down_from_an_ancestor() {
    let fine = [
        "path: \"/a/{p}\", permission: view, context: \"package:{p}\"",
        "path: \"/a/{p}\", permission: low, context: \"package:{p}\"",
        "path: \"/a/{p}\", permission: talk, context: \"channel:id:{p}\"",
        "path: \"/a/{p}/{q+}\", permission: view, context: \"project:key:{p}/{q}\"",
    ];
    for endpoint in fine {
        let text = format!("{HEAD}  - {{method: GET, {endpoint}}}\n");
        assert!(parse(&text, Format::Yaml).is_ok(), "{endpoint}");
    }
}

#[test]
fn the_same_shape_twice() {
    let same = [("/a/{b}", "/a/{c}"), ("/a/x{b}", "/a/x{c}"), ("/{b+}", "/{c+}"), ("/", "/"), ("/a/", "/a/")];
    for (one, other) in same {
        let problems = super::open(&[("GET", one), ("GET", other)]).unwrap_err();
        assert_eq!(problems.list()[0].at, "endpoints[1].path", "{one} {other}");
        assert!(problems.to_string().contains("endpoints[0]"));
        assert!(super::open(&[("GET", one), ("PUT", other)]).is_ok());
    }
    for (one, other) in [("/a/{b}", "/a/{b}/"), ("/a/{b}", "/a/{b+}"), ("/a/x{b}", "/a/{b}x")] {
        assert!(super::open(&[("GET", one), ("GET", other)]).is_ok(), "{one} {other}");
    }
}

#[test]
fn everything_is_told_at_once() {
    let text = "
api: Not A Key
context_types: [{name: a, parent: b}, {name: b, parent: a}, {name: c, parent: z}, {name: global}, {name: c}]
permissions:
  - {name: \"bad name\"}
  - {name: one, implies: [two], contexts: []}
  - {name: two, implies: [three]}
  - {name: three, implies: [two, nothing]}
  - {name: one}
  - {name: \"a:b\", contexts: [nowhere]}
  - {name: below, level: read, implies: [two]}
  - {name: here, contexts: [a], implies: [there]}
  - {name: there, contexts: [c]}
roles:
  - {key: r, permissions: [nothing, there]}
  - {key: r, context_type: nowhere}
";
    let expected = [
        "api bad_name",
        "context_types[3].name bad_name",
        "context_types[4].name duplicate",
        "context_types[0].parent cycle",
        "context_types[2].parent unknown",
        "context_types[4].parent unknown",
        "permissions[0].name bad_name",
        "permissions[4].name duplicate",
        "permissions[5].name bad_name",
        "permissions[1].contexts not_grantable",
        "permissions[5].contexts[0] unknown",
        "permissions[3].implies[1] unknown",
        "permissions[6].implies[0] bad_implies",
        "permissions[7].implies[0] bad_implies",
        "permissions[2].implies cycle",
        "roles[0].permissions[0] unknown",
        "roles[0].permissions[1] not_grantable",
        "roles[1].key duplicate",
        "roles[1].context_type unknown",
    ];
    let found = faults(&text.replace(", {name: c}]", ", {name: c, parent: y}]"));
    for place in expected {
        assert!(found.contains(&place.to_owned()), "{place} not in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_circle_is_named() {
    let problems = parse(
        "api: x\npermissions: [{name: a, implies: [b]}, {name: b, implies: [c]}, {name: c, implies: [b]}]",
        Format::Yaml,
    );
    assert!(problems.unwrap_err().to_string().contains("(b → c → b)"));
}

#[test]
fn every_problem_has_a_way_out() {
    let problems =
        parse(&format!("{HEAD}  - {{method: GET, path: /a, permission: nothing}}\n"), Format::Yaml).unwrap_err();
    let text = problems.to_string();
    assert_eq!(text, "endpoints[0].permission: no permission 'nothing' is declared: add it, or correct the name");
    let json = serde_json::to_value(&problems).unwrap();
    assert_eq!(json[0]["code"], "unknown");
    assert_eq!(json[0]["at"], "endpoints[0].permission");
}

#[test]
fn sizes_are_bounded() {
    let endpoint =
        |place: usize| EndpointEntry { method: "GET".into(), path: format!("/{place}"), ..EndpointEntry::default() };
    let document =
        Document { api: "x".into(), endpoints: (0..=ENDPOINTS_MAX).map(endpoint).collect(), ..Document::default() };
    assert_eq!(check::check(&document).unwrap_err().list()[0].fault.code(), "too_many");
    let mut text = "api: x\npermissions:\n".to_owned();
    for place in 0..=PERMISSIONS_MAX {
        writeln!(text, "  - {{name: p{place}}}").unwrap();
    }
    assert_eq!(faults(&text), ["permissions too_many"]);
}

#[test]
fn of_many_problems_some_are_kept_and_the_rest_counted() {
    let mut text = "api: x\npermissions:\n".to_owned();
    for _ in 0..300 {
        text += "  - {name: \" \"}\n";
    }
    let problems = parse(&text, Format::Yaml).unwrap_err();
    assert_eq!(problems.list().len(), 200);
    // 300 bad names and 299 duplicates.
    assert_eq!(problems.more(), 399);
}
