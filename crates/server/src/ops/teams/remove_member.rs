//! Take a member out of a team: they lose the roles that they had through it.

use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::{administrators, passing_on};
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::UserId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Takes a member out of a team.
#[derive(Debug)]
pub struct RemoveTeamMember {
    /// The organization's key or id.
    pub org: String,
    /// The team's key or id.
    pub team: String,
    /// The id of the person.
    pub user: String,
}

impl Mutation for RemoveTeamMember {
    const OPERATION: &'static Operation = operations::TEAM_MEMBER_REMOVE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let team = super::find(&mut act.tx, org, &self.team).await?;
        let user: UserId = self.user.parse().map_err(|_| Problem::not_found("member"))?;
        if db::assignments::team_administers(&mut act.tx, org, team.id).await.map_err(internal)? {
            passing_on::require_administrator(act, &allowed).await?;
        }
        let before = administrators::count(&mut act.tx, org).await?;
        db::teams::remove_member(&mut act.tx, org, team.id, user).await.map_err(|error| match error {
            DbError::Changed => Problem::not_found("member"),
            other => internal(other),
        })?;
        administrators::require_one_left(&mut act.tx, before, &allowed.org.key).await?;
        let change = Change::new(org, team.id)
            .before(json!({"team": team.key, "member_removed": user.to_string()}))
            .feed(Topic::Member, Some(org), user)
            .feed(Topic::Team, Some(org), team.id);
        Ok((Receipt::of(user, "removed"), change.into()))
    }
}
