//! Delete a record stream. What is under way may still arrive.

use super::view::StreamView;
use super::{find, settings};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::RecordStreamId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Delete a stream.
#[derive(Debug, Clone)]
pub struct DeleteStream {
    /// The organization.
    pub org: String,
    /// Which.
    pub stream: RecordStreamId,
}

impl Mutation for DeleteStream {
    const OPERATION: &'static Operation = operations::RECORD_STREAM_DELETE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let stream = find(act, org, self.stream).await?;
        let before = StreamView::of(&stream, &settings(&stream)?, act.app.verify.lease().blocked().is_some());
        db::streams::delete(&mut act.tx, org, stream.id).await.map_err(internal)?;
        let change = Change::new(org, stream.id).before(json!(before));
        Ok((Receipt::of(stream.id, "deleted"), change.into()))
    }
}
