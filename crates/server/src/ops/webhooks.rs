//! Webhooks: where an organization's changes are told to. Who makes or moves one lets somebody else see every change from
//! then on, so it takes the right to see activity as well as that to tell it.

pub mod create;
pub mod delete;
pub mod deliveries;
mod input;
pub mod look;
pub mod pause;
pub mod replay;
pub mod resume;
pub mod rotate;
pub mod test;
pub mod update;
pub mod view;

use crate::db;
use crate::db::webhooks::Webhook;
use crate::ops::act::{Reading, internal};
use crate::ops::{Act, Allowed};
use tegata_core::ids::{OrgId, WebhookId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Most webhooks of an organization.
pub const WEBHOOKS_MAX: u64 = 20;

/// The right to let changes be told: nobody tells what they may not see.
async fn require_telling<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: &str,
) -> Result<Allowed, Problem> {
    act.require(operations::ACTIVITY_LIST, org).await?;
    act.require(operation, org).await
}

/// The webhook with this id.
async fn find<T: Reading>(act: &mut Act<'_, T>, org: OrgId, id: WebhookId) -> Result<Webhook, Problem> {
    let found = db::webhooks::get(act.tx(), org, id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("webhook"))
}
