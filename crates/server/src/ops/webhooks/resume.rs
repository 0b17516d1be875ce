//! Let a paused or disabled webhook go on where it was. What waited is tried at once, and for its whole time anew.

use super::view::WebhookView;
use super::{find, require_telling};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;

/// Resume a webhook.
#[derive(Debug, Clone)]
pub struct ResumeWebhook {
    /// The organization.
    pub org: String,
    /// Which.
    pub webhook: WebhookId,
    /// Why.
    pub body: Body,
}

impl Mutation for ResumeWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_RESUME;
    type Output = WebhookView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(WebhookView, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        checked_reason(&self.body)?;
        let mut webhook = find(act, org, self.webhook).await?;
        let Some((since, because)) = webhook.paused.take() else {
            return Err(Problem::new(Code::Conflict, "this webhook is not paused"));
        };
        db::webhooks::change(&mut act.tx, &webhook).await.map_err(internal)?;
        webhook.failing = None;
        let until = act.now.plus(act.app.webhooks.settings.patience);
        let (which, all) = ((org, webhook.id), Timestamp::EPOCH);
        db::deliveries::begin_all_again(&mut act.tx, which, "pending", all, act.now, until).await.map_err(internal)?;
        let view = WebhookView::of(&webhook, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, webhook.id)
            .before(json!({"name": webhook.name, "state": "paused", "since": since, "reason": because}))
            .after(json!({"name": webhook.name, "state": "active"}))
            .because(self.body.reason.as_deref());
        Ok((view, change.into()))
    }
}
