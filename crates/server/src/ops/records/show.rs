//! Show one access record of an organization.

use super::filters::unreadable;
use super::view::RecordView;
use crate::db::Tx;
use crate::ops::{Act, Query};
use std::sync::Arc;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use tegata_record::{RecordId, Scope};

/// Show a record.
#[derive(Debug, Clone)]
pub struct ShowRecord {
    /// The organization.
    pub org: String,
    /// The record.
    pub record: RecordId,
}

impl Query for ShowRecord {
    const OPERATION: &'static Operation = operations::RECORD_SHOW;
    type Output = RecordView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<RecordView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id.to_string();
        let (journal, id) = (Arc::clone(act.app.verify.journal()), self.record);
        let read = tokio::task::spawn_blocking(move || journal.get(&id, Scope::Organization(&org))).await;
        let read = read.map_err(|_| Problem::internal())?.map_err(|error| unreadable(&error))?;
        read.map(RecordView::from).ok_or_else(|| Problem::not_found("record"))
    }
}
