//! Policies of contexts, on the command line.

use super::Set;
use crate::cli::call::Call;
use crate::cli::desk::{Desk, InOrg};
use crate::cli::error::CliError;
use crate::cli::render::Column;
use clap::Args;
use serde_json::Value;
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] = &[
    ("KIND", "/kind"),
    ("ADMISSION", "/effective/admission"),
    ("LEVEL", "/effective/level"),
    ("MAX LIFETIME DAYS", "/effective/max_lifetime_days"),
    ("FOUR EYES", "/effective/four_eyes"),
];

/// A kind of credential in a context.
#[derive(Debug, Args)]
pub struct Which {
    /// The kind of credential, such as `personal_token`
    kind: String,
    /// The context: an id, or a place as in scopes, such as `project:key:BLUE`
    #[arg(long, value_name = "CONTEXT")]
    context: String,
    #[command(flatten)]
    org: InOrg,
}

impl Which {
    async fn call(self, desk: &Desk, operation: &'static Operation) -> Result<Call, CliError> {
        let org = desk.org(&self.org).await?;
        Ok(Call::to(operation).at("org", org).at("context", self.context).at("kind", self.kind))
    }

    /// Shows it.
    pub async fn show(self, desk: &Desk) -> Result<(), CliError> {
        let call = self.call(desk, operations::CONTEXT_POLICY_SHOW).await?;
        desk.show(call).await
    }

    /// Takes back what it says.
    pub async fn clear(self, desk: &Desk) -> Result<(), CliError> {
        let call = self.call(desk, operations::CONTEXT_POLICY_DELETE).await?;
        desk.show(call).await
    }
}

/// Lists what a context says, and what counts there.
pub async fn list(desk: &Desk, org: String, context: String) -> Result<(), CliError> {
    let call = Call::to(operations::CONTEXT_POLICY_LIST).at("org", org).at("context", context);
    desk.list_whole(call, COLUMNS).await
}

/// Tightens a policy; what is not named stays as the context says it now.
pub async fn set(desk: &Desk, org: String, set: Set) -> Result<(), CliError> {
    let context = set.place.context.unwrap_or_default();
    let to = |operation| {
        Call::to(operation).at("org", org.clone()).at("context", context.clone()).at("kind", set.kind.clone())
    };
    let now = desk.client.call(&to(operations::CONTEXT_POLICY_SHOW)).await?;
    let kept = |name: &str| now.get("own").and_then(|own| own.get(name)).cloned().unwrap_or_default();
    let or_kept = |value: Option<Value>, name: &str| value.unwrap_or_else(|| kept(name));
    let call = to(operations::CONTEXT_POLICY_SET)
        .with("admission", or_kept(set.admission.map(Value::from), "admission"))
        .with("level", or_kept(set.level.map(Value::from), "level"))
        .with("max_lifetime_days", or_kept(set.max_lifetime_days.map(Value::from), "max_lifetime_days"))
        .with("four_eyes", or_kept(set.four_eyes.map(Value::from), "four_eyes"))
        .with("request_lifetime_days", or_kept(set.request_lifetime_days.map(Value::from), "request_lifetime_days"))
        .with("addresses", or_kept(set.addresses.list().map(Value::from), "addresses"))
        .with("permissions", or_kept(set.askable.list(&kept("permissions")), "permissions"))
        .with("reason", set.reason);
    desk.show(call).await
}
