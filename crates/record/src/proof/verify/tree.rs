//! Holds the records of one tree against what was signed about it, in one pass and without keeping them.
//!
//! The root says whether anything changed. Where it changed is told by the blocks, if their list still makes the signed
//! root; otherwise by the earlier checkpoints of the tree, each of which is a beginning of it.

use crate::proof::blocks::{Block, records_before};
use crate::proof::checkpoint::Checkpoint;
use crate::proof::leaf::Leaves;
use crate::proof::tree::{BLOCK_LEAVES, Frontier, TreeHash, root};
use crate::proof::verify::problem::{Change, Problem};
use crate::record::RecordView;

/// A stretch of a tree that is not as it was signed.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first_sequence: u64,
    last_sequence: u64,
    signed: u64,
    found: u64,
}

/// A tree while its records are read.
pub(crate) struct TreeCheck {
    /// What is to be reached.
    pub(crate) signed: Checkpoint,
    /// Earlier checkpoints, by size.
    earlier: Vec<Checkpoint>,
    blocks: Vec<Block>,
    /// Whether some that should be there are not, or say that they end elsewhere.
    lacks_blocks: bool,
    last_pushed: u64,
    frontier: Frontier,
    /// The lowest sequence that was found or should have been.
    first_sequence: u64,
    at_earlier: usize,
    /// The first earlier checkpoint that the records do not make.
    first_bad: Option<Stretch>,
    contradicts: Option<u64>,
    block: Frontier,
    at_block: usize,
    bad_blocks: Vec<Stretch>,
}

/// What came of it.
pub(crate) struct TreeResult {
    pub(crate) problems: Vec<Problem>,
    /// Whether the list of blocks, which was there, does not fit records that do.
    pub(crate) has_bad_blocks: bool,
}

impl TreeCheck {
    /// `earlier` are checkpoints of the same tree. Blocks beyond the signed size are not looked at.
    pub(crate) fn new(signed: Checkpoint, mut earlier: Vec<Checkpoint>, mut blocks: Vec<Block>) -> Self {
        // Nothing true is larger than what is final.
        let contradicts = earlier.iter().map(|checkpoint| checkpoint.size).find(|size| *size > signed.size);
        earlier.retain(|checkpoint| checkpoint.size <= signed.size);
        earlier.sort_by_key(|checkpoint| checkpoint.size);
        let first_sequence = signed.first_sequence;
        let full = signed.size / BLOCK_LEAVES;
        let all = if signed.is_final { signed.size.div_ceil(BLOCK_LEAVES) } else { full };
        blocks.truncate(usize::try_from(all).unwrap_or(usize::MAX));
        let lacks_blocks = (blocks.len() as u64) < all;
        Self {
            signed,
            earlier,
            blocks,
            lacks_blocks,
            last_pushed: 0,
            frontier: Frontier::new(),
            first_sequence,
            at_earlier: 0,
            first_bad: None,
            contradicts,
            block: Frontier::new(),
            at_block: 0,
            bad_blocks: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, record: &RecordView<'_>, leaves: &mut Leaves) {
        self.reach(record.sequence);
        let leaf = leaves.hash(record);
        self.frontier.push(leaf);
        self.block.push(leaf);
        self.last_pushed = record.sequence;
        self.first_sequence = self.first_sequence.min(record.sequence);
    }

    /// All records before this sequence have been read: looks at the checkpoints and blocks that end before it.
    fn reach(&mut self, sequence: u64) {
        while let Some(earlier) = self.earlier.get(self.at_earlier).filter(|one| one.last_sequence < sequence) {
            let good = self.frontier.size() == earlier.size && self.frontier.root() == earlier.root;
            if !good && self.first_bad.is_none() {
                let before = self.at_earlier.checked_sub(1).and_then(|position| self.earlier.get(position));
                self.first_bad = Some(Stretch {
                    first_sequence: before.map_or(self.first_sequence, |before| before.last_sequence.saturating_add(1)),
                    last_sequence: earlier.last_sequence,
                    signed: earlier.size,
                    found: self.frontier.size(),
                });
            }
            self.at_earlier += 1;
        }
        while let Some(block) = self.blocks.get(self.at_block).filter(|block| block.last_sequence < sequence) {
            let signed = (self.signed.size - records_before(self.at_block).min(self.signed.size)).min(BLOCK_LEAVES);
            let found = std::mem::take(&mut self.block);
            if found.size() == signed && found.root() == block.root {
                self.lacks_blocks |= block.last_sequence != self.last_pushed;
            } else {
                let before = self.at_block.checked_sub(1).and_then(|position| self.blocks.get(position));
                self.bad_blocks.push(Stretch {
                    first_sequence: before.map_or(self.first_sequence, |before| before.last_sequence.saturating_add(1)),
                    last_sequence: block.last_sequence,
                    signed,
                    found: found.size(),
                });
            }
            self.at_block += 1;
        }
    }

    /// All records have been read.
    pub(crate) fn finish(mut self) -> TreeResult {
        self.reach(u64::MAX);
        let holds = self.frontier.size() == self.signed.size && self.frontier.root() == self.signed.root;
        let blocks_hold = self.blocks_make_the_root();
        let contradicts = self.contradicts.or(self.first_bad.filter(|_| holds).map(|bad| bad.signed));
        let contradiction = contradicts.map(|size| Problem::Contradiction { tree: self.signed.tree.clone(), size });
        let mut problems: Vec<Problem> = contradiction.into_iter().collect();
        if holds {
            // All records are those that were signed.
        } else if self.frontier.size() == 0 {
            let Checkpoint { tree, size, first_sequence, last_sequence, .. } = self.signed.clone();
            problems.push(Problem::NoRecords { tree, signed: size, first_sequence, last_sequence });
        } else if blocks_hold && !self.bad_blocks.is_empty() {
            problems.extend(self.bad_blocks.iter().map(|bad| self.problem(bad)));
        } else {
            problems.push(self.problem(&self.first_bad.unwrap_or_else(|| self.rest())));
        }
        TreeResult {
            problems,
            has_bad_blocks: holds && (self.lacks_blocks || !blocks_hold || !self.bad_blocks.is_empty()),
        }
    }

    /// What follows the newest earlier checkpoint that holds.
    fn rest(&self) -> Stretch {
        let before = self.earlier.iter().rev().find(|earlier| earlier.size < self.signed.size);
        Stretch {
            first_sequence: before.map_or(self.first_sequence, |before| before.last_sequence.saturating_add(1)),
            last_sequence: self.signed.last_sequence,
            signed: self.signed.size,
            found: self.frontier.size(),
        }
    }

    fn problem(&self, bad: &Stretch) -> Problem {
        let change = match (bad.signed.checked_sub(bad.found), bad.found.checked_sub(bad.signed)) {
            (Some(missing), _) if missing > 0 => Change::Missing(missing),
            (_, Some(added)) if added > 0 => Change::Added(added),
            _ => Change::Altered,
        };
        let Stretch { first_sequence, last_sequence, .. } = *bad;
        Problem::Records { tree: self.signed.tree.clone(), first_sequence, last_sequence, change }
    }

    /// Whether the list of blocks makes the signed root, together with the records after it where the list does
    /// not have them.
    fn blocks_make_the_root(&self) -> bool {
        let mut parts: Vec<TreeHash> = self.blocks.iter().map(|block| block.root).collect();
        let listed = records_before(parts.len());
        if listed < self.signed.size {
            if self.block.size() != self.signed.size - listed {
                return false;
            }
            parts.push(self.block.root());
        }
        root(&parts) == self.signed.root
    }
}
