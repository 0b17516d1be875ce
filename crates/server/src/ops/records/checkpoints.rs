//! Show what was signed last about an organization's access records, so that somebody else can keep it.

use super::proof::told;
use crate::db::Tx;
use crate::ops::{Act, Query};
use serde::Serialize;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use tegata_record::proof::SignedCheckpoint;
use utoipa::ToSchema;

/// What was signed last.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordCheckpoints)]
pub struct CheckpointsView {
    /// The public key, as the line of a signed note.
    pub public_key: String,
    /// The newest final checkpoint of the organization, once a day has ended, and then the newest of each day that has
    /// not: one or two, and more only where records came late.
    pub items: Vec<CheckpointView>,
}

/// A signed checkpoint of one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordCheckpoint)]
pub struct CheckpointView {
    /// Which tree: organization, day and part.
    pub tree: String,
    /// How many records it has.
    pub records: u64,
    /// The sequence of the last of them.
    pub last_sequence: u64,
    /// Whether it never grows again.
    pub is_final: bool,
    /// The signed note itself.
    pub note: String,
}

impl From<SignedCheckpoint> for CheckpointView {
    fn from(SignedCheckpoint { checkpoint, note }: SignedCheckpoint) -> Self {
        Self {
            tree: checkpoint.tree.to_string(),
            records: checkpoint.size,
            last_sequence: checkpoint.last_sequence,
            is_final: checkpoint.is_final,
            note,
        }
    }
}

/// Show the checkpoints.
#[derive(Debug, Clone)]
pub struct ShowCheckpoints {
    /// The organization.
    pub org: String,
}

impl Query for ShowCheckpoints {
    const OPERATION: &'static Operation = operations::RECORD_CHECKPOINTS;
    type Output = CheckpointsView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<CheckpointsView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id.to_string();
        let (newest, public_key) = act.app.proofs.newest(org).await.map_err(|error| told(&error))?;
        Ok(CheckpointsView { public_key, items: newest.into_iter().map(CheckpointView::from).collect() })
    }
}
