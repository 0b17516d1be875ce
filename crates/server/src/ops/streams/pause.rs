//! Pause a record stream. It keeps its place; records that come meanwhile are sent when it is resumed, as long as they are
//! kept.

use super::view::StreamView;
use super::{find, settings, store};
use crate::db::WriteTx;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Pause a stream.
#[derive(Debug, Clone)]
pub struct PauseStream {
    /// The organization.
    pub org: String,
    /// Which.
    pub stream: RecordStreamId,
    /// Why.
    pub body: Body,
}

impl Mutation for PauseStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_PAUSE;
    type Output = StreamView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(StreamView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        checked_reason(&self.body)?;
        let mut stream = find(act, org, self.stream).await?;
        if stream.paused.is_some() {
            return Err(Problem::new(Code::Conflict, "this record stream is paused already"));
        }
        let because = self.body.reason.clone().filter(|reason| !reason.is_empty());
        stream.paused = Some((act.now, because.unwrap_or_else(|| "paused by hand".to_owned())));
        store(act, &mut stream, false).await?;
        let view = StreamView::of(&stream, &settings(&stream)?, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, stream.id)
            .before(json!({"name": stream.name, "state": "active"}))
            .after(json!({"name": stream.name, "state": "paused"}))
            .because(self.body.reason.as_deref());
        Ok((view, change.into()))
    }
}
