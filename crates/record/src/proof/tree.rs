//! Merkle trees as RFC 6962 §2.1 defines them: SHA-256, 0x00 before a leaf, 0x01 before two nodes.
//!
//! [`Frontier`] grows a tree leaf by leaf in memory of its logarithm. Proofs are made from all leaf hashes, and checked
//! by the procedures of RFC 9162 §2.1.3.2 and §2.1.4.2, which share no code with the making.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt;

/// The hash of a leaf, a node or a root. Its text is base64, as C2SP formats want it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeHash(pub [u8; 32]);

impl TreeHash {
    /// The hash that `text` spells, in its one spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        // The engine checks lengths against an estimate, which for 44 characters is 33 bytes.
        let mut room = [0; 33];
        let length = (text.len() == 44).then(|| STANDARD.decode_slice(text, &mut room).ok())??;
        bytes.copy_from_slice(room.get(..length).filter(|decoded| decoded.len() == 32)?);
        Some(Self(bytes))
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Plain SHA-256, for what is named by its hash.
pub(crate) fn sha256(bytes: &[u8]) -> TreeHash {
    TreeHash(Sha256::digest(bytes).into())
}

/// The hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> TreeHash {
    TreeHash(Sha256::new().chain_update([0]).chain_update(content).finalize().into())
}

/// The hash of a node above these two.
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    let mut bytes = [1; 65];
    let (_, children) = bytes.split_at_mut(1);
    let (left_place, right_place) = children.split_at_mut(32);
    left_place.copy_from_slice(&left.0);
    right_place.copy_from_slice(&right.0);
    sha256(&bytes)
}

/// Subtrees of this many levels are the blocks that [`Frontier::push`] tells of.
pub(crate) const BLOCK_LEVEL: u32 = 10;
/// Leaves in a block.
pub(crate) const BLOCK_LEAVES: u64 = 1 << BLOCK_LEVEL;

/// A tree that grows at its end: the roots of its perfect subtrees, the largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    nodes: Vec<TreeHash>,
}

impl Frontier {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. Returns the root of a block of 1,024 leaves whenever one is full.
    pub fn push(&mut self, leaf: TreeHash) -> Option<TreeHash> {
        let mut node = leaf;
        let mut block = None;
        for level in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
            if level + 1 == BLOCK_LEVEL {
                block = Some(node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
        block
    }

    /// The root, as RFC 6962 §2.1 defines it.
    pub fn root(&self) -> TreeHash {
        fold(&self.nodes).unwrap_or_else(|| sha256(&[]))
    }

    /// The root of the leaves after the last full block, if there are any.
    pub(crate) fn last_part(&self) -> Option<TreeHash> {
        let before = (self.size >> BLOCK_LEVEL).count_ones() as usize;
        fold(self.nodes.get(before..)?)
    }
}

fn fold(nodes: &[TreeHash]) -> Option<TreeHash> {
    let (last, before) = nodes.split_last()?;
    Some(before.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

impl Extend<TreeHash> for Frontier {
    fn extend<I: IntoIterator<Item = TreeHash>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.push(leaf);
        }
    }
}

/// The root over these hashes.
pub fn root(leaves: &[TreeHash]) -> TreeHash {
    let mut frontier = Frontier::new();
    frontier.extend(leaves.iter().copied());
    frontier.root()
}

/// Where a tree of this many leaves, at least two, is divided: the largest power of two below it.
fn split(leaves: usize) -> usize {
    1 << (usize::BITS - 1 - leaves.saturating_sub(1).leading_zeros())
}

/// The inclusion proof of a leaf (RFC 6962 §2.1.1), its sibling first. `None` if there is no such leaf.
pub fn inclusion(index: usize, leaves: &[TreeHash]) -> Option<Vec<TreeHash>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut index, mut leaves, mut path) = (index, leaves, Vec::new());
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The proof that the tree of the first `old` leaves is a beginning of this one (RFC 6962 §2.1.2). `None` if it is not.
pub fn consistency(old: usize, leaves: &[TreeHash]) -> Option<Vec<TreeHash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    let (mut old, mut leaves, mut path, mut whole) = (old, leaves, Vec::new(), true);
    while old < leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old <= left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            old -= left.len();
            leaves = right;
            whole = false;
        }
    }
    if !whole {
        path.push(root(leaves));
    }
    path.reverse();
    Some(path)
}

/// Whether the proof shows that a tree of `size` leaves with this root has `leaf` at `index` (RFC 9162 §2.1.3.2).
pub fn verify_inclusion(index: u64, size: u64, leaf: TreeHash, path: &[TreeHash], root: TreeHash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Whether the proof shows that the tree of `old` leaves with one root is a beginning of the tree of `new` leaves with
/// the other (RFC 9162 §2.1.4.2).
pub fn verify_consistency(old: u64, new: u64, path: &[TreeHash], old_root: TreeHash, new_root: TreeHash) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // A power of two: the old root itself begins the path.
    let (start, rest) = match (old.is_power_of_two(), path.split_first()) {
        (true, _) => (old_root, path),
        (false, Some((first, rest))) => (*first, rest),
        (false, None) => return false,
    };
    let (mut old_hash, mut new_hash) = (start, start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

#[cfg(test)]
mod tests;
