//! A worker: one thread with a runtime of its own, which accepts connections and answers their requests.

use super::connection::{Connections, Counted, Watched};
use super::listen::Listeners;
use super::service::{Service, Shared};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior};

/// How long requests under way may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How often a worker looks at its connections: one that is quiet for 30 seconds is closed, 10 seconds later by force.
pub const LOOK: Duration = Duration::from_secs(10);

/// One of the server's threads for requests.
pub struct Worker {
    /// What its connections share.
    pub shared: Arc<Shared>,
    /// Room for connections, of all workers together.
    pub room: Arc<Semaphore>,
    /// Says when the server stops.
    pub stop: watch::Receiver<bool>,
}

impl Worker {
    /// Accepts until the server stops; then requests under way end first.
    pub async fn run(mut self, listeners: Listeners, look: Duration) -> io::Result<()> {
        let tcp = TcpListener::from_std(listeners.tcp)?;
        let unix = listeners.unix.map(UnixListener::from_std).transpose()?;
        let mut builder = auto::Builder::new(TokioExecutor::new());
        // An answer is small: one piece is sent sooner than head and body side by side.
        builder.http1().writev(false);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
        let mut connections = Connections::default();
        let mut looks = tokio::time::interval_at(Instant::now() + look, look);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut permit: Option<OwnedSemaphorePermit> = None;
        loop {
            let accepted = tokio::select! {
                biased;
                // Also when nobody is left who could say so.
                _ = self.stop.wait_for(|stop| *stop) => break,
                _ = looks.tick() => {
                    connections.look();
                    continue;
                }
                got = Arc::clone(&self.room).acquire_owned(), if permit.is_none() => {
                    permit = got.ok();
                    continue;
                }
                accepted = tcp.accept(), if permit.is_some() => accepted.map(|(stream, peer)| {
                    let _ = stream.set_nodelay(true);
                    Accepted::Tcp(stream, peer.ip().to_canonical())
                }),
                accepted = accept(unix.as_ref()), if permit.is_some() && unix.is_some() => accepted.map(Accepted::Unix),
            };
            match accepted {
                Ok(Accepted::Tcp(stream, peer)) => {
                    self.serve(&builder, &mut connections, stream, Some(peer), permit.take());
                }
                Ok(Accepted::Unix(stream)) => self.serve(&builder, &mut connections, stream, None, permit.take()),
                Err(error) => {
                    // Out of file descriptors, mostly: rest a moment rather than spin.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop((tcp, unix));
        connections.finish();
        let _ = tokio::time::timeout(DRAIN, async {
            while !connections.have_ended() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        Ok(())
    }

    fn serve<S>(
        &self,
        builder: &auto::Builder<TokioExecutor>,
        connections: &mut Connections,
        stream: S,
        peer: Option<IpAddr>,
        permit: Option<OwnedSemaphorePermit>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pulse = connections.open();
        let stream = TokioIo::new(Counted::new(stream, Arc::clone(&pulse)));
        let service = Service::new(Arc::clone(&self.shared), Arc::clone(&pulse), peer);
        let connection = builder.serve_connection(stream, service_fn(move |request| service.call(request)));
        let connection = Watched::new(connection.into_owned(), pulse);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
}

/// A connection.
enum Accepted {
    Tcp(tokio::net::TcpStream, IpAddr),
    Unix(tokio::net::UnixStream),
}

async fn accept(listener: Option<&UnixListener>) -> io::Result<tokio::net::UnixStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}
