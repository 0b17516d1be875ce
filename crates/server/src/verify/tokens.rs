//! The tokens in memory, by the digest of their secret, so laid out that a look-up waits for memory once.
//!
//! Most tokens are alike: one organization, one grant, a short name. Such a token lies in a *slot* of 256 bytes, four
//! cache lines side by side, and eight slots make a *group*. The digest alone says which group, and a byte of it (its
//! *tag*) which slot: the tags of all groups are small enough to stay in the processor's cache. So the slot can be asked
//! for as soon as the digest is known ([`TokensView::seek`]), and comes while other things are done. Whatever does not fit
//! into a slot, or finds its groups full, lies in an ordinary map.
//!
//! Readers take no lock and copy a slot out. Each slot carries a number that is odd while somebody writes to it; a copy
//! counts only if the number was even and the same before and after, so no reader sees a part of one token and a part of
//! another. Writers come one at a time: they hold the lock of installers ([`super::index`]).
//!
//! A token lies in one place at any time. When the table grows, groups are moved a few at a time, with each token that is
//! installed; a token is in its new place before it leaves the old one, and readers look at the old one first.

mod packed;
mod table;
#[cfg(test)]
mod tests;

use super::bytes::OF_A_SLOT;
use super::entry::TokenEntry;
use super::index::FirstBytes;
use crate::authn::Digest;
use arc_swap::ArcSwap;
use packed::Packed;
use papaya::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use table::Table;
use tegata_core::ids::OrgId;

/// Groups of a memory that is empty.
const GROUPS_MIN: usize = 16;
/// Groups that are moved with each token that is installed, while the table grows: so many that all have been moved long
/// before the larger table is full.
const GROUPS_MOVED: usize = 8;

type Large = HashMap<Digest, Arc<TokenEntry>, BuildHasherDefault<FirstBytes>>;

/// Tokens by digest.
#[derive(Debug)]
pub struct Tokens {
    tables: ArcSwap<Tables>,
    /// What lies in no slot.
    large: Large,
    /// What they take of memory.
    large_bytes: AtomicUsize,
    /// How many lie in slots.
    in_slots: AtomicUsize,
    /// How large the table may become.
    groups_max: usize,
}

/// The slots.
#[derive(Debug)]
struct Tables {
    /// Where tokens are put.
    now: Arc<Table>,
    /// Where those still are that were there before the table grew.
    before: Option<Arc<Table>>,
}

/// How far moving to a larger table has come; belongs to whoever holds the lock of installers.
#[derive(Debug, Default)]
pub struct Moving {
    /// Groups of the table before that have been moved.
    done: usize,
}

impl Tokens {
    /// No tokens, with room for this many; more have to be removed by whoever puts them in.
    pub fn new(capacity: usize) -> Self {
        let groups_max = Table::groups_for(capacity).max(GROUPS_MIN);
        Self {
            tables: ArcSwap::from_pointee(Tables { now: Arc::new(Table::new(GROUPS_MIN)), before: None }),
            large: Large::default(),
            large_bytes: AtomicUsize::new(0),
            in_slots: AtomicUsize::new(0),
            groups_max,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.in_slots.load(Ordering::Relaxed) + self.large.len()
    }

    /// What they take of memory, about.
    pub fn bytes(&self) -> usize {
        self.in_slots.load(Ordering::Relaxed) * OF_A_SLOT + self.large_bytes.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is such a token. For installers.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.tables.load().place(digest).is_some() || self.large.pin().contains_key(digest)
    }

    /// For reading.
    pub fn view(&self) -> TokensView<'_> {
        TokensView { tokens: self, tables: self.tables.load() }
    }

    /// Puts a token in, in the place of an older entry for the same secret where there is one. Tells whether there was
    /// none.
    pub fn put(&self, moving: &mut Moving, digest: Digest, entry: TokenEntry) -> bool {
        self.move_some(moving);
        let packed = Packed::of(&digest, &entry);
        let tables = self.tables.load();
        if let Some((table, place)) = tables.place(&digest) {
            if let Some(packed) = packed {
                table.write(place, &packed);
            } else {
                // There first, so that a reader finds it in one place or in the other.
                self.put_large(digest, entry);
                self.take_out(table, place);
            }
            return false;
        }
        if !self.large.pin().contains_key(&digest)
            && let Some(packed) = packed
            && self.make_room().now.put(&digest, &packed)
        {
            self.in_slots.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        self.put_large(digest, entry)
    }

    /// Puts a token where those are that lie in no slot. Tells whether there was none.
    fn put_large(&self, digest: Digest, entry: TokenEntry) -> bool {
        self.large_bytes.fetch_add(entry.bytes(), Ordering::Relaxed);
        let large = self.large.pin();
        let older = large.insert(digest, Arc::new(entry));
        self.gone(older)
    }

    /// Gives back what a large token took. Tells whether there was none.
    fn gone(&self, older: Option<&Arc<TokenEntry>>) -> bool {
        self.large_bytes.fetch_sub(older.map_or(0, |older| older.bytes()), Ordering::Relaxed);
        older.is_none()
    }

    /// Takes a token out.
    pub fn remove(&self, digest: &Digest) {
        let tables = self.tables.load();
        if let Some((table, place)) = tables.place(digest) {
            self.take_out(table, place);
        } else {
            self.gone(self.large.pin().remove(digest));
        }
    }

    /// Whether a token was used since this was last asked.
    pub fn take_used(&self, digest: &Digest) -> bool {
        if let Some((table, place)) = self.tables.load().place(digest) {
            return table.take_used(place);
        }
        self.large.pin().get(digest).is_some_and(|entry| entry.used.swap(false, Ordering::Relaxed))
    }

    /// Marks the use of a token in an organization as noted in a step. For readers, too.
    pub fn note(&self, digest: &Digest, org: OrgId, step: u32) {
        if let Some((table, place)) = self.tables.load().place(digest) {
            // There is one organization where there is a slot.
            table.note(place, step);
        } else if let Some(part) = self.large.pin().get(digest).and_then(|entry| entry.part(org)) {
            part.noted.set(step);
        }
    }

    /// Takes all tokens out.
    pub fn clear(&self, moving: &mut Moving) {
        *moving = Moving::default();
        let empty = Tables { now: Arc::new(Table::new(GROUPS_MIN)), before: None };
        let old = self.tables.swap(Arc::new(empty));
        // Also for those who look at the old tables meanwhile.
        for table in old.before.iter().chain([&old.now]) {
            table.clear();
        }
        self.in_slots.store(0, Ordering::Relaxed);
        self.large.pin().clear();
        self.large_bytes.store(0, Ordering::Relaxed);
    }

    fn take_out(&self, table: &Table, place: table::Place) {
        table.remove(place);
        self.in_slots.fetch_sub(1, Ordering::Relaxed);
    }

    /// The tables, with room for one more; begins to grow where there is none.
    fn make_room(&self) -> arc_swap::Guard<Arc<Tables>> {
        let tables = self.tables.load();
        let groups = tables.now.groups();
        let full = self.in_slots.load(Ordering::Relaxed) >= Table::tokens_for(groups);
        if !full || groups >= self.groups_max || tables.before.is_some() {
            return tables;
        }
        // By halves of the largest, so that the last step is not a small one.
        let mut larger = self.groups_max;
        while larger.div_ceil(2) > groups {
            larger = larger.div_ceil(2);
        }
        let larger = Table::new(larger);
        self.tables.store(Arc::new(Tables { now: Arc::new(larger), before: Some(Arc::clone(&tables.now)) }));
        self.tables.load()
    }

    /// Moves a few groups, if there are any to be moved.
    fn move_some(&self, moving: &mut Moving) {
        let tables = self.tables.load();
        let Some(before) = &tables.before else { return };
        let end = before.groups().min(moving.done + GROUPS_MOVED);
        for group in moving.done..end {
            for (place, packed) in before.group(group) {
                let digest = packed.digest();
                if !tables.now.put(&digest, &packed)
                    && let Some(entry) = packed.unpack()
                {
                    self.put_large(digest, entry);
                    self.in_slots.fetch_sub(1, Ordering::Relaxed);
                }
                before.remove(place);
            }
        }
        moving.done = end;
        if end == before.groups() {
            *moving = Moving::default();
            self.tables.store(Arc::new(Tables { now: Arc::clone(&tables.now), before: None }));
        }
    }
}

impl Tables {
    /// Where a token lies; what installers find, no reader needs to be told.
    fn place(&self, digest: &Digest) -> Option<(&Table, table::Place)> {
        let tables = [Some(&self.now), self.before.as_ref()];
        tables.into_iter().flatten().find_map(|table| Some((&**table, table.place(digest)?)))
    }

    /// Copies a token out.
    #[inline]
    fn read(&self, digest: &Digest, room: &mut Room) -> bool {
        self.before.as_ref().is_some_and(|before| before.read(digest, room)) || self.now.read(digest, room)
    }
}

/// Room for a token that was looked up.
#[derive(Debug, Default)]
#[expect(clippy::large_enum_variant, reason = "it is room on the stack, of which a check needs one")]
pub enum Room {
    /// There is none.
    #[default]
    Empty,
    /// Copied out of its slot.
    Copied(TokenEntry),
    /// One that lies in no slot.
    Shared(Arc<TokenEntry>),
}

impl Room {
    /// The token.
    pub fn token(&self) -> Option<&TokenEntry> {
        match self {
            Self::Empty => None,
            Self::Copied(token) => Some(token),
            Self::Shared(token) => Some(token),
        }
    }
}

/// The tokens as one question sees them.
pub struct TokensView<'i> {
    tokens: &'i Tokens,
    tables: arc_swap::Guard<Arc<Tables>>,
}

impl TokensView<'_> {
    /// Asks for the memory of tokens that are about to be looked up, and does not wait for it.
    #[inline]
    pub fn seek<'d>(&self, digests: impl Iterator<Item = &'d Digest> + Clone) {
        // One after the other, each of them would wait for its tags.
        digests.clone().for_each(|digest| self.tables.now.approach(digest));
        digests.for_each(|digest| self.tables.now.seek(digest));
    }

    /// Looks a token up, which counts as a use of it. Tells whether there is one in `room` now.
    pub fn find(&self, digest: &Digest, room: &mut Room) -> bool {
        self.tables.read(digest, room) || self.find_elsewhere(digest, room)
    }

    /// Looks where few tokens are.
    #[cold]
    fn find_elsewhere(&self, digest: &Digest, room: &mut Room) -> bool {
        if let Some(entry) = self.tokens.large.pin().get(digest) {
            entry.touch();
            *room = Room::Shared(Arc::clone(entry));
            return true;
        }
        // It may have moved since this view was opened.
        let tables = self.tokens.tables.load();
        !Arc::ptr_eq(&tables, &self.tables) && tables.read(digest, room)
    }
}
