//! Wait until a request is decided: a look that takes as long as it is asked to, and ends with the decision.

use crate::app::App;
use crate::ops::act::internal;
use crate::ops::{Caller, Query, Reply, frame};
use serde_json::Value;
use std::time::Duration;
use tegata_core::ids::TokenId;
use tegata_core::problem::Problem;
use tokio::time::Instant;

/// Longest wait of one look.
pub const WAIT_MAX: Duration = Duration::from_mins(1);

/// Looks again with each change of the credential that a request is for, until it no longer waits, or the time is over.
/// `reply` is the first look. Where too many wait already, that is the answer; so it is when the server stops.
pub async fn until_decided<Q: Query>(
    app: &App,
    caller: &Caller,
    work: &Q,
    reply: Reply,
    (token, wait): (TokenId, Duration),
    waits: fn(&Value) -> bool,
) -> Result<Reply, Problem> {
    if wait.is_zero() || !waits(&reply.body) {
        return Ok(reply);
    }
    let Some(waiter) = app.verify.waiting().enter(token) else { return Ok(reply) };
    let until = Instant::now() + wait.min(WAIT_MAX);
    loop {
        // Before the look, so that what changes meanwhile wakes.
        let changed = waiter.changed();
        let body = frame::look(app, caller, work).await?;
        // The last look comes when the time is over: whoever lost the right to it meanwhile is told so.
        if !waits(&body) || waiter.is_over() || Instant::now() >= until {
            return Ok(Reply { body, ..reply });
        }
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// Waits until every check here knows what was decided before: whoever is told of an approval and makes the call again finds
/// it granted.
pub async fn in_effect(app: &App) -> Result<(), Problem> {
    let mut tx = app.db.read().await.map_err(internal)?;
    let sequence = tx.sequence().await.map_err(internal)?;
    drop(tx);
    app.verify.applied(sequence).await
}
