//! Send records again, from a moment or a record on: for a receiver that lost what it had.

use super::view::StreamView;
use super::{find, input, require_sending, settings, store};
use crate::db::WriteTx;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// From where on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordStreamReplay)]
pub struct Body {
    /// A moment, or the id of an access record: it is the first that is sent again. Deliveries get ids of their own, so that
    /// a receiver that passes over repeated ones takes them.
    pub from: String,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Send again.
#[derive(Debug, Clone)]
pub struct ReplayStream {
    /// The organization.
    pub org: String,
    /// Which stream.
    pub stream: RecordStreamId,
    /// From where on.
    pub body: Body,
}

impl Mutation for ReplayStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_REPLAY;
    type Output = StreamView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(StreamView, Changes), Problem> {
        let org = require_sending(act, Self::OPERATION, &self.org).await?.org.id;
        told_reason(self.body.reason.as_deref())?;
        let mut stream = find(act, org, self.stream).await?;
        let before = stream.progress.position;
        (stream.progress.position, stream.from) = input::beginning(act, &self.body.from)?;
        store(act, &mut stream, true).await?;
        let view = StreamView::of(&stream, &settings(&stream)?, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, stream.id)
            .before(json!({"name": stream.name, "sequence": before}))
            .after(json!({"name": stream.name, "from": self.body.from}))
            .because(self.body.reason.as_deref());
        Ok((view, change.into()))
    }
}
