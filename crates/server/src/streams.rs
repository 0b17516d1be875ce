//! Sending access records on: to a webhook or to syslog, at least once each, in the order of the log. See docs/streams.md.
//!
//! One task looks after all streams. It reads the log by sequence, hands a batch to [`crate::send`], and remembers the
//! last record of a batch when its receiver has it, never before. That is stored a moment later, under the serving lock:
//! what was delivered in between is delivered again after a crash. Nothing queues, nothing waits for a receiver but the
//! stream itself, and no check knows of any of it.

mod batch;
mod lag;
pub mod missed;
mod run;
pub mod settings;
mod turn;

pub use lag::{Lag, lag};
pub use turn::{Tested, test};

use crate::app::App;
use crate::send::Sender;
use crate::send::backoff::Backoff;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

/// Numbers about all streams, and what they send with.
#[derive(Debug)]
pub struct Streams {
    /// What connects to receivers.
    pub sender: Sender,
    backoff: Backoff,
    delivered: AtomicU64,
    failed: AtomicU64,
    failing: AtomicU64,
    behind: AtomicU64,
    /// See [`missed`].
    rounds: Arc<AtomicU64>,
    dropping: Arc<Mutex<()>>,
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Records that were delivered since the start of this process.
    pub delivered: u64,
    /// Deliveries that failed since then.
    pub failed: u64,
    /// Streams whose last delivery failed.
    pub failing: u64,
    /// How many records of the log the stream that is furthest behind has not looked at. Not all of them need be its
    /// own.
    pub behind: u64,
}

impl Streams {
    /// None at work yet.
    pub fn new(sender: Sender, backoff: Backoff) -> Self {
        Self {
            sender,
            backoff,
            delivered: AtomicU64::default(),
            failed: AtomicU64::default(),
            failing: AtomicU64::default(),
            behind: AtomicU64::default(),
            rounds: Arc::default(),
            dropping: Arc::default(),
        }
    }

    /// Numbers for metrics.
    pub fn health(&self) -> Health {
        Health {
            delivered: self.delivered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            behind: self.behind.load(Ordering::Relaxed),
        }
    }
}

/// Streams at work.
#[derive(Debug)]
pub struct Streaming {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Streaming {
    /// Begins to send.
    pub fn begin(app: &Arc<App>) -> Self {
        let (stop, stopping) = watch::channel(false);
        Self { stop, task: tokio::spawn(run::run(Arc::clone(app), stopping)) }
    }

    /// Ends what is under way, for which it waits a few seconds, and stores how far it has come.
    pub async fn end(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the task that sends access records on ended in a panic");
        }
    }
}
