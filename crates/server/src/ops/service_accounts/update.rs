//! Give a service account another name, or another member who answers for it.

use super::create::{member, taken};
use super::look::account_here;
use super::view::ServiceAccountView;
use crate::db::feed::Topic;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::successions::hand_over;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What changes; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ServiceAccountUpdate)]
pub struct Body {
    /// What people call it.
    pub name: Option<String>,
    /// Id or e-mail address of the member who answers for it.
    pub owner: Option<String>,
}

/// Change a service account.
#[derive(Debug, Clone)]
pub struct UpdateServiceAccount {
    /// The organization.
    pub org: String,
    /// Its id or name.
    pub account: String,
    /// What changes.
    pub body: Body,
}

impl Mutation for UpdateServiceAccount {
    const OPERATION: &'static Operation = operations::SERVICE_ACCOUNT_UPDATE;
    type Output = ServiceAccountView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let before = account_here(&mut act.tx, org, &self.account).await?;
        let name = self.body.name.clone().unwrap_or_else(|| before.name.clone());
        name::check_title(&name).map_err(|error| Problem::field("name", error))?;
        let owner = match &self.body.owner {
            Some(named) => member(&mut act.tx, org, named).await?,
            None => before.owner,
        };
        db::service_accounts::update(&mut act.tx, org, before.id, &name, owner).await.map_err(taken)?;
        let after = ServiceAccount { name, owner, ..before.clone() };
        let view = ServiceAccountView::of(&mut act.tx, org, &after).await.map_err(internal)?;
        let told = |account: &ServiceAccount| json!({"name": account.name, "owner": account.owner.to_string()});
        let change = Change::new(org, after.id).before(told(&before)).after(told(&after)).feed(
            Topic::ServiceAccount,
            Some(org),
            after.id,
        );
        let mut changes = vec![change];
        // Whoever answers for it now takes it over from a leaver.
        if self.body.owner.is_some() {
            changes.extend(hand_over::by_hand(act, org, Owner::ServiceAccount(after.id), owner).await?);
        }
        Ok((view, Changes { list: changes }))
    }
}
