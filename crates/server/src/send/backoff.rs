//! When to try again: later each time, up to a bound, and never all at the same moment.

use std::time::Duration;

/// Longest that a receiver can ask to be left alone.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// The shortest and the longest wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub shortest: Duration,
    /// After many.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { shortest: Duration::from_secs(1), longest: Duration::from_mins(15) }
    }
}

impl Backoff {
    /// How long to wait after so many failures in a row: half of it doubles each time, the other half is chance
    /// (`random`). What the receiver asked for is respected where it is longer.
    pub fn wait(&self, failures: u32, random: u32, retry_after: Option<Duration>) -> Duration {
        let doubled = self.shortest.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
        let half = doubled.min(self.longest) / 2;
        let wait = half + half.mul_f64(f64::from(random) / f64::from(u32::MAX));
        retry_after.map_or(wait, |asked| wait.max(asked.min(RETRY_AFTER_MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff = Backoff::default();
        let longest = |failures| backoff.wait(failures, u32::MAX, None).as_secs();
        assert_eq!((1..=5).map(longest).collect::<Vec<_>>(), [1, 2, 4, 8, 16]);
        for failures in [11, 31, 32, 33, 1_000, u32::MAX] {
            assert_eq!(longest(failures), 900, "{failures}");
        }
        assert_eq!(backoff.wait(3, 0, None), Duration::from_secs(2));
    }

    #[test]
    fn a_receiver_may_ask_for_more_but_not_for_ever() {
        let backoff = Backoff::default();
        assert_eq!(backoff.wait(1, 0, Some(Duration::from_mins(2))), Duration::from_mins(2));
        assert_eq!(backoff.wait(1, u32::MAX, Some(Duration::ZERO)), Duration::from_secs(1));
        assert_eq!(backoff.wait(1, 0, Some(Duration::MAX)), RETRY_AFTER_MAX);
    }
}
