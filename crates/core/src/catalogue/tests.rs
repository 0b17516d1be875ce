//! Tests of the catalogue as a whole, by subject.

mod checks;
mod compiled;
mod diffs;
mod documents;
mod openapi;
mod paths;
mod routing;

use super::{Catalogue, Document, Format, Problems, parse};

/// A small catalogue with everything in it.
const SMALL: &str = r#"
api: github
title: {en: GitHub REST API, ja: GitHub REST API}
version: "2026-03-10"
context_types:
  - {name: repository, parent: global, case_sensitive: false}
  - {name: environment, parent: repository, unregistered: parent}
permissions:
  - {name: "issues:read", level: read, contexts: [global, repository], title: {en: Read issues, ja: 課題の閲覧}}
  - {name: "issues:write", contexts: [global, repository], implies: ["issues:read"]}
  - {name: "pull_requests:read", level: read, contexts: [global, repository]}
  - {name: "members:read", level: read}
  - {name: "administration:admin", level: admin, contexts: [repository], implies: ["issues:write"], risk: high}
roles:
  - {key: reader, context_type: repository, permissions: ["issues:read", "pull_requests:read"]}
  - {key: empty}
endpoints:
  - {method: GET, path: "/repos/{owner}/{repo}/issues", any_of: [["issues:read"], ["pull_requests:read"]],
     context: "repository:key:{owner}/{repo}", organization: "{owner}"}
  - {method: POST, path: "/repos/{owner}/{repo}/issues", permission: "issues:write",
     context: "repository:key:{owner}/{repo}", organization: "{owner}"}
  - {method: PUT, path: "/orgs/{org}/repos/{owner}/{repo}",
     all_of: ["members:read", {permission: "administration:admin", context: "repository:key:{owner}/{repo}"}], organization: "{org}"}
  - {method: GET, path: /user, access: authenticated_only, organization: none}
  - {method: DELETE, path: /user, access: unscoped_only}
  - {method: GET, path: /nothing, flags: [no_permission_listed]}
  - {method: POST, path: "/deploy/{repository}/{environment}", permission: "issues:write", context: "environment:{environment}"}
"#;

fn document(yaml: &str) -> Document {
    parse(yaml, Format::Yaml).unwrap_or_else(|problems| panic!("{problems}"))
}

fn catalogue(yaml: &str) -> Catalogue {
    Catalogue::compile(&document(yaml), &[]).unwrap()
}

/// A catalogue of nothing but open endpoints with these methods and paths.
fn open(calls: &[(&str, &str)]) -> Result<Catalogue, Problems> {
    let endpoints = calls.iter().map(|(method, path)| super::EndpointEntry {
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        access: Some(super::AccessEntry::AuthenticatedOnly),
        ..super::EndpointEntry::default()
    });
    let document = Document { api: "test".to_owned(), endpoints: endpoints.collect(), ..Document::default() };
    Catalogue::compile(&document, &[])
}

/// The problems of a document, each as `place code`.
fn faults(yaml: &str) -> Vec<String> {
    let problems = parse(yaml, Format::Yaml).expect_err("a document with problems");
    problems.list().iter().map(|problem| format!("{} {}", problem.at, problem.fault.code())).collect()
}
