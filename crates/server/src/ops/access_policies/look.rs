//! List the access policies, and show one.

use super::view::AccessPolicyView;
use super::{POLICIES_MAX, find};
use crate::db::{self, PageAsk, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the access policies, in the order in which approvers choose.
#[derive(Debug, Clone)]
pub struct ListAccessPolicies {
    /// The organization.
    pub org: String,
}

impl Query for ListAccessPolicies {
    const OPERATION: &'static Operation = operations::ACCESS_POLICY_LIST;
    type Output = Page<AccessPolicyView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<AccessPolicyView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let most = PageAsk { after: None, limit: POLICIES_MAX };
        let mut rows = db::access_policies::list(act.tx(), org, &most).await.map_err(internal)?;
        rows.sort_by(|one, other| (one.position, &one.name).cmp(&(other.position, &other.name)));
        let mut items = Vec::with_capacity(rows.len());
        for policy in rows {
            items.push(AccessPolicyView::of(act, &policy).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: None })
    }
}

/// Show an access policy.
#[derive(Debug, Clone)]
pub struct ShowAccessPolicy {
    /// The organization.
    pub org: String,
    /// Which: name or id.
    pub policy: String,
}

impl Query for ShowAccessPolicy {
    const OPERATION: &'static Operation = operations::ACCESS_POLICY_SHOW;
    type Output = AccessPolicyView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<AccessPolicyView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let policy = find(act, org, &self.policy).await?;
        AccessPolicyView::of(act, &policy).await.map_err(internal)
    }
}
