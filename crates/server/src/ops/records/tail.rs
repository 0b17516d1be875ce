//! Follow the access records of an organization as they are written: server-sent events (HTML Standard, §9.2).
//!
//! Nothing queues here: whoever reads slowly is shown the rest of the log as fast as they read. The right to it is asked
//! for at the beginning and every few seconds, so that the stream ends soon after it is lost.

use super::chunks::Chunk;
use super::filters::{Asked, Filters, ask, refused, sequence_of, unreadable, with_filters};
use super::turns::Turn;
use super::view::RecordView;
use crate::app::App;
use crate::db::Tx;
use crate::ops::{Act, Caller, Query, frame};
use axum::body::Bytes;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_record::{AccessLog, Order, ReadError};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the log is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often the right is asked for again.
const STILL: Duration = Duration::from_secs(5);
/// A sign of life after this long without a record, so that nobody in between takes the connection for dead.
const QUIET: Duration = Duration::from_secs(15);
/// Longest time that can be asked for.
const SECONDS_MAX: u64 = 86_400;
/// Most records of one chunk.
const RECORDS_PER_CHUNK: usize = 256;
/// Chunks that wait to be read.
const CHUNKS_AHEAD: usize = 2;

with_filters! {
    /// Which records.
    #[schema(as = RecordTailParams)]
    pub struct TailParams {
        /// Begin after the record with this id, and not with the next one that is written. The header `Last-Event-ID`
        /// says the same.
        pub after: Option<String>,
        /// End after so many seconds: 0 to 86,400. Until somebody ends it, if this is left out.
        #[schema(minimum = 0, maximum = 86_400)]
        pub seconds: Option<u64>,
    }
}

/// The right to follow.
#[derive(Debug, Clone)]
struct AuthorizeTail {
    org: String,
    filters: Filters,
    after: Option<String>,
    seconds: Option<u64>,
}

impl Query for AuthorizeTail {
    const OPERATION: &'static Operation = operations::RECORD_TAIL;
    type Output = Asked;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Asked, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        sequence_of(self.after.as_deref())?;
        if self.seconds.is_some_and(|seconds| seconds > SECONDS_MAX) {
            return Err(refused(Code::InvalidParameter, "seconds", &format!("write 0 to {SECONDS_MAX}")));
        }
        ask(act, org, &self.filters).await
    }
}

/// Someone who follows.
struct Follower {
    app: Arc<App>,
    caller: Caller,
    right: AuthorizeTail,
    asked: Asked,
    /// Everything up to this sequence was shown, or does not pass.
    after: u64,
    out: mpsc::Sender<Chunk>,
    _turn: Turn,
}

/// Begins to follow.
pub async fn begin(
    app: &Arc<App>,
    caller: Caller,
    org: &str,
    params: &TailParams,
    last_event: Option<&str>,
) -> Result<mpsc::Receiver<Chunk>, Problem> {
    let after = last_event.map(str::to_owned).or_else(|| params.after.clone());
    let right = AuthorizeTail { org: org.to_owned(), filters: params.filters(), after, seconds: params.seconds };
    let reply = frame::query(app, &caller, &right).await?;
    let asked: Asked = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
    let turn = app.tails.take(asked.organization()).await?;
    let newest = app.verify.journal().last_sequence();
    let after = sequence_of(right.after.as_deref())?.unwrap_or(newest);
    let (out, chunks) = mpsc::channel(CHUNKS_AHEAD);
    tokio::spawn(Follower { app: Arc::clone(app), caller, right, asked, after, out, _turn: turn }.follow());
    Ok(chunks)
}

impl Follower {
    async fn follow(mut self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        let (mut asked, mut wrote) = (began, began);
        let until = self.right.seconds.map(|seconds| began + Duration::from_secs(seconds));
        // The head of the answer leaves with the first bytes.
        if self.send(b": following\n\n".to_vec()).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.out.closed() => return,
            }
            if self.app.tails.are_closed() {
                return;
            }
            if asked.elapsed() >= STILL {
                if let Err(problem) = frame::still(&self.app, &self.caller, &self.right).await {
                    self.end(&problem).await;
                    return;
                }
                asked = Instant::now();
            }
            match self.look().await {
                Ok(Some(chunk)) => {
                    if self.send(chunk).await.is_err() {
                        return;
                    }
                    wrote = Instant::now();
                }
                Ok(None) if wrote.elapsed() >= QUIET => {
                    if self.send(b": quiet\n\n".to_vec()).await.is_err() {
                        return;
                    }
                    wrote = Instant::now();
                }
                Ok(None) if until.is_some_and(|until| Instant::now() >= until) => return,
                Ok(None) => {}
                Err(error) => {
                    let _ = self.out.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    /// What was written since the last look.
    async fn look(&mut self) -> io::Result<Option<Vec<u8>>> {
        let log = Arc::clone(self.app.verify.journal());
        let (asked, after) = (self.asked.clone(), self.after);
        let newest = log.last_sequence();
        if newest <= after {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || read(&log, &asked, after, newest)).await;
        let (chunk, after) = read.map_err(io::Error::other)?.map_err(|error| {
            unreadable(&error);
            io::Error::other("the access log could not be read")
        })?;
        self.after = after;
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    /// Tells why the stream ends, which the reader would otherwise take for a broken connection.
    async fn end(&self, problem: &Problem) {
        let told = serde_json::json!({ "code": problem.code.as_str(), "detail": problem.detail });
        let _ = self.send(format!("event: end\ndata: {told}\n\n").into_bytes()).await;
    }

    async fn send(&self, chunk: Vec<u8>) -> Result<(), mpsc::error::SendError<Chunk>> {
        self.out.send(Ok(Bytes::from(chunk))).await
    }
}

/// The events of records above `after`, and up to which sequence there are no others.
fn read(log: &AccessLog, asked: &Asked, after: u64, newest: u64) -> Result<(Vec<u8>, u64), ReadError> {
    let query = tegata_record::Query { after_sequence: Some(after), ..asked.query() };
    let (mut chunk, mut shown, mut last) = (Vec::new(), 0, after);
    for record in log.stream(&query, Order::OldestFirst).take(RECORDS_PER_CHUNK) {
        let view = RecordView::from(record?);
        (shown, last) = (shown + 1, view.sequence);
        if let Ok(json) = serde_json::to_string(&view) {
            chunk.extend_from_slice(format!("id: {}\nevent: record\ndata: {json}\n\n", view.id).as_bytes());
        }
    }
    // Fewer than could be shown are all that there were.
    Ok((chunk, if shown < RECORDS_PER_CHUNK { last.max(newest) } else { last }))
}
