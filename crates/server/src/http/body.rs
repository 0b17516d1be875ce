//! Bodies, coming and going.

use super::server::connection::UnderWay;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tegata_core::problem::{Code, Problem};

/// The body of a request that was asked for as soon as the head was there.
///
/// hyper reads a body only when somebody waits for it. Asked while it hands the request over, it goes on reading at once, where it
/// would else come back to the connection in another turn of the runtime.
#[derive(Debug)]
pub struct Early {
    body: Incoming,
    /// What was there at once; nobody was told to come back for it.
    first: Option<Bytes>,
    state: State,
}

/// How far a body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// More may come.
    Open,
    /// That was all.
    Ended,
    /// The connection ended within it, or it is no body.
    Broken,
}

impl Early {
    /// Asks for a body.
    pub fn ask(headers: &HeaderMap, body: Incoming) -> Self {
        let mut early = Self { body, first: None, state: State::Open };
        // Asking for it would tell the client to go on, which is for whoever reads it to decide.
        if !headers.contains_key(header::EXPECT) {
            let asked = Pin::new(&mut early.body).poll_frame(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(frame) = asked {
                early.first = early.take(frame);
            }
        }
        early
    }

    /// The data of what came; trailers say nothing here.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, hyper::Error>>) -> Option<Bytes> {
        match frame {
            Some(Ok(frame)) => frame.into_data().ok(),
            Some(Err(_)) => {
                self.state = State::Broken;
                None
            }
            None => {
                self.state = State::Ended;
                None
            }
        }
    }

    /// Reads all of it, up to a limit in bytes. A body that came in one piece is not copied.
    pub async fn read(&mut self, limit: usize) -> Result<Bytes, Problem> {
        let mut whole = Bytes::new();
        let mut pieces = Vec::new();
        while self.state == State::Open {
            let piece = if let Some(piece) = self.first.take() {
                piece
            } else {
                let frame = self.body.frame().await;
                self.take(frame).unwrap_or_default()
            };
            if whole.len() + pieces.len() + piece.len() > limit {
                return Err(Problem::new(Code::BodyTooLarge, format!("a body here has at most {limit} bytes")));
            }
            if whole.is_empty() && pieces.is_empty() {
                whole = piece;
            } else {
                pieces.extend_from_slice(&std::mem::take(&mut whole));
                pieces.extend_from_slice(&piece);
            }
            if self.state == State::Open && self.body.is_end_stream() {
                self.state = State::Ended;
            }
        }
        if self.state == State::Broken {
            return Err(Problem::new(Code::MalformedBody, "the body ended early"));
        }
        Ok(if pieces.is_empty() { whole } else { Bytes::from(pieces) })
    }
}

/// The body of an answer.
#[derive(Debug)]
pub enum Answered {
    /// It is there as a whole; none when it is handed over.
    Whole(Option<Bytes>),
    /// It comes from the router.
    Streamed {
        /// Where it comes from.
        body: Body,
        /// While it is written, its connection is not idle.
        under_way: Option<UnderWay>,
    },
}

impl Answered {
    /// A body that is there.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }
}

impl hyper::body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed { body, .. } => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Streamed { body, .. } => body.size_hint(),
        }
    }
}
