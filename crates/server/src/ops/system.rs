//! The server itself: who may see its metrics.

use crate::db::Tx;
use crate::ops::{Act, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Asks for the right to see the metrics.
pub struct SeeMetrics;

impl Query for SeeMetrics {
    const OPERATION: &'static Operation = operations::METRICS;
    type Output = ();

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<(), Problem> {
        act.require_publisher(Self::OPERATION).await.map(drop)
    }
}
