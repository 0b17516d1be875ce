//! Pause a webhook. It keeps its place: what happens meanwhile is told later.

use super::find;
use super::view::WebhookView;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Pause a webhook.
#[derive(Debug, Clone)]
pub struct PauseWebhook {
    /// The organization.
    pub org: String,
    /// Which.
    pub webhook: WebhookId,
    /// Why.
    pub body: Body,
}

impl Mutation for PauseWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_PAUSE;
    type Output = WebhookView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(WebhookView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        checked_reason(&self.body)?;
        let mut webhook = find(act, org, self.webhook).await?;
        if webhook.paused.is_some() {
            return Err(Problem::new(Code::Conflict, "this webhook is paused already"));
        }
        let because = self.body.reason.clone().filter(|reason| !reason.is_empty());
        webhook.paused = Some((act.now, because.unwrap_or_else(|| "paused by hand".to_owned())));
        db::webhooks::change(&mut act.tx, &webhook).await.map_err(internal)?;
        let view = WebhookView::of(&webhook, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, webhook.id)
            .before(json!({"name": webhook.name, "state": "active"}))
            .after(json!({"name": webhook.name, "state": "paused"}))
            .because(self.body.reason.as_deref());
        Ok((view, change.into()))
    }
}
