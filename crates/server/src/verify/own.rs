//! Access records of calls to Tegata's own API: recorded like any other API's.

use super::Verify;
use super::recording::RecordFailure;
use crate::authn::Actor;
use crate::ops::Meta;
use tegata_core::decide::{Decision, RULE_VERSION};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::Operation;
use tegata_core::permissions::{self, OWN_API};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use tegata_record::NewRecord;

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

impl Verify {
    /// Leaves the access record of a call of Tegata's own API. An error is what is answered where it cannot be
    /// written, unless the operator chose otherwise.
    pub fn record_own(&self, access: &OwnAccess<'_>) -> Result<(), Problem> {
        if let (true, Some(token), Some(org)) = (access.decision.is_allowed(), access.actor.token, access.org) {
            self.uses().note(token, org, access.now);
        }
        let org = access.org.map(|org| org.to_string());
        let context = access.context.map(|context| context.to_string());
        let credential = access.actor.credential();
        let principal = access.actor.owner().to_string();
        let acted_for = access.actor.person().map(|person| person.to_string());
        let address = access.meta.address.map(|address| address.to_string());
        let scope = access.operation.scope;
        let version = self.index.apis.load().get(OWN_API).map_or(0, |own| own.version);
        let record = NewRecord {
            api: Some(OWN_API),
            organization: org.as_deref(),
            alternative: access.decision.alternative(),
            permission: scope,
            context_id: context.as_deref(),
            level: scope.and_then(permissions::find).map(|found| found.level.as_str()),
            credential: credential.as_deref(),
            kind: Some(access.actor.kind()),
            principal: Some(&principal),
            acted_for: acted_for.as_deref(),
            method: Some(access.operation.method),
            endpoint: Some(access.operation.path),
            path: Some(&access.meta.path),
            address: address.as_deref(),
            user_agent: access.meta.user_agent.as_deref(),
            request_id: Some(&access.meta.request_id),
            rule_version: RULE_VERSION,
            catalogue_version: version,
            ..NewRecord::new(
                access.now.as_micros(),
                super::answer::recorded(access.decision),
                access.decision.reason().as_str(),
            )
        };
        let Err(error) = self.journal.append(&record) else { return Ok(()) };
        self.recording.failed(1, &error);
        match self.recording.on_failure() {
            RecordFailure::Allow => Ok(()),
            RecordFailure::Deny => {
                Err(Problem::new(Code::Unavailable, "the access could not be recorded, so it is not answered"))
            }
        }
    }
}
