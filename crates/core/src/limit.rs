//! Limits on calls: how many of them, in which time, counted for whom, and of which calls. Counting is a token bucket that
//! refills evenly, kept as one number (the generic cell rate algorithm, ITU-T I.371 §A.1): the moment at which the bucket
//! will be full again.
//!
//! Pure like everything here: the moment is handed in, and what is to be kept is handed out.

#[cfg(test)]
mod tests;

use crate::credential::{UnknownWord, words};
use crate::ids::ApiId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The largest quota, in calls.
pub const QUOTA_MAX: u64 = 1_000_000_000;
/// The longest window, in seconds: 31 days.
pub const WINDOW_MAX_SECONDS: u64 = 31 * 86_400;
/// Most calls of a quota for each second of its window. What refills is counted in whole nanoseconds, so the rate is exact to
/// one in a thousand.
pub const CALLS_PER_SECOND_MAX: u64 = 1_000_000;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// The last moment that is told from others, so that no sum of moment and window can overflow: in the year 2116.
const LAST: i64 = i64::MAX / 2;
/// How far in time two calls may be judged out of order. A bucket that is further ahead than full and this was written by a
/// clock that has been put back since, and counts as empty.
const DISORDER_NANOS: i64 = 10 * NANOS_PER_SECOND;

words! {
    /// For whom calls are counted.
    Per {
        /// For each credential.
        Credential = "credential",
        /// For each principal, whatever credentials they use.
        Principal = "principal",
        /// For the organization as a whole.
        Organization = "organization",
    }
}

/// Why a quota and a window are no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// The quota is out of bounds.
    #[error("a quota is a number of calls from 1 to 1,000,000,000")]
    Quota,
    /// The window is out of bounds.
    #[error("a window is a number of seconds from 1 to 2,678,400, which is 31 days")]
    Window,
    /// More calls than are counted exactly.
    #[error("a quota has at most 1,000,000 calls for each second of its window; lengthen the window, or set no limit")]
    TooFast,
}

/// A quota of calls and the window in which it refills, evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    quota: i64,
    window_seconds: u64,
    /// Nanoseconds in which one call refills, rounded up.
    step: i64,
}

/// How much of a quota is used: the moment, in nanoseconds since 1970, at which all of it will be there again. A moment that
/// has passed stands for a whole quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used(i64);

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Calls.
    pub calls: u64,
    /// After which time there will be one call more; none where nothing is used.
    pub next: Option<Duration>,
    /// After which time the whole quota will be there.
    pub whole: Duration,
}

/// What came of taking a call out of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What is used from now on; to be kept in either case.
    pub used: Used,
    /// What is left.
    pub left: Left,
    /// Why there was none to take: after which time there will be. None where it was taken.
    pub denied: Option<Duration>,
}

impl Used {
    /// Nothing is used.
    pub const NOTHING: Self = Self(0);

    /// As it is stored: nanoseconds since 1970.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// What has just refilled at a moment: everything that is used no longer than this has refilled, too.
    pub fn refilled_at(now: Timestamp) -> Self {
        Self(nanos(now))
    }

    /// For storage: nanoseconds since 1970.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whether the whole quota is there.
    pub fn is_nothing(self, now: Timestamp) -> bool {
        self <= Self::refilled_at(now)
    }
}

/// A moment in nanoseconds since 1970, from 0 to [`LAST`].
fn nanos(now: Timestamp) -> i64 {
    now.as_micros().saturating_mul(1000).clamp(0, LAST)
}

fn span(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.max(0).cast_unsigned())
}

impl Rate {
    /// A rate of so many calls in so many seconds.
    pub fn new(quota: u64, window_seconds: u64) -> Result<Self, RateError> {
        if !(1..=QUOTA_MAX).contains(&quota) {
            return Err(RateError::Quota);
        }
        if !(1..=WINDOW_MAX_SECONDS).contains(&window_seconds) {
            return Err(RateError::Window);
        }
        if quota > window_seconds * CALLS_PER_SECOND_MAX {
            return Err(RateError::TooFast);
        }
        // Both are within their bounds, which no sum or product here leaves.
        let (quota, window) = (quota.cast_signed(), window_seconds.cast_signed() * NANOS_PER_SECOND);
        Ok(Self { quota, window_seconds, step: (window + quota - 1) / quota })
    }

    /// Calls in a window.
    pub const fn quota(&self) -> u64 {
        self.quota.cast_unsigned()
    }

    /// The window.
    pub const fn window_seconds(&self) -> u64 {
        self.window_seconds
    }

    /// Nanoseconds in which one call refills; what is stored beside [`Used`], which means nothing without it.
    pub const fn step_nanos(&self) -> i64 {
        self.step
    }

    /// Nanoseconds in which the whole quota refills.
    const fn full(&self) -> i64 {
        self.quota * self.step
    }

    /// How much is used, in nanoseconds: never less than nothing, and more than all of it only by [`DISORDER_NANOS`].
    fn level(&self, used: Used, now: i64) -> i64 {
        let level = used.0.max(now) - now;
        if level > self.full() + DISORDER_NANOS { self.full() } else { level }
    }

    fn left(&self, level: i64) -> Left {
        let free = (self.full() - level).max(0);
        Left {
            calls: (free / self.step).cast_unsigned(),
            next: (level > 0).then(|| span(self.missing_for(free / self.step + 1, level))),
            whole: span(level),
        }
    }

    /// How long it takes until so many calls are there.
    const fn missing_for(&self, calls: i64, level: i64) -> i64 {
        level - (self.full() - calls * self.step)
    }

    /// What is left now.
    pub fn look(&self, used: Used, now: Timestamp) -> Left {
        self.left(self.level(used, nanos(now)))
    }

    /// Takes a call, if there is one.
    pub fn take(&self, used: Used, now: Timestamp) -> Taken {
        let now = nanos(now);
        let level = self.level(used, now);
        let after = level + self.step;
        if after > self.full() {
            let denied = Some(span(after - self.full()));
            return Taken { used: Used(now + level), left: self.left(level), denied };
        }
        Taken { used: Used(now + after), left: self.left(after), denied: None }
    }

    /// Gives a call back that was taken a moment ago.
    #[must_use]
    pub const fn give_back(&self, used: Used) -> Used {
        Used(used.0.saturating_sub(self.step))
    }

    /// What was used of another rate, as far as it counts for this one: the same calls, and all of the quota at most.
    /// `step_nanos` is that of the other.
    #[must_use]
    pub fn carry(&self, used: Used, step_nanos: i64, now: Timestamp) -> Used {
        let now = nanos(now);
        let level = used.0.clamp(now, LAST) - now;
        if step_nanos == self.step || step_nanos <= 0 {
            return Used(now + level.min(self.full()));
        }
        let calls = level / step_nanos + i64::from(level % step_nanos > 0);
        Used(now + calls.min(self.quota) * self.step)
    }
}

/// Which calls are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covers {
    /// The API; none for every one.
    pub api: Option<ApiId>,
    /// The class of endpoints; none for every call.
    pub class: Option<Box<str>>,
}

impl Covers {
    /// Whether a call is counted.
    pub fn call(&self, api: ApiId, class: Option<&str>) -> bool {
        self.api.is_none_or(|only| only == api) && self.class.as_deref().is_none_or(|only| class == Some(only))
    }
}
