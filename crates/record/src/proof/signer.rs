//! Signs what a journal takes in: reads the new records, extends the trees, writes checkpoints.
//!
//! **Which tree.** A record belongs to the organization and the UTC day that it names itself, and within them to a part
//! by its sequence: a tree is closed some minutes after its day, and records of that day that are written later go into
//! another part. So a final tree never grows, nothing has to be read again for a late record, and whoever has the rows
//! and the final checkpoints comes to the same trees.
//!
//! **What is kept.** Per organization its place in the chain, per open tree a frontier: a few hundred bytes each. Records
//! are passed over one by one and never kept.
//!
//! **After a start** the open trees are made again from their records. Where those no longer make the root that was
//! signed, that tree is closed as it was signed, which its records will contradict for ever, and the finding is
//! reported. A second root for the same records is never signed.
//!
//! Runs when it is told the time: once a second while there are new records.

mod files;
pub(crate) mod finding;
pub(crate) mod node;
mod open;
mod tree;

pub(crate) use crate::proof::signer::files::newest;
pub use crate::proof::signer::finding::SignerFinding;

use crate::files::Faults;
use crate::proof::checkpoint::{Link, NodeCheckpoint};
use crate::proof::hold::Turns;
use crate::proof::leaf::Leaves;
use crate::proof::names::TreeName;
use crate::proof::note::{SigningKey, VerifyingKey};
use crate::proof::signer::node::{Node, open_root};
use crate::proof::signer::tree::OpenTree;
use crate::proof::source::{Source, SourceError};
use crate::proof::store::{self, Kind, Store, StoreError};
use crate::record::RecordView;
use crate::time::{self, DAY_US};
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A tree is closed this long after its day ended, or after it was begun, if that is later.
pub const CLOSE_AFTER_US: i64 = 10 * 60 * 1_000_000;
/// One call of [`Signer::tick`] reads no more records.
const RECORDS_PER_TICK_MAX: u64 = 1 << 20;
/// One call reports no more findings; those that are left out are like those before.
const FINDINGS_MAX: usize = 1_000;
/// How many closed trees of an organization are remembered; for others the files are asked.
const COVERED_MAX: usize = 8;

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// Another process, or another part of this one, signs here.
    #[error("the proofs in {directory} are in use", directory = directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The newest notes here are by another key, or about another journal.
    #[error("the notes in {file} were signed with another key or for another journal", file = file.display())]
    OtherKey {
        /// The file.
        file: PathBuf,
    },
    /// The disk or its permissions.
    #[error("could not read or write the proofs")]
    Store(#[from] StoreError),
    /// The records could not be read.
    #[error("could not read the records that are to be signed")]
    Source(#[source] SourceError),
}

/// What one call did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Records that were added to trees.
    pub records: u64,
    /// Checkpoints that were signed, final ones included, that of the node not.
    pub checkpoints: u64,
    /// Trees that were closed.
    pub closed: u64,
    /// Whether there are more new records than one call takes: call again at once.
    pub is_behind: bool,
    /// What is not as it should be.
    pub findings: Vec<SignerFinding>,
}

/// Numbers for metrics and health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignerStats {
    /// Every record up to this sequence is in a signed tree, apart from what the last call failed to write.
    pub through: u64,
    /// Trees that are open.
    pub open_trees: usize,
    /// Final checkpoints, of all organizations.
    pub final_checkpoints: u64,
}

/// When a call is made.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now_us: i64,
    /// Whether there are more new records than one call takes.
    is_behind: bool,
}

impl Moment {
    /// The time by which trees are closed. A log that is read from long ago goes by its own time until it has caught up,
    /// or all of its days would be open at once.
    fn clock_us(self, newest_time_us: i64) -> i64 {
        if self.is_behind { newest_time_us.min(self.now_us) } else { self.now_us }
    }
}

/// An organization, or the records without one.
#[derive(Debug)]
struct Organization {
    name: Option<Box<str>>,
    /// Its newest final checkpoint.
    chain: Link,
    trees: Vec<OpenTree>,
    /// Trees that were closed: day, part, last sequence.
    covered: Vec<(i64, u32, u64)>,
}

/// Signs the records of one journal.
#[derive(Debug)]
pub struct Signer {
    store: Store,
    key: SigningKey,
    log: String,
    /// Every record up to this one has been added to a tree.
    through: u64,
    /// The latest time of a record so far.
    newest_time_us: i64,
    organizations: HashMap<Box<str>, Organization>,
    without: Organization,
    node: Node,
    node_is_unsigned: bool,
    /// What is to be reported by the next call that succeeds.
    findings: Vec<SignerFinding>,
    leaves: Leaves,
    turns: Arc<Turns>,
    _lock: File,
}

impl Signer {
    /// Begins to sign in a directory, or goes on there. Reads again what is in trees that are still open.
    pub fn open(
        directory: &Path,
        key: SigningKey,
        source: &dyn Source,
        now_us: i64,
        faults: Option<Arc<Faults>>,
    ) -> Result<(Self, Vec<SignerFinding>), SignerError> {
        open::open(directory, key, source, now_us, faults)
    }

    /// The key with which others check what is signed here.
    pub fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    /// Numbers for metrics and health.
    pub fn stats(&self) -> SignerStats {
        let trees = self.all().map(|organization| organization.trees.len()).sum();
        SignerStats { through: self.through, open_trees: trees, final_checkpoints: self.node.frontier.size() }
    }

    /// The days (UTC, counted from 1970) of which some tree is open: while it is, none of its records may be missing.
    pub fn open_days(&self) -> BTreeSet<i64> {
        self.all().flat_map(|organization| &organization.trees).map(|tree| tree.name.day).collect()
    }

    /// Drops what was kept of an organization's trees of days before this one, but for their final checkpoints, which
    /// are kept for ever. From then on records of those days may be there or not, so it comes before they are dropped. Returns
    /// how many files went; none where somebody [holds](crate::proof::hold) the directory: then no record may be dropped.
    pub fn forget(&mut self, organization: Option<&str>, before_day: i64) -> Result<Option<u64>, SignerError> {
        let Some(_turn) = self.turns.take().map_err(|source| self.store.failed_turn(source))? else {
            return Ok(None);
        };
        let directory = self.store.organization(organization);
        let open = self.open_days();
        let mut files = 0;
        // The earliest day first, and the blocks last: a day is forgotten when its closed tree is, and all days before it
        // are by then, whenever this is cut off.
        for kind in [Kind::Closed, Kind::Blocks] {
            for (day, part) in store::trees(&directory, kind)?.into_iter().filter(|(day, _)| *day < before_day) {
                // What is kept of a tree that is open is needed, however old its day.
                if !open.contains(&day) {
                    let tree = TreeName { organization: organization.map(Into::into), day, part };
                    store::remove(&self.store.tree(&tree, kind))?;
                    files += 1;
                }
            }
        }
        Ok(Some(files))
    }

    /// Adds what the journal has taken in, signs the trees that grew and closes those whose time is over.
    ///
    /// After an error everything that was not written is tried again by the next call. To be called a last time after
    /// the last record, so that nothing is left unsigned. While somebody [holds](crate::proof::hold) the directory,
    /// nothing is done.
    pub fn tick(&mut self, source: &dyn Source, now_us: i64) -> Result<Ticked, SignerError> {
        let turns = Arc::clone(&self.turns);
        let Some(_turn) = turns.take().map_err(|source| self.store.failed_turn(source))? else {
            return Ok(Ticked::default());
        };
        let mut ticked = Ticked::default();
        let settled = source.settled();
        let last = settled.min(self.through.saturating_add(RECORDS_PER_TICK_MAX));
        ticked.is_behind = last < settled;
        let moment = Moment { now_us, is_behind: ticked.is_behind };
        let before = self.through;
        let read = if last > before { self.read(source, before, last, moment) } else { Ok(0) };
        // What was read before an error is signed all the same.
        let signed = self.sign_trees(moment.clock_us(self.newest_time_us), &mut ticked);
        self.node_is_unsigned |= self.through > before || ticked.checkpoints > 0;
        signed?;
        self.sign_node()?;
        ticked.records = read?;
        ticked.findings = std::mem::take(&mut self.findings);
        Ok(ticked)
    }

    /// Adds the records above `after` up to `last` to their trees.
    fn read(&mut self, source: &dyn Source, after: u64, last: u64, moment: Moment) -> Result<u64, SignerError> {
        let (mut records, mut expected, mut failure) = (0, after.saturating_add(1), None);
        let known_through = self.through;
        let visited = source.visit(after, last, &mut |view| {
            if failure.is_some() {
                return;
            }
            // What lies before the first record of all was dropped before anything was signed.
            if view.sequence > expected && view.sequence > known_through && expected > 1 {
                self.note(SignerFinding::Gap { first_sequence: expected, last_sequence: view.sequence - 1 });
            }
            expected = view.sequence.saturating_add(1);
            records += 1;
            match self.place(view, moment) {
                Ok(()) => self.through = self.through.max(view.sequence),
                Err(error) => failure = Some(error),
            }
        });
        if let Some(error) = failure {
            return Err(error.into());
        }
        visited.map_err(SignerError::Source)?;
        if expected <= last && last > known_through {
            self.note(SignerFinding::Gap { first_sequence: expected.max(known_through + 1), last_sequence: last });
        }
        self.through = self.through.max(last);
        Ok(records)
    }

    /// Adds a record to its tree.
    fn place(&mut self, view: &RecordView<'_>, moment: Moment) -> Result<(), StoreError> {
        let (sequence, day) = (view.sequence, time::day(view.row.time_us));
        self.newest_time_us = self.newest_time_us.max(view.row.time_us);
        let close_at_us = close_at(day, moment.clock_us(self.newest_time_us));
        let organization = match view.row.organization {
            None => &mut self.without,
            Some(name) => match self.organizations.get_mut(name) {
                Some(_) => self.organizations.get_mut(name).unwrap_or(&mut self.without),
                None => self.organizations.entry(name.into()).or_insert_with(|| Organization::new(Some(name))),
            },
        };
        let known = organization.trees.iter().rposition(|tree| tree.name.day == day);
        // After a start, records of an earlier part of the day may be read again, which is closed: they are not this one's.
        let begins = known.and_then(|position| organization.trees.get(position)?.begins_behind_another());
        if begins.is_some_and(|begins| sequence < begins) {
            let (_, covered) = organization.covered(&self.store, &self.key, &self.log, day, self.through)?;
            if sequence <= covered {
                return Ok(());
            }
        }
        let Some(tree) = known.and_then(|position| organization.trees.get_mut(position)) else {
            let (part, covered) = organization.covered(&self.store, &self.key, &self.log, day, self.through)?;
            if sequence > covered {
                let leaf = self.leaves.hash(view);
                organization.begin(day, part + 1, close_at_us, |tree| tree.push(sequence, leaf));
            }
            return Ok(());
        };
        if sequence > tree.covers_through() {
            tree.rebuilt().into_iter().for_each(|finding| note(&mut self.findings, finding));
        } else if !tree.is_rebuilding() {
            // In the tree already.
            return Ok(());
        }
        let leaf = self.leaves.hash(view);
        if tree.is_ending() {
            let part = tree.name.part + 1;
            organization.begin(day, part, close_at_us, |tree| tree.push(sequence, leaf));
        } else {
            tree.push(sequence, leaf);
        }
        Ok(())
    }

    /// Signs the trees that grew, and closes those that are due.
    fn sign_trees(&mut self, clock_us: i64, ticked: &mut Ticked) -> Result<(), SignerError> {
        let mut failure = None;
        let Self { store, key, log, node, .. } = self;
        for organization in self.organizations.values_mut().chain(std::iter::once(&mut self.without)) {
            if organization.trees.is_empty() {
                continue;
            }
            let mut files = files::Files { store, key, log, node, ticked };
            if let Err(error) = files.write(organization, clock_us) {
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Signs what there is of all organizations, if anything is new.
    fn sign_node(&mut self) -> Result<(), SignerError> {
        let is_new = self.node_is_unsigned || !self.node.pending.is_empty();
        if !is_new || self.node.is_refused {
            return Ok(());
        }
        if !self.node.pending.is_empty() {
            let (text, frontier) = self.node.with_pending();
            self.store.append(&self.store.node_entries(), &text, true)?;
            self.node = Node { frontier, ..Node::default() };
        }
        let trees = self.all().flat_map(|organization| &organization.trees);
        let heads = trees.filter_map(|tree| Some((&*tree.label, tree.signed?.1))).collect();
        let (open, open_root) = open_root(heads);
        let checkpoint = NodeCheckpoint {
            log: self.log.clone(),
            size: self.node.frontier.size(),
            root: self.node.frontier.root(),
            through: self.through,
            open,
            open_root,
        };
        let note = self.key.sign(&checkpoint.to_string());
        files::append_note(&self.store, &self.store.node_checkpoints(), &note, false, node_size)?;
        self.node_is_unsigned = false;
        Ok(())
    }

    fn note(&mut self, finding: SignerFinding) {
        note(&mut self.findings, finding);
    }

    fn all(&self) -> impl Iterator<Item = &Organization> {
        self.organizations.values().chain(std::iter::once(&self.without))
    }
}

impl Organization {
    fn new(name: Option<&str>) -> Self {
        Self { name: name.map(Into::into), chain: Link::START, trees: Vec::new(), covered: Vec::new() }
    }

    fn begin(&mut self, day: i64, part: u32, close_at_us: i64, fill: impl FnOnce(&mut OpenTree)) {
        let mut tree = OpenTree::new(TreeName { organization: self.name.clone(), day, part }, close_at_us);
        fill(&mut tree);
        self.trees.push(tree);
    }

    /// The newest part of a day that is closed, and its last sequence; zeros if none is.
    fn covered(
        &mut self,
        store: &Store,
        key: &SigningKey,
        log: &str,
        day: i64,
        through: u64,
    ) -> Result<(u32, u64), StoreError> {
        if let Some((_, part, last)) = self.covered.iter().find(|covered| covered.0 == day) {
            return Ok((*part, *last));
        }
        let (part, last) = files::newest_closed(store, key, log, self.name.as_deref(), day)?;
        // If its file does not tell, all that was read before counts as covered.
        let last = last.unwrap_or(if part == 0 { 0 } else { through });
        self.cover(day, part, last);
        Ok((part, last))
    }

    fn cover(&mut self, day: i64, part: u32, last_sequence: u64) {
        self.covered.retain(|covered| covered.0 != day);
        if self.covered.len() == COVERED_MAX {
            self.covered.remove(0);
        }
        self.covered.push((day, part, last_sequence));
    }
}

fn note(findings: &mut Vec<SignerFinding>, finding: SignerFinding) {
    if findings.len() < FINDINGS_MAX && findings.last() != Some(&finding) {
        findings.push(finding);
    }
}

fn close_at(day: i64, begun_us: i64) -> i64 {
    let end_us = day.saturating_add(1).saturating_mul(DAY_US);
    end_us.max(begun_us).saturating_add(CLOSE_AFTER_US)
}

fn node_size(text: &str) -> Option<u64> {
    NodeCheckpoint::parse(text).ok().map(|checkpoint| checkpoint.size)
}
