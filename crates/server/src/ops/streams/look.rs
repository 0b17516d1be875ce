//! List record streams, or show one and how far it is behind.

use super::view::StreamView;
use super::{find, settings};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Caller, Page, PageRequest, Query, frame};
use crate::streams::{Lag, lag};
use serde_json::json;
use std::sync::Arc;
use tegata_core::ids::RecordStreamId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use tegata_core::time::Timestamp;

/// List the streams of an organization.
#[derive(Debug, Clone)]
pub struct ListStreams {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListStreams {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_LIST;
    type Output = Page<StreamView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<StreamView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let rows = db::streams::list(act.tx(), org, &self.page.ask()?).await.map_err(internal)?;
        let blocked = act.app.verify.lease().blocked().is_some();
        let mut shown = Vec::with_capacity(rows.len());
        for row in rows {
            shown.push((row.id.to_string(), StreamView::of(&row, &settings(&row)?, blocked)));
        }
        self.page.page(shown, |(id, _)| id.clone(), |(_, view)| view)
    }
}

/// Show a stream.
#[derive(Debug, Clone)]
struct ShowStream {
    org: String,
    stream: RecordStreamId,
}

impl Query for ShowStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_SHOW;
    type Output = StreamView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<StreamView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let stream = find(act, org, self.stream).await?;
        Ok(StreamView::of(&stream, &settings(&stream)?, act.app.verify.lease().blocked().is_some()))
    }
}

/// Shows a stream. How far it is behind is counted in the log after the transaction, so that no question holds up the
/// database; it is left out while too much else is asked of the log.
pub async fn show(app: &App, caller: &Caller, org: &str, stream: RecordStreamId) -> Result<serde_json::Value, Problem> {
    let work = ShowStream { org: org.to_owned(), stream };
    // The record of this very call is not counted.
    let now = app.clock.now();
    let mut view = frame::query(app, caller, &work).await?.body;
    if let Some(lag) = behind(app, org, stream, now).await? {
        view["lag"] = json!(lag);
    }
    Ok(view)
}

async fn behind(app: &App, org: &str, stream: RecordStreamId, now: Timestamp) -> Result<Option<Lag>, Problem> {
    let mut tx = app.db.read().await.map_err(internal)?;
    let Some(org) = db::orgs::find(&mut tx, org).await.map_err(internal)? else { return Ok(None) };
    let Some(stream) = db::streams::get(&mut tx, org.id, stream).await.map_err(internal)? else { return Ok(None) };
    drop(tx);
    let Ok(turn) = app.turns.take(&org.id.to_string()).await else { return Ok(None) };
    let (log, settings) = (Arc::clone(app.verify.journal()), settings(&stream)?);
    let counted = tokio::task::spawn_blocking(move || {
        let counted = lag(&log, &stream, &settings, now);
        drop(turn);
        counted
    });
    let counted = counted.await.map_err(|_| Problem::internal())?;
    counted.map(Some).map_err(|error| crate::ops::records::filters::unreadable(&error))
}
