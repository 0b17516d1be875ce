//! Prose that agrees with the tree.

use crate::{Finding, Tree};

/// Links between files of the repository lead somewhere.
pub fn links_resolve(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in tree.under("", ".md") {
        for (line, target) in links(text) {
            let path = target.split(['#', '?']).next().unwrap_or_default().replace("%20", " ");
            let elsewhere = target.contains("://") || target.starts_with("mailto:") || path.is_empty();
            if !elsewhere && !resolve(file, &path).is_some_and(|resolved| tree.exists(&resolved)) {
                findings.push(Finding::new(file, line, format!("the link to `{target}` leads nowhere")));
            }
        }
    }
    findings
}

/// Targets of `[text](target)`, `![text](target)` and `[label]: target`, outside code.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark)) {
            fence = match fence {
                None => Some(mark),
                Some(open) if open == mark => None,
                open => open,
            };
            continue;
        }
        if fence.is_some() || line.starts_with("    ") && !trimmed.starts_with(['-', '*', '[']) {
            continue;
        }
        // Every second piece between backticks is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        if let Some((_, target)) = prose.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            found.push((index + 1, first_word(target)));
        }
        for rest in prose.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                found.push((index + 1, first_word(target)));
            }
        }
    }
    found
}

/// Without a title behind it, and without `<…>` around it.
fn first_word(target: &str) -> String {
    let target = target.trim();
    match target.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((inside, _)) => inside.to_owned(),
        None => target.split_whitespace().next().unwrap_or_default().to_owned(),
    }
}

/// A path written in `file`, from the root; none when it leaves the repository.
fn resolve(file: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    if !path.starts_with('/') {
        parts.extend(file.split('/'));
        parts.pop();
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// ARCHITECTURE.md names every crate, tool and room of the server, and no crate or tool that is not there.
pub fn architecture_agrees(tree: &Tree) -> Vec<Finding> {
    let page = "ARCHITECTURE.md";
    let Some(text) = tree.text(page) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for prefix in ["crates/", "tools/", "crates/server/src/"] {
        for name in tree.directories(prefix) {
            let written = [format!("{prefix}{name}"), format!("{name}/"), format!("`{name}`")];
            if !written.iter().any(|form| mentions(text, form)) {
                findings.push(Finding::new(page, 0, format!("does not name the directory {prefix}{name}")));
            }
        }
    }
    for (index, line) in text.lines().enumerate() {
        for word in line.split(|c: char| !c.is_alphanumeric() && !"/_-.*{}<>".contains(c)) {
            let word = word.trim_end_matches(['.', '/']);
            let ours = word.starts_with("crates/") || word.starts_with("tools/");
            if ours && !word.contains(['*', '{', '<']) && !tree.exists(word) {
                findings.push(Finding::new(page, index + 1, format!("names {word}, which is not there")));
            }
        }
    }
    findings
}

/// Whether a form occurs as a word of its own: `db/` is not in `mydb/`, nor `crates/core` in `crates/core2`.
fn mentions(text: &str, form: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(form).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + form.len()..].chars().next();
        let runs_on = form.ends_with(inner) && after.is_some_and(inner);
        !runs_on && !before.is_some_and(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found() {
        let page = "[a](b.md) [c](../d.md#e) [f](https://x/y) [g](#h) `[i](no.md)` ![j](/docs/k.png)\n\
            ```\n[l](no.md)\n```\n[m](no.md \"title\")\n[n]: gone.md\n[o](../../out.md)\n[p](<q r.md>)";
        let tree = Tree::made_of(&[
            ("docs/page.md", page),
            ("docs/b.md", ""),
            ("d.md", ""),
            ("docs/k.png", ""),
            ("docs/q r.md", ""),
        ]);
        let lines: Vec<_> = links_resolve(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [5, 6, 7]);
    }

    #[test]
    fn the_map_agrees_with_the_land() {
        let files = [
            ("crates/core/a.rs", ""),
            ("crates/server/src/db/a.rs", ""),
            ("crates/server/src/ops/a.rs", ""),
            ("tools/tidy/a.rs", ""),
        ];
        let with = |text: &'static str| {
            let all: Vec<_> = files.into_iter().chain([("ARCHITECTURE.md", text)]).collect();
            architecture_agrees(&Tree::made_of(&all)).into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
        };
        assert_eq!(
            with("crates/core, crates/server (db/, `ops`), `tools/tidy`. See crates/* and crates/<name>."),
            [] as [&str; 0]
        );
        assert_eq!(
            with("crates/core2 crates/server mydb/ ops/ tidy/"),
            [
                "does not name the directory crates/core",
                "does not name the directory crates/server/src/db",
                "names crates/core2, which is not there"
            ]
        );
        assert_eq!(architecture_agrees(&Tree::made_of(&files)), []);
    }
}
