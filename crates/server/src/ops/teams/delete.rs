//! Delete a team and the roles given to it.

use crate::db::assignments::Principal;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::{administrators, passing_on};
use crate::ops::receipt::Receipt;
use crate::ops::view::held_roles;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Deletes a team.
#[derive(Debug)]
pub struct DeleteTeam {
    /// The organization's key or id.
    pub org: String,
    /// The team's key or id.
    pub team: String,
}

impl Mutation for DeleteTeam {
    const OPERATION: &'static Operation = operations::TEAM_DELETE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let team = super::find(&mut act.tx, org, &self.team).await?;
        if db::assignments::team_administers(&mut act.tx, org, team.id).await.map_err(internal)? {
            passing_on::require_administrator(act, &allowed).await?;
        }
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
            .before(json!({"key": team.key, "name": team.name, "members": people, "roles": roles}))
            .feed(Topic::Team, Some(org), team.id);
        for user in members {
            change = change.feed(Topic::Member, Some(org), user);
        }
        Ok((Receipt::of(team.id, "deleted"), change.into()))
    }
}
