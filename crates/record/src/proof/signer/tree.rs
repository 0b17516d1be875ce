//! A tree that still grows, or is being closed.

use crate::proof::blocks::Block;
use crate::proof::checkpoint::{Checkpoint, Link};
use crate::proof::leaf::LEAF_VERSION;
use crate::proof::names::TreeName;
use crate::proof::signer::finding::SignerFinding;
use crate::proof::tree::{Frontier, TreeHash, leaf_hash};

/// What is done with a tree.
#[derive(Debug)]
pub(crate) enum State {
    /// Its records are read again after a start, up to what was signed.
    Rebuilding { signed: Checkpoint, stored: Vec<Block> },
    /// It takes records.
    Growing,
    /// Its records changed after they were signed. It is closed as it was signed.
    Sealed(Checkpoint),
    /// Its final checkpoint is in the chain; the files are still to be put in order.
    Closing(String),
}

#[derive(Debug)]
pub(crate) struct OpenTree {
    pub(crate) name: TreeName,
    /// The name as text, by which open trees are ordered.
    pub(crate) label: String,
    pub(crate) state: State,
    frontier: Frontier,
    first_sequence: u64,
    pub(crate) last_sequence: u64,
    /// Blocks that are not in their file yet.
    pub(crate) blocks: Vec<Block>,
    /// Whether those are all there are, and the file is to be replaced.
    pub(crate) has_all_blocks: bool,
    /// How many records the newest checkpoint has, and its hash as a leaf of the node's open trees.
    pub(crate) signed: Option<(u64, TreeHash)>,
    pub(crate) close_at_us: i64,
}

impl OpenTree {
    pub(crate) fn new(name: TreeName, close_at_us: i64) -> Self {
        Self {
            label: name.to_string(),
            name,
            state: State::Growing,
            frontier: Frontier::new(),
            first_sequence: 0,
            last_sequence: 0,
            blocks: Vec::new(),
            // A crash may have left blocks of a tree that was never signed.
            has_all_blocks: true,
            signed: None,
            close_at_us,
        }
    }

    /// A tree that was signed before this start.
    pub(crate) fn rebuilding(signed: Checkpoint, stored: Vec<Block>, close_at_us: i64) -> Self {
        let head = leaf_hash(signed.to_string().as_bytes());
        Self {
            signed: Some((signed.size, head)),
            has_all_blocks: false,
            state: State::Rebuilding { signed: signed.clone(), stored },
            ..Self::new(signed.tree, close_at_us)
        }
    }

    pub(crate) fn push(&mut self, sequence: u64, leaf: TreeHash) {
        if self.frontier.size() == 0 {
            self.first_sequence = sequence;
        }
        self.last_sequence = sequence;
        let full = self.frontier.push(leaf);
        self.blocks.extend(full.map(|root| Block { last_sequence: sequence, root }));
    }

    /// Whether there are records that no checkpoint has.
    pub(crate) fn is_unsigned(&self) -> bool {
        matches!(self.state, State::Growing) && self.signed.is_none_or(|(size, _)| size < self.frontier.size())
    }

    /// Whether its records are read again.
    pub(crate) fn is_rebuilding(&self) -> bool {
        matches!(self.state, State::Rebuilding { .. })
    }

    /// Where a tree begins whose records are read again, and that is not the first of its day.
    pub(crate) fn begins_behind_another(&self) -> Option<u64> {
        match &self.state {
            State::Rebuilding { signed, .. } if self.name.part > 1 => Some(signed.first_sequence),
            _ => None,
        }
    }

    /// Whether nothing will be added.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, State::Sealed(_) | State::Closing(_))
    }

    /// The sequence up to which this tree has its day's records.
    pub(crate) fn covers_through(&self) -> u64 {
        match &self.state {
            State::Rebuilding { signed, .. } | State::Sealed(signed) => signed.last_sequence,
            State::Growing | State::Closing(_) => self.last_sequence,
        }
    }

    /// What can be signed about the tree now.
    pub(crate) fn checkpoint(&self, log: &str, previous: Link, is_final: bool) -> Checkpoint {
        if let State::Sealed(signed) = &self.state {
            return Checkpoint { previous, is_final, ..signed.clone() };
        }
        Checkpoint {
            log: log.to_owned(),
            tree: self.name.clone(),
            size: self.frontier.size(),
            root: self.frontier.root(),
            leaf_version: LEAF_VERSION,
            first_sequence: self.first_sequence,
            last_sequence: self.last_sequence,
            previous,
            is_final,
        }
    }

    /// Makes the incomplete block at the end one of its blocks. To be done once, before the tree is closed.
    pub(crate) fn end_blocks(&mut self) {
        let ended = self.blocks.last().is_some_and(|block| block.last_sequence == self.last_sequence);
        if matches!(self.state, State::Growing) && !ended {
            let last_sequence = self.last_sequence;
            self.blocks.extend(self.frontier.last_part().map(|root| Block { last_sequence, root }));
        }
    }

    /// All records that were signed have been read again, if they are there. If they are not the same any more, the
    /// tree is sealed, and the finding says where.
    pub(crate) fn rebuilt(&mut self) -> Option<SignerFinding> {
        let State::Rebuilding { signed, stored } = &self.state else {
            return None;
        };
        let (found, root) = (self.frontier.size(), self.frontier.root());
        let same_ends = self.first_sequence == signed.first_sequence && self.last_sequence == signed.last_sequence;
        if found == signed.size && root == signed.root && same_ends {
            self.has_all_blocks = self.blocks != *stored;
            if !self.has_all_blocks {
                self.blocks.clear();
            }
            self.state = State::Growing;
            return None;
        }
        let same = self.blocks.iter().zip(stored).take_while(|(found, stored)| found == stored).count();
        let before = same.checked_sub(1).and_then(|position| stored.get(position));
        let finding = SignerFinding::Altered {
            tree: signed.tree.clone(),
            first_sequence: before.map_or(signed.first_sequence, |block| block.last_sequence.saturating_add(1)),
            last_sequence: stored.get(same).map_or(signed.last_sequence, |block| block.last_sequence),
            signed: signed.size,
            found,
        };
        self.blocks.clear();
        self.state = State::Sealed(signed.clone());
        Some(finding)
    }
}
