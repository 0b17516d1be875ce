//! Make a service account. It has no roles yet, so it can do nothing.

use super::view::ServiceAccountView;
use crate::db::feed::Topic;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, DbError, Tx, WriteTx};
use crate::ops::act::internal;
use crate::ops::assignments::principal::{self, Kind, Named};
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::{OrgId, ServiceAccountId, UserId};
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// A service account to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceAccountCreate)]
pub struct Body {
    /// What people call it; once in the organization.
    pub name: String,
    /// Id or e-mail address of the member who answers for it; left out for whoever makes it.
    #[serde(default)]
    pub owner: Option<String>,
}

/// Make a service account.
#[derive(Debug, Clone)]
pub struct CreateServiceAccount {
    /// The organization.
    pub org: String,
    /// What it shall be.
    pub body: Body,
}

impl Mutation for CreateServiceAccount {
    const OPERATION: &'static Operation = operations::SERVICE_ACCOUNT_CREATE;
    type Output = ServiceAccountView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        name::check_title(&self.body.name).map_err(|error| Problem::field("name", error))?;
        let owner = match &self.body.owner {
            Some(named) => member(&mut act.tx, org, named).await?,
            None => act.actor.user.id,
        };
        let account = ServiceAccount {
            id: act.id(ServiceAccountId::new),
            name: self.body.name.clone(),
            owner,
            active: true,
            created_by: act.actor.user.id.to_string(),
            created_at: act.now,
        };
        db::service_accounts::insert(&mut act.tx, org, &account).await.map_err(taken)?;
        let view = ServiceAccountView::of(&mut act.tx, org, &account).await.map_err(internal)?;
        let change = Change::new(org, account.id)
            .after(json!({"name": account.name, "owner": owner.to_string(), "state": "active"}))
            .feed(Topic::ServiceAccount, Some(org), account.id);
        Ok((view, change.into()))
    }
}

/// The active member who shall answer for an account.
pub async fn member(tx: &mut Tx, org: OrgId, named: &str) -> Result<UserId, Problem> {
    let named = Named { kind: Kind::User, id: named.to_owned() };
    match principal::find(tx, org, &named).await.map_err(internal)? {
        Some((crate::db::assignments::Principal::User(user), _)) => Ok(user),
        _ => Err(Problem::field("owner", "no active member of this organization has this id or address")),
    }
}

/// Tells that a name belongs to another account already.
pub fn taken(error: DbError) -> Problem {
    match error {
        DbError::Duplicate => Problem::new(Code::Duplicate, "the organization has a service account of this name")
            .with("name", "the name is taken"),
        other => internal(other),
    }
}
