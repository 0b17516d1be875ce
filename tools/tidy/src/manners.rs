//! Small manners of the code.

use crate::source::{Kind, Token};
use crate::{Finding, Source, Tree};

/// No `todo!`, `unimplemented!` or `dbg!`.
pub fn nothing_unfinished_is_left(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources("") {
        for pair in source.tokens.windows(2) {
            let unfinished = matches!(pair[0].text.as_str(), "todo" | "unimplemented" | "dbg");
            if pair[0].kind == Kind::Word && unfinished && pair[1].kind == Kind::Mark && pair[1].text == "!" {
                findings.push(Finding::new(file, pair[0].line, format!("`{}!` is left over", pair[0].text)));
            }
        }
    }
    findings
}

/// An exception from a lint says why it is one.
pub fn lint_exceptions_give_a_reason(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources("") {
        for attribute in attributes(&source) {
            let says = |word: &str| attribute.iter().any(|token| token.kind == Kind::Word && token.text == word);
            let lint =
                attribute.first().is_some_and(|first| matches!(first.text.as_str(), "allow" | "expect" | "cfg_attr"));
            if lint && (says("allow") || says("expect")) && !says("reason") {
                let rule = "a lint exception without a reason: `#[expect(…, reason = \"…\")]`";
                findings.push(Finding::new(file, attribute[0].line, rule));
            }
        }
    }
    findings
}

/// `unsafe` stands in one crate, which is small enough to be read in one go.
pub fn unsafe_has_one_room(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources("").filter(|(file, _)| !file.starts_with("crates/mapped/")) {
        for token in &source.tokens {
            if token.kind == Kind::Word && token.text == "unsafe" {
                findings.push(Finding::new(file, token.line, "`unsafe` stands in crates/mapped only"));
            }
        }
    }
    findings
}

/// The tokens between the brackets of each `#[…]` and `#![…]`.
fn attributes(source: &Source) -> Vec<&[Token]> {
    let tokens = &source.tokens;
    let mark =
        |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.kind == Kind::Mark && token.text == text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let open = at + 1 + usize::from(mark(at + 1, "!"));
        if !mark(at, "#") || !mark(open, "[") {
            continue;
        }
        let mut depth = 0_usize;
        let end = (open..tokens.len()).find(|&end| {
            depth += usize::from(mark(end, "["));
            depth -= usize::from(mark(end, "]"));
            depth == 0
        });
        found.push(&tokens[open + 1..end.unwrap_or(tokens.len())]);
    }
    found
}

/// A module is `name.rs` beside `name/`; only integration tests need `mod.rs` to share code.
pub fn no_mod_rs(tree: &Tree) -> Vec<Finding> {
    let misplaced = tree.under("", "/mod.rs").filter(|(file, _)| !file.split('/').any(|part| part == "tests"));
    misplaced.map(|(file, _)| Finding::new(file, 0, "modules are name.rs beside name/, not name/mod.rs")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Finding>, text: &str) -> Vec<usize> {
        rule(&Tree::made_of(&[("a.rs", text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn leftovers_are_found_in_code_only() {
        let text = "fn a() { todo!() }\n// todo!()\nfn b() { \"dbg!(x)\"; dbg!(x) }\nfn todo() { let dbg = !x; }";
        assert_eq!(lines(nothing_unfinished_is_left, text), [1, 3]);
    }

    #[test]
    fn exceptions_without_a_reason_are_found() {
        let text = "#![allow(a)]\n#[expect(a, reason = \"b\")]\n#[cfg_attr(test, allow(a))]\n#[expect(\na)]\n#[derive(A)]\n\
            // #[allow(a)]\n#[cfg_attr(test, derive(A))]\nfn f() { x.expect(\"y\"); }";
        assert_eq!(lines(lint_exceptions_give_a_reason, text), [1, 3, 4]);
    }

    #[test]
    fn unsafe_outside_its_room_is_found() {
        let text = "unsafe { a() }";
        let files = [("crates/mapped/src/lib.rs", text), ("crates/record/src/lib.rs", text)];
        assert_eq!(unsafe_has_one_room(&Tree::made_of(&files)).len(), 1);
        assert_eq!(lines(unsafe_has_one_room, "// unsafe\nfn a() { \"unsafe\" }\n#![forbid(unsafe_code)]"), []);
    }

    #[test]
    fn mod_files_are_for_tests() {
        let tree = Tree::made_of(&[("a/src/b/mod.rs", ""), ("a/tests/it/mod.rs", ""), ("a/src/model.rs", "")]);
        assert_eq!(no_mod_rs(&tree).len(), 1);
    }
}
