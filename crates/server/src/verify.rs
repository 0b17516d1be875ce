//! The check: an index of live credentials in memory, kept true by the change feed, and the decision over it.

pub mod own;

use tegata_core::problem::Problem;

/// The memory of live credentials and the access log.
#[derive(Debug)]
pub struct Verify {}

impl Verify {
    /// Waits until this node has applied a change.
    pub async fn applied(&self, _sequence: u64) -> Result<(), Problem> {
        Ok(())
    }

    /// The name of this node.
    pub fn node(&self) -> &str {
        "node"
    }

    /// Leaves the access record of a call of Tegata's own API.
    pub fn record_own(&self, _access: &own::OwnAccess<'_>) -> Result<(), Problem> {
        Ok(())
    }
}
