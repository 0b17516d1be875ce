//! Who may import whom, and what may be handled where (ARCHITECTURE.md tells why).

use crate::source::NamedPath;
use crate::tree::is_test_file;
use crate::{Finding, Tree};

const SERVER: &str = "crates/server/src/";

/// Commands that work on the data themselves; all others are clients of the HTTP interface.
const LOCAL_COMMANDS: &[&str] = &["serve", "init", "backup", "restore", "copy", "doctor"];

/// `crates/core` is a function of its arguments: no clock, no randomness, no I/O, no async.
pub fn core_is_pure(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources("crates/core/src/").filter(|(file, _)| !is_test_file(file)) {
        for path in source.paths().iter().filter(|path| !path.in_test) {
            if let Some(what) = impurity(path) {
                let name = path.parts.join("::");
                findings.push(Finding::new(
                    file,
                    path.line,
                    format!("`{name}`: crates/core is pure, it has no {what}; pass the value in"),
                ));
            }
        }
    }
    findings
}

fn impurity(path: &NamedPath) -> Option<&'static str> {
    let any = |names: &[&str]| path.parts.iter().any(|part| names.contains(&part.as_str()));
    let ends = |endings: &[[&str; 2]]| endings.iter().any(|ending| path.ends(ending));
    let begins = |starts: &[&[&str]]| starts.iter().any(|start| path.begins(start));
    // Addresses of `std::net` are values and may be used; its sockets may not.
    let sockets = ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "ToSocketAddrs"];
    if any(&["async", "await", "tokio", "futures"]) {
        Some("async")
    } else if ends(&[["SystemTime", "now"], ["Instant", "now"], ["Timestamp", "now"], ["Zoned", "now"]]) {
        Some("clock")
    } else if ends(&[["Uuid", "now_v7"], ["Uuid", "new_v4"]])
        || any(&["getrandom", "OsRng", "thread_rng"])
        || begins(&[&["rand"]])
    {
        Some("randomness")
    } else if any(&sockets) || begins(&[&["std", "fs"], &["std", "env"], &["std", "process"], &["fs"]]) {
        Some("I/O")
    } else {
        None
    }
}

/// `core` and `mapped` depend on no other crate of ours, `record` at most on those two, and none on what is not theirs.
pub fn crates_depend_downwards(tree: &Tree) -> Vec<Finding> {
    let rules: [(&str, &[&str], &[&str]); 3] = [
        ("crates/core/Cargo.toml", &[], &["tokio", "getrandom", "rand", "sqlx", "hyper", "axum", "reqwest"]),
        ("crates/mapped/Cargo.toml", &[], &["tokio", "sqlx", "hyper", "axum", "reqwest"]),
        ("crates/record/Cargo.toml", &["tegata-core", "tegata-mapped"], &["sqlx", "hyper", "axum", "reqwest"]),
    ];
    let mut findings = Vec::new();
    for (file, ours, foreign) in rules {
        for (line, section, name) in dependencies(tree.text(file).unwrap_or_default()) {
            let unwanted_ours = name.starts_with("tegata") && !ours.contains(&name.as_str());
            if unwanted_ours || (section != "dev-dependencies" && foreign.contains(&name.as_str())) {
                findings.push(Finding::new(file, line, format!("this crate may not depend on {name}")));
            }
        }
    }
    findings
}

/// Line, section and package of each dependency in a manifest.
fn dependencies(manifest: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut section = String::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            // `[target.'cfg(unix)'.dependencies]` counts as `dependencies`; `[dependencies.x]` names x at once.
            let header = header.trim_end_matches(']');
            let kind = ["dev-dependencies", "build-dependencies", "dependencies"]
                .into_iter()
                .find(|kind| header.contains(kind));
            kind.unwrap_or_default().clone_into(&mut section);
            if let Some((_, name)) = kind.and_then(|kind| header.split_once(&format!("{kind}."))) {
                found.push((index + 1, section.clone(), name.to_owned()));
                section.clear();
            }
        } else if let (false, Some((key, value))) = (section.is_empty() || line.starts_with('#'), line.split_once('='))
        {
            let renamed = value.split_once("package").and_then(|(_, rest)| rest.split('"').nth(1));
            let name = renamed.unwrap_or_else(|| key.split('.').next().unwrap_or(key).trim());
            found.push((index + 1, section.clone(), name.to_owned()));
        }
    }
    found
}

/// SQL, and the library that runs it, are met in `db` alone.
pub fn sql_stays_in_db(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources(SERVER).filter(|(file, _)| room(file) != "db") {
        for literal in source.literals().filter(|literal| is_sql(&literal.text)) {
            let start: String = literal.text.trim().chars().take(30).collect();
            findings.push(Finding::new(
                file,
                literal.line,
                format!("SQL outside db: `{start}…`; give db a function for it"),
            ));
        }
        for path in source.paths().iter().filter(|path| path.begins(&["sqlx"]) && path.parts.len() > 1) {
            findings.push(Finding::new(file, path.line, "`sqlx` outside db; give db a function for it"));
        }
    }
    findings
}

/// Whether a text begins like a statement. Not every capital word does: `DELETE /v1/…` is a request.
pub fn is_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    match first {
        "SELECT" => !second.is_empty(),
        "INSERT" => matches!(second, "INTO" | "OR"),
        "DELETE" => second == "FROM",
        "UPDATE" => words.next() == Some("SET"),
        "WITH" => second == "RECURSIVE" || words.next() == Some("AS"),
        "CREATE" | "ALTER" | "DROP" => {
            matches!(second, "TABLE" | "INDEX" | "UNIQUE" | "VIEW" | "TRIGGER")
        }
        "BEGIN" => matches!(second, "" | "IMMEDIATE" | "EXCLUSIVE" | "TRANSACTION"),
        "PRAGMA" => true,
        _ => false,
    }
}

/// Doors parse, call an operation and render; they never see the database.
pub fn doors_do_not_touch_the_database(tree: &Tree) -> Vec<Finding> {
    naming(tree, "db", |file| room(file) == "http", "a door never imports db; call an operation")
}

/// Nothing depends on a door, so that doors can come and go; `serve` opens them.
pub fn nothing_imports_a_door(tree: &Tree) -> Vec<Finding> {
    let outside = |file: &str| !matches!(room(file), "http" | "cli" | "main" | "serve");
    naming(tree, "http", outside, "nothing imports a door; move what is shared into the room it belongs to")
}

/// Commands that only talk to a server have no business in its database.
pub fn only_local_commands_open_the_database(tree: &Tree) -> Vec<Finding> {
    let client = |file: &str| room(file) == "cli" && !LOCAL_COMMANDS.contains(&room_at(file, 1));
    naming(tree, "db", client, "a command other than the local ones is a client of the HTTP interface")
}

/// Keyed digests and password hashes are made in `authn` alone.
pub fn secrets_are_hashed_in_authn_only(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources("crates/").filter(|(file, _)| !is_test_file(file)) {
        if file.starts_with(SERVER) && room(file) == "authn" {
            continue;
        }
        for path in source.paths().iter().filter(|path| !path.in_test) {
            let hashes = |part: &String| matches!(part.as_str(), "hmac" | "Hmac" | "argon2" | "Argon2");
            if path.parts.iter().any(hashes) {
                let name = path.parts.join("::");
                findings.push(Finding::new(
                    file,
                    path.line,
                    format!("`{name}`: secrets are hashed in crates/server/src/authn only"),
                ));
            }
        }
    }
    findings
}

/// Places in the chosen files of the server that name `crate::<module>`, however the `use` is written.
fn naming(tree: &Tree, module: &str, chosen: impl Fn(&str) -> bool, why: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources(SERVER).filter(|(file, _)| chosen(file)) {
        let depth = depth(file);
        for path in source.paths() {
            let ups = path.parts.iter().take_while(|part| *part == "super").count();
            let from_root = path.begins(&["crate"]) || (depth > 0 && ups >= depth);
            let first = path.parts.get(ups.max(1)).map(String::as_str);
            if from_root && first == Some(module) {
                findings.push(Finding::new(file, path.line, format!("`{}`: {why}", path.parts.join("::"))));
            }
        }
    }
    findings
}

/// The room of the server a file is in: `http` for `http.rs` and all of `http/`.
fn room(file: &str) -> &str {
    room_at(file, 0)
}

fn room_at(file: &str, level: usize) -> &str {
    let inside = file.strip_prefix(SERVER).unwrap_or_default();
    inside.split('/').nth(level).unwrap_or_default().trim_end_matches(".rs")
}

/// How many `super::` lead from a file's module to the root of the crate.
fn depth(file: &str) -> usize {
    let inside = file.strip_prefix(SERVER).unwrap_or_default();
    let parts = inside.split('/').count();
    if inside == "lib.rs" || inside == "main.rs" { 0 } else { parts - usize::from(inside.ends_with("/mod.rs")) }
}

#[cfg(test)]
#[path = "borders_tests.rs"]
mod tests;
