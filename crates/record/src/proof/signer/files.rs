//! What the signer writes: checkpoints of open trees, final ones, and fewer of them once they are many.

use crate::proof::blocks;
use crate::proof::checkpoint::Checkpoint;
use crate::proof::names::TreeName;
use crate::proof::note::SigningKey;
use crate::proof::notes::{self, Notes};
use crate::proof::signer::node::{Entry, Node};
use crate::proof::signer::tree::{OpenTree, State};
use crate::proof::signer::{Organization, Ticked};
use crate::proof::store::{self, Kind, Store, StoreError};
use crate::proof::tree::leaf_hash;
use std::ops::Range;
use std::path::Path;

/// A file of notes that is longer is thinned.
const NOTES_BYTES_MAX: u64 = 256 << 10;

/// What is needed to write the trees of an organization.
pub(crate) struct Files<'a> {
    pub(crate) store: &'a Store,
    pub(crate) key: &'a SigningKey,
    pub(crate) log: &'a str,
    pub(crate) node: &'a mut Node,
    pub(crate) ticked: &'a mut Ticked,
}

impl Files<'_> {
    /// Signs the trees that grew and closes those that are due or sealed. What fails is tried again later.
    pub(crate) fn write(&mut self, organization: &mut Organization, clock_us: i64) -> Result<(), StoreError> {
        let mut position = 0;
        while let Some(tree) = organization.trees.get_mut(position) {
            let is_due = clock_us >= tree.close_at_us;
            if !is_due && !tree.is_ending() {
                if tree.has_all_blocks {
                    self.write_blocks(tree)?;
                }
                if tree.is_unsigned() {
                    let checkpoint = tree.checkpoint(self.log, organization.chain, false);
                    self.sign(tree, &checkpoint)?;
                }
                position += 1;
                continue;
            }
            if !matches!(tree.state, State::Closing(_)) {
                tree.end_blocks();
                let checkpoint = tree.checkpoint(self.log, organization.chain, true);
                self.close(tree, &checkpoint)?;
                organization.chain = checkpoint.link();
            }
            self.finish_closing(tree)?;
            let closed = organization.trees.remove(position);
            organization.cover(closed.name.day, closed.name.part, closed.last_sequence);
        }
        Ok(())
    }

    fn sign(&mut self, tree: &mut OpenTree, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.write_blocks(tree)?;
        let text = checkpoint.to_string();
        let path = self.store.tree(&tree.name, Kind::Open);
        append_note(self.store, &path, &self.key.sign(&text), false, tree_size)?;
        tree.signed = Some((checkpoint.size, leaf_hash(text.as_bytes())));
        self.ticked.checkpoints += 1;
        Ok(())
    }

    /// Puts the final checkpoint into the chain, on disk.
    fn close(&mut self, tree: &mut OpenTree, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.write_blocks(tree)?;
        let note = self.key.sign(&checkpoint.to_string());
        let path = self.store.closings(tree.name.organization.as_deref());
        self.store.append(&path, &format!("{note}\n"), true)?;
        self.node.pending.push(Entry::of(checkpoint));
        tree.last_sequence = checkpoint.last_sequence;
        tree.state = State::Closing(note);
        self.ticked.checkpoints += 1;
        self.ticked.closed += 1;
        Ok(())
    }

    /// Keeps some checkpoints of a tree that is in the chain, and drops the rest.
    fn finish_closing(&mut self, tree: &OpenTree) -> Result<(), StoreError> {
        let State::Closing(note) = &tree.state else {
            return Ok(());
        };
        let open = self.store.tree(&tree.name, Kind::Open);
        let bytes = store::read(&open)?;
        let Notes { mut notes, .. } = notes::split(&bytes);
        thin(&bytes, &mut notes, tree_size);
        let mut kept = join(&bytes, &notes);
        kept.extend_from_slice(note.as_bytes());
        kept.push(b'\n');
        store::replace(&self.store.tree(&tree.name, Kind::Closed), &kept)?;
        store::remove(&open)
    }

    fn write_blocks(&mut self, tree: &mut OpenTree) -> Result<(), StoreError> {
        if tree.blocks.is_empty() && !tree.has_all_blocks {
            return Ok(());
        }
        let (path, text) = (self.store.tree(&tree.name, Kind::Blocks), blocks::text(&tree.blocks));
        if tree.blocks.is_empty() {
            store::remove(&path)?;
        } else if tree.has_all_blocks {
            store::replace(&path, text.as_bytes())?;
        } else {
            self.store.append(&path, &text, false)?;
        }
        tree.blocks.clear();
        tree.has_all_blocks = false;
        Ok(())
    }
}

/// Adds a note to a file, and thins the file if that makes it long.
pub(crate) fn append_note(
    store: &Store,
    path: &Path,
    note: &str,
    flush: bool,
    size_of: fn(&str) -> Option<u64>,
) -> Result<(), StoreError> {
    if store.append(path, &format!("{note}\n"), flush)? > NOTES_BYTES_MAX {
        let bytes = store::read(path)?;
        let Notes { mut notes, .. } = notes::split(&bytes);
        thin(&bytes, &mut notes, size_of);
        store::replace(path, &join(&bytes, &notes))?;
    }
    Ok(())
}

/// The text in a note that is not checked.
pub(crate) fn unchecked_text(note: &str) -> Option<&str> {
    note.rfind("\n\n").and_then(|at| note.get(..=at))
}

fn tree_size(text: &str) -> Option<u64> {
    Checkpoint::parse(text).ok().map(|checkpoint| checkpoint.size)
}

/// Leaves those notes that are kept.
fn thin(bytes: &[u8], notes: &mut Vec<Range<usize>>, size_of: fn(&str) -> Option<u64>) {
    let size = |note: &Range<usize>| {
        let note = str::from_utf8(bytes.get(note.clone())?).ok()?;
        unchecked_text(note).and_then(size_of)
    };
    // What does not even parse has been reported and proves nothing.
    let with_sizes: Vec<(u64, Range<usize>)> = notes.drain(..).filter_map(|note| Some((size(&note)?, note))).collect();
    let sizes: Vec<u64> = with_sizes.iter().map(|(size, _)| *size).collect();
    notes.extend(with_sizes.into_iter().zip(notes::kept(&sizes)).filter(|(_, keep)| *keep).map(|((_, note), _)| note));
}

fn join(bytes: &[u8], notes: &[Range<usize>]) -> Vec<u8> {
    let mut joined = Vec::new();
    for note in notes {
        joined.extend_from_slice(bytes.get(note.clone()).unwrap_or_default());
        joined.push(b'\n');
    }
    joined
}

/// The newest part of a day that is closed, 0 if none is, and the sequence of its last record, if its file tells.
pub(crate) fn newest_closed(
    store: &Store,
    key: &SigningKey,
    log: &str,
    organization: Option<&str>,
    day: i64,
) -> Result<(u32, Option<u64>), StoreError> {
    let tree = |part| TreeName { organization: organization.map(Into::into), day, part };
    let mut part = 0;
    while store.tree(&tree(part + 1), Kind::Closed).exists() {
        part += 1;
    }
    if part == 0 {
        return newest_final(store, key, log, organization, day);
    }
    let bytes = store::read(&store.tree(&tree(part), Kind::Closed))?;
    let newest = newest(&bytes, |note| {
        let checkpoint = Checkpoint::parse(key.verifying_key().open(note).ok()?).ok()?;
        (checkpoint.log == log && checkpoint.tree == tree(part)).then_some(checkpoint.last_sequence)
    });
    Ok((part, newest.found.map(|(_, last)| last)))
}

/// The same by the chain of final checkpoints, which is all that knows of a day that was forgotten.
fn newest_final(
    store: &Store,
    key: &SigningKey,
    log: &str,
    organization: Option<&str>,
    day: i64,
) -> Result<(u32, Option<u64>), StoreError> {
    let bytes = store::read(&store.closings(organization))?;
    let found = newest(&bytes, |note| {
        // Most are of other days, and are not worth checking.
        Checkpoint::parse(unchecked_text(note)?).ok().filter(|checkpoint| checkpoint.tree.day == day)?;
        let checkpoint = Checkpoint::parse(key.verifying_key().open(note).ok()?).ok()?;
        (checkpoint.log == log && checkpoint.tree.organization.as_deref() == organization).then_some(checkpoint)
    });
    Ok(found.found.map_or((0, None), |(_, checkpoint)| (checkpoint.tree.part, Some(checkpoint.last_sequence))))
}

/// What a file of notes ends with.
pub(crate) struct Newest<T> {
    /// The newest note that holds, and what it says.
    pub(crate) found: Option<(String, T)>,
    /// Whether there are later ones that do not hold.
    pub(crate) has_bad: bool,
    /// Where the last whole note ends, if something unfinished follows.
    pub(crate) unfinished_from: Option<usize>,
}

/// Looks for the newest note that `check` takes.
pub(crate) fn newest<T>(bytes: &[u8], check: impl Fn(&str) -> Option<T>) -> Newest<T> {
    let Notes { notes, end } = notes::split(bytes);
    let mut newest = Newest { found: None, has_bad: false, unfinished_from: (end < bytes.len()).then_some(end) };
    for note in notes.into_iter().rev() {
        let note = bytes.get(note).and_then(|note| str::from_utf8(note).ok());
        if let Some(found) = note.and_then(|note| Some((note.to_owned(), check(note)?))) {
            newest.found = Some(found);
            break;
        }
        newest.has_bad = true;
    }
    newest
}
