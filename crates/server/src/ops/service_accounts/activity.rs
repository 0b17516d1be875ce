//! Deactivate a service account, which stops all of its keys, and activate it again.

use super::look::account_here;
use super::view::ServiceAccountView;
use crate::db::feed::Topic;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::tokens::revoke::{Body, checked_reason};
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Stop a service account with all of its keys.
pub struct DeactivateServiceAccount {
    /// The organization.
    pub org: String,
    /// Its id or name.
    pub account: String,
    /// Why.
    pub body: Body,
}

/// Let a service account go on.
pub struct ActivateServiceAccount {
    /// The organization.
    pub org: String,
    /// Its id or name.
    pub account: String,
    /// Why.
    pub body: Body,
}

impl Mutation for DeactivateServiceAccount {
    const OPERATION: &'static Operation = operations::SERVICE_ACCOUNT_DEACTIVATE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let (account, change) = set(act, org, &self.account, false, &self.body).await?;
        Ok((Receipt::of(account.id, "inactive"), change.into()))
    }
}

impl Mutation for ActivateServiceAccount {
    const OPERATION: &'static Operation = operations::SERVICE_ACCOUNT_ACTIVATE;
    type Output = ServiceAccountView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let (account, change) = set(act, org, &self.account, true, &self.body).await?;
        let view = ServiceAccountView::of(&mut act.tx, org, &account).await.map_err(internal)?;
        Ok((view, change.into()))
    }
}

async fn set(
    act: &mut Act<'_, WriteTx>,
    org: OrgId,
    account: &str,
    active: bool,
    body: &Body,
) -> Result<(ServiceAccount, Change), Problem> {
    checked_reason(body)?;
    let account = account_here(&mut act.tx, org, account).await?;
    let state = |active| if active { "active" } else { "inactive" };
    db::service_accounts::set_active(&mut act.tx, org, account.id, active).await.map_err(|error| match error {
        DbError::Changed => Problem::new(Code::Conflict, format!("this account is {} already", state(active))),
        other => internal(other),
    })?;
    let change = Change::new(org, account.id)
        .before(json!({"name": account.name, "state": state(!active)}))
        .after(json!({"name": account.name, "state": state(active)}))
        .because(body.reason.as_deref())
        .feed(Topic::ServiceAccount, Some(org), account.id);
    Ok((ServiceAccount { active, ..account }, change))
}
