//! Telling an organization's changes to programs outside, at least once each. See docs/notices.md.
//!
//! What an event says is an entry of activity, which is written with its change. One task reads on in activity, makes
//! deliveries of what a webhook wants, and stores them together with how far it has read; then it hands them to
//! [`crate::send`] and stores what came of each attempt. So nothing is lost between a change and its delivery, whatever is
//! killed. No change waits for a receiver.

mod event;
pub mod pattern;
mod run;
mod turn;

pub use turn::test;

use crate::app::App;
use crate::send::backoff::Backoff;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tegata_core::time::days;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Most deliveries of one webhook that wait. What is beyond stays in activity until there is room.
pub const WAITING_MAX: u64 = 1_000;
/// How long deliveries are kept that are done.
pub const KEPT: Duration = days(30);

/// How long it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// When to try again.
    pub backoff: Backoff,
    /// For how long a delivery is tried.
    pub patience: Duration,
    /// After how long without any success a webhook is disabled.
    pub disable_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let backoff = Backoff { shortest: Duration::from_secs(5), longest: Duration::from_hours(8) };
        Self { backoff, patience: days(3), disable_after: days(5) }
    }
}

/// Numbers about all webhooks, and how long they try.
#[derive(Debug)]
pub struct Webhooks {
    /// How long it is tried.
    pub settings: Settings,
    delivered: AtomicU64,
    failed: AtomicU64,
    failing: AtomicU64,
    waiting: AtomicU64,
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Events that were delivered since the start of this process.
    pub delivered: u64,
    /// Attempts that failed since then.
    pub failed: u64,
    /// Webhooks whose last attempt failed.
    pub failing: u64,
    /// Deliveries that wait.
    pub waiting: u64,
}

impl Webhooks {
    /// None at work yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            delivered: AtomicU64::default(),
            failed: AtomicU64::default(),
            failing: AtomicU64::default(),
            waiting: AtomicU64::default(),
        }
    }

    /// Numbers for metrics.
    pub fn health(&self) -> Health {
        Health {
            delivered: self.delivered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }
}

/// Webhooks at work.
#[derive(Debug)]
pub struct Telling {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Telling {
    /// Begins to tell.
    pub fn begin(app: &Arc<App>) -> Self {
        let (stop, stopping) = watch::channel(false);
        Self { stop, task: tokio::spawn(run::run(Arc::clone(app), stopping)) }
    }

    /// Ends what is under way, for which it waits a few seconds, and stores what came of it.
    pub async fn end(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the task that tells webhooks of changes ended in a panic");
        }
    }
}
