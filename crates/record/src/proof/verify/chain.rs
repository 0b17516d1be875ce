//! The notes of an organization: which of them hold, and whether its chain of final checkpoints is whole.

use crate::proof::checkpoint::{Checkpoint, Link, NodeCheckpoint};
use crate::proof::names::TreeName;
use crate::proof::note::{NoteError, VerifyingKey};
use crate::proof::notes::{self, Notes};
use crate::proof::store::{self, Kind, Store, StoreError};
use crate::proof::verify::problem::{BadNote, Problem};
use std::collections::BTreeMap;
use std::path::Path;

/// What is signed about each tree of an organization, by day and part.
pub(crate) type Trees = BTreeMap<(i64, u32), Checkpoint>;

/// What holds of an organization's notes.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// Final checkpoints, in the order of their file.
    pub(crate) closings: Vec<Checkpoint>,
    /// All others, by tree.
    pub(crate) others: BTreeMap<(i64, u32), Vec<Checkpoint>>,
}

impl Chain {
    /// The highest sequence of the organization that was ever signed.
    pub(crate) fn last_sequence(&self) -> u64 {
        let others = self.others.values().flatten();
        self.closings.iter().chain(others).map(|checkpoint| checkpoint.last_sequence).max().unwrap_or(0)
    }

    /// What is signed about each tree: the final checkpoint, or the newest.
    pub(crate) fn trees(&self) -> Trees {
        let newest =
            |checkpoints: &Vec<Checkpoint>| checkpoints.iter().max_by_key(|one| (one.size, one.is_final)).cloned();
        let mut trees: Trees =
            self.others.iter().filter_map(|(tree, checkpoints)| Some((*tree, newest(checkpoints)?))).collect();
        for closing in &self.closings {
            trees.insert((closing.tree.day, closing.tree.part), closing.clone());
        }
        trees
    }
}

/// Reads notes and reports those that do not hold.
pub(crate) struct Reader<'a> {
    pub(crate) store: &'a Store,
    pub(crate) key: &'a VerifyingKey,
    pub(crate) log: &'a str,
    pub(crate) report: &'a mut dyn FnMut(Problem),
}

impl Reader<'_> {
    /// The checkpoints of a file that hold.
    pub(crate) fn file<T>(
        &mut self,
        path: &Path,
        read: impl Fn(&str) -> Result<T, BadNote>,
    ) -> Result<Vec<T>, StoreError> {
        let bytes = store::read(path)?;
        let Notes { notes, end } = notes::split(&bytes);
        let mut found = Vec::new();
        for (position, note) in notes.into_iter().enumerate() {
            let text = bytes.get(note).and_then(|note| str::from_utf8(note).ok()).ok_or(BadNote::Malformed);
            let opened = text.and_then(|note| {
                self.key.open(note).map_err(|error| match error {
                    NoteError::Malformed => BadNote::Malformed,
                    NoteError::Unsigned => BadNote::OtherKey,
                    NoteError::BadSignature => BadNote::BadSignature,
                })
            });
            match opened.and_then(&read) {
                Ok(checkpoint) => found.push(checkpoint),
                Err(why) => (self.report)(Problem::Note { file: path.to_owned(), number: position + 1, why }),
            }
        }
        if end < bytes.len() {
            (self.report)(Problem::Unfinished { file: path.to_owned() });
        }
        Ok(found)
    }

    pub(crate) fn node_checkpoints(&mut self) -> Result<Vec<NodeCheckpoint>, StoreError> {
        let log = self.log;
        self.file(&self.store.node_checkpoints(), |text| {
            let checkpoint = NodeCheckpoint::parse(text).map_err(|_| BadNote::Malformed)?;
            if checkpoint.log == log { Ok(checkpoint) } else { Err(BadNote::Elsewhere) }
        })
    }

    /// The final checkpoints of an organization.
    pub(crate) fn closings(&mut self, organization: Option<&str>) -> Result<Vec<Checkpoint>, StoreError> {
        let log = self.log;
        self.file(&self.store.closings(organization), |text| {
            let checkpoint = tree_checkpoint(text, log)?;
            let own = checkpoint.is_final && checkpoint.tree.organization.as_deref() == organization;
            if own { Ok(checkpoint) } else { Err(BadNote::Elsewhere) }
        })
    }

    /// All notes of an organization, and those of it that were kept elsewhere.
    /// Files of days before `since_day` may have been dropped.
    pub(crate) fn chain(
        &mut self,
        organization: Option<&str>,
        kept: &[Checkpoint],
        since_day: Option<i64>,
    ) -> Result<Chain, StoreError> {
        let mut chain = self.all_of(organization, None)?;
        let needed = |day| since_day.is_none_or(|since| day >= since);
        for closing in chain.closings.iter().filter(|closing| needed(closing.tree.day)) {
            let file = self.store.tree(&closing.tree, Kind::Closed);
            let own = chain.others.get(&(closing.tree.day, closing.tree.part));
            let is_whole = own.is_some_and(|own| own.iter().any(|checkpoint| checkpoint.is_final));
            // Where both are there, a crash came in between, and the signer puts it in order.
            if !is_whole && !self.store.tree(&closing.tree, Kind::Open).exists() {
                (self.report)(Problem::FileMissing { file });
            }
        }
        for checkpoint in kept.iter().filter(|one| one.tree.organization.as_deref() == organization) {
            let tree = (checkpoint.tree.day, checkpoint.tree.part);
            chain.others.entry(tree).or_default().push(checkpoint.clone());
        }
        self.check_links(organization, &chain);
        Ok(chain)
    }

    /// The notes of an organization that hold: all, or final ones and those of one day.
    pub(crate) fn all_of(&mut self, organization: Option<&str>, day: Option<i64>) -> Result<Chain, StoreError> {
        let mut chain = Chain { closings: self.closings(organization)?, others: BTreeMap::new() };
        let (log, directory) = (self.log, self.store.organization(organization));
        for kind in [Kind::Closed, Kind::Open] {
            let trees = store::trees(&directory, kind)?;
            for (day, part) in trees.into_iter().filter(|tree| day.is_none_or(|day| tree.0 == day)) {
                let tree = TreeName { organization: organization.map(Into::into), day, part };
                let path = self.store.tree(&tree, kind);
                let checkpoints = self.file(&path, |text| {
                    let checkpoint = tree_checkpoint(text, log)?;
                    if checkpoint.tree == tree { Ok(checkpoint) } else { Err(BadNote::Elsewhere) }
                })?;
                chain.others.entry((day, part)).or_default().extend(checkpoints);
            }
        }
        Ok(chain)
    }

    /// Whether every checkpoint names the final one that came before it, and every final one is in the chain.
    fn check_links(&mut self, organization: Option<&str>, chain: &Chain) {
        let links: BTreeMap<u64, &Checkpoint> = chain.closings.iter().map(|one| (one.link().number, one)).collect();
        let others = || chain.others.values().flatten();
        let named_before = chain.closings.iter().chain(others()).map(|one| (one.previous, one));
        // Those that only their own files have.
        let finals = others().filter(|one| one.is_final).map(|one| (one.link(), one));
        let mut named: Vec<(Link, &Checkpoint)> = named_before.chain(finals).collect();
        named.sort_by_key(|(link, by)| (link.number, link.hash, by.last_sequence));
        named.dedup_by_key(|(link, _)| *link);
        let mut reported_through = 0;
        for (link, by) in named {
            if link == Link::START || links.get(&link.number).is_some_and(|closing| closing.link() == link) {
                continue;
            }
            let before =
                links.range(..link.number).next_back().map(|(number, closing)| (*number, closing.tree.clone()));
            let first = before.as_ref().map_or(1, |(number, _)| number.saturating_add(1));
            (self.report)(Problem::ChainBroken {
                organization: organization.map(Into::into),
                first_number: first.max(reported_through + 1).min(link.number),
                last_number: link.number,
                after: before.map(|(_, tree)| tree),
                before: by.tree.clone(),
            });
            reported_through = link.number;
        }
    }
}

fn tree_checkpoint(text: &str, log: &str) -> Result<Checkpoint, BadNote> {
    let checkpoint = Checkpoint::parse(text).map_err(|_| BadNote::Malformed)?;
    if checkpoint.log != log {
        return Err(BadNote::Elsewhere);
    }
    if checkpoint.has_known_leaves() { Ok(checkpoint) } else { Err(BadNote::OtherVersion) }
}
