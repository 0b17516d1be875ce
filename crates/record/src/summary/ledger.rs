//! The file of counts: 128 places of 512 bytes, each written in place.
//!
//! ```text
//! count u64 · time of the latest i64 · newest sequence when it was begun u64
//! journal tag u16 · length u16 · CRC-32 of these three and the key u32 · key       (little-endian)
//! ```
//!
//! A count is two numbers copied into mapped memory (or one call), so it is with the kernel at once. A place is begun
//! with its key first and its count second: what was begun halfway has no count. The file is as large when it is empty
//! as when it is full, and its blocks are allocated when it is made, so that a full disk stops no count.

use crate::files::private;
use crate::journal::Writing;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use tegata_mapped::{ALIGNMENT, Refused, Window};

/// Summaries that are counted at a time.
pub(super) const SLOTS: usize = 128;
const SLOT_BYTES: usize = 512;
const FILE_BYTES: usize = SLOTS * SLOT_BYTES;
const _: () = assert!(FILE_BYTES as u64 == ALIGNMENT);

/// Where the checked part of a place begins, where its checksum lies, and where its key begins.
const CHECKED_AT: usize = 16;
const CHECKSUM_AT: usize = 28;
const KEY_AT: usize = 32;
/// The longest key.
const KEY_MAX: usize = SLOT_BYTES - KEY_AT;

/// A summary that is being counted.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The record's bytes, without time and count.
    pub(super) key: Arc<[u8]>,
    /// How many checks.
    pub(super) count: u64,
    /// The time of the first, in microseconds since 1970.
    pub(super) first_us: i64,
    /// The time of the latest.
    pub(super) last_us: i64,
    /// The newest record of the journal when this was begun.
    pub(super) floor: u64,
    /// Whether an earlier process counted it. Nothing is added to it any more.
    left: bool,
}

/// How numbers reach the file.
#[derive(Debug)]
enum Place {
    Mapped(Window),
    Calls(File),
}

#[derive(Debug)]
pub(super) struct Ledger {
    place: Place,
    tag: u16,
    entries: Vec<Option<Entry>>,
    by_key: HashMap<Arc<[u8]>, usize>,
}

impl Ledger {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path, writing: Writing, tag: u16) -> io::Result<Self> {
        let mut file = private().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        file.by_ref().take(FILE_BYTES as u64).read_to_end(&mut bytes)?;
        bytes.resize(FILE_BYTES, 0);
        let window = match writing {
            Writing::Mapped => match Window::open(&file, 0, FILE_BYTES as u64) {
                Ok(window) => Some(window),
                Err(Refused::Unsupported) => None,
                Err(Refused::Io(error)) => return Err(error),
            },
            Writing::Calls => None,
        };
        let place = if let Some(window) = window {
            Place::Mapped(window)
        } else {
            // Blocks by writing them: what is there stays.
            file.write_all_at(&bytes, 0)?;
            Place::Calls(file)
        };
        let entries = bytes.chunks_exact(SLOT_BYTES).map(|slot| read(slot, tag)).collect();
        Ok(Self { place, tag, entries, by_key: HashMap::new() })
    }

    /// Counts one more under a key, which is begun if fewer than so many places are in use. Tells whether it was counted.
    pub(super) fn count(&mut self, key: &[u8], time_us: i64, room: usize, floor: impl FnOnce() -> u64) -> bool {
        let Some(number) = self.by_key.get(key).copied() else {
            return self.begin(key, time_us, room, floor);
        };
        let Some((count, last_us)) = self.entry(number).map(|entry| (entry.count, entry.last_us)) else {
            return false;
        };
        let (count, last_us) = (count.saturating_add(1), last_us.max(time_us));
        let written = self.write_count(number, count, last_us);
        if written && let Some(Some(entry)) = self.entries.get_mut(number) {
            (entry.count, entry.last_us) = (count, last_us);
        }
        written
    }

    fn begin(&mut self, key: &[u8], time_us: i64, room: usize, floor: impl FnOnce() -> u64) -> bool {
        let free = self.entries.iter().take(room).position(Option::is_none);
        let (Some(number), true) = (free, key.len() <= KEY_MAX) else { return false };
        let floor = floor();
        let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        let mut rest = Vec::with_capacity(SLOT_BYTES);
        rest.extend_from_slice(&floor.to_le_bytes());
        rest.extend_from_slice(&self.tag.to_le_bytes());
        rest.extend_from_slice(&length.to_le_bytes());
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&rest);
        checksum.update(key);
        rest.extend_from_slice(&checksum.finalize().to_le_bytes());
        rest.extend_from_slice(key);
        if !(self.write(number, CHECKED_AT, &rest) && self.write_count(number, 1, time_us)) {
            return false;
        }
        let key: Arc<[u8]> = key.into();
        let entry = Entry { key: Arc::clone(&key), count: 1, first_us: time_us, last_us: time_us, floor, left: false };
        if let Some(place) = self.entries.get_mut(number) {
            *place = Some(entry);
        }
        self.by_key.insert(key, number);
        true
    }

    /// The places whose summaries were begun before a moment.
    pub(super) fn begun_before(&self, moment_us: i64) -> Vec<usize> {
        self.numbers(|entry| !entry.left && entry.first_us < moment_us)
    }

    /// What an earlier process left, by its place.
    pub(super) fn left(&self) -> Vec<(usize, Entry)> {
        let left = self.numbers(|entry| entry.left).into_iter();
        left.filter_map(|number| Some((number, self.entry(number)?.clone()))).collect()
    }

    fn numbers(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<usize> {
        let entries = self.entries.iter().enumerate();
        entries.filter(|(_, entry)| entry.as_ref().is_some_and(&wanted)).map(|(number, _)| number).collect()
    }

    pub(super) fn entry(&self, number: usize) -> Option<&Entry> {
        self.entries.get(number)?.as_ref()
    }

    /// Forgets a summary that is in the journal. Where the file does not take it, the next opening finds it in both.
    pub(super) fn free(&mut self, number: usize) {
        if let Some(entry) = self.entries.get_mut(number).and_then(Option::take)
            && !entry.left
        {
            self.by_key.remove(&entry.key);
        }
        let _ = self.write_count(number, 0, 0);
    }

    /// How many checks are counted here.
    pub(super) fn total(&self) -> u64 {
        self.entries.iter().flatten().map(|entry| entry.count).fold(0, u64::saturating_add)
    }

    fn write_count(&mut self, number: usize, count: u64, last_us: i64) -> bool {
        let mut bytes = [0; CHECKED_AT];
        let (first, second) = bytes.split_at_mut(8);
        first.copy_from_slice(&count.to_le_bytes());
        second.copy_from_slice(&last_us.to_le_bytes());
        self.write(number, 0, &bytes)
    }

    fn write(&mut self, number: usize, offset: usize, bytes: &[u8]) -> bool {
        let at = (number * SLOT_BYTES + offset) as u64;
        match &mut self.place {
            Place::Mapped(window) => window.write(at, bytes),
            Place::Calls(file) => file.write_all_at(bytes, at).is_ok(),
        }
    }
}

/// The summary in a place, if there is one of this journal that is sound.
fn read(slot: &[u8], tag: u16) -> Option<Entry> {
    let number = |at: usize| slot.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let short = |at: usize| slot.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
    let count = number(0).filter(|count| *count > 0)?;
    let last_us = number(8)?.cast_signed();
    let key = slot.get(KEY_AT..)?.get(..usize::from(short(26)?))?;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(slot.get(CHECKED_AT..CHECKSUM_AT)?);
    checksum.update(key);
    let stored = slot.get(CHECKSUM_AT..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
    let sound = checksum.finalize() == stored && short(24)? == tag;
    let entry = Entry { key: key.into(), count, first_us: last_us, last_us, floor: number(16)?, left: true };
    sound.then_some(entry)
}
