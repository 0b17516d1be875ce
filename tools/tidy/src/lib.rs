//! Rules about the repository that the compiler does not know: who may import whom, where SQL and secrets may
//! be handled, how long a file may get, whether prose still agrees with the tree.
//!
//! Each rule is a function from a [`Tree`] to its [`Finding`]s, tried here on small trees made for it;
//! `tests/repository.rs` runs them all on the real one. The rules read tokens, not types: they catch slips, not
//! somebody who wants to get past them.

pub mod borders;
pub mod lengths;
pub mod manners;
pub mod prose;
pub mod source;
pub mod tenancy;
pub mod tree;

use std::fmt;

pub use source::Source;
pub use tree::Tree;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the root of the repository.
    pub file: String,
    /// The line, from 1; 0 when the whole file or the whole tree is meant.
    pub line: usize,
    /// What is wrong, and what to do about it.
    pub rule: String,
}

impl Finding {
    /// A finding at a line of a file.
    pub fn new(file: &str, line: usize, rule: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, rule: rule.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.rule)
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.rule)
        }
    }
}

/// Panics with the list of findings, if there are any.
#[track_caller]
pub fn assert_none(findings: &[Finding]) {
    let list = findings.iter().fold(String::new(), |list, finding| format!("{list}\n  {finding}"));
    assert!(findings.is_empty(), "{} place(s) break a rule of the house:{list}\n", findings.len());
}
