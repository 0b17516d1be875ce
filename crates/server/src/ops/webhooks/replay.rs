//! Send again what was given up: all of it since a moment, or one delivery, whatever came of that.

use super::view::DeliveryView;
use super::{find, require_telling};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::{self, checked_reason, told_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::ids::{DeliveryId, WebhookId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// From when on.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookReplay)]
pub struct Body {
    /// Deliveries that were made at this moment or later, and given up (RFC 3339).
    #[schema(format = DateTime)]
    pub since: String,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Send again what was given up.
#[derive(Debug, Clone)]
pub struct ReplayWebhook {
    /// The organization.
    pub org: String,
    /// Which webhook.
    pub webhook: WebhookId,
    /// From when on.
    pub body: Body,
}

/// What is sent again.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookReplayed)]
pub struct Replayed {
    /// How many deliveries.
    pub deliveries: u64,
}

impl Mutation for ReplayWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_REPLAY;
    type Output = Replayed;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Replayed, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        told_reason(self.body.reason.as_deref())?;
        let wrong = |_| Problem::field("since", "write a moment (RFC 3339, in UTC)");
        let since: Timestamp = self.body.since.parse().map_err(wrong)?;
        let webhook = find(act, org, self.webhook).await?;
        let until = act.now.plus(act.app.webhooks.settings.patience);
        let which = (org, webhook.id);
        let begun = db::deliveries::begin_all_again(&mut act.tx, which, "failed", since, act.now, until).await;
        let deliveries = begun.map_err(internal)?;
        let change = Change::new(org, webhook.id)
            .after(json!({"name": webhook.name, "since": since, "deliveries": deliveries}))
            .because(self.body.reason.as_deref());
        Ok((Replayed { deliveries }, change.into()))
    }
}

/// Send one delivery again.
#[derive(Debug, Clone)]
pub struct ReplayDelivery {
    /// The organization.
    pub org: String,
    /// Which webhook.
    pub webhook: WebhookId,
    /// Which delivery.
    pub delivery: DeliveryId,
    /// Why.
    pub body: revoke::Body,
}

impl Mutation for ReplayDelivery {
    const OPERATION: &'static Operation = operations::WEBHOOK_DELIVERY_REPLAY;
    type Output = DeliveryView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(DeliveryView, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        checked_reason(&self.body)?;
        let webhook = find(act, org, self.webhook).await?;
        let found = db::deliveries::get(act.tx(), org, webhook.id, self.delivery).await.map_err(internal)?;
        let before = found.ok_or_else(|| Problem::not_found("delivery"))?;
        let until = act.now.plus(act.app.webhooks.settings.patience);
        let (now, id) = (act.now, before.id);
        db::deliveries::begin_again(&mut act.tx, org, id, now, until).await.map_err(internal)?;
        let after = db::deliveries::get(act.tx(), org, webhook.id, id).await.map_err(internal)?;
        let view = DeliveryView::from(after.as_ref().unwrap_or(&before));
        let change = Change::new(org, webhook.id)
            .before(json!({"name": webhook.name, "delivery": id, "event": before.event, "state": before.state}))
            .after(json!({"name": webhook.name, "delivery": id, "event": before.event, "state": "pending"}))
            .because(self.body.reason.as_deref());
        Ok((view, change.into()))
    }
}
