//! What keeps connections within bounds without a timer for each request: a connection counts what it writes, and its
//! worker looks at all of them every few seconds. One on which nothing was written and no request is under way is closed,
//! whether it is idle or sends the head of a request a byte at a time.

use hyper_util::server::graceful::GracefulConnection;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection goes on.
const ON: u8 = 0;
/// A connection ends with the request that is under way.
const FINISH: u8 = 1;
/// A connection ends now.
const END: u8 = 2;

/// Looks at a connection after which it is asked to end when nothing happened on it.
const QUIET_MAX: u8 = 3;

/// What a connection and its worker know of each other.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Writes to the peer, wrapping.
    written: AtomicU32,
    /// Requests that may take their time.
    under_way: AtomicU32,
    order: AtomicU8,
    /// Wakes the task of the connection, to read the order.
    waker: Mutex<Option<Waker>>,
}

impl Pulse {
    fn order(&self, order: u8) {
        if self.order.fetch_max(order, Ordering::Relaxed) < order {
            let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// A request under way, and the answer to it until it is written: its connection is not idle.
#[derive(Debug)]
pub struct UnderWay(Arc<Pulse>);

impl UnderWay {
    /// From now on.
    pub fn begin(pulse: &Arc<Pulse>) -> Self {
        pulse.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pulse))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that counts its writes.
#[derive(Debug)]
pub struct Counted<S> {
    stream: S,
    pulse: Arc<Pulse>,
}

impl<S> Counted<S> {
    /// Over a stream.
    pub const fn new(stream: S, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse }
    }

    fn count(&self, poll: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(poll, Poll::Ready(Ok(1..))) {
            // Only this task writes: no need for one step that others see whole.
            let written = self.pulse.written.load(Ordering::Relaxed);
            self.pulse.written.store(written.wrapping_add(1), Ordering::Relaxed);
        }
        poll
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.count(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.count(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A connection that follows the orders of its worker.
pub struct Watched<C> {
    connection: Pin<Box<C>>,
    pulse: Arc<Pulse>,
    /// The last order that was followed.
    followed: u8,
    /// Whether the worker can wake this task.
    introduced: bool,
}

impl<C> Watched<C> {
    /// Over a connection of hyper.
    pub fn new(connection: C, pulse: Arc<Pulse>) -> Self {
        Self { connection: Box::pin(connection), pulse, followed: ON, introduced: false }
    }
}

impl<C: GracefulConnection> Future for Watched<C> {
    type Output = Result<(), C::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.introduced {
            // A task keeps its waker, so once is enough; and before the order is read, so that none is missed.
            *self.pulse.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            self.introduced = true;
        }
        let order = self.pulse.order.load(Ordering::Relaxed);
        if order != self.followed {
            self.followed = order;
            if order == END {
                return Poll::Ready(Ok(()));
            }
            self.connection.as_mut().graceful_shutdown();
        }
        self.connection.as_mut().poll(cx)
    }
}

/// One connection, as its worker sees it.
#[derive(Debug)]
struct Seen {
    pulse: Weak<Pulse>,
    /// What was written when the worker last looked.
    written: u32,
    /// For how many looks nothing has happened.
    quiet: u8,
}

/// The connections of one worker.
#[derive(Debug, Default)]
pub struct Connections {
    seen: Vec<Seen>,
    /// At how many it is time to forget those that have ended.
    crowded: usize,
}

impl Connections {
    /// Another connection.
    pub fn open(&mut self) -> Arc<Pulse> {
        if self.seen.len() >= self.crowded {
            self.forget_ended();
            self.crowded = self.seen.len() * 2 + 1_024;
        }
        let pulse = Arc::new(Pulse::default());
        self.seen.push(Seen { pulse: Arc::downgrade(&pulse), written: 0, quiet: 0 });
        pulse
    }

    /// Looks at all of them, which is to be done every so often: one on which nothing happened since three looks ago is
    /// asked to end, and is cut off at the next one.
    pub fn look(&mut self) {
        self.seen.retain_mut(|seen| {
            let Some(pulse) = seen.pulse.upgrade() else { return false };
            let written = pulse.written.load(Ordering::Relaxed);
            if written != seen.written || pulse.under_way.load(Ordering::Relaxed) > 0 {
                (seen.written, seen.quiet) = (written, 0);
                return true;
            }
            seen.quiet = seen.quiet.saturating_add(1);
            if seen.quiet >= QUIET_MAX {
                pulse.order(if seen.quiet == QUIET_MAX { FINISH } else { END });
            }
            true
        });
    }

    /// Asks all of them to end with the request that is under way.
    pub fn finish(&self) {
        for pulse in self.seen.iter().filter_map(|seen| seen.pulse.upgrade()) {
            pulse.order(FINISH);
        }
    }

    /// Whether all of them have ended.
    pub fn have_ended(&mut self) -> bool {
        self.forget_ended();
        self.seen.is_empty()
    }

    fn forget_ended(&mut self) {
        self.seen.retain(|seen| seen.pulse.strong_count() > 0);
    }
}
