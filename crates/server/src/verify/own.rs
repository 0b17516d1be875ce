//! Access records of calls to Tegata's own API.

use crate::authn::Actor;
use crate::ops::Meta;
use tegata_core::decide::Decision;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::Operation;
use tegata_core::time::Timestamp;

/// A call of Tegata's own API, as it is recorded.
#[derive(Debug)]
pub struct OwnAccess<'a> {
    /// When.
    pub now: Timestamp,
    /// What was called.
    pub operation: &'static Operation,
    /// By whom.
    pub actor: &'a Actor,
    /// In which organization.
    pub org: Option<OrgId>,
    /// In which place.
    pub context: Option<ContextId>,
    /// What was decided.
    pub decision: Decision,
    /// From where.
    pub meta: &'a Meta,
}
