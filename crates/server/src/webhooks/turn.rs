//! One attempt to deliver one event, or a test.

use super::event;
use crate::app::App;
use crate::authn::WebhookSecret;
use crate::db::activity::Activity;
use crate::db::deliveries::Delivery;
use crate::db::webhooks::Webhook;
use crate::send::webhook::{Answer, Message, deliver};
use crate::send::{Destination, SendError};
use crate::streams::Tested;
use crate::streams::settings::Target;
use axum::body::Bytes;
use serde_json::json;
use std::time::Duration;
use tegata_core::ids::{DeliveryId, WebhookId};

/// What came of an attempt.
#[derive(Debug)]
pub(super) enum Said {
    /// The receiver has it.
    Accepted(u16),
    /// It wants no more.
    Gone,
    /// It does not have it, or nobody knows.
    Refused { failure: String, status: Option<u16>, retry_after: Option<Duration> },
}

impl Said {
    fn refused(failure: impl Into<String>) -> Self {
        Self::Refused { failure: failure.into(), status: None, retry_after: None }
    }
}

/// An attempt that ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) webhook: WebhookId,
    pub(super) delivery: Delivery,
    pub(super) said: Said,
}

/// Tells an event to a webhook, once.
pub(super) async fn attempt(app: &App, webhook: &Webhook, delivery: Delivery, entry: Option<Activity>) -> Done {
    let said = match &entry {
        Some(entry) => post(app, webhook, delivery.id, event::body(entry)).await,
        // Activity is never deleted; a database that was changed by hand may lack something.
        None => Said::refused("event_missing"),
    };
    Done { webhook: webhook.id, delivery, said }
}

async fn post(app: &App, webhook: &Webhook, id: DeliveryId, body: Bytes) -> Said {
    let Ok(there) = Destination::read(&webhook.url, Target::WEBHOOK) else { return Said::refused("no_destination") };
    let now = app.clock.now();
    let secrets = &webhook.secrets;
    let secrets = WebhookSecret::signing(
        &app.sealer,
        &webhook.id.to_string(),
        &secrets.current,
        secrets.former.as_ref().map(|(former, until)| (former.as_str(), *until)),
        now,
    );
    let secrets = match secrets {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::error!(webhook = %webhook.id, %error, "a webhook cannot sign; give it a new secret");
            return Said::refused("secret_not_readable");
        }
    };
    let message = Message { id: id.to_string(), body, secrets };
    match deliver(&app.streams.sender, &there, &message, now).await {
        Ok(Answer::Accepted(status)) => Said::Accepted(status),
        Ok(Answer::Gone) => Said::Gone,
        Ok(Answer::Refused { status, retry_after }) => {
            Said::Refused { failure: format!("status_{status}"), status: Some(status), retry_after }
        }
        Err(error) => failed(webhook, &error),
    }
}

fn failed(webhook: &Webhook, error: &SendError) -> Said {
    tracing::debug!(webhook = %webhook.id, %error, "a delivery failed");
    Said::refused(error.word())
}

/// Sends a test to a webhook's receiver, now. Nothing is tried again.
pub async fn test(app: &App, webhook: &Webhook) -> Tested {
    let now = app.clock.now();
    let data = json!({"organization": webhook.org, "webhook": webhook.id, "test": true});
    let body = json!({"type": "test", "timestamp": now.to_string(), "data": data}).to_string();
    let id = DeliveryId::new(now.as_millis(), app.entropy.bytes());
    match post(app, webhook, id, Bytes::from(body)).await {
        Said::Accepted(status) => Tested { delivered: true, status: Some(status), failure: None },
        Said::Gone => Tested { delivered: false, status: Some(410), failure: Some("status_410".to_owned()) },
        Said::Refused { failure, status, .. } => Tested { delivered: false, status, failure: Some(failure) },
    }
}
