//! Make a webhook.

use super::view::{WebhookView, WebhookWithSecret};
use super::{WEBHOOKS_MAX, input, require_telling};
use crate::db::streams::Secrets;
use crate::db::webhooks::{Position, Webhook};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::streams::create::fresh_secret;
use crate::ops::streams::input::check_url;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::streams::settings::Target;
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What a webhook shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookCreate)]
pub struct Body {
    /// What people call it.
    pub name: String,
    /// Where to: `https://…`; `http://…` where the operator lets changes be sent unencrypted.
    pub url: String,
    /// Which types of events: names of operations, such as `org.token.revoke`, in which `*` stands for any letters. Left out:
    /// all of them.
    #[serde(default = "everything")]
    #[schema(min_items = 1, max_items = 50)]
    pub events: Vec<String>,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// Make a webhook.
#[derive(Debug, Clone)]
pub struct CreateWebhook {
    /// The organization.
    pub org: String,
    /// What it shall be.
    pub body: Body,
}

impl Mutation for CreateWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_CREATE;
    type Output = WebhookWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(WebhookWithSecret, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        let body = &self.body;
        name::check_title(&body.name).map_err(|error| Problem::field("name", error))?;
        check_url(act, &body.url, Target::WEBHOOK)?;
        let events = input::events(&body.events)?;
        if db::webhooks::count(act.tx(), org).await.map_err(internal)? >= WEBHOOKS_MAX {
            let message = format!("an organization has at most {WEBHOOKS_MAX} webhooks; delete one first");
            return Err(Problem::new(Code::Conflict, message));
        }
        let id = act.id(WebhookId::new);
        let (current, secret) = fresh_secret(act, &id.to_string())?;
        // With the next change: what makes it is none of its events.
        let position = Position { sequence: act.tx.number().cast_signed(), ordinal: i64::MAX };
        let webhook = Webhook {
            id,
            org,
            name: body.name.clone(),
            url: body.url.clone(),
            events,
            secrets: Secrets { current, former: None },
            version: 0,
            position,
            paused: None,
            failing: None,
            delivered: 0,
            delivered_at: None,
            created_at: act.now,
            created_by: act.actor.user.id.to_string(),
        };
        db::webhooks::insert(&mut act.tx, &webhook).await.map_err(internal)?;
        let view = WebhookView::of(&webhook, act.app.verify.lease().blocked().is_some());
        let change = Change::new(org, id).after(json!(view));
        Ok((WebhookWithSecret { webhook: view, secret }, change.into()))
    }
}
