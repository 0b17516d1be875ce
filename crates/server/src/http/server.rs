//! The doors of a server: the router, and threads that accept connections and answer them.
//!
//! Each worker is one thread with a runtime of its own and a listener of its own on the same port, so that a check begins and
//! ends on one processor. Everything that is no check is done on the main runtime.

pub mod connection;
pub mod listen;
mod service;
mod tally;
mod worker;

pub use tally::Tally;

use super::problem::Told;
use super::{api, openapi, pages, scim};
use crate::app::App;
use crate::verify::recording::RecordFailure;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use listen::{Listeners, UnixSocket, UnixSocketError};
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tegata_core::problem::{Code, Problem};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use worker::Worker;

pub use service::Shared;

/// Connections at the same time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 10_000;

/// The router of everything but the checks.
pub fn router(app: &Arc<App>, tallies: Vec<Arc<Tally>>) -> Router {
    let (routes, faces) = api::routes().finish();
    let document = Arc::new(openapi::document(&faces).to_string());
    let openapi = move || {
        let document = Arc::clone(&document);
        async move { ([(header::CONTENT_TYPE, "application/json")], document.as_str().to_owned()) }
    };
    let metrics = move |State(app): State<Arc<App>>, request: Request| {
        let tallies = tallies.clone();
        async move {
            for tally in &tallies {
                tally.collect();
            }
            super::metrics::metrics(State(app), request).await
        }
    };
    routes
        .route("/healthz", get(|| async { json(StatusCode::OK, r#"{"status":"ok"}"#.to_owned()) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi))
        .route("/setup", get(pages::setup))
        .route("/setup/setup.css", get(pages::setup_css))
        .route("/setup/setup.js", get(pages::setup_js))
        .route("/setup/setup.texts.json", get(pages::setup_texts))
        .fallback(|request: Request| async move {
            if scim::is_scim(request.uri().path()) {
                return scim::not_found();
            }
            Told(Problem::new(Code::NotFound, "there is nothing at this path; see /openapi.json")).into_response()
        })
        .method_not_allowed_fallback(|request: Request| async move {
            if scim::is_scim(request.uri().path()) {
                return scim::wrong_method();
            }
            let problem = Problem::new(Code::MethodNotAllowed, "this path has other methods; see /openapi.json");
            Told(problem).into_response()
        })
        .with_state(Arc::clone(app))
}

/// Whether checks can be answered: the lease holds, and the log takes records or need not. Anybody may ask, so that no
/// path or place is told.
async fn ready(State(app): State<Arc<App>>) -> Response<Body> {
    let lease = app.verify.lease().holds();
    let stats = app.verify.journal().stats();
    let proof = app.proofs.health();
    let recording = app.verify.recording().health();
    let is_ready = lease && !(recording.is_failing && recording.on_failure == RecordFailure::Deny);
    let settling = app.settling.since();
    let columns = app.verify.journal().column_stats();
    let body = serde_json::json!({
        "status": if is_ready { "ready" } else { "unavailable" },
        "lease": lease,
        "blocked": app.verify.lease().blocked(),
        "sequence": app.verify.applied_sequence(),
        "records": stats.last_sequence,
        "record_failures": stats.append_failures + stats.flush_failures,
        "record": {
            "condition": if recording.is_failing { "failing" } else { "writing" },
            "since": recording.since,
            "error": recording.error,
            "on_failure": recording.on_failure.as_str(),
            "denied": recording.denied,
            "unrecorded": recording.unrecorded,
        },
        // What is not settled stays in the journal, so that readiness does not depend on it.
        "columns": {
            "condition": if settling.is_some() { "failing" } else { "settling" },
            "since": settling.map(|(since, _)| since),
            "error": settling.map(|(_, word)| word),
            "settled_through": columns.settled_sequence,
        },
        // Checks do not wait for signatures, and readiness does not depend on them.
        "proof": {
            "condition": proof.condition.as_str(),
            "signed_through": proof.signed_through,
            "unsigned": proof.unsigned,
            "findings": proof.findings,
        },
    });
    json(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body.to_string())
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Why a server has no doors.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The address.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The Unix socket.
    #[error(transparent)]
    Unix(#[from] UnixSocketError),
    /// The threads.
    #[error("no thread can be started for requests: {0}")]
    Thread(#[source] io::Error),
}

/// What a server listens on, before it answers.
#[derive(Debug)]
pub struct Doors {
    /// The address, with its port.
    pub address: SocketAddr,
    listeners: Vec<Listeners>,
    unix: Option<UnixSocket>,
}

/// Doors at work.
#[derive(Debug)]
pub struct Serving {
    threads: Vec<JoinHandle<()>>,
    /// Removed with this.
    unix: Option<UnixSocket>,
}

impl Doors {
    /// Listens: with as many workers as are wanted, and on a Unix socket if one is.
    pub fn listen(address: SocketAddr, unix: Option<&Path>, workers: NonZeroUsize) -> Result<Self, DoorError> {
        let failed = |error| DoorError::Listen(address, error);
        let (bound, tcp) = listen::tcp(address, workers).map_err(failed)?;
        let unix = unix.map(UnixSocket::bind).transpose()?;
        let listeners = tcp.into_iter().map(|tcp| {
            let unix = unix.as_ref().map(UnixSocket::listener).transpose()?;
            Ok(Listeners { tcp, unix })
        });
        let listeners = listeners.collect::<Result<_, UnixSocketError>>()?;
        Ok(Self { address: bound, listeners, unix })
    }

    /// Answers requests until told to stop. What is no check is done on the runtime that this is called on.
    pub fn serve(self, app: &Arc<App>, stop: &watch::Receiver<bool>) -> Result<Serving, DoorError> {
        let tallies: Vec<_> = self.listeners.iter().map(|_| Arc::new(Tally::default())).collect();
        let router = router(app, tallies.clone());
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut threads = Vec::new();
        for (listeners, tally) in self.listeners.into_iter().zip(tallies) {
            let shared = Shared { app: Arc::clone(app), router: router.clone(), main: Handle::current(), tally };
            let worker = Worker { shared: Arc::new(shared), room: Arc::clone(&room), stop: stop.clone() };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(DoorError::Thread)?;
            let thread = std::thread::Builder::new().name("requests".to_owned()).spawn(move || {
                if let Err(error) = runtime.block_on(worker.run(listeners, worker::LOOK)) {
                    tracing::error!(%error, "requests are no longer accepted");
                }
            });
            threads.push(thread.map_err(DoorError::Thread)?);
        }
        Ok(Serving { threads, unix: self.unix })
    }
}

impl Serving {
    /// Waits until the last request has been answered.
    pub async fn ended(self) {
        let joined = tokio::task::spawn_blocking(move || {
            for thread in self.threads {
                if thread.join().is_err() {
                    tracing::error!("a thread for requests ended in a panic");
                }
            }
        });
        let _ = joined.await;
        drop(self.unix);
    }
}
