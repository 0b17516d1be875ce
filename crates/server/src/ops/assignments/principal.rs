//! Users and teams as callers write them: an id, a user's e-mail address, a team's key.

use crate::db::assignments::Principal;
use crate::db::{self, DbError, Tx};
use serde::Deserialize;
use tegata_core::ids::{OrgId, UserId};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PrincipalKind)]
pub enum Kind {
    /// A person.
    User,
    /// Everybody in a team.
    Team,
    /// An account that no person signs in with.
    ServiceAccount,
}

/// Who a role is given to.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PrincipalNamed)]
pub struct Named {
    /// A person, a team or a service account.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The user's id or e-mail address; the team's id or key; the service account's id or name.
    pub id: String,
}

/// The user or team that is meant, with its name. A person who is no member and one who does not exist look alike.
pub async fn find(tx: &mut Tx, org: OrgId, named: &Named) -> Result<Option<(Principal, String)>, DbError> {
    match named.kind {
        Kind::Team => {
            let team = db::teams::find(tx, org, &named.id).await?;
            Ok(team.map(|team| (Principal::Team(team.id), team.name)))
        }
        Kind::ServiceAccount => {
            let account = db::service_accounts::find(tx, org, &named.id).await?;
            Ok(account.map(|account| (Principal::ServiceAccount(account.id), account.name)))
        }
        Kind::User => {
            let Some(user) = user(tx, &named.id).await? else {
                return Ok(None);
            };
            let member = db::members::get(tx, org, user).await?.filter(|member| member.active && member.account_active);
            Ok(member.map(|member| (Principal::User(member.user), member.name)))
        }
    }
}

/// The id to filter by. What leads to nobody stays as it is, and finds nothing.
pub async fn id_of(tx: &mut Tx, org: OrgId, text: &str) -> Result<String, DbError> {
    if text.contains('@') {
        if let Some(user) = user(tx, text).await?
            && db::members::get(tx, org, user).await?.is_some()
        {
            return Ok(user.to_string());
        }
    } else if let Some(team) = db::teams::find(tx, org, text).await? {
        return Ok(team.id.to_string());
    } else if let Some(account) = db::service_accounts::find(tx, org, text).await? {
        return Ok(account.id.to_string());
    }
    Ok(text.to_owned())
}

async fn user(tx: &mut Tx, text: &str) -> Result<Option<UserId>, DbError> {
    if let Ok(id) = text.parse() {
        return Ok(Some(id));
    }
    Ok(db::users::by_email(tx, text).await?.map(|user| user.id))
}

/// A field that names nobody.
pub fn nobody(kind: Kind) -> Problem {
    match kind {
        Kind::User => Problem::field("principal.id", "no active member of this organization has this id or address"),
        Kind::Team => Problem::field("principal.id", "this organization has no such team"),
        Kind::ServiceAccount => Problem::field("principal.id", "this organization has no such service account"),
    }
}
