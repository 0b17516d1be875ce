//! The tree of the node: a leaf for each final checkpoint of any organization, and what was signed about it.

use crate::proof::checkpoint::{Checkpoint, Link};
use crate::proof::names::TreeName;
use crate::proof::tree::{Frontier, TreeHash, leaf_hash, root};

/// A line of the node's list; without its newline, a leaf of the node's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which of the organization's final checkpoints, and its hash.
    pub(crate) link: Link,
    pub(crate) tree: TreeName,
}

impl Entry {
    pub(crate) fn of(closing: &Checkpoint) -> Self {
        Self { link: closing.link(), tree: closing.tree.clone() }
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.link.number, self.link.hash, self.tree)
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, ' ');
        let number = fields.next()?.parse().ok()?;
        let hash = TreeHash::parse(fields.next()?)?;
        let entry = Self { link: Link { number, hash }, tree: TreeName::parse(fields.next()?)? };
        (entry.line() == line).then_some(entry)
    }
}

/// A line as it is, and what it says; nothing, if it is none.
pub(crate) type Line<'a> = (&'a [u8], Option<Entry>);

/// The lines of the node's list, and where the last whole one ends.
pub(crate) fn entries(text: &[u8]) -> (Vec<Line<'_>>, usize) {
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = text.get(..end).unwrap_or_default();
    let lines = whole.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    (lines.map(|line| (line, str::from_utf8(line).ok().and_then(Entry::parse))).collect(), end)
}

/// The node's tree while it is signed.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) frontier: Frontier,
    /// Entries that are not in the file yet.
    pub(crate) pending: Vec<Entry>,
    /// Its list no longer makes the root that was signed. Nothing is signed about it any more.
    pub(crate) is_refused: bool,
}

impl Node {
    /// The pending entries as text, and the tree that has them.
    pub(crate) fn with_pending(&self) -> (String, Frontier) {
        let (mut text, mut frontier) = (String::new(), self.frontier.clone());
        for entry in &self.pending {
            let line = entry.line();
            frontier.push(leaf_hash(line.as_bytes()));
            text.push_str(&line);
            text.push('\n');
        }
        (text, frontier)
    }
}

/// How many trees are open, and the root over the hashes of their newest checkpoints. `heads` come with the names by
/// which they are ordered.
pub(crate) fn open_root(mut heads: Vec<(&str, TreeHash)>) -> (u64, TreeHash) {
    heads.sort_unstable_by_key(|(label, _)| *label);
    let hashes: Vec<TreeHash> = heads.into_iter().map(|(_, hash)| hash).collect();
    (hashes.len() as u64, root(&hashes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::tree::sha256;

    fn entry(number: u64) -> Entry {
        let tree = TreeName { organization: Some("org_a".into()), day: 1, part: 1 };
        Entry { link: Link { number, hash: sha256(b"closing") }, tree }
    }

    #[test]
    fn reads_what_it_writes() {
        let text = format!("{}\nnonsense\n{}\n12 unfin", entry(1).line(), entry(2).line());
        let (lines, end) = entries(text.as_bytes());
        let parsed: Vec<Option<Entry>> = lines.into_iter().map(|(_, entry)| entry).collect();
        assert_eq!(parsed, [Some(entry(1)), None, Some(entry(2))]);
        assert_eq!(&text[end..], "12 unfin");
        assert_eq!(Entry::parse(&entry(1).line().replacen('1', "01", 1)), None);
    }

    #[test]
    fn open_trees_have_one_order() {
        let [one, two] = [sha256(b"1"), sha256(b"2")];
        assert_eq!(open_root(vec![("a", one), ("b", two)]), open_root(vec![("b", two), ("a", one)]));
        assert_ne!(open_root(vec![("a", one), ("b", two)]), open_root(vec![("a", two), ("b", one)]));
        assert_eq!(open_root(Vec::new()).0, 0);
    }
}
