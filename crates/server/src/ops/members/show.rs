//! Show a member with their roles and teams.

use super::view::{MemberDetailsView, MemberTeamView, MemberView};
use crate::db::members::Member;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::view::held_roles;
use crate::ops::{Act, Query};
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Shows a member.
#[derive(Debug)]
pub struct ShowMember {
    /// The organization's key or id.
    pub org: String,
    /// The id of the person.
    pub user: String,
}

impl Query for ShowMember {
    const OPERATION: &'static Operation = operations::MEMBER_SHOW;
    type Output = MemberDetailsView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<MemberDetailsView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let member = find(&mut act.tx, org, &self.user).await?;
        let assignments = db::assignments::reaching_user(&mut act.tx, org, member.user).await.map_err(internal)?;
        let roles = held_roles(&mut act.tx, org, &assignments).await.map_err(internal)?;
        let mut teams = Vec::new();
        for team in db::teams::of_user(&mut act.tx, org, member.user).await.map_err(internal)? {
            let found = db::teams::find(&mut act.tx, org, &team.to_string()).await.map_err(internal)?;
            teams.extend(found.map(|team| MemberTeamView { id: team.id.to_string(), key: team.key, name: team.name }));
        }
        Ok(MemberDetailsView::new(MemberView::from(&member), roles, teams))
    }
}

/// The member with this id, of this organization; anybody else is unknown here.
pub(crate) async fn find(tx: &mut Tx, org: OrgId, user: &str) -> Result<Member, Problem> {
    let unknown = || Problem::not_found("member");
    let user = user.parse().map_err(|_| unknown())?;
    db::members::get(tx, org, user).await.map_err(internal)?.ok_or_else(unknown)
}
