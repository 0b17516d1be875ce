//! From the kernel to the disk: when, and how those who wait for it share one flush.
//!
//! Whoever needs a sequence on disk either finds it there, or waits for the flush that is under way, or makes the next
//! one, which then covers everybody who came meanwhile. Who cannot block a thread asks the one that flushes, and waits as a
//! future: any number of them share a flush.

use crate::journal::append::AppendError;
use crate::journal::shared::Shared;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::Notify;

/// When records reach the disk. With the kernel, safe from the death of the process, they are in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Before anybody is answered: an append waits for it, or whoever appended does by [`Journal::on_disk`]. Those that
    /// wait at a time share a flush. Survives the loss of power.
    ///
    /// [`Journal::on_disk`]: crate::Journal::on_disk
    Always,
    /// In the background, this often. The loss of power can take the records since the last time.
    Interval(Duration),
    /// When the kernel sees fit.
    Never,
}

impl Default for Flush {
    fn default() -> Self {
        Self::Interval(Duration::from_millis(100))
    }
}

/// How far flushing has come.
#[derive(Debug)]
pub(crate) struct Flushing {
    state: Mutex<State>,
    flushed: Condvar,
    /// Wakes the thread that flushes.
    work: Condvar,
    /// Wakes those that wait as futures, after each flush.
    told: Notify,
}

#[derive(Debug)]
struct State {
    flushed: u64,
    /// The newest sequence that somebody waits for as a future.
    wanted: u64,
    running: bool,
    stopping: bool,
    failures: u64,
    failed: Option<Failed>,
    /// Whether the newest flush is the one that failed.
    is_failing: bool,
}

/// Sequences (above `after`, up to `up_to`) whose flush failed. They are never believed to be on disk later: a kernel
/// reports such an error once and then acts as if all was well.
#[derive(Debug)]
struct Failed {
    after: u64,
    up_to: u64,
    source: Arc<io::Error>,
}

pub(crate) struct Progress {
    pub(crate) flushed: u64,
    pub(crate) failures: u64,
}

impl Flushing {
    pub(crate) fn new(flushed: u64) -> Self {
        let state =
            State { flushed, wanted: 0, running: false, stopping: false, failures: 0, failed: None, is_failing: false };
        Self { state: Mutex::new(state), flushed: Condvar::new(), work: Condvar::new(), told: Notify::new() }
    }

    /// Why the newest flush failed, if it did.
    pub(crate) fn failing(&self) -> Option<AppendError> {
        let state = self.state.lock();
        let failed = state.failed.as_ref().filter(|_| state.is_failing)?;
        Some(AppendError::Flush { source: Arc::clone(&failed.source) })
    }

    pub(crate) fn progress(&self) -> Progress {
        let state = self.state.lock();
        Progress { flushed: state.flushed, failures: state.failures }
    }
}

impl Flushing {
    /// What is known of a sequence; where that is nothing, it is asked for.
    fn ask_for(&self, sequence: u64) -> Option<Result<(), AppendError>> {
        let mut state = self.state.lock();
        let known = state.known(sequence);
        if known.is_none() {
            state.wanted = state.wanted.max(sequence);
            self.work.notify_one();
        }
        known
    }
}

impl State {
    fn known(&self, sequence: u64) -> Option<Result<(), AppendError>> {
        match &self.failed {
            Some(failed) if failed.after < sequence && sequence <= failed.up_to => {
                Some(Err(AppendError::Flush { source: Arc::clone(&failed.source) }))
            }
            _ => (sequence <= self.flushed).then_some(Ok(())),
        }
    }

    fn ended(&mut self, up_to: u64, result: io::Result<()>) {
        self.running = false;
        self.is_failing = result.is_err();
        match result {
            Ok(()) => self.flushed = self.flushed.max(up_to),
            Err(source) => {
                self.failures += 1;
                let after = self.failed.as_ref().map_or(self.flushed, |failed| failed.after);
                self.failed = Some(Failed { after, up_to, source: Arc::new(source) });
            }
        }
    }
}

impl Shared {
    /// Returns when this sequence and all before it are on disk.
    pub(crate) fn flush_to(&self, sequence: u64) -> Result<(), AppendError> {
        let mut state = self.flushing.state.lock();
        loop {
            if let Some(result) = state.known(sequence) {
                return result;
            }
            if state.running {
                self.flushing.flushed.wait(&mut state);
                continue;
            }
            self.flush_once(&mut state);
        }
    }

    /// Waits, as a future, until this sequence and all before it are on disk. For [`Flush::Always`], where a thread
    /// flushes for those that wait; with anything else nobody does, and it returns at once.
    pub(crate) async fn on_disk(&self, sequence: u64) -> Result<(), AppendError> {
        if self.flush != Flush::Always {
            return Ok(());
        }
        loop {
            // From before the look: a flush that ends in between is not missed.
            let mut told = pin!(self.flushing.told.notified());
            told.as_mut().enable();
            if let Some(result) = self.flushing.ask_for(sequence) {
                return result;
            }
            told.await;
        }
    }

    /// After a flush that failed: makes another, whether or not there is anything new. What failed before stays
    /// unbelieved.
    pub(crate) fn flush_again(&self) -> Result<(), AppendError> {
        let mut state = self.flushing.state.lock();
        while state.running {
            self.flushing.flushed.wait(&mut state);
        }
        self.flush_once(&mut state);
        drop(state);
        self.flushing.failing().map_or(Ok(()), Err)
    }

    fn flush_once(&self, state: &mut MutexGuard<'_, State>) {
        state.running = true;
        let (up_to, result) = MutexGuard::unlocked(state, || self.flush_files());
        state.ended(up_to, result);
        self.flushing.flushed.notify_all();
        self.flushing.told.notify_waiters();
    }

    fn flush_files(&self) -> (u64, io::Result<()>) {
        let unflushed = self.writer.lock().take_unflushed();
        let result = unflushed.files.iter().try_for_each(|file| file.sync());
        if result.is_err() {
            self.writer.lock().leave_segment();
        }
        (unflushed.up_to, result)
    }

    /// Flushes for those that wait as futures, as long as there are any; then waits for the next.
    fn flush_when_asked(&self) {
        let mut state = self.flushing.state.lock();
        loop {
            if state.running {
                self.flushing.flushed.wait(&mut state);
            } else if state.known(state.wanted).is_none() {
                self.flush_once(&mut state);
            } else if state.stopping {
                return;
            } else {
                self.flushing.work.wait(&mut state);
            }
        }
    }

    fn flush_often(&self, interval: Duration) {
        loop {
            let mut state = self.flushing.state.lock();
            if !state.stopping {
                self.flushing.work.wait_for(&mut state, interval);
            }
            let stopping = state.stopping;
            drop(state);
            let last_sequence = self.writer.lock().last_sequence();
            // A failure is counted, and shows in the statistics; the next append begins a new segment.
            let _ = self.flush_to(last_sequence);
            if stopping {
                return;
            }
        }
    }
}

/// The thread that flushes in the background. Ends, after a last flush, when this is dropped.
#[derive(Debug)]
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<Option<Self>> {
        let its = Arc::clone(shared);
        let work: Box<dyn FnOnce() + Send> = match shared.flush {
            Flush::Never => return Ok(None),
            Flush::Always => Box::new(move || its.flush_when_asked()),
            Flush::Interval(interval) => Box::new(move || its.flush_often(interval)),
        };
        let thread = thread::Builder::new().name("record-flush".to_owned()).spawn(work)?;
        Ok(Some(Self { shared: Arc::clone(shared), thread: Some(thread) }))
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.shared.flushing.state.lock().stopping = true;
        self.shared.flushing.work.notify_all();
        // Its panic would already have been reported on its own thread.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(state: &State, sequence: u64) -> bool {
        matches!(state.known(sequence), Some(Err(_)))
    }

    #[test]
    fn a_failed_flush_is_never_believed_later() {
        let flushing = Flushing::new(10);
        let mut state = flushing.state.lock();
        state.ended(12, Err(io::Error::other("broken")));
        assert!(matches!(state.known(10), Some(Ok(()))));
        assert!(failed(&state, 11) && failed(&state, 12));
        assert!(state.known(13).is_none());
        state.ended(20, Ok(()));
        assert!(failed(&state, 12));
        assert!(matches!(state.known(13), Some(Ok(()))));
        assert_eq!((state.flushed, state.failures), (20, 1));
    }
}
