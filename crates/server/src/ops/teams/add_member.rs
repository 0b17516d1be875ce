//! Put a member into a team. Whoever does, passes the team's roles on, also when they put themself in.

use super::view::TeamDetailsView;
use crate::db::assignments::Principal;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::passing_on;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::UserId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Puts a member into a team.
#[derive(Debug)]
pub struct AddTeamMember {
    /// The organization's key or id.
    pub org: String,
    /// The team's key or id.
    pub team: String,
    /// The id of the person.
    pub user: String,
}

impl Mutation for AddTeamMember {
    const OPERATION: &'static Operation = operations::TEAM_MEMBER_ADD;
    type Output = TeamDetailsView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(TeamDetailsView, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let team = super::find(&mut act.tx, org, &self.team).await?;
        // Named in the path: whoever is no active member of this organization is not there, for it.
        let not_a_member = || Problem::not_found("member");
        let user: UserId = self.user.parse().map_err(|_| not_a_member())?;
        let member = db::members::get(&mut act.tx, org, user).await.map_err(internal)?;
        if !member.is_some_and(|member| member.active && member.account_active) {
            return Err(not_a_member());
        }
        let roles =
            db::assignments::of_principal(&mut act.tx, org, Principal::Team(team.id)).await.map_err(internal)?;
        passing_on::require_assignments(act, &allowed, &roles).await?;
        if !db::teams::add_member(&mut act.tx, org, team.id, user).await.map_err(internal)? {
            return Err(Problem::new(Code::Duplicate, "this person is in the team already"));
        }
        let view = TeamDetailsView::read(&mut act.tx, org, &team).await.map_err(internal)?;
        let change = Change::new(org, team.id)
            .after(json!({"team": team.key, "member_added": user.to_string()}))
            .feed(Topic::Member, Some(org), user)
            .feed(Topic::Team, Some(org), team.id);
        Ok((view, change.into()))
    }
}
