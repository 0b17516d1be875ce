//! The lease under which this node decides: as long as it was shown, not long ago, that nobody else has taken over.
//! Timed by the machine's monotonic clock from before the question was asked, so that a process that was stopped for
//! a while denies when it wakes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a proof of being the server holds.
pub const LEASE: Duration = Duration::from_secs(2);

/// The lease of this process.
#[derive(Debug)]
pub struct Lease {
    start: Instant,
    /// Milliseconds after `start` at which it runs out.
    until: AtomicU64,
    /// Why it is never renewed: see [`Lease::block`].
    blocked: OnceLock<String>,
}

impl Lease {
    /// A lease that begins now.
    pub fn new() -> Self {
        let lease = Self { start: Instant::now(), until: AtomicU64::new(0), blocked: OnceLock::new() };
        lease.renew(Instant::now());
        lease
    }

    /// Renews it, from the moment before the question was asked.
    pub fn renew(&self, asked: Instant) {
        if self.blocked.get().is_some() {
            return;
        }
        let until = asked.duration_since(self.start) + LEASE;
        self.until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Ends it at once.
    pub fn lose(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Ends it for as long as this process lives: a restored installation that nobody has looked at. Called before
    /// anybody renews it.
    pub fn block(&self, why: String) {
        let _ = self.blocked.set(why);
        self.lose();
    }

    /// Why it was ended for good, where it was.
    pub fn blocked(&self) -> Option<&str> {
        self.blocked.get().map(String::as_str)
    }

    /// Whether this node may decide.
    pub fn holds(&self) -> bool {
        self.start.elapsed().as_millis() < u128::from(self.until.load(Ordering::Acquire))
    }
}

impl Default for Lease {
    fn default() -> Self {
        Self::new()
    }
}
