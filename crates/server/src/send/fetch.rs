//! A small document from outside: one GET, one answer, read as a whole.

use super::{Destination, SendError, Sender};
use axum::body::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use std::io;

/// Largest document, in bytes.
const ANSWER_MAX_BYTES: usize = 256 << 10;
/// What this program calls itself.
const PROGRAM: &str = concat!("tegata/", env!("CARGO_PKG_VERSION"));

/// Fetches a document, once. Any answer but success is none.
pub async fn fetch(sender: &Sender, there: &Destination) -> Result<Bytes, SendError> {
    sender.in_time(get(sender, there)).await
}

async fn get(sender: &Sender, there: &Destination) -> Result<Bytes, SendError> {
    let broken = |error: hyper::Error| SendError::Broken(io::Error::other(error));
    let stream = sender.connect(there).await?;
    let (mut client, connection) =
        hyper::client::conn::http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = Request::get(there.target.as_str())
        .header(HOST, there.authority())
        .header(USER_AGENT, PROGRAM)
        .header(ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|error| SendError::Broken(io::Error::other(error)))?;
    let exchange = async {
        let response = client.send_request(request).await.map_err(broken)?;
        if !response.status().is_success() {
            return Err(SendError::Broken(io::Error::other(format!("it answered {}", response.status()))));
        }
        let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| SendError::Broken(io::Error::other(error)))
    };
    tokio::pin!(exchange, connection);
    tokio::select! {
        answered = &mut exchange => answered,
        // The answer may be there already; if it is not, that is told at once.
        _ = &mut connection => exchange.await,
    }
}
