//! A signed webhook (Standard Webhooks 1.0): one POST, one answer.

use super::{Destination, SendError, Sender};
use crate::authn::WebhookSecret;
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::io;
use std::time::Duration;
use tegata_core::time::Timestamp;
use tokio::time::timeout;

/// Most bytes of an answer's body that are read; it says nothing that is kept.
const ANSWER_MAX_BYTES: usize = 64 << 10;
/// How long they are read.
const ANSWER_REST: Duration = Duration::from_secs(1);
/// What this program calls itself.
const PROGRAM: &str = concat!("tegata/", env!("CARGO_PKG_VERSION"));

/// A message to be delivered.
#[derive(Debug)]
pub struct Message {
    /// The same in each try, so that a receiver knows what it has had.
    pub id: String,
    /// JSON.
    pub body: Bytes,
    /// Under which it is signed: the current one, and the former while it still counts.
    pub secrets: Vec<WebhookSecret>,
}

/// What the receiver said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It has the message.
    Accepted(u16),
    /// It wants no more of them, ever (410).
    Gone,
    /// It does not have the message; perhaps later.
    Refused {
        /// The status of the answer.
        status: u16,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
}

/// Delivers a message, once.
pub async fn deliver(
    sender: &Sender,
    there: &Destination,
    message: &Message,
    now: Timestamp,
) -> Result<Answer, SendError> {
    sender.in_time(post(sender, there, message, now)).await
}

async fn post(sender: &Sender, there: &Destination, message: &Message, now: Timestamp) -> Result<Answer, SendError> {
    let broken = |error: hyper::Error| SendError::Broken(io::Error::other(error));
    let stream = sender.connect(there).await?;
    let (mut client, connection) =
        hyper::client::conn::http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = request(there, message, now).map_err(|error| SendError::Broken(io::Error::other(error)))?;
    let exchange = async {
        let response = client.send_request(request).await.map_err(broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        // It has answered; the rest is read so that it can end the connection in order, and not for its content.
        let _ = timeout(ANSWER_REST, Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect()).await;
        Ok(answer(status, &headers, now))
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        answered = &mut exchange => answered,
        // The answer may be there already; if it is not, that is told at once.
        _ = &mut connection => exchange.await,
    }
}

fn request(there: &Destination, message: &Message, now: Timestamp) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let seconds = now.as_micros().div_euclid(1_000_000);
    let signatures: Vec<_> =
        message.secrets.iter().map(|secret| secret.sign(&message.id, seconds, &message.body)).collect();
    Request::post(there.target.as_str())
        .header(HOST, there.authority())
        .header(USER_AGENT, PROGRAM)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", message.id.as_str())
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signatures.join(" "))
        .body(Full::new(message.body.clone()))
}

fn answer(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Answer {
    match status {
        status if status.is_success() => Answer::Accepted(status.as_u16()),
        StatusCode::GONE => Answer::Gone,
        status => {
            let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            Answer::Refused { status: status.as_u16(), retry_after: text.and_then(|text| retry_after(text, now)) }
        }
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::from_micros(u64::try_from(date.as_microsecond() - now.as_micros()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_name_seconds_or_a_date() {
        let now = Timestamp::from_micros(784_111_770_000_000);
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Tue, 06 Nov 1984 08:49:37 GMT", now), Some(Duration::ZERO));
        assert_eq!((retry_after("soon", now), retry_after("-1", now)), (None, None));
    }

    #[test]
    fn only_success_counts_as_delivered() {
        let said = |status: u16| answer(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), Timestamp::EPOCH);
        assert_eq!((said(200), said(204)), (Answer::Accepted(200), Answer::Accepted(204)));
        assert_eq!(said(410), Answer::Gone);
        for status in [301, 307, 400, 404, 429, 500, 503] {
            assert_eq!(said(status), Answer::Refused { status, retry_after: None });
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_dates_never_panic(text in "\\PC{0,40}|[0-9]{0,30}") {
            let _ = retry_after(&text, Timestamp::EPOCH);
        }
    }
}
