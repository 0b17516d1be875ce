//! Delete a team that an identity provider made, and the roles given to it.

use super::{settle, view};
use crate::db::assignments::Principal;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::administrators;
use crate::ops::scim::version;
use crate::ops::view::held_roles;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::{Value, json};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Delete a team.
#[derive(Debug)]
pub struct DeleteGroup {
    /// The organization.
    pub org: String,
    /// The id of the team.
    pub team: String,
    /// The versions that it may have.
    pub if_match: Option<String>,
}

impl Mutation for DeleteGroup {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_DELETE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let (allowed, base) = crate::ops::scim::allowed(act, Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let team = super::find(&mut act.tx, org, &self.team).await?;
        if self.if_match.is_some() {
            let now = view::shown(&mut act.tx, org, &team, &base).await.map_err(internal)?;
            version::require(&now, self.if_match.as_deref())?;
        }
        settle::require_own(act, org, team.id).await?;
        let principal = Principal::Team(team.id);
        let members = db::teams::members(&mut act.tx, org, team.id).await.map_err(internal)?;
        let assignments = db::assignments::of_principal(&mut act.tx, org, principal).await.map_err(internal)?;
        let roles = held_roles(&mut act.tx, org, &assignments).await.map_err(internal)?;
        let before = administrators::count(&mut act.tx, org).await?;
        db::assignments::delete_of_principal(&mut act.tx, org, principal).await.map_err(internal)?;
        db::teams::delete(&mut act.tx, org, team.id).await.map_err(internal)?;
        administrators::require_one_left(&mut act.tx, before, &allowed.org.key).await?;
        let people: Vec<String> = members.iter().map(ToString::to_string).collect();
        let mut change = Change::new(org, team.id)
            .told_as(operations::TEAM_DELETE.id)
            .before(json!({"key": team.key, "name": team.name, "members": people, "roles": roles}))
            .feed(Topic::Team, Some(org), team.id);
        for user in members {
            change = change.feed(Topic::Member, Some(org), user);
        }
        Ok((Value::Null, change.into()))
    }
}
