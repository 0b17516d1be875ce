//! Digests that nobody has: a cache of fixed size. Only tokens that are not in memory are looked for here.
//!
//! It is right as long as no digest stays in it that was stored in the database. Whatever is stored comes through the
//! change feed, and the follower lets go of it ([`Digests::let_go`]) before whoever stored it is answered. A reading that
//! is under way meanwhile may be older than the change; it is not remembered, because the follower has moved the
//! generation on first, and a reading brings the one from before it began. What is remembered is forgotten after a
//! minute in any case.

use crate::authn::Digest;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tegata_core::time::Timestamp;

/// How long a digest is remembered.
const REMEMBERED: Duration = Duration::from_mins(1);
/// Locks, each over a part.
const SHARDS: usize = 64;
/// Sets under each lock.
const SETS: usize = 128;
/// Digests in each set.
const WAYS: usize = 8;

/// Digests that nobody has.
#[derive(Debug)]
pub struct Digests {
    shards: Box<[Mutex<Shard>]>,
    generation: AtomicU64,
}

/// The part under one lock.
type Shard = Box<[Set]>;

#[derive(Debug, Clone)]
struct Set {
    digests: [Digest; WAYS],
    /// Until when each of them is remembered.
    until: [Timestamp; WAYS],
    /// Which one goes next.
    next: usize,
}

impl Set {
    const EMPTY: Self = Self { digests: [Digest([0; 32]); WAYS], until: [Timestamp::EPOCH; WAYS], next: 0 };

    fn find(&self, digest: &Digest) -> Option<usize> {
        self.digests.iter().position(|own| own == digest)
    }
}

impl Default for Digests {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(vec![Set::EMPTY; SETS].into())).collect();
        Self { shards, generation: AtomicU64::new(0) }
    }
}

impl Digests {
    /// The generation, for a reading that is about to begin.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Whether a digest is remembered.
    pub fn contains(&self, digest: &Digest, now: Timestamp) -> bool {
        self.with_set(digest, |set| {
            set.find(digest).and_then(|way| set.until.get(way)).is_some_and(|until| now < *until)
        })
    }

    /// Remembers a digest that a reading did not find, unless something was stored since that reading began.
    pub fn remember(&self, digest: Digest, generation: u64, now: Timestamp) {
        self.with_set(&digest, |set| {
            // Under the lock: whoever moves the generation on comes for the digest afterwards, under the same lock.
            if self.generation() != generation {
                return;
            }
            let way = set.find(&digest).or_else(|| set.until.iter().position(|until| *until <= now));
            let way = way.unwrap_or_else(|| {
                set.next = (set.next + 1) % WAYS;
                set.next
            });
            if let (Some(own), Some(until)) = (set.digests.get_mut(way), set.until.get_mut(way)) {
                (*own, *until) = (digest, now.plus(REMEMBERED));
            }
        });
    }

    /// Says that something is about to be known: readings that are under way are not remembered.
    pub fn move_on(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Lets go of a digest that is stored. Comes after [`Self::move_on`].
    pub fn let_go(&self, digest: &Digest) {
        self.with_set(digest, |set| {
            if let Some(until) = set.find(digest).and_then(|way| set.until.get_mut(way)) {
                *until = Timestamp::EPOCH;
            }
        });
    }

    /// Lets go of all of them. Comes after [`Self::move_on`].
    pub fn let_go_of_all(&self) {
        for shard in &self.shards {
            shard.lock().fill(Set::EMPTY);
        }
    }

    fn with_set<T: Default>(&self, digest: &Digest, work: impl FnOnce(&mut Set) -> T) -> T {
        // Any bytes of a digest are as good as any hash of it.
        let Digest([one, two, ..]) = *digest;
        let Some(shard) = self.shards.get(usize::from(one) % SHARDS) else { return T::default() };
        shard.lock().get_mut(usize::from(two) % SETS).map(work).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn digest(number: u64) -> Digest {
        let mut bytes = [7; 32];
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
        bytes[0] = number.to_le_bytes()[0];
        Digest(bytes)
    }

    #[test]
    fn what_is_remembered_is_forgotten_in_time() {
        let digests = Digests::default();
        assert!(!digests.contains(&Digest([0; 32]), NOW), "an empty place holds nothing");
        digests.remember(digest(1), digests.generation(), NOW);
        assert!(digests.contains(&digest(1), NOW) && !digests.contains(&digest(2), NOW));
        assert!(!digests.contains(&digest(1), NOW.plus(REMEMBERED)));
        digests.let_go(&digest(1));
        assert!(!digests.contains(&digest(1), NOW));
    }

    #[test]
    fn a_reading_that_something_overtook_is_not_remembered() {
        let digests = Digests::default();
        let generation = digests.generation();
        digests.move_on();
        digests.let_go(&digest(1));
        digests.remember(digest(1), generation, NOW);
        assert!(!digests.contains(&digest(1), NOW));
        digests.remember(digest(1), digests.generation(), NOW);
        assert!(digests.contains(&digest(1), NOW));
    }

    #[test]
    fn it_is_bounded_and_the_latest_stay() {
        let digests = Digests::default();
        // All of one set.
        let same = |number: u64| digest(number << 8);
        for number in 0..1_000 {
            digests.remember(same(number), digests.generation(), NOW);
        }
        let held: Vec<u64> = (0..1_000).filter(|number| digests.contains(&same(*number), NOW)).collect();
        assert_eq!(held, (1_000 - WAYS as u64..1_000).collect::<Vec<_>>());
    }

    /// Readings race creations: a digest that is stored is never remembered once its creation was applied.
    #[test]
    fn no_race_leaves_a_stored_digest() {
        let digests = Arc::new(Digests::default());
        for round in 0..2_000_u64 {
            let stored = Arc::new(AtomicBool::new(false));
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let (digests, stored) = (Arc::clone(&digests), Arc::clone(&stored));
                    std::thread::spawn(move || {
                        for _ in 0..20 {
                            let generation = digests.generation();
                            if !stored.load(Ordering::SeqCst) {
                                digests.remember(digest(round), generation, NOW);
                            }
                        }
                    })
                })
                .collect();
            stored.store(true, Ordering::SeqCst);
            digests.move_on();
            digests.let_go(&digest(round));
            assert!(!digests.contains(&digest(round), NOW), "round {round}");
            for reader in readers {
                reader.join().unwrap();
            }
            assert!(!digests.contains(&digest(round), NOW), "round {round}, at the end");
        }
    }
}
