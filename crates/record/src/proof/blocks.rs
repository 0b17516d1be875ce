//! The roots of the blocks of a tree: a line for each 1,024 records, with the sequence of the last of them.
//!
//! They are not signed themselves, but make the signed root together. With them a verifier tells which of many blocks
//! was changed, and a proof for one record is made from its own block alone.

use crate::proof::tree::{BLOCK_LEAVES, TreeHash};
use std::fmt;

/// A block of a tree: 1,024 records, or fewer at the end of a final tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) last_sequence: u64,
    pub(crate) root: TreeHash,
}

impl fmt::Display for Block {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} {}", self.last_sequence, self.root)
    }
}

/// As many records as blocks before this position have.
pub(crate) fn records_before(position: usize) -> u64 {
    (position as u64).saturating_mul(BLOCK_LEAVES)
}

/// The blocks of a file, up to the first line that is none.
pub(crate) fn parse(text: &[u8]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let before = blocks.last().map_or(0, |block| block.last_sequence);
        match block(line).filter(|block| block.last_sequence > before) {
            Some(block) => blocks.push(block),
            None => break,
        }
    }
    blocks
}

fn block(line: &[u8]) -> Option<Block> {
    let (sequence, root) = str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    Some(Block { last_sequence: sequence.parse().ok()?, root: TreeHash::parse(root)? })
}

/// The file of these blocks.
pub(crate) fn text(blocks: &[Block]) -> String {
    blocks.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::tree::sha256;
    use proptest::prelude::*;

    fn blocks() -> Vec<Block> {
        [1_024, 2_100, 9_000].map(|last_sequence| Block { last_sequence, root: sha256(b"block") }).to_vec()
    }

    #[test]
    fn reads_what_it_writes() {
        assert_eq!(parse(text(&blocks()).as_bytes()), blocks());
        assert_eq!(parse(b""), []);
    }

    #[test]
    fn reading_ends_at_what_is_no_block() {
        let whole = text(&blocks());
        for (changed, left) in [
            (&whole[..whole.len() - 1], 2),
            (&whole.replace("2100", "1024"), 1),
            (&whole.replace("1024 ", "1024"), 0),
            (&whole.replacen('\n', "\r\n", 1), 0),
        ] {
            assert_eq!(parse(changed.as_bytes()), blocks()[..left], "{changed}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = parse(&bytes);
        }
    }
}
