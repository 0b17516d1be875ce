//! What is done, and what is told, when the access log takes no records: a full disk, or a failing one.
//!
//! Nothing is kept for later: a record that cannot be written is counted and gone, and the answer says no unless the
//! operator chose otherwise. The log is tried once a second until it is well again, also when nobody asks anything, so
//! that a server that was taken out of service for it comes back.

use crate::app::Clock;
use crate::failing::{Failing, reasons, word_of};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tegata_core::time::Timestamp;
use tegata_record::{AccessLog, AppendError};

/// What becomes of an answer whose record cannot be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordFailure {
    /// It becomes a no.
    #[default]
    Deny,
    /// It leaves as it was decided, without a record, and is counted.
    Allow,
}

impl RecordFailure {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow => "allow",
        }
    }
}

/// How the access log takes records.
#[derive(Debug)]
pub struct Recording {
    log: Arc<AccessLog>,
    clock: Clock,
    on_failure: RecordFailure,
    failing: Failing,
    denied: AtomicU64,
    unrecorded: AtomicU64,
}

/// The same, for health and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingHealth {
    /// Whether the newest record could not be written, or the newest flush failed.
    pub is_failing: bool,
    /// Since when, about.
    pub since: Option<Timestamp>,
    /// What the disk says, in a word.
    pub error: Option<&'static str>,
    /// What becomes of answers meanwhile.
    pub on_failure: RecordFailure,
    /// Answers that were turned into a no for it, since the start of this process.
    pub denied: u64,
    /// Answers that left without a record, since then.
    pub unrecorded: u64,
}

impl Recording {
    /// Over a log that is open.
    pub(super) fn new(log: Arc<AccessLog>, clock: Clock, on_failure: RecordFailure) -> Self {
        let (denied, unrecorded) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { log, clock, on_failure, failing: Failing::default(), denied, unrecorded }
    }

    /// What becomes of an answer whose record cannot be written.
    pub const fn on_failure(&self) -> RecordFailure {
        self.on_failure
    }

    /// Counts answers whose records could not be written, and tells of the first.
    pub(super) fn failed(&self, answers: u64, error: &AppendError) {
        match self.on_failure {
            RecordFailure::Deny => self.denied.fetch_add(answers, Ordering::Relaxed),
            RecordFailure::Allow => self.unrecorded.fetch_add(answers, Ordering::Relaxed),
        };
        if self.failing.note(self.clock.now(), error) {
            self.tell(error);
        }
    }

    /// How it is at this moment.
    pub fn health(&self) -> RecordingHealth {
        let trouble = self.log.trouble();
        RecordingHealth {
            is_failing: trouble.is_some(),
            since: self.failing.since().filter(|_| trouble.is_some()).map(|(since, _)| since),
            error: trouble.as_ref().map(|error| word_of(error)),
            on_failure: self.on_failure,
            denied: self.denied.load(Ordering::Relaxed),
            unrecorded: self.unrecorded.load(Ordering::Relaxed),
        }
    }

    /// A look at the log, for a job that calls it once a second: tries a log that failed again, tells how it goes on,
    /// at most once a minute, and that it is over. Blocks.
    pub fn look(&self) {
        let now = self.clock.now();
        let trouble = self.log.trouble().and_then(|_| self.log.try_again().err());
        if let Some(error) = trouble {
            if self.failing.note(now, &error) {
                self.tell(&error);
            }
        } else if let Some(since) = self.failing.over() {
            let (denied, unrecorded) = (self.denied.load(Ordering::Relaxed), self.unrecorded.load(Ordering::Relaxed));
            tracing::warn!(%since, denied, unrecorded, "access records are written again; the counts are since the start");
        }
    }

    fn tell(&self, error: &AppendError) {
        let error = reasons(error);
        let (denied, unrecorded) = (self.denied.load(Ordering::Relaxed), self.unrecorded.load(Ordering::Relaxed));
        match self.on_failure {
            RecordFailure::Deny => {
                tracing::error!(error, denied, "the access log takes no records: checks are denied until it does");
            }
            RecordFailure::Allow => tracing::error!(
                error,
                unrecorded,
                "the access log takes no records: CHECKS ARE ANSWERED WITHOUT A RECORD, as --record-failure=allow says"
            ),
        }
    }
}
