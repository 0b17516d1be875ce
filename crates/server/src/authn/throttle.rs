//! Slowing down whoever guesses passwords: after a few failures for an account or an address, each further try waits
//! longer. Kept in memory: a restart forgets, and gives an attacker no more than a few tries.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use tegata_core::time::Timestamp;

/// Failures that cost nothing, per account.
const FREE_FAILURES: u32 = 5;
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(15);
/// Most accounts and addresses that are remembered; beyond it the oldest are forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// The failures of late, by account and by address.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<HashMap<String, Failures>>,
}

impl Throttle {
    /// How long whoever uses these names has to wait before the next try; none when they may go on.
    pub fn wait(&self, names: &[&str], now: Timestamp) -> Option<Duration> {
        let failures = self.failures.lock();
        let until = names.iter().filter_map(|name| failures.get(*name)).map(Failures::until).max()?;
        let left = until.as_micros() - now.as_micros();
        u64::try_from(left).ok().filter(|left| *left > 0).map(Duration::from_micros)
    }

    /// Counts a failure against each of these names.
    pub fn failed(&self, names: &[&str], now: Timestamp) {
        let mut failures = self.failures.lock();
        if failures.len() >= REMEMBERED {
            failures.retain(|_, one| one.until() > now);
        }
        if failures.len() >= REMEMBERED
            && let Some(oldest) = failures.iter().min_by_key(|(_, one)| one.last).map(|(name, _)| name.clone())
        {
            failures.remove(&oldest);
        }
        for name in names {
            let one = failures.entry((*name).to_owned()).or_insert(Failures { count: 0, last: now });
            // An hour without a failure begins anew.
            let rested = now >= one.last.plus(Duration::from_hours(1));
            one.count = if rested { 1 } else { one.count.saturating_add(1) };
            one.last = now;
        }
    }

    /// Forgets an account's failures after a success.
    pub fn succeeded(&self, name: &str) {
        self.failures.lock().remove(name);
    }
}

impl Failures {
    fn until(&self) -> Timestamp {
        if self.count < FREE_FAILURES {
            return self.last;
        }
        let doubled = 1_u64 << (self.count - FREE_FAILURES).min(10);
        self.last.plus(Duration::from_secs(doubled).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let throttle = Throttle::default();
        let start = Timestamp::from_micros(1_000_000_000);
        for _ in 0..4 {
            throttle.failed(&["a"], start);
        }
        assert_eq!(throttle.wait(&["a"], start), None);
        throttle.failed(&["a"], start);
        assert_eq!(throttle.wait(&["a", "b"], start), Some(Duration::from_secs(1)));
        for _ in 0..40 {
            throttle.failed(&["a"], start);
        }
        assert_eq!(throttle.wait(&["a"], start), Some(LONGEST));
        assert_eq!(throttle.wait(&["a"], start.plus(LONGEST)), None);
        assert_eq!(throttle.wait(&["b"], start), None);
        throttle.succeeded("a");
        assert_eq!(throttle.wait(&["a"], start), None);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..(REMEMBERED + 500) {
            throttle.failed(&[&number.to_string()], Timestamp::from_micros(i64::try_from(number).unwrap()));
        }
        assert!(throttle.failures.lock().len() <= REMEMBERED + 1);
    }
}
