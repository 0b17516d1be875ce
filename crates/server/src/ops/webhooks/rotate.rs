//! Give a webhook a new signing secret. The former one signs as well for a stated time, so that the receiver can be told
//! in between.

use super::view::{WebhookView, WebhookWithSecret};
use super::{find, require_telling};
use crate::db::streams::Secrets;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::streams::create::fresh_secret;
use crate::ops::tokens::regenerate::{Body, checked_overlap};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Give a webhook a new secret.
#[derive(Debug, Clone)]
pub struct RotateWebhook {
    /// The organization.
    pub org: String,
    /// Which.
    pub webhook: WebhookId,
    /// How.
    pub body: Body,
}

impl Mutation for RotateWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_ROTATE;
    type Output = WebhookWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(WebhookWithSecret, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        let overlap = checked_overlap(&self.body)?;
        let mut webhook = find(act, org, self.webhook).await?;
        let until = act.now.plus(overlap);
        let (current, secret) = fresh_secret(act, &webhook.id.to_string())?;
        let former = std::mem::take(&mut webhook.secrets.current);
        webhook.secrets = Secrets { current, former: (!overlap.is_zero()).then_some((former, until)) };
        db::webhooks::change(&mut act.tx, &webhook).await.map_err(internal)?;
        webhook.failing = None;
        let view = WebhookView::of(&webhook, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, webhook.id)
            .after(json!({"name": webhook.name, "secret": "replaced", "old_secret_ends_at": until}))
            .because(self.body.reason.as_deref());
        Ok((WebhookWithSecret { webhook: view, secret }, change.into()))
    }
}
