//! The borders, each crossed once.

use super::*;

fn found(rule: fn(&Tree) -> Vec<Finding>, file: &str, text: &str) -> usize {
    rule(&Tree::made_of(&[(file, text)])).len()
}

#[test]
fn an_empty_tree_breaks_nothing() {
    let tree = Tree::default();
    for rule in [core_is_pure, crates_depend_downwards, sql_stays_in_db, doors_do_not_touch_the_database] {
        assert_eq!(rule(&tree), []);
    }
    for rule in [nothing_imports_a_door, only_local_commands_open_the_database, secrets_are_hashed_in_authn_only] {
        assert_eq!(rule(&tree), []);
    }
}

#[test]
fn core_reads_no_clock_and_no_file() {
    let core = "crates/core/src/decide.rs";
    for text in [
        "fn f() { std::time::SystemTime::now(); }",
        "use std::time::Instant; fn f() { Instant::now(); }",
        "fn f() { jiff::Timestamp::now(); }",
        "async fn f() {}",
        "use std::{fs, fmt};",
        "use std::net::{IpAddr, TcpStream};",
        "fn f(b: &mut [u8]) { getrandom::fill(b); }",
        "fn f() { tokio::spawn(g()); }",
    ] {
        assert_eq!(found(core_is_pure, core, text), 1, "{text}");
    }
    let fine =
        "//! async, std::fs\nuse std::net::IpAddr; use std::time::Duration; #[cfg(test)] mod tests { use std::fs; }";
    assert_eq!(found(core_is_pure, core, fine), 0);
    assert_eq!(found(core_is_pure, "crates/core/src/decide/tests.rs", "use std::fs;"), 0);
    assert_eq!(found(core_is_pure, "crates/record/src/lib.rs", "use std::fs;"), 0);
}

#[test]
fn manifests_are_read_in_every_spelling() {
    let manifest = "[dependencies]\ntegata-core.workspace = true\nown = { package = \"tegata-record\", path = \"x\" }\nserde = \"1\"\n\
        [dev-dependencies]\ntokio = \"1\"\n[target.'cfg(unix)'.dependencies]\ngetrandom = \"1\"\n[dependencies.sqlx]\nversion = \"1\"\n";
    let lines = |file: &str| -> Vec<usize> {
        crates_depend_downwards(&Tree::made_of(&[(file, manifest)])).iter().map(|finding| finding.line).collect()
    };
    assert_eq!(lines("crates/core/Cargo.toml"), [2, 3, 8, 9]);
    assert_eq!(lines("crates/record/Cargo.toml"), [3, 9]);
    assert_eq!(lines("crates/server/Cargo.toml"), []);
}

#[test]
fn statements_are_known_from_sentences() {
    for text in [
        "SELECT 1",
        "\n  SELECT a\n FROM b",
        "INSERT INTO t (a) VALUES ($1)",
        "UPDATE t SET a = $1",
        "DELETE FROM t",
        "WITH x AS (SELECT 1)",
    ] {
        assert!(is_sql(text), "{text}");
    }
    for text in
        ["DELETE /v1/me", "UPDATE", "select one", "Select a role", "WITH CARE", "INSERT COIN", "", "BEGIN PRIVATE KEY"]
    {
        assert!(!is_sql(text), "{text}");
    }
}

#[test]
fn sql_outside_db_is_found() {
    let sql = "fn f() { run(\"SELECT 1\"); sqlx::query(x); }";
    assert_eq!(found(sql_stays_in_db, "crates/server/src/ops/a.rs", sql), 2);
    assert_eq!(found(sql_stays_in_db, "crates/server/src/db.rs", sql), 0);
    assert_eq!(found(sql_stays_in_db, "crates/server/src/db/tokens.rs", sql), 0);
    assert_eq!(found(sql_stays_in_db, "crates/server/src/ops/a.rs", "// sqlx::query, \"SELECT 1\"\n"), 0);
}

#[test]
fn doors_and_db_keep_apart() {
    let door = "crates/server/src/http/api/tokens.rs";
    for text in [
        "use crate::db;",
        "use crate::{ops, db::tokens};",
        "fn f() { crate::db::open(); }",
        "use super::super::super::db;",
    ] {
        assert_eq!(found(doors_do_not_touch_the_database, door, text), 1, "{text}");
    }
    for text in ["use crate::ops;", "// crate::db", "use super::db_names;", "use crate::dbx;"] {
        assert_eq!(found(doors_do_not_touch_the_database, door, text), 0, "{text}");
    }
    assert_eq!(found(doors_do_not_touch_the_database, "crates/server/src/ops/a.rs", "use crate::db;"), 0);
}

#[test]
fn doors_are_imported_by_nobody() {
    let text = "use crate::http::Page;";
    assert_eq!(found(nothing_imports_a_door, "crates/server/src/ops/a.rs", text), 1);
    assert_eq!(found(nothing_imports_a_door, "crates/server/src/verify.rs", "use super::http;"), 1);
    for file in ["http.rs", "http/api.rs", "cli/serve.rs", "main.rs", "serve.rs"] {
        assert_eq!(found(nothing_imports_a_door, &format!("crates/server/src/{file}"), text), 0, "{file}");
    }
    assert_eq!(found(nothing_imports_a_door, "crates/server/src/ops/a.rs", "use ::http::StatusCode;"), 0);
}

#[test]
fn only_local_commands_see_db() {
    let text = "use crate::db::Db;";
    for file in ["token.rs", "org/list.rs"] {
        assert_eq!(
            found(only_local_commands_open_the_database, &format!("crates/server/src/cli/{file}"), text),
            1,
            "{file}"
        );
    }
    for file in ["serve.rs", "copy/tables.rs", "doctor.rs"] {
        assert_eq!(
            found(only_local_commands_open_the_database, &format!("crates/server/src/cli/{file}"), text),
            0,
            "{file}"
        );
    }
}

#[test]
fn hashing_has_one_room() {
    let text = "use hmac::{Hmac, Mac};";
    assert_eq!(found(secrets_are_hashed_in_authn_only, "crates/server/src/ops/a.rs", text), 2);
    assert_eq!(found(secrets_are_hashed_in_authn_only, "crates/core/src/a.rs", "use argon2::Argon2;"), 1);
    assert_eq!(found(secrets_are_hashed_in_authn_only, "crates/server/src/authn/digest.rs", text), 0);
}
