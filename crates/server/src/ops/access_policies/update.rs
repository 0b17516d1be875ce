//! Change an access policy. Every grant under it is bounded by the new one from the next check on.

use super::parts::{self, PartBody};
use super::view::AccessPolicyView;
use super::{check_name, find, told};
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What to change; the rest stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessPolicyUpdate)]
pub struct Body {
    /// The new name.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it stands from now on.
    #[serde(default)]
    pub position: Option<i64>,
    /// What it admits from now on, all of it.
    #[serde(default)]
    pub admits: Option<Vec<PartBody>>,
    /// The version that is changed; refused where somebody else changed it meanwhile.
    #[serde(default)]
    pub version: Option<u64>,
    /// Why; other people read it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Change an access policy.
#[derive(Debug, Clone)]
pub struct UpdateAccessPolicy {
    /// The organization.
    pub org: String,
    /// Which: name or id.
    pub policy: String,
    /// What to change.
    pub body: Body,
}

impl Mutation for UpdateAccessPolicy {
    const OPERATION: &'static Operation = operations::ACCESS_POLICY_UPDATE;
    type Output = AccessPolicyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(AccessPolicyView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let body = &self.body;
        told_reason(body.reason.as_deref())?;
        let mut policy = find(act, org, &self.policy).await?;
        if body.version.is_some_and(|version| version != policy.version) {
            return Err(Problem::new(Code::Conflict, "somebody changed this access policy meanwhile: look again"));
        }
        let before = AccessPolicyView::of(act, &policy).await.map_err(internal)?;
        if let Some(name) = &body.name {
            check_name(name)?;
            policy.name.clone_from(name);
        }
        policy.position = body.position.unwrap_or(policy.position);
        let parts = match &body.admits {
            Some(admits) => parts::read(act, org, "admits", admits).await?,
            None => db::access_policies::parts(act.tx(), org, policy.id).await.map_err(internal)?.unwrap_or_default(),
        };
        policy.version += 1;
        policy.updated_at = act.now;
        db::access_policies::update(&mut act.tx, &policy, &parts).await.map_err(told)?;
        let view = AccessPolicyView::of(act, &policy).await.map_err(internal)?;
        let change = Change::new(org, policy.id).before(json!(before)).after(json!(view));
        let change = change.because(body.reason.as_deref()).feed(Topic::AccessPolicy, Some(org), policy.id);
        Ok((view, change.into()))
    }
}
