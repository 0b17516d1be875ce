//! List what a context says of each kind of credential, or show what it says of one.

use super::view::ContextPolicyView;
use crate::db::Tx;
use crate::ops::contexts::place;
use crate::ops::policies::fields;
use crate::ops::policies::view::is_governed;
use crate::ops::{Act, Page, Query};
use tegata_core::credential::CredentialKind;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the policies of a context.
#[derive(Debug, Clone)]
pub struct ListContextPolicies {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
}

impl Query for ListContextPolicies {
    const OPERATION: &'static Operation = operations::CONTEXT_POLICY_LIST;
    type Output = Page<ContextPolicyView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.visible_org(&self.org).await?;
        let context = place::of_path(act, org.id, &self.context).await?.id;
        let org = act.require_in(Self::OPERATION, org, Some(context)).await?.org.id;
        let chain = place::chain(act, org, Some(context)).await?;
        let mut items = Vec::new();
        for kind in CredentialKind::ALL.iter().copied().filter(|kind| is_governed(*kind)) {
            items.push(ContextPolicyView::read(act, org, kind, &chain).await?);
        }
        Ok(Page { items, next_cursor: None })
    }
}

/// Show the policy of a context for a kind of credential.
#[derive(Debug, Clone)]
pub struct ShowContextPolicy {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
    /// The kind of credential.
    pub kind: String,
}

impl Query for ShowContextPolicy {
    const OPERATION: &'static Operation = operations::CONTEXT_POLICY_SHOW;
    type Output = ContextPolicyView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.visible_org(&self.org).await?;
        let context = place::of_path(act, org.id, &self.context).await?.id;
        let org = act.require_in(Self::OPERATION, org, Some(context)).await?.org.id;
        let kind = fields::kind(&self.kind)?;
        let chain = place::chain(act, org, Some(context)).await?;
        ContextPolicyView::read(act, org, kind, &chain).await
    }
}
