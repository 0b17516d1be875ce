//! One service before the router: it answers checks by itself and hands everything else on.

use super::connection::{Pulse, UnderWay};
use super::tally::Tally;
use crate::app::App;
use crate::http::body::{Answered, Early};
use crate::http::problem::Told;
use crate::http::routes::{Peer, RequestId};
use crate::http::verify;
use crate::verify::remembered::Remembered;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use std::cell::Cell;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tegata_core::problem::Problem;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use tracing::Level;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the connections of one worker share.
pub struct Shared {
    /// What use cases reach.
    pub app: Arc<App>,
    /// The routes of everything but the checks.
    pub router: Router,
    /// Where everything but the checks is done, and what waits for the database.
    pub main: Handle,
    /// Counts of decisions.
    pub tally: Arc<Tally>,
}

/// The service of one connection.
pub struct Service {
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
    /// The address of the peer; a Unix socket has none.
    peer: Option<IpAddr>,
    ids: RequestIds,
    remembered: Arc<Remembered>,
}

impl Service {
    /// For a connection.
    pub fn new(shared: Arc<Shared>, pulse: Arc<Pulse>, peer: Option<IpAddr>) -> Self {
        let ids = RequestIds::new(shared.app.entropy.bytes());
        Self { shared, pulse, peer, ids, remembered: Arc::default() }
    }

    /// Answers a request.
    pub fn call(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answered>, Infallible>> + Send + use<> {
        let (parts, body) = request.into_parts();
        let id = self.ids.of(&parts.headers);
        let shared = Arc::clone(&self.shared);
        let way = if let Some(check) = verify::Check::at(parts.uri.path()) {
            let body = Early::ask(&parts.headers, body);
            let remembered = Arc::clone(&self.remembered);
            Way::Check(verify::Asked { check, method: parts.method, headers: parts.headers, body, remembered })
        } else {
            let request = Request::from_parts(parts, Body::new(body));
            let under_way = UnderWay::begin(&self.pulse);
            Way::Elsewhere(Box::pin(elsewhere(Arc::clone(&shared), request, id.clone(), self.peer, under_way)))
        };
        async move {
            let mut response = match way {
                Way::Check(mut asked) => {
                    let began = tracing::enabled!(Level::TRACE).then(Instant::now);
                    let response = verify::answer(&shared, &mut asked).await;
                    if let Some(began) = began {
                        let (id, status) = (id.to_str().unwrap_or_default(), response.status().as_u16());
                        tracing::trace!(request_id = id, status, milliseconds = milliseconds(began), "checked");
                    }
                    response
                }
                Way::Elsewhere(answer) => answer.await,
            };
            response.headers_mut().insert(REQUEST_ID, id);
            Ok(response)
        }
    }
}

/// Who answers a request.
#[expect(clippy::large_enum_variant, reason = "it lies in the future of one request, and a check is what comes most")]
enum Way<F> {
    /// The checks, here.
    Check(verify::Asked),
    /// The router. In a box, so that it takes no room in the future of a check.
    Elsewhere(Pin<Box<F>>),
}

/// Answers what is no check, on the main runtime: what waits for the database or hashes a password keeps no check waiting.
async fn elsewhere(
    shared: Arc<Shared>,
    mut request: Request<Body>,
    id: HeaderValue,
    peer: Option<IpAddr>,
    under_way: UnderWay,
) -> Response<Answered> {
    let began = Instant::now();
    let id = id.to_str().unwrap_or_default().to_owned();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer));
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    // Its work ends with the connection: a set of tasks takes them along when it is dropped.
    let mut work = JoinSet::new();
    work.spawn_on(shared.router.clone().oneshot(request), &shared.main);
    let response = match work.join_next().await {
        Some(Ok(answer)) => answer.unwrap_or_else(|never| match never {}),
        Some(Err(error)) => {
            tracing::error!(request_id = %id, %error, "a request was not answered");
            Told(Problem::internal()).into_response()
        }
        None => Told(Problem::internal()).into_response(),
    };
    let status = response.status().as_u16();
    metrics::counter!("tegata_requests_total", "status" => status.to_string()).increment(1);
    tracing::info!(request_id = %id, %method, path, status, milliseconds = milliseconds(began), "answered");
    response.map(|body| Answered::Streamed { body, under_way: Some(under_way) })
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

/// The ids of the requests on one connection: 24 hexadecimal digits, of which the first 16 are random and the same for all
/// of the connection, and the others count.
struct RequestIds {
    connection: [u8; 16],
    next: Cell<u32>,
}

impl RequestIds {
    fn new(random: [u8; 8]) -> Self {
        let mut connection = [0; 16];
        hex_into(&mut connection, &random);
        Self { connection, next: Cell::new(0) }
    }

    /// The caller's request id, where it is short and plain, or a fresh one.
    fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let given = headers.get(REQUEST_ID).filter(|value| {
            let id = value.as_bytes();
            !id.is_empty() && id.len() <= 128 && id.iter().all(u8::is_ascii_graphic)
        });
        given.map_or_else(|| self.fresh(), Clone::clone)
    }

    fn fresh(&self) -> HeaderValue {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        let mut id = [0; 24];
        let (connection, count) = id.split_at_mut(16);
        connection.copy_from_slice(&self.connection);
        hex_into(count, &number.to_be_bytes());
        // Digits are always a header's value.
        HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("none"))
    }
}

/// Writes bytes as hexadecimal digits, two for each.
fn hex_into(digits: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_callers_or_fresh() {
        let ids = RequestIds::new([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        let with = |text: &str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(text).unwrap())]);
        assert_eq!(ids.of(&HeaderMap::new()), "0123456789abcdef00000000");
        assert_eq!(ids.of(&with("mine-1")), "mine-1");
        for refused in ["", "two words", &"x".repeat(129)] {
            assert!(ids.of(&with(refused)).to_str().unwrap().starts_with("0123456789abcdef0000000"), "{refused}");
        }
        assert_eq!(ids.of(&HeaderMap::new()), "0123456789abcdef00000004");
    }
}
