//! The threads that read and write columns. Callers are blocking code: they hand work over and wait for what it yields.
//!
//! Threads of its own, because scans and SQL take processor time for long stretches and must not hold up whoever
//! answers checks; and because a defect in a library, met by a hostile question, then ends one task and not its caller.

use std::future::Future;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Deep expressions are walked by recursion.
const STACK_BYTES: usize = 8 << 20;
const THREADS_MAX: usize = 4;

/// The work ended without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work on the access log ended without an answer")]
pub(crate) struct Interrupted;

#[derive(Debug)]
pub(crate) struct Engine {
    /// `None` only while this is being dropped.
    runtime: Option<Runtime>,
    threads: usize,
}

impl Engine {
    pub(crate) fn start() -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(2, THREADS_MAX);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("record-columns")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()?;
        Ok(Self { runtime: Some(runtime), threads })
    }

    /// How many things run at once.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` on a thread of the engine and waits for it.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Interrupted> {
        let (answer, answered) = mpsc::sync_channel(1);
        let runtime = self.runtime.as_ref().ok_or(Interrupted)?;
        runtime.spawn(async move {
            // Whoever waited may have gone.
            let _ = answer.send(work.await);
        });
        answered.recv().map_err(|_| Interrupted)
    }
}

impl Engine {
    /// The same, but waits no longer than this: `None` then, and the work is given up as soon as it stops to look.
    pub(crate) fn run_within<T: Send + 'static>(
        &self,
        time: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<Option<T>, Interrupted> {
        let (answer, answered) = mpsc::sync_channel(1);
        let runtime = self.runtime.as_ref().ok_or(Interrupted)?;
        let task = runtime.spawn(async move {
            let _ = answer.send(work.await);
        });
        match answered.recv_timeout(time) {
            Ok(answer) => Ok(Some(answer)),
            Err(RecvTimeoutError::Disconnected) => Err(Interrupted),
            Err(RecvTimeoutError::Timeout) => {
                task.abort();
                Ok(None)
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last owner may itself run on a runtime, where waiting for another is not allowed.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_the_work_ends_the_work_only() {
        let engine = Engine::start().unwrap();
        assert_eq!(engine.run(async { panic!("told to") }), Err::<(), _>(Interrupted));
        assert_eq!(engine.run(async { 7 }), Ok(7));
    }

    #[tokio::test]
    async fn it_may_be_used_and_dropped_on_another_runtime() {
        let engine = Engine::start().unwrap();
        assert_eq!(engine.run(async { 7 }), Ok(7));
        drop(engine);
    }
}
