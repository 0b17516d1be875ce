//! Going on where an earlier process ended: what it signed is read, held against what the node knows, and the open
//! trees are made again from their records.

use crate::files::Faults;
use crate::proof::blocks;
use crate::proof::checkpoint::{Checkpoint, Link, NodeCheckpoint, log_name};
use crate::proof::leaf::Leaves;
use crate::proof::names::{self, TreeName};
use crate::proof::note::SigningKey;
use crate::proof::notes::{self, Notes};
use crate::proof::signer::files::{Newest, newest, unchecked_text};
use crate::proof::signer::finding::SignerFinding;
use crate::proof::signer::node::{Entry, Node, entries, open_root};
use crate::proof::signer::tree::{OpenTree, State};
use crate::proof::signer::{Moment, Organization, Signer, SignerError, close_at, note};
use crate::proof::source::Source;
use crate::proof::store::{self, Kind, Store, StoreError};
use crate::proof::tree::{TreeHash, leaf_hash};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What is found while files are read.
struct Opening<'a> {
    store: &'a Store,
    key: &'a SigningKey,
    log: &'a str,
    now_us: i64,
    findings: Vec<SignerFinding>,
    /// The newest final checkpoint of each organization that the node knows of.
    known: HashMap<Option<Box<str>>, Link>,
    /// What was signed last about the node.
    signed: Option<NodeCheckpoint>,
    /// What the node's signed open trees may have been.
    heads: Vec<(String, TreeHash)>,
}

pub(crate) fn open(
    directory: &Path,
    key: SigningKey,
    source: &dyn Source,
    now_us: i64,
    faults: Option<Arc<Faults>>,
) -> Result<(Signer, Vec<SignerFinding>), SignerError> {
    let store = Store::new(directory, faults);
    let lock = store.lock()?.ok_or_else(|| SignerError::InUse { directory: directory.to_owned() })?;
    let turns = Arc::new(store.turns()?);
    let log = log_name(key.verifying_key().name(), source.tag());
    let mut opening = Opening {
        store: &store,
        key: &key,
        log: &log,
        now_us,
        findings: Vec::new(),
        known: HashMap::new(),
        signed: None,
        heads: Vec::new(),
    };
    let mut node = opening.node()?;
    let mut organizations = HashMap::new();
    let mut without = Organization::new(None);
    for directory in store.organizations()? {
        let Some(organization) = opening.organization(&directory, &mut node)? else {
            continue;
        };
        match organization.name.clone() {
            Some(name) => drop(organizations.insert(name, organization)),
            None => without = organization,
        }
    }
    opening.missing_organizations(&mut organizations, &mut without);
    opening.check_open_trees(&node);
    let Opening { findings, signed, .. } = opening;
    let mut signer = Signer {
        store,
        key,
        log,
        through: signed.map_or(0, |signed| signed.through),
        newest_time_us: i64::MIN,
        organizations,
        without,
        node,
        node_is_unsigned: false,
        findings,
        leaves: Leaves::default(),
        turns,
        _lock: lock,
    };
    signer.rebuild(source, now_us)?;
    let findings = std::mem::take(&mut signer.findings);
    Ok((signer, findings))
}

impl Opening<'_> {
    /// The node's tree from its list, held against what was signed about it.
    fn node(&mut self) -> Result<Node, SignerError> {
        let path = self.store.node_checkpoints();
        let bytes = store::read(&path)?;
        let newest = newest(&bytes, |note| {
            let text = self.key.verifying_key().open(note).ok()?;
            NodeCheckpoint::parse(text).ok().filter(|checkpoint| checkpoint.log == self.log)
        });
        if newest.found.is_none() && newest.has_bad {
            return Err(SignerError::OtherKey { file: path });
        }
        self.tidy(&path, &newest)?;
        self.signed = newest.found.map(|(_, checkpoint)| checkpoint);

        let path = self.store.node_entries();
        let bytes = store::read(&path)?;
        let (lines, end) = entries(&bytes);
        if end < bytes.len() {
            self.store.cut(&path, end)?;
            self.findings.push(SignerFinding::Unfinished { file: path });
        }
        let signed = self.signed.as_ref().map_or(0, |signed| signed.size);
        let mut node = Node::default();
        let mut root = (signed == 0).then(|| node.frontier.root());
        let found = lines.len() as u64;
        for (line, entry) in lines {
            node.frontier.push(leaf_hash(line));
            if node.frontier.size() == signed {
                root = Some(node.frontier.root());
            }
            if let Some(Entry { link, tree }) = entry {
                self.known.insert(tree.organization, link);
            }
        }
        if self.signed.as_ref().is_some_and(|signed| root != Some(signed.root)) {
            node.is_refused = true;
            self.findings.push(SignerFinding::EntriesChanged { signed, found });
        }
        Ok(node)
    }

    /// Cuts an unfinished end off, and reports notes that do not hold.
    fn tidy<T>(&mut self, path: &Path, newest: &Newest<T>) -> Result<(), StoreError> {
        let file = path.to_owned();
        if newest.has_bad {
            self.findings.push(SignerFinding::BadNote { file: file.clone() });
        }
        if let Some(end) = newest.unfinished_from {
            self.store.cut(path, end)?;
            self.findings.push(SignerFinding::Unfinished { file });
        }
        Ok(())
    }

    fn checkpoint(&self, note: &str) -> Option<Checkpoint> {
        let checkpoint = Checkpoint::parse(self.key.verifying_key().open(note).ok()?).ok()?;
        (checkpoint.log == self.log).then_some(checkpoint)
    }

    /// What a directory says about an organization; `None` if nothing in it holds.
    fn organization(&mut self, directory: &Path, node: &mut Node) -> Result<Option<Organization>, StoreError> {
        let closings = directory.join("closings");
        let (tail, start) = store::read_tail(&closings)?;
        let mut newest = newest(&tail, |note| self.checkpoint(note).filter(|checkpoint| checkpoint.is_final));
        if let Some(end) = &mut newest.unfinished_from {
            *end += usize::try_from(start).unwrap_or(usize::MAX);
        }
        // The window may begin in the middle of a note.
        newest.has_bad &= start == 0 || newest.found.is_some();
        self.tidy(&closings, &newest)?;
        let trees = self.open_trees(directory, newest.found.as_ref())?;
        let of_tree = |tree: &OpenTree| tree.name.organization.clone();
        let of_closing = newest.found.as_ref().map(|(_, checkpoint)| checkpoint.tree.organization.clone());
        let Some(name) = of_closing.or_else(|| trees.first().map(of_tree)) else {
            return Ok(None);
        };
        let own = directory.file_name().and_then(|name| name.to_str()) == Some(&names::directory(name.as_deref()));
        if !own {
            self.findings.push(SignerFinding::BadNote { file: directory.to_owned() });
            return Ok(None);
        }
        let found = newest.found.map_or(Link::START, |(_, checkpoint)| checkpoint.link());
        let known = self.known.remove(&name).unwrap_or(Link::START);
        let mut chain = found;
        if found.number > known.number {
            self.add_entries(&closings, known, node)?;
        } else if found != known {
            chain = known;
            self.findings.push(SignerFinding::ClosingsChanged { organization: name.clone(), known: known.number });
        }
        let mut organization = Organization::new(name.as_deref());
        (organization.chain, organization.trees) = (chain, trees);
        Ok(Some(organization))
    }

    /// A crash came between a final checkpoint and its line in the node's list: it is made up for.
    fn add_entries(&mut self, closings: &Path, known: Link, node: &mut Node) -> Result<(), StoreError> {
        let bytes = store::read(closings)?;
        let Notes { notes, .. } = notes::split(&bytes);
        let checkpoints = notes.into_iter().filter_map(|place| {
            let closing = str::from_utf8(bytes.get(place)?).ok()?;
            self.checkpoint(closing).filter(|checkpoint| checkpoint.is_final)
        });
        node.pending.extend(
            checkpoints.filter(|checkpoint| checkpoint.link().number > known.number).map(|one| Entry::of(&one)),
        );
        Ok(())
    }

    fn open_trees(
        &mut self,
        directory: &Path,
        newest_closing: Option<&(String, Checkpoint)>,
    ) -> Result<Vec<OpenTree>, StoreError> {
        let mut trees = Vec::new();
        for (day, part) in store::trees(directory, Kind::Open)? {
            // The file's own name, since the organization's is known from its notes only.
            let name = TreeName { organization: None, day, part };
            let file = self.store.tree(&name, Kind::Open);
            let path = file.file_name().map(|name| directory.join(name)).unwrap_or_default();
            let bytes = store::read(&path)?;
            let newest = newest(&bytes, |note| {
                let checkpoint = self.checkpoint(note)?;
                (checkpoint.tree.day == day && checkpoint.tree.part == part).then_some(checkpoint)
            });
            self.tidy(&path, &newest)?;
            let Some((_, signed)) = newest.found else {
                continue;
            };
            self.remember_head(&bytes, &signed);
            let close_at_us = close_at(day, self.now_us);
            if let Some((note, closing)) = newest_closing.filter(|(_, closing)| closing.tree == signed.tree) {
                let mut tree = OpenTree::new(signed.tree, close_at_us);
                tree.last_sequence = closing.last_sequence;
                tree.state = State::Closing(note.clone());
                trees.push(tree);
                continue;
            }
            let path = self.store.tree(&signed.tree, Kind::Blocks);
            let bytes = store::read(&path)?;
            let stored = blocks::parse(&bytes);
            // A line that a crash left unfinished would spoil the next one.
            let whole = blocks::text(&stored).len();
            if whole < bytes.len() {
                self.store.cut(&path, whole)?;
            }
            trees.push(OpenTree::rebuilding(signed, stored, close_at_us));
        }
        Ok(trees)
    }

    /// What the node's newest checkpoint must have seen of this tree: the newest note about records that it had read.
    fn remember_head(&mut self, bytes: &[u8], newest: &Checkpoint) {
        let through = self.signed.as_ref().map_or(0, |signed| signed.through);
        let Notes { notes, .. } = notes::split(bytes);
        let seen = notes.into_iter().rev().find_map(|note| {
            let text = unchecked_text(str::from_utf8(bytes.get(note)?).ok()?)?;
            let checkpoint = Checkpoint::parse(text).ok()?;
            (checkpoint.last_sequence <= through).then(|| leaf_hash(text.as_bytes()))
        });
        self.heads.extend(seen.map(|hash| (newest.tree.to_string(), hash)));
    }

    /// Organizations that the node knows of and that have no directory any more.
    fn missing_organizations(
        &mut self,
        organizations: &mut HashMap<Box<str>, Organization>,
        without: &mut Organization,
    ) {
        for (name, link) in std::mem::take(&mut self.known) {
            self.findings.push(SignerFinding::ClosingsChanged { organization: name.clone(), known: link.number });
            let organization = match name {
                Some(name) => organizations.entry(name.clone()).or_insert_with(|| Organization::new(Some(&name))),
                None => &mut *without,
            };
            organization.chain = link;
        }
    }

    /// Whether the open trees are those that the node saw last. After a crash between a final checkpoint and the node's
    /// next one, that cannot be told.
    fn check_open_trees(&mut self, node: &Node) {
        let Some(signed) = self.signed.as_ref().filter(|signed| signed.size == node.frontier.size()) else {
            return;
        };
        let heads = self.heads.iter().map(|(label, hash)| (&**label, *hash)).collect();
        if node.pending.is_empty() && open_root(heads) != (signed.open, signed.open_root) {
            self.findings.push(SignerFinding::OpenTreesChanged);
        }
    }
}

impl Signer {
    /// Reads the records of open trees again, and what was signed after the node's last checkpoint.
    fn rebuild(&mut self, source: &dyn Source, now_us: i64) -> Result<(), SignerError> {
        let trees = self.all().flat_map(|organization| &organization.trees);
        let signed = trees.filter_map(|tree| match &tree.state {
            State::Rebuilding { signed, .. } => Some((signed.first_sequence, signed.last_sequence)),
            _ => None,
        });
        let (first, last) = signed.fold((self.through.saturating_add(1), self.through), |(first, last), tree| {
            (first.min(tree.0), last.max(tree.1))
        });
        let settled = source.settled();
        if settled < last {
            self.findings.push(SignerFinding::Lost { signed_through: last, last_sequence: settled });
        }
        if settled.min(last) >= first {
            let moment = Moment { now_us, is_behind: false };
            self.read(source, first.saturating_sub(1), settled.min(last), moment)?;
        }
        self.through = self.through.max(last);
        for organization in self.organizations.values_mut().chain(std::iter::once(&mut self.without)) {
            for tree in &mut organization.trees {
                tree.rebuilt().into_iter().for_each(|finding| note(&mut self.findings, finding));
            }
        }
        Ok(())
    }
}
