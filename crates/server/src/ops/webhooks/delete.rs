//! Delete a webhook with what it has not delivered. What is under way may still arrive.

use super::find;
use super::view::WebhookView;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Delete a webhook.
#[derive(Debug, Clone)]
pub struct DeleteWebhook {
    /// The organization.
    pub org: String,
    /// Which.
    pub webhook: WebhookId,
}

impl Mutation for DeleteWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_DELETE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let webhook = find(act, org, self.webhook).await?;
        let before = WebhookView::of(&webhook, act.app.verify.lease().blocked().is_some());
        db::webhooks::delete(&mut act.tx, org, webhook.id).await.map_err(internal)?;
        let change = Change::new(org, webhook.id).before(json!(before));
        Ok((Receipt::of(webhook.id, "deleted"), change.into()))
    }
}
