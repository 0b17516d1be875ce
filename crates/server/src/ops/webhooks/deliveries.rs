//! List the deliveries of a webhook: what was told, what waits, and what was given up.

use super::find;
use super::view::DeliveryView;
use crate::db::deliveries::Filter;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Which deliveries.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeliveryQuery {
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Only those in this state: `pending`, `delivered` or `failed`.
    pub state: Option<String>,
    /// Only of this type of event.
    pub event: Option<String>,
}

/// List deliveries.
#[derive(Debug, Clone)]
pub struct ListDeliveries {
    /// The organization.
    pub org: String,
    /// Of which webhook.
    pub webhook: WebhookId,
    /// Which.
    pub query: DeliveryQuery,
}

impl Query for ListDeliveries {
    const OPERATION: &'static Operation = operations::WEBHOOK_DELIVERY_LIST;
    type Output = Page<DeliveryView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<DeliveryView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let DeliveryQuery { limit, cursor, state, event } = self.query.clone();
        if state.as_deref().is_some_and(|state| !matches!(state, "pending" | "delivered" | "failed")) {
            let message = "state: ask for `pending`, `delivered` or `failed`";
            return Err(Problem::new(Code::InvalidParameter, message).with("state", message));
        }
        let webhook = find(act, org, self.webhook).await?;
        let page = PageRequest { limit, cursor };
        let filter = Filter { state, event };
        let rows = db::deliveries::list(act.tx(), org, webhook.id, &filter, &page.ask()?).await.map_err(internal)?;
        page.page(rows, |row| row.id.to_string(), |row| DeliveryView::from(&row))
    }
}
