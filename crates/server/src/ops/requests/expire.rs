//! Requests that nobody decided in time.

use super::close::settle;
use crate::app::App;
use crate::db::feed::Topic;
use crate::db::requests::Request;
use crate::db::{self, DbError};
use crate::maintenance::note::note;
use serde_json::json;
use tegata_core::credential::GrantState;
use tegata_core::request::RequestState;

/// Most requests that are looked at in one round.
const ROUND_MAX: i64 = 200;

/// Expires what is overdue, each request in a transaction of its own.
pub async fn overdue(app: &App) -> Result<(), DbError> {
    let mut tx = app.db.read().await?;
    let overdue = db::requests::overdue(&mut tx, app.clock.now(), ROUND_MAX).await?;
    drop(tx);
    for request in overdue {
        expire(app, &request).await?;
    }
    Ok(())
}

async fn expire(app: &App, request: &Request) -> Result<(), DbError> {
    let (mut tx, now) = (app.db.write().await?, app.clock.now());
    // It may have been decided since.
    let found = db::requests::get(&mut tx, request.org, request.id).await?;
    if !found.is_some_and(|found| found.state == RequestState::Open && found.expires_at <= now) {
        return Ok(());
    }
    let settled = settle(&mut tx, request, GrantState::expire, |_| true, None, now).await?;
    let after = json!({"credential": request.token.to_string(), "expired": settled, "state": RequestState::Closed});
    note(&mut tx, now, Some(request.org), "request.expire", &request.id.to_string(), after).await?;
    tx.feed(Topic::Token, None, &request.token.to_string()).await?;
    let sequence = tx.commit().await?;
    if app.verify.applied(sequence).await.is_err() {
        tracing::warn!(request = %request.id, "a request expired, and checks may tell so a little later");
    }
    Ok(())
}
