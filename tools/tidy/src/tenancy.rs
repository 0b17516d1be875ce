//! No query without the organization.
//!
//! A table is a tenant's when the migrations give it the column `org_id`; every other table is named in a list below.
//! A statement that touches a tenant's table names the column too, or stands under a comment `// tenant: …`
//! that says why it may do without. It is a rule of thumb over the text of each literal; the tests that let one
//! organization's administrator knock at another's routes are the proof.

use std::collections::BTreeSet;

use crate::borders::is_sql;
use crate::tree::is_test_file;
use crate::{Finding, Tree};

const TENANT_COLUMN: &str = "org_id";

const THIS_FILE: &str = "tools/tidy/src/tenancy.rs";

/// How many lines above a statement its comment may end.
const COMMENT_LINES: usize = 3;

/// Tables that belong to the installation rather than to one organization.
const SHARED_TABLES: &[&str] = &[
    // Housekeeping. The feed names the organization a change concerns, and its followers read all of it.
    "installation",
    "head",
    "hash_keys",
    "feed",
    "idempotency",
    // The organizations themselves, and users, who are global; memberships are not.
    "orgs",
    "users",
    "sessions",
    // The publisher's APIs and whoever asks about them.
    "apis",
    "api_permissions",
    "verifiers",
    "verifier_apis",
    // Looked up by digest before anything else is known.
    "secrets",
    // How keys are recognized of which nobody knows yet whose they are.
    "import_profiles",
    // Written behind, for all limits at once; the organization is a part of the subject.
    "limit_usage",
    // Of an account, which is in several organizations; and of a credential, which may have a part in several.
    "user_preferences",
    "expiry_warnings",
];

/// Tables of what a person owns and several organizations may see a part of: there the owner may stand for the
/// organization. The second is the first while migration 6 builds it anew.
const OWNED_TABLES: &[&str] = &["tokens", "tokens_new"];
const OWNER_COLUMN: &str = "owner_id";

/// Every table of the migrations either has the column or is listed here, and nothing else is listed.
pub fn every_table_is_a_tenants_or_shared(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tenant = tenant_tables(tree);
    let mut unseen: BTreeSet<&str> = SHARED_TABLES.iter().chain(OWNED_TABLES).copied().collect();
    let mut any = false;
    for (file, text) in migrations(tree) {
        for (line, table) in words_with_lines(text).windows(6).filter_map(created_table) {
            any = true;
            let listed = SHARED_TABLES.contains(&table.as_str());
            unseen.remove(table.as_str());
            if !tenant.contains(&table) && !listed {
                let rule = format!("table {table} has no {TENANT_COLUMN}: add it, or list the table in {THIS_FILE}");
                findings.push(Finding::new(file, line, rule));
            }
        }
    }
    if any {
        let gone = unseen.into_iter();
        findings
            .extend(gone.map(|table| Finding::new(THIS_FILE, 0, format!("lists {table}, which no migration makes"))));
    }
    findings
}

/// Statements on a tenant's table name the organization or say why not.
pub fn tenant_statements_name_the_organization(tree: &Tree) -> Vec<Finding> {
    let tenant = tenant_tables(tree);
    let mut findings = Vec::new();
    for (file, source) in tree.sources("crates/server/src/db").filter(|(file, _)| !is_test_file(file)) {
        for literal in source.literals().filter(|literal| is_sql(&literal.text)) {
            let Some(table) = touched(&literal.text).into_iter().find(|table| tenant.contains(table)) else {
                continue;
            };
            let last = literal.line + literal.text.lines().count();
            let near = literal.line.saturating_sub(COMMENT_LINES)..=last;
            let explained = source.comments.iter().any(|(line, text)| near.contains(line) && text.contains("tenant:"));
            let owned = OWNED_TABLES.contains(&table.as_str());
            let names = |word: &String| word == TENANT_COLUMN || (owned && word == OWNER_COLUMN);
            let scoped = words(&literal.text).iter().any(names);
            if !scoped && !explained {
                let rule = format!(
                    "a statement on {table} without {TENANT_COLUMN}: name it, or say why not in a comment `// tenant: …` above"
                );
                findings.push(Finding::new(file, literal.line, rule));
            }
        }
    }
    findings
}

fn migrations(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.under("crates/server/", ".sql")
}

/// Tables that get the column where they are made, or later by ALTER TABLE; and the owned ones.
fn tenant_tables(tree: &Tree) -> BTreeSet<String> {
    let mut tables: BTreeSet<String> = OWNED_TABLES.iter().map(|table| (*table).to_owned()).collect();
    for (_, text) in migrations(tree) {
        let text = without_comments(text);
        for statement in text.split(';') {
            let all = words(statement);
            let Some(at) = all.iter().position(|word| word.eq_ignore_ascii_case("table")) else {
                continue;
            };
            let name = all[at + 1..].iter().find(|word| !is_filler(word));
            if let (true, Some(name)) = (all.iter().any(|word| word == TENANT_COLUMN), name) {
                tables.insert(name.clone());
            }
        }
    }
    tables.retain(|table| !SHARED_TABLES.contains(&table.as_str()));
    tables
}

fn created_table(window: &[(usize, String)]) -> Option<(usize, String)> {
    let is = |at: usize, text: &str| window[at].1.eq_ignore_ascii_case(text);
    if !is(0, "create") || !is(1, "table") {
        return None;
    }
    window[2..].iter().find(|(_, word)| !is_filler(word)).cloned()
}

fn is_filler(word: &str) -> bool {
    ["if", "not", "exists", "only"].iter().any(|filler| word.eq_ignore_ascii_case(filler))
}

/// Tables after FROM, JOIN, INTO and UPDATE.
fn touched(statement: &str) -> Vec<String> {
    let all = words(statement);
    let mut tables = Vec::new();
    for pair in all.windows(2) {
        if matches!(pair[0].as_str(), "FROM" | "JOIN" | "INTO" | "UPDATE") && pair[1] != "SET" {
            tables.push(pair[1].clone());
        }
    }
    tables
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn words_with_lines(text: &str) -> Vec<(usize, String)> {
    let text = without_comments(text);
    let mut all: Vec<_> = text
        .lines()
        .enumerate()
        .flat_map(|(index, line)| words(line).into_iter().map(move |word| (index + 1, word)))
        .collect();
    // So that windows reach the end of a short text.
    all.extend(std::iter::repeat_n((0, String::new()), 6));
    all
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "-- CREATE TABLE no (x)\nCREATE TABLE grants (\n  id TEXT,\n  org_id TEXT\n);\nCREATE TABLE IF NOT EXISTS users (id TEXT);\n\
        CREATE TABLE strays (id TEXT); CREATE TABLE late (id TEXT); ALTER TABLE late ADD COLUMN org_id TEXT;";

    #[test]
    fn tables_are_sorted() {
        let tree = Tree::made_of(&[("crates/server/migrations/1.sql", SCHEMA)]);
        assert_eq!(tenant_tables(&tree).into_iter().collect::<Vec<_>>(), ["grants", "late", "tokens", "tokens_new"]);
        let findings = every_table_is_a_tenants_or_shared(&tree);
        let strays: Vec<_> = findings.iter().filter(|finding| finding.line > 0).collect();
        assert_eq!(strays.len(), 1);
        assert!(strays[0].line == 7 && strays[0].rule.contains("strays"), "{strays:?}");
        assert!(findings.iter().any(|finding| finding.rule.contains("lists orgs,")), "{findings:?}");
        assert_eq!(every_table_is_a_tenants_or_shared(&Tree::default()), []);
    }

    #[test]
    fn statements_without_the_organization_are_found() {
        let code = "fn a() { q(\"SELECT id FROM grants WHERE id = $1\"); }\n\
            fn b() { q(\"SELECT id FROM grants WHERE org_id = $1\"); }\n\
            fn c() { q(\"SELECT id FROM users\"); q(\"SELECT id FROM tokens WHERE owner_id = $1\") }\n\
            \n\
            // tenant: a look-up by digest, which is unique over all organizations\n\
            fn d() { q(\"UPDATE tokens SET a = $1\"); }\n\n\n\n\
            fn e() { q(\"SELECT 1 FROM users JOIN late ON 1 = 1\"); }\n\
            #[cfg(test)] mod tests { fn f() { q(\"DELETE FROM grants\"); } }";
        let tree =
            Tree::made_of(&[("crates/server/migrations/1.sql", SCHEMA), ("crates/server/src/db/tokens.rs", code)]);
        let lines: Vec<_> = tenant_statements_name_the_organization(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [1, 10]);
    }

    #[test]
    fn a_locking_clause_is_no_table() {
        assert_eq!(touched("SELECT a FROM t WHERE b FOR UPDATE"), ["t"]);
        assert_eq!(touched("INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET b = 1"), ["t"]);
    }
}
