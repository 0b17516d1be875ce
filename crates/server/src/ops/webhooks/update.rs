//! Change where a webhook sends or which events. What waits goes to where it sends from then on.

use super::view::WebhookView;
use super::{find, input, require_telling};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::streams::input::check_url;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::streams::settings::Target;
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What to change; the rest stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = WebhookUpdate)]
pub struct Body {
    /// The new name.
    pub name: Option<String>,
    /// Where it sends from now on.
    pub url: Option<String>,
    /// Which types of events from now on.
    #[schema(min_items = 1, max_items = 50)]
    pub events: Option<Vec<String>>,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Change a webhook.
#[derive(Debug, Clone)]
pub struct UpdateWebhook {
    /// The organization.
    pub org: String,
    /// Which.
    pub webhook: WebhookId,
    /// What to change.
    pub body: Body,
}

impl Mutation for UpdateWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_UPDATE;
    type Output = WebhookView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(WebhookView, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        told_reason(self.body.reason.as_deref())?;
        let mut webhook = find(act, org, self.webhook).await?;
        let blocked = act.app.verify.lease().blocked().is_some();
        let before = WebhookView::of(&webhook, blocked);
        let body = &self.body;
        if let Some(title) = &body.name {
            name::check_title(title).map_err(|error| Problem::field("name", error))?;
            webhook.name.clone_from(title);
        }
        if let Some(url) = &body.url {
            check_url(act, url, Target::WEBHOOK)?;
            webhook.url.clone_from(url);
        }
        if let Some(events) = &body.events {
            webhook.events = input::events(events)?;
        }
        db::webhooks::change(&mut act.tx, &webhook).await.map_err(internal)?;
        webhook.failing = None;
        let view = WebhookView::of(&webhook, blocked);
        let change = Change::new(org, webhook.id).before(json!(before)).after(json!(view));
        Ok((view, change.because(body.reason.as_deref()).into()))
    }
}
