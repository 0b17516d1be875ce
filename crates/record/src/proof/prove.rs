//! A proof for one record: a text (C2SP tlog-proof v1) that is checked with the public key and nothing else.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra Ab7vAAAA…            the canonical bytes of the record
//! index 1499                 its place in the tree
//! wgr5T6zm…=                 hashes, from the record's sibling to the root's child
//!
//! tegata.example.com/beef/org_a/2026-11-22/1
//! …                          the checkpoint, as it was signed
//! ```
//!
//! Of other records it has hashes only, and those are of the same organization and day.

use crate::id::RecordId;
use crate::proof::checkpoint::{Checkpoint, MalformedCheckpoint, tag_of};
use crate::proof::leaf::{LeafError, decode, leaf_bytes};
use crate::proof::names::TreeName;
use crate::proof::note::{NoteError, VerifyingKey};
use crate::proof::notes;
use crate::proof::source::{Days, SourceError};
use crate::proof::store::{self, Kind, StoreError};
use crate::proof::tree::{BLOCK_LEAVES, Frontier, TreeHash, inclusion, leaf_hash, verify_inclusion};
use crate::proof::verify::{Reader, Verifier};
use crate::record::Record;
use crate::time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1\n";
/// No proof is longer.
const PROOF_BYTES_MAX: usize = 1 << 20;
/// No tree has more levels.
const HASHES_MAX: usize = 64;

/// Why there is no proof for a record.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The organization has no such record.
    #[error("there is no record {0} here")]
    NotFound(RecordId),
    /// It was written a moment ago.
    #[error("the record {0} is not signed yet")]
    NotSigned(RecordId),
    /// The records of the tree are not those that were signed.
    #[error("the records of {0} are not as they were signed: nothing in it can be proven")]
    Changed(TreeName),
    /// The proofs could not be read.
    #[error("could not read the proofs")]
    Store(#[from] StoreError),
    /// The records could not be read.
    #[error("could not read the records")]
    Source(#[source] SourceError),
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a proof at all.
    #[error("not a proof of an access record")]
    Malformed,
    /// Its checkpoint is not signed with the key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// What is signed is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] MalformedCheckpoint),
    /// It has no record, or not a whole one.
    #[error(transparent)]
    Record(#[from] LeafError),
    /// The record does not belong into the tree.
    #[error("the record is of another organization, day or journal than the checkpoint")]
    OtherTree,
    /// The hashes do not lead from the record to the root.
    #[error("the record is not in the signed tree")]
    NotIncluded,
}

/// What a proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The record, as it was written.
    pub record: Record,
    /// Its place among the records of its tree, from 0.
    pub index: u64,
    /// The checkpoint of that tree.
    pub checkpoint: Checkpoint,
}

impl Verifier {
    /// The proof for a record of an organization. Reads the records of its day.
    pub fn prove(&self, id: &RecordId, organization: Option<&str>, days: &dyn Days) -> Result<String, ProveError> {
        let day =
            i64::try_from(id.time_ms()).map_or(i64::MAX, |milliseconds| time::day(milliseconds.saturating_mul(1_000)));
        // Notes that do not hold prove nothing, and are reported by a check.
        let mut quiet = |_| {};
        let mut reader = Reader { store: &self.store, key: &self.key, log: &self.log, report: &mut quiet };
        let chain = reader.all_of(organization, Some(day))?;
        let trees: Vec<Checkpoint> =
            chain.trees().range((day, 0)..=(day, u32::MAX)).map(|(_, one)| one.clone()).collect();
        let covering = trees.iter().position(|tree| tree.last_sequence >= id.sequence());
        let before = covering.and_then(|at| at.checked_sub(1)).and_then(|at| trees.get(at));
        let after = before.map_or(0, |before| before.last_sequence);
        let Some(signed) = covering.and_then(|at| trees.get(at)) else {
            let mut records = days.records(organization, day).map_err(ProveError::Source)?;
            let is_there = records.any(|record| record.is_ok_and(|record| record.id == *id));
            return Err(if is_there { ProveError::NotSigned(*id) } else { ProveError::NotFound(*id) });
        };
        let mut path = PathBuilder::new(*id);
        for record in days.records(organization, day).map_err(ProveError::Source)? {
            let record = record.map_err(ProveError::Source)?;
            if record.sequence > after && record.sequence <= signed.last_sequence {
                path.push(&record);
            }
        }
        let Some(found) = path.finish() else {
            return Err(ProveError::NotFound(*id));
        };
        let changed = || ProveError::Changed(signed.tree.clone());
        let leaf = leaf_hash(&found.leaf);
        if !verify_inclusion(found.index, signed.size, leaf, &found.path, signed.root) {
            return Err(changed());
        }
        let note = self.note(signed)?.ok_or_else(changed)?;
        Ok(proof_text(&found, &note))
    }

    /// The note in which this was signed.
    fn note(&self, checkpoint: &Checkpoint) -> Result<Option<String>, StoreError> {
        let text = checkpoint.to_string();
        let closings = self.store.closings(checkpoint.tree.organization.as_deref());
        let own = [Kind::Closed, Kind::Open].map(|kind| self.store.tree(&checkpoint.tree, kind));
        for file in own.into_iter().chain([closings]) {
            let bytes = store::read(&file)?;
            let notes = notes::split(&bytes).notes;
            let note = notes.into_iter().filter_map(|note| str::from_utf8(bytes.get(note)?).ok());
            if let Some(note) = note.into_iter().find(|note| self.key.open(note) == Ok(&text)) {
                return Ok(Some(note.to_owned()));
            }
        }
        Ok(None)
    }
}

/// A record's canonical bytes and the way from it to the root.
struct Found {
    leaf: Vec<u8>,
    index: u64,
    path: Vec<TreeHash>,
}

/// Goes over the records of a tree. Keeps the hashes of one block, and one for each block before.
struct PathBuilder {
    id: RecordId,
    position: u64,
    block: Vec<TreeHash>,
    blocks: Vec<TreeHash>,
    /// The record, its place, and then the way through its block and the number of that.
    found: Option<(Vec<u8>, u64)>,
    within: Option<(Vec<TreeHash>, usize)>,
}

impl PathBuilder {
    fn new(id: RecordId) -> Self {
        Self { id, position: 0, block: Vec::new(), blocks: Vec::new(), found: None, within: None }
    }

    fn push(&mut self, record: &Record) {
        let bytes = leaf_bytes(record);
        self.block.push(leaf_hash(&bytes));
        if record.id == self.id && self.found.is_none() {
            self.found = Some((bytes, self.position));
        }
        self.position += 1;
        if self.position.is_multiple_of(BLOCK_LEAVES) {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        if let (Some((_, index)), None) = (&self.found, &self.within) {
            let first = self.position - self.block.len() as u64;
            let within = usize::try_from(index - first).ok().and_then(|at| inclusion(at, &self.block));
            self.within = within.map(|path| (path, self.blocks.len()));
        }
        let mut frontier = Frontier::new();
        frontier.extend(self.block.drain(..));
        self.blocks.push(frontier.root());
    }

    fn finish(mut self) -> Option<Found> {
        if !self.block.is_empty() {
            self.end_block();
        }
        let ((leaf, index), (mut path, block)) = (self.found?, self.within?);
        path.extend(inclusion(block, &self.blocks)?);
        Some(Found { leaf, index, path })
    }
}

fn proof_text(found: &Found, note: &str) -> String {
    let mut text = FIRST_LINE.to_owned();
    // Writing to a string does not fail.
    let _ = writeln!(text, "extra {}\nindex {}", STANDARD.encode(&found.leaf), found.index);
    for hash in &found.path {
        let _ = writeln!(text, "{hash}");
    }
    text.push('\n');
    text.push_str(note);
    text
}

/// What a proof shows to whoever trusts the key.
pub fn verify_proof(proof: &str, key: &VerifyingKey) -> Result<Proven, ProofError> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(ProofError::Malformed);
    }
    let (leaf, index, path, note) = parse(proof).ok_or(ProofError::Malformed)?;
    let checkpoint = Checkpoint::parse(key.open(note)?)?;
    let record = decode(&leaf)?;
    let tree = &checkpoint.tree;
    let belongs = record.organization.as_deref() == tree.organization.as_deref()
        && time::day(record.time_us) == tree.day
        && tag_of(&checkpoint.log) == Some(record.id.tag())
        && checkpoint.has_known_leaves()
        && (checkpoint.first_sequence..=checkpoint.last_sequence).contains(&record.sequence);
    if !belongs {
        return Err(ProofError::OtherTree);
    }
    if !verify_inclusion(index, checkpoint.size, leaf_hash(&leaf), &path, checkpoint.root) {
        return Err(ProofError::NotIncluded);
    }
    Ok(Proven { record, index, checkpoint })
}

fn parse(proof: &str) -> Option<(Vec<u8>, u64, Vec<TreeHash>, &str)> {
    let (head, note) = proof.strip_prefix(FIRST_LINE)?.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let leaf = STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
    let digits = lines.next()?.strip_prefix("index ")?;
    let index: u64 = digits.parse().ok()?;
    let path: Vec<TreeHash> = lines.take(HASHES_MAX + 1).map(TreeHash::parse).collect::<Option<_>>()?;
    (index.to_string() == digits && path.len() <= HASHES_MAX).then_some((leaf, index, path, note))
}

#[cfg(test)]
mod tests;
