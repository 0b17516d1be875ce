//! Delete an access policy that no grant is under. Without it, such grants would allow nothing.

use super::find;
use super::view::AccessPolicyView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Delete an access policy.
#[derive(Debug, Clone)]
pub struct DeleteAccessPolicy {
    /// The organization.
    pub org: String,
    /// Which: name or id.
    pub policy: String,
}

impl Mutation for DeleteAccessPolicy {
    const OPERATION: &'static Operation = operations::ACCESS_POLICY_DELETE;
    type Output = AccessPolicyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(AccessPolicyView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let policy = find(act, org, &self.policy).await?;
        let view = AccessPolicyView::of(act, &policy).await.map_err(internal)?;
        if view.grants > 0 {
            let detail = format!(
                "{} grant(s) in force are under it: take them away first, or narrow what it admits",
                view.grants
            );
            return Err(Problem::new(Code::InUse, detail));
        }
        db::access_policies::delete(&mut act.tx, org, policy.id).await.map_err(internal)?;
        let change = Change::new(org, policy.id).before(json!(view)).feed(Topic::AccessPolicy, Some(org), policy.id);
        Ok((view, change.into()))
    }
}
