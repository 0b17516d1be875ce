//! Make an access policy.

use super::parts::{self, PartBody};
use super::view::AccessPolicyView;
use super::{POLICIES_MAX, check_name, told};
use crate::db::access_policies::AccessPolicy;
use crate::db::feed::Topic;
use crate::db::{self, PageAsk, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::AccessPolicyId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// An access policy to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessPolicyCreate)]
pub struct Body {
    /// Its name, which approvers choose it by.
    pub name: String,
    /// Where it stands when they choose: small numbers first, 0 if not said.
    #[serde(default)]
    pub position: i64,
    /// What it admits.
    pub admits: Vec<PartBody>,
    /// Why; other people read it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Make an access policy.
#[derive(Debug, Clone)]
pub struct CreateAccessPolicy {
    /// The organization.
    pub org: String,
    /// What it shall be.
    pub body: Body,
}

impl Mutation for CreateAccessPolicy {
    const OPERATION: &'static Operation = operations::ACCESS_POLICY_CREATE;
    type Output = AccessPolicyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(AccessPolicyView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let body = &self.body;
        check_name(&body.name)?;
        told_reason(body.reason.as_deref())?;
        let parts = parts::read(act, org, "admits", &body.admits).await?;
        let most = PageAsk { after: None, limit: POLICIES_MAX };
        let there = db::access_policies::list(act.tx(), org, &most).await.map_err(internal)?;
        if there.len() >= usize::try_from(POLICIES_MAX).unwrap_or(usize::MAX) {
            let detail =
                format!("there are {POLICIES_MAX} access policies, which is the most; delete one that is not needed");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let policy = AccessPolicy {
            id: act.id(AccessPolicyId::new),
            org,
            name: body.name.clone(),
            position: body.position,
            version: 1,
            created_at: act.now,
            updated_at: act.now,
        };
        db::access_policies::insert(&mut act.tx, &policy, &parts).await.map_err(told)?;
        let view = AccessPolicyView::of(act, &policy).await.map_err(internal)?;
        let change = Change::new(org, policy.id).after(json!(view)).because(body.reason.as_deref()).feed(
            Topic::AccessPolicy,
            Some(org),
            policy.id,
        );
        Ok((view, change.into()))
    }
}
