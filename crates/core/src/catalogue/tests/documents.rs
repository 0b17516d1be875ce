//! Reading and writing documents: what is written reads back, mistakes have a line, hostile text is bounded.

use super::{SMALL, document};
use crate::catalogue::check::{self, NEEDS_MAX};
use crate::catalogue::{
    AccessEntry, ContextTypeEntry, Document, EndpointEntry, Format, NeedEntry, PermissionEntry, Position, Risk,
    RoleEntry, Texts, Unregistered, parse, parse::DOCUMENT_MAX_BYTES, parse::read, to_yaml,
};
use crate::level::Level;
use proptest::prelude::*;

#[test]
fn a_document_is_read_with_its_defaults() {
    let document = document(SMALL);
    assert_eq!(document.permissions[1].level, Level::Write);
    assert_eq!(document.permissions[3].contexts, ["global"]);
    assert!(document.context_types[1].case_sensitive);
    assert_eq!(document.context_types[0].unregistered, Unregistered::Deny);
    assert_eq!(document.permissions[0].title.text("ja"), Some("課題の閲覧"));
    let own = NeedEntry::InContext {
        permission: "administration:admin".into(),
        context: "repository:key:{owner}/{repo}".into(),
    };
    assert_eq!(document.endpoints[2].all_of, ["members:read".into(), own]);
}

#[test]
fn json_says_the_same_as_yaml() {
    let from_yaml = document(SMALL);
    let json = serde_json::to_string_pretty(&from_yaml).unwrap();
    assert_eq!(parse(&json, Format::Json), Ok(from_yaml));
}

#[test]
fn a_line_for_each_permission_and_endpoint() {
    let text = to_yaml(&document(SMALL));
    assert!(text.contains(
        "  - {name: \"issues:write\", level: write, contexts: [global, repository], implies: [\"issues:read\"]}\n"
    ));
    assert!(text.contains("  - {method: GET, path: \"/user\", access: authenticated_only, organization: none}\n"));
    assert_eq!(text.lines().filter(|line| line.starts_with("  - {method")).count(), 7);
}

#[test]
fn mistakes_in_the_text_have_line_and_column() {
    let cases = [
        ("api: x\npermissions: [\n  {name: a\n", Format::Yaml),
        ("api: x\nendpoints:\n  - {method: GET, path: [1]}\n", Format::Yaml),
        ("api: x\nendpoints:\n  - {method: GET, path: /, any_of: [[{permission: a}]]}\n", Format::Yaml),
        ("api: x\nsomething: else\n", Format::Yaml),
        ("api: x\napi: y\n", Format::Yaml),
        ("api: x\n---\napi: y\n", Format::Yaml),
        ("{\"api\": \"x\",\n \"endpoints\": 7}", Format::Json),
        ("{\"api\": \"x\",", Format::Json),
    ];
    for (text, format) in cases {
        let problems = parse(text, format).expect_err(text);
        let [problem] = problems.list() else { panic!("{text}: {problems}") };
        let Some(Position { line, column }) = problem.position else { panic!("{text}: {problems}") };
        assert!((1..=4).contains(&line) && column > 0, "{text}: {problem}");
        assert_eq!(problem.fault.code(), "unreadable");
        assert!(problem.to_string().starts_with("line "), "{problem}");
        assert_eq!(problem.to_string().matches("line").count(), 1, "{problem}");
    }
}

#[test]
fn hostile_text_is_bounded() {
    let long = "#".repeat(DOCUMENT_MAX_BYTES + 1);
    assert_eq!(parse(&long, Format::Yaml).unwrap_err().list()[0].fault.code(), "too_large");
    let deep = format!("api: {}", "[".repeat(100_000));
    assert!(parse(&deep, Format::Yaml).is_err());
    assert!(read::<serde_json::Value>(&deep, Format::Yaml).is_err());
    let deep = format!("{{\"api\": {}", "[".repeat(100_000));
    assert!(read::<serde_json::Value>(&deep, Format::Json).is_err());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for step in 1..10 {
        use std::fmt::Write as _;
        let again = format!("*a{}, ", step - 1).repeat(10);
        writeln!(bomb, "a{step}: &a{step} [{again}]").unwrap();
    }
    assert!(read::<serde_json::Value>(&bomb, Format::Yaml).is_err());
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[\\PC]{1,12}",
        Just("yes".to_owned()),
        Just("007".to_owned()),
        Just(" - {x: [\"\\'".to_owned())
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![word(), any::<String>()]
}

fn texts() -> impl Strategy<Value = Texts> {
    (prop::option::of(any_text()), prop::option::of(any_text())).prop_map(|(en, ja)| Texts { en, ja })
}

fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any_text(), 0..3)
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![Just(Level::Read), Just(Level::Write), Just(Level::Admin)]
}

fn need() -> impl Strategy<Value = NeedEntry> {
    prop_oneof![
        any_text().prop_map(NeedEntry::Name),
        (any_text(), any_text()).prop_map(|(permission, context)| NeedEntry::InContext { permission, context }),
    ]
}

fn endpoint() -> impl Strategy<Value = EndpointEntry> {
    let access = prop::option::of(prop_oneof![Just(AccessEntry::AuthenticatedOnly), Just(AccessEntry::UnscopedOnly)]);
    let needs = || prop::collection::vec(need(), 0..3);
    (
        (any_text(), any_text(), prop::option::of(any_text())),
        (needs(), prop::collection::vec(needs(), 0..3), access),
        (prop::option::of(any_text()), prop::option::of(any_text()), prop::option::of(any_text()), words()),
    )
        .prop_map(
            |((method, path, permission), (all_of, any_of, access), (context, organization, class, flags))| {
                EndpointEntry { method, path, permission, all_of, any_of, access, context, organization, class, flags }
            },
        )
}

fn permission() -> impl Strategy<Value = PermissionEntry> {
    let risk = prop::option::of(prop_oneof![Just(Risk::Low), Just(Risk::Medium), Just(Risk::High)]);
    ((any_text(), level(), words(), words()), (texts(), texts(), risk, words())).prop_map(
        |((name, level, contexts, implies), (title, description, risk, flags))| PermissionEntry {
            name,
            level,
            contexts,
            implies,
            title,
            description,
            risk,
            flags,
        },
    )
}

fn any_document() -> impl Strategy<Value = Document> {
    let kind = (any_text(), any_text(), any::<bool>(), any::<bool>(), texts());
    let kind = kind.prop_map(|(name, parent, case_sensitive, up, title)| ContextTypeEntry {
        name,
        parent,
        case_sensitive,
        unregistered: if up { Unregistered::Parent } else { Unregistered::Deny },
        title,
    });
    let role = (any_text(), any_text(), words(), texts(), words());
    let role = role.prop_map(|(key, context_type, permissions, title, flags)| RoleEntry {
        key,
        context_type,
        permissions,
        title,
        flags,
    });
    (
        (any_text(), texts(), prop::option::of(any_text())),
        prop::collection::vec(kind, 0..3),
        prop::collection::vec(permission(), 0..4),
        prop::collection::vec(role, 0..3),
        prop::collection::vec(endpoint(), 0..4),
    )
        .prop_map(|((api, title, version), context_types, permissions, roles, endpoints)| Document {
            api,
            title,
            version,
            context_types,
            permissions,
            roles,
            endpoints,
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(document in any_document()) {
        let yaml = to_yaml(&document);
        prop_assert_eq!(read::<Document>(&yaml, Format::Yaml).map_err(|p| format!("{p}\n{yaml}")), Ok(document.clone()));
        let json = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(read::<Document>(&json, Format::Json), Ok(document));
    }

    #[test]
    fn hostile_documents_never_panic(document in any_document()) {
        let _ = check::check(&document);
    }

    #[test]
    fn hostile_text_never_panics(text in "(\\PC|[\n{}\\[\\]:,&*!|>\"' -]){0,200}") {
        let _ = parse(&text, Format::Yaml);
        let _ = parse(&text, Format::Json);
    }

    #[test]
    fn a_cut_or_damaged_document_never_panics(cut in 0..SMALL.len(), with in "\\PC{0,3}") {
        if SMALL.is_char_boundary(cut) {
            let _ = parse(&SMALL[..cut], Format::Yaml);
            let _ = parse(&format!("{}{with}{}", &SMALL[..cut], &SMALL[cut..]), Format::Yaml);
        }
    }
}

#[test]
fn long_lists_of_needs_are_refused() {
    let needs = vec![NeedEntry::from("a"); NEEDS_MAX + 1];
    let endpoint = EndpointEntry { method: "GET".into(), path: "/".into(), all_of: needs, ..EndpointEntry::default() };
    let document = Document { api: "x".into(), endpoints: vec![endpoint], ..Document::default() };
    let problems = check::check(&document).unwrap_err();
    assert!(problems.list().iter().any(|problem| problem.fault.code() == "too_many"));
}
