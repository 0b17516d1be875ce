//! `docs/seeds.md` names tests; they exist.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The words between backticks that name a test or a walk, each with its line.
fn names(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in page.lines().enumerate() {
        for word in line.split('`').skip(1).step_by(2) {
            let test = ["it::", "core::", "record::", "catalogues::", "authn::"];
            let is_test = test.iter().any(|start| word.starts_with(start)) && !word.contains(['…', '<']);
            if is_test || word.starts_with("examples/") {
                found.push((number + 1, word.to_owned()));
            }
        }
    }
    found
}

/// The file in which a test has to be, and the name of its function.
fn place(name: &str) -> (PathBuf, &str) {
    let (path, function) = name.rsplit_once("::").unwrap();
    let mut parts = path.split("::");
    let folder = match parts.next().unwrap() {
        "it" => "crates/server/tests/it",
        "core" => "crates/core/src",
        "record" => "crates/record/tests/it",
        "catalogues" => "tools/catalogues/tests",
        _ => "crates/server/src/authn",
    };
    let mut file = root().join(folder);
    file.extend(parts);
    (file.with_extension("rs"), function)
}

#[test]
fn every_name_on_the_page_is_there() {
    let page = std::fs::read_to_string(root().join("docs/seeds.md")).unwrap();
    let names = names(&page);
    assert!(names.len() > 80, "only {} names were found on the page", names.len());
    let missing: Vec<_> = names
        .iter()
        .filter(|(_, name)| {
            if name.starts_with("examples/") {
                return !root().join(name).is_file();
            }
            let (file, function) = place(name);
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            !text.contains(&format!("fn {function}("))
        })
        .collect();
    assert!(missing.is_empty(), "docs/seeds.md names what is not there (line, name): {missing:?}");
}
