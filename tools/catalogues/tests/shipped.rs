//! The shipped catalogues: current, complete, and doing what their documentation says.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::HashMap;
use tegata_catalogues::{check_current, make, repository};
use tegata_core::bits::PermissionSet;
use tegata_core::catalogue::{
    Access, Catalogue, Document, Format, Matched, OrganizationOf, PlaceRef, diff, parse, to_yaml,
};
use tegata_core::level::Level;

fn documents() -> HashMap<&'static str, Document> {
    make(&repository()).unwrap().into_iter().map(|made| (made.name, made.document)).collect()
}

fn catalogue(name: &str) -> Catalogue {
    Catalogue::compile(&documents()[name], &[]).unwrap()
}

fn needs(catalogue: &Catalogue, method: &str, path: &str) -> Vec<Vec<String>> {
    let matched = catalogue.route(method, path).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    match &matched.endpoint.access {
        Access::AnyOf(alternatives) => alternatives
            .iter()
            .map(|alternative| {
                let name = |need: &tegata_core::catalogue::Need| {
                    let place = match matched.place_of(need).unwrap() {
                        PlaceRef::Global => "global".to_owned(),
                        PlaceRef::Id { kind, id } => format!("{kind}:id:{id}"),
                        PlaceRef::Key { kind, key } => format!("{kind}:key:{key}"),
                    };
                    format!("{place}:{}", catalogue.permission(need.permission).unwrap().name)
                };
                alternative.needs.iter().map(name).collect()
            })
            .collect(),
        other => panic!("{method} {path}: {other:?}"),
    }
}

#[test]
fn the_files_are_current() {
    if let Err(failure) = check_current(&repository()) {
        panic!("{failure}");
    }
}

#[test]
fn they_read_back_and_differ_from_themselves_in_nothing() {
    for made in make(&repository()).unwrap() {
        let read = parse(&made.text, Format::Yaml).unwrap_or_else(|problems| panic!("{}: {problems}", made.name));
        assert_eq!(read, made.document, "{}", made.name);
        assert!(diff(&read, &made.document).unwrap().is_empty(), "{}", made.name);
        assert!(made.text.ends_with(&to_yaml(&read)));
    }
}

#[test]
fn they_have_the_counts_that_the_documentation_names() {
    let count = |document: &Document| (document.permissions.len(), document.endpoints.len(), document.roles.len());
    let documents = documents();
    assert_eq!(count(&documents["github"]), (158, 952, 6));
    assert_eq!(count(&documents["space"]), (228, 816, 4));
    assert_eq!(count(&documents["esa"]), (16, 55, 3));
    assert_eq!(count(&documents["octane"]), (0, 0, 10));
    assert_eq!(count(&documents["atlassian"]), (26, 24, 2));
    let flagged = |name: &str, flag: &str| {
        let document = &documents[name];
        let permissions = document.permissions.iter().map(|permission| &permission.flags);
        let endpoints = document.endpoints.iter().map(|endpoint| &endpoint.flags);
        permissions.chain(endpoints).filter(|flags| flags.iter().any(|known| known == flag)).count()
    };
    for (name, flag, expected) in [
        ("github", "all_of_assumed", 69),
        ("github", "additional_permissions_unknown", 32),
        ("github", "context_inferred", 914),
        ("github", "spans_segments", 9),
        ("github", "id_derived", 5),
        ("github", "id_from_other_source", 25),
        ("github", "no_permission_listed", 0),
        ("space", "level_assumed", 228),
        ("space", "contexts_inferred", 228),
        ("space", "context_inferred", 173),
        ("space", "no_permission_listed", 326),
        ("space", "all_of_assumed", 42),
        ("space", "deprecated", 62),
        ("esa", "permission_inferred", 38),
        ("esa", "no_permission_listed", 16),
        ("esa", "owner_only", 6),
        ("esa", "implies_unconfirmed", 1),
        ("atlassian", "weak_evidence", 6),
    ] {
        assert_eq!(flagged(name, flag), expected, "{name} {flag}");
        let docs = std::fs::read_to_string(repository().join("docs/catalogues.md")).unwrap();
        assert!(docs.contains(&format!("`{flag}`")), "docs/catalogues.md does not name {flag}");
    }
}

#[test]
fn every_endpoint_is_found_by_a_call_of_its_form() {
    for (name, document) in documents() {
        let catalogue = Catalogue::compile(&document, &[]).unwrap();
        for endpoint in catalogue.endpoints() {
            let mut path = endpoint.path.to_string();
            for (place, parameter) in endpoint.parameters.iter().enumerate() {
                path = path.replace(&format!("{{{parameter}}}"), &format!("Value{place}"));
                path = path.replace(&format!("{{{parameter}+}}"), "a/b");
            }
            let matched =
                catalogue.route(&endpoint.method, &path).unwrap_or_else(|error| panic!("{name} {path}: {error}"));
            assert_eq!(
                (&matched.endpoint.method, &matched.endpoint.path),
                (&endpoint.method, &endpoint.path),
                "{name}"
            );
        }
    }
}

#[test]
fn no_shipped_endpoint_is_open() {
    for (name, document) in documents() {
        assert!(document.endpoints.iter().all(|endpoint| endpoint.access.is_none()), "{name}");
    }
}

#[test]
fn the_walk_on_github() {
    let github = catalogue("github");
    let issues = "/repos/octo/hello/issues";
    assert_eq!(needs(&github, "GET", issues), [["repository:key:octo/hello:issues:read"]]);
    assert_eq!(needs(&github, "POST", issues), [["repository:key:octo/hello:issues:write"]]);
    assert!(github.route("GET", "/repos/octo/../hello/issues").is_err());
    let named = |matched: &Matched<'_>| match matched.organization() {
        OrganizationOf::Named(name) => name.into_owned(),
        other => format!("{other:?}"),
    };
    let organization = |path: &str| named(&github.route("GET", path).unwrap());
    assert_eq!(organization(issues), "octo");
    assert_eq!(organization("/orgs/acme/members/x/codespaces"), "acme");
    assert_eq!(organization("/user/emails"), "None");
    assert_eq!(organization("/user/codespaces"), "Unsaid");
    assert_eq!(organization("/teams/7/repos/octo/hello"), "Unsaid");
    assert_eq!(organization("/user/memberships/orgs/acme"), "acme");
    assert_eq!(
        needs(&github, "PUT", "/orgs/acme/teams/t/repos/octo/hello"),
        [["global:members:read", "repository:key:octo/hello:administration:write"]]
    );
    assert_eq!(
        needs(&github, "GET", "/repos/octo/hello/contents/src/main.rs"),
        [["repository:key:octo/hello:contents:read"]]
    );
    let write: PermissionSet = github.number("issues:write").into_iter().collect();
    assert!(github.with_implied(&write).contains(github.number("issues:read").unwrap()));
    assert!(github.grantable_in(Some("repository")).contains(github.number("issues:read").unwrap()));
    assert!(!github.grantable_in(Some("repository")).contains(github.number("members:read").unwrap()));
}

#[test]
fn the_walk_on_space() {
    let space = catalogue("space");
    let issues = |project: &str| format!("/api/http/projects/{project}/planning/issues");
    assert_eq!(needs(&space, "POST", &issues("key:MY-APP")), [["project:key:MY-APP:Project.Issues.Create"]]);
    assert_eq!(needs(&space, "POST", &issues("id:42P9")), [["project:id:42P9:Project.Issues.Create"]]);
    assert_eq!(needs(&space, "GET", &issues("42P9")), [["project:id:42P9:Project.Issues.View"]]);
    assert_eq!(
        needs(&space, "GET", "/api/http/chats/channels/42P9/attachments"),
        [["channel:id:42P9:Channel.ViewMessages"]]
    );
    // The place is the project: the same key in another project is another repository.
    assert_eq!(
        needs(&space, "GET", "/api/http/projects/key:A/packages/repositories/key:maven"),
        [["project:key:A:PackageRepository.Read"]]
    );
    assert_eq!(space.context_type("packageRepository").unwrap().parent(), Some("project"));
}

#[test]
fn the_small_ones() {
    let esa = catalogue("esa");
    assert_eq!(needs(&esa, "GET", "/v1/teams/docs/posts/7/revisions/compare/1...2"), [["global:read:revision"]]);
    let matched = esa.route("GET", "/v1/teams/docs/posts").unwrap();
    assert_eq!(matched.organization(), OrganizationOf::Named("docs".into()));
    assert_eq!(esa.route("GET", "/v1/teams/docs/invitations").unwrap().endpoint.access, Access::Denied);
    let admin: PermissionSet = esa.number("admin:comment").into_iter().collect();
    assert_eq!(esa.with_implied(&admin).len(), 1);
    assert!(esa.number("read").is_none());
    let atlassian = catalogue("atlassian");
    assert_eq!(needs(&atlassian, "GET", "/admin/v1/orgs/7/events"), [["global:read:events:admin"]]);
    assert!(atlassian.route("GET", "/admin/control/v1/orgs/7/policies").is_err());
}

#[test]
fn titles_are_there_for_people() {
    for (name, document) in documents() {
        let both = ["esa", "octane", "atlassian"].contains(&name);
        let titles = document.permissions.iter().map(|permission| &permission.title);
        for title in titles.chain(document.roles.iter().map(|role| &role.title)) {
            assert!(title.en.is_some() && (!both || title.ja.is_some()), "{name} {title:?}");
        }
    }
}

#[test]
fn readers_only_read() {
    for (name, role) in
        [("github", "reader"), ("github", "organization-reader"), ("esa", "reader"), ("atlassian", "auditor")]
    {
        let catalogue = catalogue(name);
        let role = catalogue.roles().iter().find(|known| known.key == role).unwrap();
        let reads = catalogue.with_implied(&role.permissions);
        assert!(!reads.is_empty());
        assert!(reads.iter().all(|number| catalogue.permission(number).unwrap().level == Level::Read), "{name}");
    }
}
