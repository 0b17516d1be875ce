//! Rates of many callers in fixed memory, without a lock.
//!
//! Each rate is a token bucket, kept as one number: the moment at which it would be full again (the generic cell rate
//! algorithm, ITU-T I.371). A caller has two of the buckets, by a hash under a key that nobody knows, and may go on as
//! long as one of them lets it: whoever shares one with a flood is held back only if they share the other with one, too.
//! So there is no table that a flood of addresses could fill, and none that would have to forget.

use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tegata_core::time::Timestamp;

/// Buckets: half a megabyte.
const BUCKETS: usize = 1 << 16;
/// How many seconds' worth may come at once.
const BURST_SECONDS: i64 = 10;

/// So many a second, and ten times as many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time between two, in microseconds.
    every_us: i64,
    /// How far a bucket may be from being full.
    burst_us: i64,
}

impl Rate {
    /// So many a second. More than a million are a million.
    pub fn per_second(number: NonZeroU32) -> Self {
        let every_us = (1_000_000 / i64::from(number.get())).max(1);
        Self { every_us, burst_us: BURST_SECONDS * 1_000_000 }
    }

    /// Takes one from a bucket, or tells how long it takes until there is one.
    fn take(self, bucket: &AtomicI64, now_us: i64) -> Result<(), i64> {
        let latest = now_us.saturating_add(self.burst_us);
        // A clock that was set back does not keep anybody waiting for longer than the burst.
        let next = |full: i64| full.clamp(now_us, latest).saturating_add(self.every_us);
        let taken = bucket
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full| Some(next(full)).filter(|next| *next <= latest));
        taken.map(drop).map_err(|full| next(full) - latest)
    }
}

/// The buckets of all callers.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    places: Box<[AtomicI64]>,
    hasher: foldhash::quality::RandomState,
}

/// What was taken, to be given back.
#[derive(Debug)]
pub struct Taken([Option<usize>; 2]);

impl Buckets {
    /// Full buckets.
    pub fn new(rate: Rate) -> Self {
        let places = (0..BUCKETS).map(|_| AtomicI64::new(0)).collect();
        Self { rate, places, hasher: foldhash::quality::RandomState::default() }
    }

    /// Takes one for a caller, or tells when there is one.
    pub fn take(&self, caller: &impl Hash, now: Timestamp) -> Result<Taken, Duration> {
        let mut taken = [None; 2];
        let mut wait = None::<i64>;
        for (taken, place) in taken.iter_mut().zip(self.places(caller)) {
            let Some(bucket) = self.places.get(place) else { continue };
            match self.rate.take(bucket, now.as_micros()) {
                Ok(()) => *taken = Some(place),
                Err(after) => wait = Some(wait.map_or(after, |other| other.min(after))),
            }
        }
        if taken.iter().any(Option::is_some) {
            return Ok(Taken(taken));
        }
        Err(wait.and_then(|wait| u64::try_from(wait).ok()).map_or(Duration::ZERO, Duration::from_micros))
    }

    /// Gives back what was taken for nothing.
    pub fn give_back(&self, taken: &Taken) {
        for bucket in taken.0.iter().flatten().filter_map(|place| self.places.get(*place)) {
            bucket.fetch_sub(self.rate.every_us, Ordering::Relaxed);
        }
    }

    /// The two buckets of a caller.
    fn places(&self, caller: &impl Hash) -> [usize; 2] {
        let [one, two, three, four, ..] = self.hasher.hash_one(caller).to_le_bytes();
        let (first, second) = (u16::from_le_bytes([one, two]), u16::from_le_bytes([three, four]));
        // Two of them, even where both halves are the same.
        let second = if first == second { second ^ 1 } else { second };
        [first.into(), second.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: i64 = 1_700_000_000_000_000;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(START + micros)
    }

    fn buckets(number: u32) -> Buckets {
        Buckets::new(Rate::per_second(NonZeroU32::new(number).unwrap()))
    }

    #[test]
    fn ten_seconds_worth_at_once_and_then_the_rate() {
        let buckets = buckets(20);
        for number in 0..200 {
            assert!(buckets.take(&"a", at(0)).is_ok(), "{number}");
        }
        assert_eq!(buckets.take(&"a", at(0)).unwrap_err(), Duration::from_millis(50));
        assert!(buckets.take(&"b", at(0)).is_ok(), "others have their own");
        assert!(buckets.take(&"a", at(50_000)).is_ok() && buckets.take(&"a", at(50_000)).is_err());
        // A clock that goes back keeps nobody for longer than that.
        assert!(buckets.take(&"a", at(-3_600_000_000)).unwrap_err() <= Duration::from_secs(10));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let buckets = buckets(1);
        for _ in 0..1_000 {
            let taken = buckets.take(&"a", at(0)).unwrap();
            buckets.give_back(&taken);
        }
        assert_eq!((0..20).filter(|_| buckets.take(&"a", at(0)).is_ok()).count(), 10);
    }

    #[test]
    fn a_flood_of_callers_holds_back_few_others() {
        let buckets = buckets(1);
        for flooder in 0..1_000_u64 {
            while buckets.take(&flooder, at(0)).is_ok() {}
        }
        let held_back = (1_000_000..1_010_000_u64).filter(|caller| buckets.take(caller, at(0)).is_err()).count();
        assert!(held_back < 100, "{held_back} of 10,000");
    }

    proptest! {
        /// In any window, no more than the rate and one burst.
        #[test]
        fn never_more_than_rate_and_burst(
            number in 1_u32..1_000,
            steps in prop::collection::vec((0_i64..300_000, 1_usize..60), 1..60),
        ) {
            let buckets = buckets(number);
            let mut now = 0;
            let mut taken: Vec<i64> = Vec::new();
            for (pause, tries) in steps {
                now += pause;
                for _ in 0..tries {
                    if buckets.take(&1, at(now)).is_ok() {
                        taken.push(now);
                    }
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let seconds = f64::from(u32::try_from(to - from).unwrap()) / 1e6;
                    // An interval of whole microseconds is at most a thousandth faster than what was asked for.
                    let most = f64::from(number) * 1.001 * (seconds + 10.0) + 1.0;
                    let count = f64::from(u32::try_from(last - first + 1).unwrap());
                    prop_assert!(count <= most, "{count} in {seconds} s at {number}");
                }
            }
        }
    }
}
