//! Take back what a context says of a kind of credential. What is above it counts there, with the next check.

use super::view::ContextPolicyView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::policies::fields;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Take it back. Where nothing is said, nothing is done.
#[derive(Debug, Clone)]
pub struct DeleteContextPolicy {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
    /// The kind of credential.
    pub kind: String,
}

impl Mutation for DeleteContextPolicy {
    const OPERATION: &'static Operation = operations::CONTEXT_POLICY_DELETE;
    type Output = ContextPolicyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.visible_org(&self.org).await?;
        let context = place::of_path(act, org.id, &self.context).await?.id;
        let org = act.require_in(Self::OPERATION, org, Some(context)).await?.org.id;
        let kind = fields::kind(&self.kind)?;
        let chain = place::chain(act, org, Some(context)).await?;
        let policies = db::policies::with_contexts(act.tx(), org, kind).await.map_err(internal)?;
        let before = ContextPolicyView::read(act, org, kind, &chain).await?;
        if policies.of(context).is_none() {
            return Ok((before, Changes { list: Vec::new() }));
        }
        db::policies::delete_context(&mut act.tx, org, (context, kind)).await.map_err(internal)?;
        let view = ContextPolicyView::read(act, org, kind, &chain).await?;
        let change =
            Change::new(org, context).before(json!(before)).after(json!(view)).feed(Topic::Org, Some(org), org);
        Ok((view, change.into()))
    }
}
