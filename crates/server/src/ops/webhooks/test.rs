//! Send a test to a webhook's receiver now, and tell what came back. The sending is outside of any transaction: the right
//! to it is asked for before it, and again when it is recorded.

use super::{find, require_telling};
use crate::app::App;
use crate::db::webhooks::Webhook;
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Caller, Change, Changes, Mutation, Query, frame};
use crate::streams::Tested;
use crate::webhooks::test;
use serde_json::json;
use tegata_core::ids::WebhookId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// A test that was made, to be recorded; or that nobody may make.
#[derive(Debug, Clone)]
pub struct TestWebhook {
    org: String,
    webhook: WebhookId,
    tested: Option<Tested>,
}

/// The right to a test.
struct Right<'a>(&'a TestWebhook);

impl Query for Right<'_> {
    const OPERATION: &'static Operation = operations::WEBHOOK_TEST;
    type Output = ();

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<(), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.0.org).await?.org.id;
        find(act, org, self.0.webhook).await.map(drop)
    }
}

impl TestWebhook {
    /// Sends the test, if the caller may.
    pub async fn prepare(app: &App, caller: &Caller, org: String, webhook: WebhookId) -> Result<Self, Problem> {
        let mut work = Self { org, webhook, tested: None };
        // Who may not is refused, and recorded, where every change is.
        if frame::still(app, caller, &Right(&work)).await.is_ok()
            && let Some(webhook) = work.load(app).await?
        {
            let _turn = app.turns.take(&webhook.org.to_string()).await?;
            work.tested = Some(test(app, &webhook).await);
        }
        Ok(work)
    }

    async fn load(&self, app: &App) -> Result<Option<Webhook>, Problem> {
        let mut tx = app.db.read().await.map_err(internal)?;
        let Some(org) = db::orgs::find(&mut tx, &self.org).await.map_err(internal)? else { return Ok(None) };
        db::webhooks::get(&mut tx, org.id, self.webhook).await.map_err(internal)
    }
}

impl Mutation for TestWebhook {
    const OPERATION: &'static Operation = operations::WEBHOOK_TEST;
    type Output = Tested;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Tested, Changes), Problem> {
        let org = require_telling(act, Self::OPERATION, &self.org).await?.org.id;
        let webhook = find(act, org, self.webhook).await?;
        let changed = || Problem::new(Code::Conflict, "it was changed by somebody else meanwhile; try again");
        let tested = self.tested.clone().ok_or_else(changed)?;
        let change = Change::new(org, webhook.id).after(json!({"name": webhook.name, "test": tested}));
        Ok((tested, change.into()))
    }
}
