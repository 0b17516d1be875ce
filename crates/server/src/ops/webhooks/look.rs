//! List webhooks, or show one and what waits.

use super::find;
use super::view::{CountsView, WebhookView};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the webhooks of an organization.
#[derive(Debug, Clone)]
pub struct ListWebhooks {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListWebhooks {
    const OPERATION: &'static Operation = operations::WEBHOOK_LIST;
    type Output = Page<WebhookView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<WebhookView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let rows = db::webhooks::list(act.tx(), org, &self.page.ask()?).await.map_err(internal)?;
        let blocked = act.app.verify.lease().blocked().is_some();
        self.page.page(rows, |row| row.id.to_string(), |row| WebhookView::of(&row, blocked))
    }
}

/// Show a webhook.
#[derive(Debug, Clone)]
pub struct ShowWebhook {
    /// The organization.
    pub org: String,
    /// Which.
    pub webhook: WebhookId,
}

impl Query for ShowWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_SHOW;
    type Output = WebhookView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<WebhookView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let webhook = find(act, org, self.webhook).await?;
        let (pending, failed) = db::deliveries::counts(act.tx(), org, webhook.id).await.map_err(internal)?;
        let deliveries = Some(CountsView { pending, failed });
        Ok(WebhookView { deliveries, ..WebhookView::of(&webhook, act.app.verify.lease().blocked().is_some()) })
    }
}
