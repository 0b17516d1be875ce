//! The node's own checkpoints: whether any organization, final checkpoint or open tree was taken away.

use crate::proof::checkpoint::{Checkpoint, Link, NodeCheckpoint};
use crate::proof::names::TreeName;
use crate::proof::signer::node::{Line, entries, open_root};
use crate::proof::source::Source;
use crate::proof::store::{self, Kind};
use crate::proof::tree::{Frontier, TreeHash, leaf_hash};
use crate::proof::verify::chain::Reader;
use crate::proof::verify::problem::{BadNote, Problem};
use crate::proof::verify::{Verifier, VerifyError};
use std::collections::BTreeMap;

/// What was checked of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeVerified {
    /// Checkpoints of the node.
    pub checkpoints: u64,
    /// Final checkpoints that it lists.
    pub closings: u64,
    /// Every record up to this sequence was in a tree.
    pub through: u64,
    /// Problems that were reported.
    pub problems: u64,
}

impl Verifier {
    /// Checks the node's checkpoints against the directories of all organizations, and, where a journal is given,
    /// whether its sequences are without gaps. Needs everything; an organization has only its own part.
    pub fn node(
        &self,
        journal: Option<&dyn Source>,
        report: &mut dyn FnMut(Problem),
    ) -> Result<NodeVerified, VerifyError> {
        let mut problems = 0;
        let mut report = |problem| {
            problems += 1;
            report(problem);
        };
        let mut reader = Reader { store: &self.store, key: &self.key, log: &self.log, report: &mut report };
        let checkpoints = reader.node_checkpoints()?;
        let bytes = store::read(&self.store.node_entries())?;
        let (lines, end) = entries(&bytes);
        if end < bytes.len() {
            (reader.report)(Problem::Unfinished { file: self.store.node_entries() });
        }
        let known = check_entries(&checkpoints, &lines, reader.report);
        let known_organizations: Vec<Option<Box<str>>> = known.keys().cloned().collect();
        let mut organizations = self.organizations()?;
        organizations.extend(known_organizations);
        organizations.sort();
        organizations.dedup();
        for organization in &organizations {
            let closings = closings_quietly(self, organization.as_deref())?;
            check_closings(organization.as_deref(), &closings, known.get(organization), reader.report);
        }
        if let Some(newest) = checkpoints.last() {
            self.check_open_trees(newest, lines.len() as u64, &organizations, reader.report)?;
        }
        if let Some(journal) = journal {
            check_sequences(journal, reader.report)?;
        }
        Ok(NodeVerified {
            checkpoints: checkpoints.len() as u64,
            closings: lines.len() as u64,
            through: checkpoints.last().map_or(0, |newest| newest.through),
            problems,
        })
    }

    /// Whether the newest checkpoints of open trees are those that the node signed. A tree that was closed since cannot
    /// be told from one that was removed, so nothing is said when the list has grown since.
    fn check_open_trees(
        &self,
        newest: &NodeCheckpoint,
        listed: u64,
        organizations: &[Option<Box<str>>],
        report: &mut dyn FnMut(Problem),
    ) -> Result<(), VerifyError> {
        if newest.size != listed {
            return Ok(());
        }
        let mut heads: Vec<(String, TreeHash)> = Vec::new();
        for organization in organizations {
            let directory = self.store.organization(organization.as_deref());
            for (day, part) in store::trees(&directory, Kind::Open)? {
                let tree = TreeName { organization: organization.clone(), day, part };
                let path = self.store.tree(&tree, Kind::Open);
                // Notes that do not hold are reported with their organization.
                let mut quiet = |_| {};
                let mut reader = Reader { store: &self.store, key: &self.key, log: &self.log, report: &mut quiet };
                let checkpoints = reader.file(&path, |text| Checkpoint::parse(text).map_err(|_| BadNote::Malformed))?;
                let seen = checkpoints.iter().rev().find(|one| one.last_sequence <= newest.through);
                heads.extend(seen.map(|one| (tree.to_string(), leaf_hash(one.to_string().as_bytes()))));
            }
        }
        let (found, root) = open_root(heads.iter().map(|(label, hash)| (&**label, *hash)).collect());
        if (found, root) != (newest.open, newest.open_root) {
            report(Problem::OpenTreesChanged { signed: newest.open, found });
        }
        Ok(())
    }
}

type Known = BTreeMap<Option<Box<str>>, BTreeMap<u64, Link>>;

/// Holds the list against each signed root. Returns what it says of each organization.
fn check_entries(checkpoints: &[NodeCheckpoint], lines: &[Line<'_>], report: &mut dyn FnMut(Problem)) -> Known {
    let mut by_size: Vec<&NodeCheckpoint> = checkpoints.iter().collect();
    by_size.sort_by_key(|checkpoint| checkpoint.size);
    let mut known = Known::new();
    let mut frontier = Frontier::new();
    let mut ahead = by_size.into_iter().peekable();
    let mut is_changed = false;
    let found = lines.len() as u64;
    for position in 0..=lines.len() {
        while let Some(checkpoint) = ahead.next_if(|one| one.size == frontier.size()) {
            is_changed |= checkpoint.root != frontier.root();
        }
        let Some((line, entry)) = lines.get(position) else {
            break;
        };
        frontier.push(leaf_hash(line));
        if let Some(entry) = entry {
            let organization = known.entry(entry.tree.organization.clone()).or_default();
            organization.insert(entry.link.number, entry.link);
        }
    }
    if is_changed || ahead.next().is_some() {
        let signed = checkpoints.iter().map(|checkpoint| checkpoint.size).max().unwrap_or(0);
        report(Problem::EntriesChanged { signed, found });
    }
    known
}

fn closings_quietly(verifier: &Verifier, organization: Option<&str>) -> Result<Vec<Checkpoint>, VerifyError> {
    // Notes that do not hold are reported with their organization.
    let mut quiet = |_| {};
    let mut reader = Reader { store: &verifier.store, key: &verifier.key, log: &verifier.log, report: &mut quiet };
    Ok(reader.closings(organization)?)
}

fn check_closings(
    organization: Option<&str>,
    closings: &[Checkpoint],
    known: Option<&BTreeMap<u64, Link>>,
    report: &mut dyn FnMut(Problem),
) {
    let links: BTreeMap<u64, Link> = closings.iter().map(|one| (one.link().number, one.link())).collect();
    let empty = BTreeMap::new();
    let known = known.unwrap_or(&empty);
    let missing: Vec<u64> =
        known.iter().filter(|(number, link)| links.get(number) != Some(link)).map(|(number, _)| *number).collect();
    for run in missing.chunk_by(|one, next| one + 1 == *next) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let organization = organization.map(Into::into);
            report(Problem::ClosingsMissing { organization, first_number: *first, last_number: *last });
        }
    }
    if let Some(first_number) = links.keys().find(|number| !known.contains_key(number)) {
        let organization = organization.map(Into::into);
        report(Problem::ClosingsUnknown { organization, first_number: *first_number });
    }
}

fn check_sequences(journal: &dyn Source, report: &mut dyn FnMut(Problem)) -> Result<(), VerifyError> {
    let mut expected = None;
    journal
        .visit(0, journal.settled(), &mut |record| {
            if let Some(first_sequence) = expected.filter(|expected| *expected < record.sequence) {
                report(Problem::Gap { first_sequence, last_sequence: record.sequence - 1 });
            }
            expected = Some(record.sequence.saturating_add(1));
        })
        .map_err(VerifyError::Source)
}
