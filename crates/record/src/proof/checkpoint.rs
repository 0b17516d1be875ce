//! Checkpoints (C2SP tlog-checkpoint v1.0.0): what is signed about a tree.
//!
//! ```text
//! tegata.example.com/beef/org_a/2026-11-22/1         origin
//! 90210                                              size: records in the tree
//! WLEDigod9g8SSm+NCPgh/edw1QeIjSUJ8rtlIrhe1+4=       root
//! leaf 1                                             version of the canonical bytes
//! sequences 1702 1844201                             of the first and the last record in the tree
//! previous 12 5Bu8…=                                 final checkpoints of the organization before, hash of the last one
//! final                                              nothing will be added to this tree
//! ```
//!
//! and of the node, whose tree has a leaf for each final checkpoint:
//!
//! ```text
//! tegata.example.com/beef/closings
//! 4711
//! Yy6…=
//! through 1844233                                    every record up to this sequence is in a tree
//! open 3 0a1…=                                       trees not final: how many, root over their newest checkpoints
//! ```
//!
//! Parsing takes one spelling only, so that a text and its hash say the same.

use crate::proof::leaf::LEAF_VERSION;
use crate::proof::names::TreeName;
use crate::proof::tree::{TreeHash, sha256};
use std::fmt;

/// A place in the chain of an organization's final checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// How many final checkpoints there are up to here.
    pub number: u64,
    /// SHA-256 of the text of the last of them; zeros if there is none.
    pub hash: TreeHash,
}

impl Link {
    /// Before the first.
    pub const START: Self = Self { number: 0, hash: TreeHash([0; 32]) };
}

/// What is signed about the tree of an organization and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The journal, as `<log>/<journal tag>`.
    pub log: String,
    /// The tree.
    pub tree: TreeName,
    /// Records in it; never 0.
    pub size: u64,
    /// Its root.
    pub root: TreeHash,
    /// The version of its leaves.
    pub leaf_version: u8,
    /// The sequence of its first record.
    pub first_sequence: u64,
    /// The sequence of its last record so far.
    pub last_sequence: u64,
    /// The organization's chain before this tree was closed.
    pub previous: Link,
    /// Whether nothing will be added to the tree any more.
    pub is_final: bool,
}

/// What is signed about all trees of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCheckpoint {
    /// The journal, as `<log>/<journal tag>`.
    pub log: String,
    /// Final checkpoints so far.
    pub size: u64,
    /// The root of the tree that has them as leaves.
    pub root: TreeHash,
    /// Every record up to this sequence is in a tree.
    pub through: u64,
    /// Trees that are not final.
    pub open: u64,
    /// The root over their newest checkpoints, in the order of their names.
    pub open_root: TreeHash,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint of an access log")]
pub struct MalformedCheckpoint;

const NODE_NAME: &str = "closings";

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, tree, size, root, leaf_version, first_sequence, last_sequence, previous, is_final } = self;
        write!(out, "{log}/{tree}\n{size}\n{root}\nleaf {leaf_version}\nsequences {first_sequence} {last_sequence}\n")?;
        write!(out, "previous {} {}\n{}", previous.number, previous.hash, if *is_final { "final\n" } else { "" })
    }
}

impl fmt::Display for NodeCheckpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { log, size, root, through, open, open_root } = self;
        write!(out, "{log}/{NODE_NAME}\n{size}\n{root}\nthrough {through}\nopen {open} {open_root}\n")
    }
}

impl Checkpoint {
    /// The checkpoint that a text spells.
    pub fn parse(text: &str) -> Result<Self, MalformedCheckpoint> {
        Self::read(text).filter(|checkpoint| checkpoint.to_string() == text).ok_or(MalformedCheckpoint)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (rest, part) = lines.next()?.rsplit_once('/')?;
        let (rest, day) = rest.rsplit_once('/')?;
        let (log, organization) = rest.rsplit_once('/')?;
        let tree = TreeName::parse(&format!("{organization}/{day}/{part}"))?;
        let size = lines.next()?.parse().ok()?;
        let root = TreeHash::parse(lines.next()?)?;
        let leaf_version = lines.next()?.strip_prefix("leaf ")?.parse().ok()?;
        let (first, last) = lines.next()?.strip_prefix("sequences ")?.split_once(' ')?;
        let (first_sequence, last_sequence): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        let (number, hash) = lines.next()?.strip_prefix("previous ")?.split_once(' ')?;
        let previous = Link { number: number.parse().ok()?, hash: TreeHash::parse(hash)? };
        let is_final = lines.next().is_some_and(|line| line == "final");
        let possible = size > 0 && last_sequence.checked_sub(first_sequence)? >= size - 1 && is_log(log);
        possible.then(|| Self {
            log: log.to_owned(),
            tree,
            size,
            root,
            leaf_version,
            first_sequence,
            last_sequence,
            previous,
            is_final,
        })
    }

    /// The organization's chain after this checkpoint, if it is a final one.
    pub fn link(&self) -> Link {
        if self.is_final {
            Link { number: self.previous.number.saturating_add(1), hash: sha256(self.to_string().as_bytes()) }
        } else {
            self.previous
        }
    }

    /// Whether this program can compute the leaves of the tree.
    pub fn has_known_leaves(&self) -> bool {
        (1..=LEAF_VERSION).contains(&self.leaf_version)
    }
}

impl NodeCheckpoint {
    /// The checkpoint that a text spells.
    pub fn parse(text: &str) -> Result<Self, MalformedCheckpoint> {
        Self::read(text).filter(|checkpoint| checkpoint.to_string() == text).ok_or(MalformedCheckpoint)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let log = lines.next()?.strip_suffix(NODE_NAME)?.strip_suffix('/').filter(|log| is_log(log))?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = TreeHash::parse(lines.next()?)?;
        let through = lines.next()?.strip_prefix("through ")?.parse().ok()?;
        let (open, open_root) = lines.next()?.strip_prefix("open ")?.split_once(' ')?;
        Some(Self { log, size, root, through, open: open.parse().ok()?, open_root: TreeHash::parse(open_root)? })
    }
}

/// `<log>/<journal tag>`
pub(crate) fn log_name(key_name: &str, tag: u16) -> String {
    format!("{key_name}/{tag:04x}")
}

/// The tag in a [`log_name`].
pub(crate) fn tag_of(log: &str) -> Option<u16> {
    let (_, tag) = log.rsplit_once('/')?;
    u16::from_str_radix(tag, 16).ok()
}

fn is_log(log: &str) -> bool {
    log.rsplit_once('/').is_some_and(|(name, tag)| {
        !name.is_empty() && u16::from_str_radix(tag, 16).is_ok_and(|number| format!("{number:04x}") == tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            log: log_name("tegata.example.com", 0xbeef),
            tree: TreeName { organization: Some("org_a".into()), day: 20_779, part: 1 },
            size: 90_210,
            root: sha256(b"root"),
            leaf_version: 1,
            first_sequence: 1_702,
            last_sequence: 1_844_201,
            previous: Link { number: 12, hash: sha256(b"previous") },
            is_final: true,
        }
    }

    fn node() -> NodeCheckpoint {
        let (log, root, open_root) = (log_name("tegata.example.com", 0xbeef), sha256(b"root"), sha256(b"open"));
        NodeCheckpoint { log, size: 4_711, root, through: 1_844_233, open: 3, open_root }
    }

    #[test]
    fn reads_as_documented() {
        let (root, previous) = (sha256(b"root"), sha256(b"previous"));
        let expected = format!(
            "tegata.example.com/beef/org_a/2026-11-22/1\n90210\n{root}\nleaf 1\nsequences 1702 1844201\n\
             previous 12 {previous}\nfinal\n"
        );
        assert_eq!(checkpoint().to_string(), expected);
        let expected =
            format!("tegata.example.com/beef/closings\n4711\n{root}\nthrough 1844233\nopen 3 {}\n", sha256(b"open"));
        assert_eq!(node().to_string(), expected);
    }

    #[test]
    fn the_chain_goes_on_with_final_checkpoints_only() {
        let closing = checkpoint();
        assert_eq!(closing.link(), Link { number: 13, hash: sha256(closing.to_string().as_bytes()) });
        let open = Checkpoint { is_final: false, ..closing };
        assert_eq!(open.link(), open.previous);
    }

    #[test]
    fn other_spellings_are_refused() {
        let text = checkpoint().to_string();
        assert_eq!(Checkpoint::parse(&text), Ok(checkpoint()));
        for (from, to) in [
            ("90210\n", "090210\n"),
            ("90210\n", "+90210\n"),
            ("90210\n", "0\n"),
            ("90210\n", "9999999\n"),
            ("\n", "\r\n"),
            ("final\n", "final"),
            ("final\n", "final\nmore\n"),
            ("final\n", "Final\n"),
            ("1702 1844201", "1844201 1702"),
            ("beef", "BEEF"),
            ("beef", "eef"),
            ("2026-11-22", "2026-11-32"),
            ("leaf 1\n", ""),
        ] {
            assert_eq!(Checkpoint::parse(&text.replace(from, to)), Err(MalformedCheckpoint), "{from:?} → {to:?}");
        }
        assert_eq!(Checkpoint::parse(&node().to_string()), Err(MalformedCheckpoint));
        assert_eq!(NodeCheckpoint::parse(&text), Err(MalformedCheckpoint));
        assert_eq!(NodeCheckpoint::parse(&node().to_string()), Ok(node()));
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused_or_says_something_else(at: prop::sample::Index, value in 1..=127_u8) {
            let mut bytes = checkpoint().to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = value;
            let text = String::from_utf8(bytes).unwrap();
            if let Ok(parsed) = Checkpoint::parse(&text) {
                prop_assert_eq!(parsed == checkpoint(), text == checkpoint().to_string());
            }
        }

        #[test]
        fn never_panics_on_any_text(text in "(\\PC|\n|/|[0-9]|leaf 1|sequences ){0,60}") {
            let _ = (Checkpoint::parse(&text), NodeCheckpoint::parse(&text));
        }
    }
}
