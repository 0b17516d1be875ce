//! The accept loop: connections, request ids, the checks before the router, and an orderly end.

use super::problem::Told;
use super::routes::{Peer, RequestId};
use super::{api, openapi, pages, verify};
use crate::app::App;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tegata_core::problem::{Code, Problem};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

/// Connections at the same time; more wait to be accepted.
const CONNECTIONS_MAX: usize = 10_000;
/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests under way may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

const REQUEST_ID: &str = "x-request-id";

/// The router of everything but the checks.
pub fn router(app: &Arc<App>) -> Router {
    let (routes, faces) = api::routes().finish();
    let document = Arc::new(openapi::document(&faces).to_string());
    let openapi = move || {
        let document = Arc::clone(&document);
        async move { ([(header::CONTENT_TYPE, "application/json")], document.as_str().to_owned()) }
    };
    routes
        .route("/healthz", get(|| async { json(StatusCode::OK, r#"{"status":"ok"}"#.to_owned()) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(super::metrics::metrics))
        .route("/openapi.json", get(openapi))
        .route("/setup", get(pages::setup))
        .route("/setup/setup.css", get(pages::setup_css))
        .route("/setup/setup.js", get(pages::setup_js))
        .route("/setup/setup.texts.json", get(pages::setup_texts))
        .fallback(|| async { Told(Problem::new(Code::NotFound, "there is nothing at this path; see /openapi.json")) })
        .method_not_allowed_fallback(|| async {
            Told(Problem::new(Code::MethodNotAllowed, "this path has other methods; see /openapi.json"))
        })
        .with_state(Arc::clone(app))
}

/// Whether checks can be answered: the lease holds and the log takes records.
async fn ready(State(app): State<Arc<App>>) -> Response<Body> {
    let lease = app.verify.lease().holds();
    let stats = app.verify.journal().stats();
    let body = serde_json::json!({
        "status": if lease { "ready" } else { "unavailable" },
        "lease": lease,
        "blocked": app.verify.lease().blocked(),
        "sequence": app.verify.applied_sequence(),
        "records": stats.last_sequence,
        "record_failures": stats.append_failures + stats.flush_failures,
    });
    json(if lease { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body.to_string())
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Counts a decision, for the metrics.
pub fn count_check(reason: &str) {
    metrics::counter!("tegata_checks_total", "reason" => reason.to_owned()).increment(1);
}

/// Serves until told to stop; then requests under way end first.
pub async fn serve(listener: TcpListener, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let router = router(&app);
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(256);
    let builder = Arc::new(builder);
    let graceful = GracefulShutdown::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: rest a moment rather than spin.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (app, router) = (Arc::clone(&app), router.clone());
        let address = peer.ip().to_canonical();
        let service = service_fn(move |request| answer(Arc::clone(&app), router.clone(), address, request));
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
}

async fn answer(
    app: Arc<App>,
    router: Router,
    peer: IpAddr,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Body>, Infallible> {
    let began = Instant::now();
    let mut request = request.map(Body::new);
    let id = request_id(&app, &request);
    request.extensions_mut().insert(Peer(peer));
    request.extensions_mut().insert(RequestId(id.clone()));
    let check = verify::is_check(request.uri().path());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut response = if check {
        verify::answer(&app, request).await
    } else {
        router.oneshot(request).await.unwrap_or_else(|never| match never {})
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    if check {
        tracing::trace!(request_id = %id, status, milliseconds, "checked");
    } else {
        metrics::counter!("tegata_requests_total", "status" => status.to_string()).increment(1);
        tracing::info!(request_id = %id, %method, path, status, milliseconds, "answered");
    }
    Ok(response)
}

/// The caller's request id, where it is short and plain, or a fresh one.
fn request_id(app: &App, request: &Request<Body>) -> String {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic()));
    given.map_or_else(|| crate::authn::hasher::hex(&app.entropy.bytes::<12>()), str::to_owned)
}
