//! The files of the repository, as Git sees them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Source;

/// Files copied from elsewhere, to which our rules do not apply.
const THIRD_PARTY: &[&str] = &["catalogues/sources/"];

/// Kinds of files whose text the rules read.
const TEXT: &[&str] = &["rs", "md", "toml", "sql"];

/// Paths from the root with `/` between the parts; texts where a rule may want them.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The repository that this crate stands in.
    ///
    /// # Panics
    /// When the root cannot be read.
    pub fn of_this_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().expect("the root of the repository");
        let paths = listed_by_git(&root).unwrap_or_else(|| walked(&root));
        let mut tree = Self::default();
        for path in paths {
            let full = root.join(&path);
            // Listed and yet absent: deleted, and not yet committed.
            if full.is_file() && !THIRD_PARTY.iter().any(|prefix| path.starts_with(prefix)) {
                let wanted = full.extension().is_some_and(|kind| TEXT.iter().any(|text| kind == *text));
                let text = if wanted { std::fs::read_to_string(&full).unwrap_or_default() } else { String::new() };
                tree.files.insert(path, text);
            }
        }
        tree
    }

    /// A tree made up for a test.
    pub fn made_of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Files under a prefix, with an ending such as `.rs`.
    pub fn under<'a>(&'a self, prefix: &'a str, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(prefix) && path.ends_with(ending))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust files under a prefix, read into tokens.
    pub fn sources<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, Source)> {
        self.under(prefix, ".rs").map(|(path, text)| (path, Source::read(text)))
    }

    /// Names of the directories directly under `prefix`, which ends with `/`.
    pub fn directories(&self, prefix: &str) -> Vec<&str> {
        let inside = self.files.keys().filter_map(|path| path.strip_prefix(prefix));
        let mut names: Vec<&str> = inside.filter_map(|rest| rest.split_once('/')).map(|(name, _)| name).collect();
        names.dedup();
        names
    }

    /// Whether there is a file or a directory at a path.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let directory = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.range(directory.clone()..).next().is_some_and(|(next, _)| next.starts_with(&directory))
            || THIRD_PARTY.iter().any(|prefix| directory.starts_with(prefix))
    }
}

/// Whether a Rust file holds nothing but tests.
pub fn is_test_file(path: &str) -> bool {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    path.split('/').any(|part| part == "tests" || part == "benches") || stem == "tests" || stem.ends_with("_tests")
}

/// Committed files, and new ones that are not ignored: a rule should speak before the commit.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let listing = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = listing.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    // An unpacked archive inside some other repository lists nothing.
    (!paths.is_empty()).then_some(paths)
}

fn walked(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(root.join(&directory)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if matches!(name.as_str(), ".git" | "target" | "node_modules" | "dist") {
                continue;
            }
            let path = directory.join(&name);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(path),
                Ok(kind) if kind.is_file() => {
                    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
                    found.push(parts.join("/"));
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_directories() {
        let tree =
            Tree::made_of(&[("crates/a/x.rs", ""), ("crates/a/y.rs", ""), ("crates/b/c/z.rs", ""), ("crates/top", "")]);
        assert_eq!(tree.directories("crates/"), ["a", "b"]);
        assert!(tree.exists("crates/b/c") && tree.exists("crates/") && tree.exists("crates/top"));
        assert!(!tree.exists("crates/b/cc") && !tree.exists("crate"));
    }

    #[test]
    fn tells_tests_from_the_rest() {
        for path in ["a/tests/it/x.rs", "a/src/tests.rs", "a/src/db/token_tests.rs", "a/benches/b.rs"] {
            assert!(is_test_file(path), "{path}");
        }
        assert!(!is_test_file("a/src/contests.rs"));
    }

    #[test]
    fn the_walk_finds_this_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(walked(root).contains(&"src/tree.rs".to_owned()));
    }
}
