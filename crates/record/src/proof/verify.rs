//! Checks a log offline: records, checkpoints and a public key, nothing else.
//!
//! An organization's records and its own directory of checkpoints are enough to check its part. The node's checkpoints,
//! which only the publisher has, show in addition whether an organization or its newest days were taken away.

mod chain;
mod day;
mod newest;
mod node;
mod problem;
mod sequences;
mod tree;

pub use crate::proof::verify::newest::SignedCheckpoint;
pub use crate::proof::verify::node::NodeVerified;
pub use crate::proof::verify::problem::{BadNote, Change, Problem};
pub use crate::proof::verify::sequences::Sequences;

use crate::proof::blocks;
use crate::proof::checkpoint::{Checkpoint, NodeCheckpoint, tag_of};
use crate::proof::leaf::Leaves;
use crate::proof::names::{self, TreeName};
use crate::proof::note::VerifyingKey;
use crate::proof::notes;
use crate::proof::source::{Days, SourceError};
use crate::proof::store::{self, Kind, Store, StoreError};
pub(crate) use crate::proof::verify::chain::Reader;
use crate::proof::verify::chain::{Chain, Trees};
use crate::proof::verify::day::DayCheck;
use crate::proof::verify::tree::TreeCheck;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// No note here holds with this key.
    #[error("nothing in {directory} is signed with this key", directory = directory.display())]
    NothingSigned {
        /// The directory.
        directory: PathBuf,
    },
    /// The proofs could not be read.
    #[error("could not read the proofs")]
    Store(#[from] StoreError),
    /// The records could not be read.
    #[error("could not read the records")]
    Source(#[source] SourceError),
}

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Trees whose records were read.
    pub trees: u64,
    /// Trees of days before the one asked for, without records.
    pub dropped_trees: u64,
    /// The last sequence of these; 0 if there are none.
    pub dropped_through: u64,
    /// Records that were read.
    pub records: u64,
    /// Records after everything that was signed: the newest, of a second or so.
    pub unsigned: u64,
    /// The highest sequence of the organization that was signed, or that of the whole node, where it is here.
    pub signed_through: u64,
    /// Problems that were reported.
    pub problems: u64,
}

/// Checks what lies in a directory of proofs.
#[derive(Debug)]
pub struct Verifier {
    pub(crate) store: Store,
    pub(crate) key: VerifyingKey,
    pub(crate) log: String,
    tag: u16,
    /// Checkpoints that were kept elsewhere.
    pub(crate) kept: Vec<Checkpoint>,
    /// Every record up to this one is in a tree, says the node; 0 if it is not here.
    through: u64,
}

impl Verifier {
    /// For a directory that a signer has written, or an organization's part of one, in a directory above it.
    pub fn open(directory: &Path, key: &VerifyingKey) -> Result<Self, VerifyError> {
        let store = Store::new(directory, None);
        let log = find_log(&store, key)?;
        let found = log.and_then(|log| Some((tag_of(&log)?, log)));
        let (tag, log) = found.ok_or_else(|| VerifyError::NothingSigned { directory: directory.to_owned() })?;
        let through = newest_through(&store, key, &log)?;
        Ok(Self { store, key: key.clone(), log, tag, kept: Vec::new(), through })
    }

    /// Also holds the log against notes that were kept elsewhere: one checkpoint, or many in a row as in a file. Whoever
    /// has the key can sign another log, but not make it agree with these. Returns how many of them hold.
    pub fn remember(&mut self, notes: &str) -> usize {
        let text = format!("{}\n\n", notes.trim_end_matches('\n'));
        let read = |note: &str| Checkpoint::parse(self.key.open(note).ok()?).ok().filter(|one| one.log == self.log);
        let kept: Vec<Checkpoint> =
            notes::split(text.as_bytes()).notes.into_iter().filter_map(|note| read(text.get(note)?)).collect();
        self.kept.extend_from_slice(&kept);
        kept.len()
    }

    /// Every record up to this one is in a tree, as the node has signed it; 0 if its checkpoints are not here.
    pub fn through(&self) -> u64 {
        self.through
    }

    /// The tag of the journal that was signed.
    pub fn tag(&self) -> u16 {
        self.tag
    }

    /// The organizations that have a directory here; `None` is for records without one.
    pub fn organizations(&self) -> Result<Vec<Option<Box<str>>>, StoreError> {
        let mut organizations = Vec::new();
        for directory in self.store.organizations()? {
            let name = directory.file_name().and_then(|name| name.to_str()?.strip_prefix("org="));
            let known = name.and_then(names::decode_organization);
            let known = match known {
                Some(organization) => Some(organization),
                None => first_of(&self.store, &self.key, &directory)?.map(|checkpoint| checkpoint.tree.organization),
            };
            organizations.extend(known);
        }
        Ok(organizations)
    }

    /// Checks the records and checkpoints of an organization. Trees of days before `since_day` may be without records, and
    /// without a list of blocks: retention dropped them, or is about to.
    pub fn organization(
        &self,
        organization: Option<&str>,
        days: &dyn Days,
        since_day: Option<i64>,
        report: &mut dyn FnMut(Problem),
    ) -> Result<Verified, VerifyError> {
        let mut verified = Verified::default();
        let mut problems = 0;
        let mut report = |problem| {
            problems += 1;
            report(problem);
        };
        let mut reader = Reader { store: &self.store, key: &self.key, log: &self.log, report: &mut report };
        let chain = reader.chain(organization, &self.kept, since_day)?;
        verified.signed_through = chain.last_sequence().max(self.through);
        let trees = chain.trees();
        let mut all: BTreeSet<i64> = trees.keys().map(|(day, _)| *day).collect();
        all.extend(days.days(organization).map_err(VerifyError::Source)?);
        let mut leaves = Leaves::default();
        for day in all {
            let mut check = DayCheck::new(organization, day, self.checks(&trees, &chain, day)?);
            let signed_through = verified.signed_through;
            let read = days.records(organization, day).and_then(|mut records| {
                records.try_for_each(|record| {
                    check.push(&record?, signed_through, self.tag, &mut leaves, &mut report);
                    Ok(())
                })
            });
            verified.records += check.records;
            verified.unsigned += check.unsigned;
            if let Err(error) = read {
                report(check.unreadable(&error));
            } else if check.records == 0 && since_day.is_some_and(|since| day < since) {
                verified.dropped_trees += check.trees.len() as u64;
                let last = check.trees.iter().map(|tree| tree.signed.last_sequence).max().unwrap_or(0);
                verified.dropped_through = verified.dropped_through.max(last);
            } else {
                verified.trees += check.trees.len() as u64;
                check.finish(&self.store, since_day, &mut report);
            }
        }
        verified.problems = problems;
        Ok(verified)
    }

    /// What is signed about a day, part by part.
    fn checks(&self, trees: &Trees, chain: &Chain, day: i64) -> Result<Vec<TreeCheck>, StoreError> {
        let parts = trees.range((day, 0)..=(day, u32::MAX));
        parts
            .map(|((_, part), signed)| {
                let blocks = blocks::parse(&store::read(&self.store.tree(&signed.tree, Kind::Blocks))?);
                let earlier = chain.others.get(&(day, *part)).cloned().unwrap_or_default();
                Ok(TreeCheck::new(signed.clone(), earlier, blocks))
            })
            .collect()
    }
}

/// The log that is signed here.
fn find_log(store: &Store, key: &VerifyingKey) -> Result<Option<String>, StoreError> {
    let node = first_in(&store.node_checkpoints(), |note| {
        NodeCheckpoint::parse(key.open(note).ok()?).ok().map(|checkpoint| checkpoint.log)
    })?;
    if node.is_some() {
        return Ok(node);
    }
    for directory in store.organizations()? {
        if let Some(checkpoint) = first_of(store, key, &directory)? {
            return Ok(Some(checkpoint.log));
        }
    }
    Ok(None)
}

/// Up to which sequence the node says that all records are in trees.
fn newest_through(store: &Store, key: &VerifyingKey, log: &str) -> Result<u64, StoreError> {
    let bytes = store::read(&store.node_checkpoints())?;
    let notes = notes::split(&bytes).notes;
    let newest = notes.into_iter().rev().find_map(|note| {
        let text = key.open(str::from_utf8(bytes.get(note)?).ok()?).ok()?;
        NodeCheckpoint::parse(text).ok().filter(|checkpoint| checkpoint.log == log)
    });
    Ok(newest.map_or(0, |checkpoint| checkpoint.through))
}

/// Any checkpoint of an organization's directory that holds.
fn first_of(store: &Store, key: &VerifyingKey, directory: &Path) -> Result<Option<Checkpoint>, StoreError> {
    let read = |note: &str| Checkpoint::parse(key.open(note).ok()?).ok();
    if let Some(checkpoint) = first_in(&directory.join("closings"), read)? {
        return Ok(Some(checkpoint));
    }
    for kind in [Kind::Open, Kind::Closed] {
        for (day, part) in store::trees(directory, kind)? {
            let file = store.tree(&TreeName { organization: None, day, part }, kind);
            let path = file.file_name().map(|name| directory.join(name)).unwrap_or_default();
            if let Some(checkpoint) = first_in(&path, read)? {
                return Ok(Some(checkpoint));
            }
        }
    }
    Ok(None)
}

fn first_in<T>(path: &Path, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
    let bytes = store::read(path)?;
    let notes = notes::split(&bytes).notes;
    Ok(notes.into_iter().find_map(|note| read(str::from_utf8(bytes.get(note)?).ok()?)))
}
