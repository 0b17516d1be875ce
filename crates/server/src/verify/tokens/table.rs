//! The slots of one table, in groups of eight, and the protocol of reading and writing them.

use super::Room;
use super::packed::{IS_USED, Packed, WORDS, noted_word};
use crate::authn::Digest;
use prefetch_index::prefetch_index;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Slots of a group: as many as tags fit into a word.
const SLOTS: usize = 8;
/// Groups whose memory is allocated together: two megabytes, the size of a large page.
const CHUNK: usize = 1 << 10;
/// Words of a cache line.
const LINE: usize = 8;
/// Cache lines of a slot.
const LINES: usize = WORDS / LINE;
/// Those of them that a token with a short name takes.
const LINES_WANTED: usize = 3;
/// How often a slot is read again that is being written to, before it is given up: longer than writing takes, unless the
/// writer was interrupted.
const TRIES: usize = 100;

/// A cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; LINE]);

/// Slots and tags of some groups.
#[derive(Debug)]
struct Chunk {
    /// The tags of each group, a byte for each slot; 0 where the slot is empty.
    tags: Box<[AtomicU64]>,
    /// The slots: the first word of each is its number, odd while it is written to; the second tells whether the token
    /// was used, and when that was last noted; the others are the token.
    lines: Box<[Line]>,
}

/// A table of slots.
#[derive(Debug)]
pub struct Table {
    groups: usize,
    /// Allocated when something is put there.
    chunks: Box<[OnceLock<Chunk>]>,
}

/// A slot: its group, and which of the eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    group: usize,
    slot: usize,
}

/// A byte in each byte of a word.
const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The slots whose tag this is; at most one bit is set for each, and there may be one too many above a true one.
const fn matching(tags: u64, tag: u8) -> u64 {
    let differences = tags ^ repeated(tag);
    differences.wrapping_sub(repeated(1)) & !differences & repeated(0x80)
}

/// The numbers of the slots in what [`matching`] says.
fn slots(mut matches: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = (matches != 0).then(|| matches.trailing_zeros() as usize / 8);
        matches &= matches.wrapping_sub(1);
        slot
    })
}

impl Chunk {
    fn new(groups: usize) -> Self {
        Self {
            tags: (0..groups).map(|_| AtomicU64::new(0)).collect(),
            lines: (0..groups * SLOTS * LINES).map(|_| Line::default()).collect(),
        }
    }

    fn slot(&self, group: usize, slot: usize) -> Option<&[Line; LINES]> {
        let start = (group * SLOTS + slot) * LINES;
        self.lines.get(start..start + LINES)?.first_chunk()
    }
}

impl Table {
    /// An empty table.
    pub fn new(groups: usize) -> Self {
        Self { groups, chunks: (0..groups.div_ceil(CHUNK)).map(|_| OnceLock::new()).collect() }
    }

    /// How many groups it has.
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// How many groups hold this many tokens well: few of them find both of their groups full.
    pub const fn groups_for(tokens: usize) -> usize {
        tokens.saturating_mul(5) / (4 * SLOTS) + 1
    }

    /// How many tokens so many groups hold well.
    pub const fn tokens_for(groups: usize) -> usize {
        groups * SLOTS * 4 / 5
    }

    /// The two groups of a token, and its tag. Digests are random, so any bits of them are as good as a hash.
    fn address(&self, digest: &Digest) -> ([usize; 2], u8) {
        let [_, first, second, last] = words_of(digest);
        let group = |number: u64| {
            #[expect(clippy::cast_possible_truncation, reason = "less than the number of groups")]
            let group = ((u128::from(number) * self.groups as u128) >> 64) as usize;
            group
        };
        let [tag, ..] = last.to_le_bytes();
        ([group(first), group(second)], tag.max(1))
    }

    fn chunk(&self, group: usize) -> Option<(&Chunk, usize)> {
        Some((self.chunks.get(group / CHUNK)?.get()?, group % CHUNK))
    }

    fn tags(&self, group: usize) -> Option<(&Chunk, usize, &AtomicU64)> {
        let (chunk, group) = self.chunk(group)?;
        Some((chunk, group, chunk.tags.get(group)?))
    }

    /// Asks for the tags of a token's group, and for where the group lies: in a large memory, that a processor has to
    /// find out where a page is takes as long as the memory itself, and this way both come at the same time.
    #[inline]
    pub fn approach(&self, digest: &Digest) {
        let ([group, _], _) = self.address(digest);
        let Some((chunk, group)) = self.chunk(group) else { return };
        prefetch_index(&*chunk.tags, group);
        prefetch_index(&*chunk.lines, group * SLOTS * LINES);
    }

    /// Asks for the memory of a token, and does not wait for it.
    #[inline]
    pub fn seek(&self, digest: &Digest) {
        let ([group, _], tag) = self.address(digest);
        let Some((chunk, group, tags)) = self.tags(group) else { return };
        let matches = matching(tags.load(Ordering::Relaxed), tag);
        // Where none matches, this asks for memory that nobody needs, which is cheaper than to find out.
        let slot = matches.trailing_zeros() as usize / 8 % SLOTS;
        let start = (group * SLOTS + slot) * LINES;
        for line in start..start + LINES_WANTED {
            prefetch_index(&*chunk.lines, line);
        }
    }

    /// Copies a token out, where it is here.
    #[inline]
    pub fn read(&self, digest: &Digest, room: &mut Room) -> bool {
        let (groups, tag) = self.address(digest);
        let wanted = words_of(digest);
        for group in groups {
            let Some((chunk, group, tags)) = self.tags(group) else { continue };
            for slot in slots(matching(tags.load(Ordering::Acquire), tag)) {
                if let Some(lines) = chunk.slot(group, slot)
                    && read(lines, &wanted, room)
                {
                    return true;
                }
            }
        }
        false
    }

    /// Where a token lies. For installers: nobody else writes meanwhile.
    pub fn place(&self, digest: &Digest) -> Option<Place> {
        let (groups, tag) = self.address(digest);
        let wanted = words_of(digest);
        groups.into_iter().find_map(|group| {
            let (chunk, within, tags) = self.tags(group)?;
            let is_it = |slot: &usize| {
                chunk.slot(within, *slot).is_some_and(|lines| {
                    (0_usize..).zip(wanted).all(|(number, word)| at(lines, 2 + number).load(Ordering::Relaxed) == word)
                })
            };
            let tags = tags.load(Ordering::Relaxed);
            // What matches above a true match may be an empty slot, and that is the place of no token.
            let slot = slots(matching(tags, tag)).filter(|slot| tags.to_le_bytes()[*slot] == tag).find(is_it)?;
            Some(Place { group, slot })
        })
    }

    /// Puts a token that is not here into an empty slot. Tells whether there was one.
    pub fn put(&self, digest: &Digest, packed: &Packed) -> bool {
        let (groups, tag) = self.address(digest);
        for group in groups {
            let Some(chunk) = self.chunks.get(group / CHUNK) else { continue };
            let rest = self.groups - group / CHUNK * CHUNK;
            let chunk = chunk.get_or_init(|| Chunk::new(rest.min(CHUNK)));
            let within = group % CHUNK;
            let Some(tags) = chunk.tags.get(within) else { continue };
            let before = tags.load(Ordering::Relaxed);
            let empty = (0..SLOTS).find(|slot| before.to_le_bytes()[*slot] == 0);
            let Some((slot, lines)) = empty.and_then(|slot| Some((slot, chunk.slot(within, slot)?))) else { continue };
            write(lines, packed);
            tags.store(before | u64::from(tag) << (slot * 8), Ordering::Release);
            return true;
        }
        false
    }

    /// Writes a token over what is in a slot.
    pub fn write(&self, place: Place, packed: &Packed) {
        if let Some(lines) = self.lines(place) {
            write(lines, packed);
        }
    }

    /// Empties a slot.
    pub fn remove(&self, place: Place) {
        if let Some((_, _, tags)) = self.tags(place.group) {
            tags.fetch_and(!(0xff << (place.slot * 8)), Ordering::Release);
        }
        if let Some(lines) = self.lines(place) {
            write(lines, &Packed::NOTHING);
        }
    }

    /// Whether a token was used since this was last asked.
    pub fn take_used(&self, place: Place) -> bool {
        self.lines(place).is_some_and(|lines| at(lines, 1).fetch_and(!IS_USED, Ordering::Relaxed) & IS_USED != 0)
    }

    /// Marks a token's use as noted in a step.
    pub fn note(&self, place: Place, step: u32) {
        if let Some(lines) = self.lines(place) {
            // It may be another token's by now: then the use of that is noted a step later.
            at(lines, 1).store(IS_USED | noted_word(step), Ordering::Relaxed);
        }
    }

    /// Forgets all of them, at once for every reader.
    pub fn clear(&self) {
        for tags in self.chunks.iter().filter_map(OnceLock::get).flat_map(|chunk| &chunk.tags) {
            tags.store(0, Ordering::Release);
        }
    }

    /// The tokens of one group. For installers.
    pub fn group(&self, group: usize) -> impl Iterator<Item = (Place, Packed)> {
        let tags = self.tags(group).map_or(0, |(_, _, tags)| tags.load(Ordering::Relaxed));
        (0..SLOTS).filter(move |slot| tags.to_le_bytes()[*slot] != 0).filter_map(move |slot| {
            let place = Place { group, slot };
            let lines = self.lines(place)?;
            let words =
                std::array::from_fn(|number| if number == 0 { 0 } else { at(lines, number).load(Ordering::Relaxed) });
            Some((place, Packed(words)))
        })
    }

    fn lines(&self, place: Place) -> Option<&[Line; LINES]> {
        let (chunk, group) = self.chunk(place.group)?;
        chunk.slot(group, place.slot)
    }
}

/// A word of a slot.
const fn at(lines: &[Line; LINES], number: usize) -> &AtomicU64 {
    &lines[number / LINE % LINES].0[number % LINE]
}

/// A digest as words.
fn words_of(digest: &Digest) -> [u64; 4] {
    Packed::digest_words(digest)
}

/// Copies a token out of a slot, where it is the wanted one. What is written meanwhile is read again.
#[inline]
fn read(lines: &[Line; LINES], wanted: &[u64; 4], room: &mut Room) -> bool {
    for _ in 0..TRIES {
        let number = at(lines, 0).load(Ordering::Acquire);
        if number % 2 == 1 {
            std::hint::spin_loop();
            continue;
        }
        let word = |number: usize| at(lines, number).load(Ordering::Relaxed);
        let is_it = word(2) == wanted[0] && word(3) == wanted[1] && word(4) == wanted[2] && word(5) == wanted[3];
        // Words of two tokens are never more than a strange token, which is thrown away.
        let entry = if is_it { Packed::unpack_from(word) } else { None };
        fence(Ordering::Acquire);
        if at(lines, 0).load(Ordering::Relaxed) != number {
            continue;
        }
        let Some(entry) = entry else { return false };
        *room = Room::Copied(entry);
        let used = at(lines, 1);
        if used.load(Ordering::Relaxed) & IS_USED == 0 {
            used.fetch_or(IS_USED, Ordering::Relaxed);
        }
        return true;
    }
    false
}

/// Writes a token to a slot. There is one writer at a time.
fn write(lines: &[Line; LINES], packed: &Packed) {
    let number = at(lines, 0).load(Ordering::Relaxed);
    at(lines, 0).store(number.wrapping_add(1), Ordering::Relaxed);
    // Nobody sees what follows without the odd number.
    fence(Ordering::Release);
    for (place, word) in packed.0.iter().enumerate().skip(1) {
        at(lines, place).store(*word, Ordering::Relaxed);
    }
    at(lines, 0).store(number.wrapping_add(2), Ordering::Release);
}
