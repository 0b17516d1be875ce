//! Let a paused record stream go on where it was.

use super::view::StreamView;
use super::{find, require_sending, settings, store};
use crate::db::WriteTx;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Resume a stream.
#[derive(Debug, Clone)]
pub struct ResumeStream {
    /// The organization.
    pub org: String,
    /// Which.
    pub stream: RecordStreamId,
    /// Why.
    pub body: Body,
}

impl Mutation for ResumeStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_RESUME;
    type Output = StreamView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(StreamView, Changes), Problem> {
        let org = require_sending(act, Self::OPERATION, &self.org).await?.org.id;
        checked_reason(&self.body)?;
        let mut stream = find(act, org, self.stream).await?;
        let Some((since, because)) = stream.paused.take() else {
            return Err(Problem::new(Code::Conflict, "this record stream is not paused"));
        };
        store(act, &mut stream, false).await?;
        let view = StreamView::of(&stream, &settings(&stream)?, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, stream.id)
            .before(json!({"name": stream.name, "state": "paused", "since": since, "reason": because}))
            .after(json!({"name": stream.name, "state": "active"}))
            .because(self.body.reason.as_deref());
        Ok((view, change.into()))
    }
}
