//! Webhooks and deliveries as they are shown.

use crate::db::deliveries::Delivery;
use crate::db::webhooks::Webhook;
use crate::send::Destination;
use crate::streams::settings::Target;
use serde::Serialize;
use utoipa::ToSchema;

/// A webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where it sends. A query is not shown: it may hold what the receiver takes for a secret.
    pub url: String,
    /// Which types of events it tells; `*` stands for any letters.
    pub events: Vec<String>,
    /// `active`, `failing` (it is tried again), or `paused`.
    pub state: String,
    /// Since when it fails or is paused.
    pub since: Option<String>,
    /// Why it fails, in a word, or why it is paused: `receiver_gone` and `failing_for_long` say that it was disabled.
    pub reason: Option<String>,
    /// Events that were delivered since it was made.
    pub delivered: u64,
    /// When the last of them was.
    pub delivered_at: Option<String>,
    /// What waits and what was given up; only of a webhook that is shown by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<CountsView>,
    /// Until when the former secret signs as well.
    pub former_secret_until: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// The id of whoever made it.
    pub created_by: String,
}

/// What waits and what was given up.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDeliveryCounts)]
pub struct CountsView {
    /// Deliveries that wait for an attempt.
    pub pending: u64,
    /// Deliveries that were given up, of the last 30 days.
    pub failed: u64,
}

/// A webhook with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// The secret under which its deliveries are signed (`whsec_…`): shown here, and never again.
    pub secret: String,
}

/// A delivery.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    /// Its id, which the receiver sees as `webhook-id`: the same in every attempt.
    pub id: String,
    /// The type of the event.
    pub event: String,
    /// The entry of activity that it tells.
    pub activity: String,
    /// `pending`, `delivered`, or `failed` (it was given up).
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next one is.
    pub next_attempt_at: Option<String>,
    /// When the last one was.
    pub attempted_at: Option<String>,
    /// The status of the receiver's last answer.
    pub status: Option<u16>,
    /// What came of the last attempt, in a word.
    pub failure: Option<String>,
    /// When it was made.
    pub created_at: String,
}

impl WebhookView {
    /// Shows a webhook. `blocked`: the installation was restored and not opened yet.
    pub fn of(webhook: &Webhook, blocked: bool) -> Self {
        let (state, since) = match (&webhook.paused, &webhook.failing) {
            (Some((since, because)), _) => ("paused", Some((since, because.clone()))),
            (None, _) if blocked => ("paused", None),
            (None, Some((since, failure))) => ("failing", Some((since, failure.clone()))),
            (None, None) => ("active", None),
        };
        let restored = (blocked && webhook.paused.is_none()).then(|| "restored".to_owned());
        let former = webhook.secrets.former.as_ref();
        Self {
            id: webhook.id.to_string(),
            name: webhook.name.clone(),
            url: Destination::read(&webhook.url, Target::WEBHOOK).map(|there| there.to_string()).unwrap_or_default(),
            events: webhook.events.clone(),
            state: state.to_owned(),
            since: since.as_ref().map(|(since, _)| since.to_string()),
            reason: since.map(|(_, why)| why).or(restored),
            delivered: webhook.delivered,
            delivered_at: webhook.delivered_at.map(|at| at.to_string()),
            deliveries: None,
            former_secret_until: former.map(|(_, until)| until.to_string()),
            created_at: webhook.created_at.to_string(),
            created_by: webhook.created_by.clone(),
        }
    }
}

impl From<&Delivery> for DeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let next = (delivery.state == "pending").then(|| delivery.next_attempt_at.to_string());
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.clone(),
            activity: delivery.activity.to_string(),
            state: delivery.state.clone(),
            attempts: delivery.attempts,
            next_attempt_at: next,
            attempted_at: delivery.attempted_at.map(|at| at.to_string()),
            status: delivery.status,
            failure: delivery.failure.clone(),
            created_at: delivery.created_at.to_string(),
        }
    }
}
