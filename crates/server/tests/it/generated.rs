//! Files that are made out of the code and checked in. Each test fails when its file is not current; with
//! `TEGATA_BLESS=1` it writes the file instead. `scripts/gen` runs them.

use crate::support::{Database, Server};
use std::fmt::Write as _;
use std::path::PathBuf;
use tegata_core::operations::{Guard, OPERATIONS, Operation};
use tegata_core::permissions::{OWN_PERMISSIONS, Reach, Risk};

/// Whether files are to be written rather than compared.
pub fn blessing() -> bool {
    std::env::var_os("TEGATA_BLESS").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Compares a file of the repository with what it should be, or writes it.
#[track_caller]
pub fn current(path: &str, text: &str) {
    let file = PathBuf::from(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR")));
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == text {
        return;
    }
    if blessing() {
        std::fs::write(&file, text).unwrap();
        return;
    }
    panic!(
        "{path} is not current:\n{}\nLook at the difference; if it is meant, run scripts/gen.",
        difference(&found, text)
    );
}

/// The lines that only one of two texts has, with a mark: enough for tables, where order hardly changes.
fn difference(found: &str, expected: &str) -> String {
    let only = |mark: char, these: &str, others: &str| {
        let others: std::collections::HashSet<&str> = others.lines().collect();
        these.lines().filter(|line| !others.contains(line)).take(40).fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{mark} {line}");
            text
        })
    };
    format!("{}{}", only('-', found, expected), only('+', expected, found))
}

/// A table in Markdown whose columns stand in line.
pub fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]).chain([&head[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", padded.collect::<String>())
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    [head, &rule].into_iter().chain(rows.iter().map(Vec::as_slice)).map(line).collect()
}

/// One row or head of a table.
pub fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn who(operation: &Operation) -> String {
    match operation.guard {
        Guard::Public => "anybody".to_owned(),
        Guard::Verifier => "a verifier, with its own credential".to_owned(),
        Guard::SignedIn => match operation.scope {
            None => "whoever is signed in".to_owned(),
            Some(scope) => format!("whoever is signed in; a token needs `{scope}`"),
        },
        Guard::Publisher(name) => format!("`{name}` at the publisher"),
        Guard::Organization(name) => format!("`{name}` in the organization"),
        Guard::Context(name) => format!("`{name}` in the context"),
        Guard::Application => "an application, with its own token".to_owned(),
        Guard::Holder => "whoever shows the credential that it is about, or its owner in person".to_owned(),
        Guard::Provisioning(name) => format!("an organization key with `{name}`"),
    }
}

fn permissions_page() -> String {
    let permissions: Vec<_> = OWN_PERMISSIONS
        .iter()
        .map(|permission| {
            let reach = match permission.reach {
                Reach::Organization => "organization, or a context of it",
                Reach::Publisher => "publisher",
            };
            let risk = match permission.risk {
                Risk::Low => "low",
                Risk::Medium => "medium",
                Risk::High => "high",
            };
            let name = format!("`{}`", permission.name);
            row(&[&name, permission.level.as_str(), reach, risk, permission.en, permission.ja])
        })
        .collect();
    let operations: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| {
            let call = format!("`{} {}`", operation.method, operation.path);
            row(&[&format!("`{}`", operation.id), &call, &who(operation), operation.summary])
        })
        .collect();
    format!(
        "# Permissions and operations of Tegata's own API\n\n\
         Made by `scripts/gen` from the two tables in `crates/core`; do not edit. \
         [permissions-matrix.md](permissions-matrix.md) shows which roles pass which operation.\n\n\
         ## Permissions\n\n{}\n## Operations\n\n{}",
        table(
            &row(&["permission", "level", "where it counts", "risk", "what it allows", "許可される操作"]),
            &permissions
        ),
        table(&row(&["operation", "call", "who", "what it does"]), &operations),
    )
}

#[test]
fn the_page_of_permissions_is_current() {
    current("docs/permissions.md", &permissions_page());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openapi_document_is_current() {
    let server = Server::start(Database::Sqlite).await;
    let reply = server.anybody().get("/openapi.json").await;
    let text = serde_json::to_string_pretty(reply.status(200)).unwrap();
    current("docs/openapi.json", &format!("{text}\n"));
}

#[test]
fn differences_are_readable() {
    assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "- b\n+ B\n");
}
