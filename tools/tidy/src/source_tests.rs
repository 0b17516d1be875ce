//! What the reader must not be fooled by.

use super::*;

fn paths(text: &str) -> Vec<String> {
    Source::read(text).paths().iter().map(|path| path.parts.join("::")).collect()
}

#[test]
fn groups_are_taken_apart() {
    assert_eq!(
        paths("use crate::{db::{tokens, orgs as o}, http};"),
        ["use", "crate::db::tokens", "crate::db::orgs", "as", "o", "crate::http"]
            .map(|path| if matches!(path, "as" | "o") { format!("crate::db::{path}") } else { path.to_owned() })
    );
    assert_eq!(paths("a::b(c::D { e })"), ["a::b", "c::D", "e"]);
    assert_eq!(paths("Vec::<u8>::new()"), ["Vec", "u8"]);
}

#[test]
fn comments_and_strings_are_not_code() {
    let source = Source::read(
        "// crate::db\n/* a /* nested */\n tokio */ let x = \"sqlx::query\"; let y = r#\"a \"q\" b\"#; 'a' '\\'' 'life r#type",
    );
    let words: Vec<_> = source.tokens.iter().filter(|t| t.kind == Kind::Word).map(|t| t.text.as_str()).collect();
    assert_eq!(words, ["let", "x", "let", "y", "life", "r", "type"]);
    let literals: Vec<_> = source.literals().map(|t| t.text.as_str()).collect();
    assert_eq!(literals, ["sqlx::query", "a \"q\" b"]);
    assert_eq!(source.comments.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn lines_are_counted_through_strings() {
    let source = Source::read("\"a\\\n   b\nc\"\nend");
    assert_eq!(source.tokens[0].text, "ab\nc");
    assert_eq!(source.tokens[1].line, 4);
}

#[test]
fn tests_are_marked() {
    let source = Source::read("a; #[cfg(test)] #[x(y)] mod tests { fn f() { b } } c; #[cfg(test)] mod t; d");
    let outside: String = source.tokens.iter().filter(|t| !t.in_test).map(|t| t.text.as_str()).collect();
    assert_eq!(outside, "a;c;d");
}
