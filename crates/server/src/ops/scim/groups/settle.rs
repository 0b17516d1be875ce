//! From who is in a team to who shall be.

use super::wanted::Wanted;
use crate::db::assignments::Principal;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::teams::Team;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::administrators;
use crate::ops::{Act, Change};
use crate::scim::{Kind, Wrong};
use serde_json::json;
use std::collections::BTreeSet;
use tegata_core::ids::{OrgId, TeamId, UserId};
use tegata_core::operations;
use tegata_core::problem::{Code, Problem};

/// Refuses teams that no identity provider made.
pub async fn require_own(act: &mut Act<'_, WriteTx>, org: OrgId, team: TeamId) -> Result<(), Problem> {
    if db::scim::team(&mut act.tx, org, team).await.map_err(internal)?.is_some() {
        return Ok(());
    }
    let detail = "this team was not made over SCIM, and is changed by hand only";
    Err(Wrong::new(Kind::Mutability, detail).into())
}

/// Makes the members of a team those that are wanted. Tells each who came and went, as if it were done by hand.
pub async fn members(
    act: &mut Act<'_, WriteTx>,
    org: &Org,
    team: &Team,
    wanted: &Wanted,
) -> Result<Vec<Change>, Problem> {
    let now = db::scim::members(&mut act.tx, org.id, team.id).await.map_err(internal)?;
    let now: BTreeSet<UserId> = now.into_iter().collect();
    let mut changes = Vec::new();
    let before = administrators::count(&mut act.tx, org.id).await?;
    for user in now.difference(&wanted.members) {
        db::teams::remove_member(&mut act.tx, org.id, team.id, *user).await.map_err(internal)?;
        let change = moved(org.id, team, *user).told_as(operations::TEAM_MEMBER_REMOVE.id);
        changes.push(change.before(json!({"team": team.key, "member_removed": user.to_string()})));
    }
    administrators::require_one_left(&mut act.tx, before, &org.key).await?;
    let new: Vec<UserId> = wanted.members.difference(&now).copied().collect();
    if !new.is_empty() {
        require_harmless(act, org.id, team.id).await?;
    }
    for user in new {
        if db::scim::person(&mut act.tx, org.id, user).await.map_err(internal)?.is_none() {
            return Err(Wrong::value(format!("nobody here has the id `{user}`")).into());
        }
        // Somebody that was deleted here and begins again may be in it still.
        db::teams::add_member(&mut act.tx, org.id, team.id, user).await.map_err(internal)?;
        let change = moved(org.id, team, user).told_as(operations::TEAM_MEMBER_ADD.id);
        changes.push(change.after(json!({"team": team.key, "member_added": user.to_string()})));
    }
    Ok(changes)
}

fn moved(org: OrgId, team: &Team, user: UserId) -> Change {
    Change::new(org, team.id).feed(Topic::Member, Some(org), user).feed(Topic::Team, Some(org), team.id)
}

/// Refuses to take anybody into a team that administers the organization or one of its contexts.
async fn require_harmless(act: &mut Act<'_, WriteTx>, org: OrgId, team: TeamId) -> Result<(), Problem> {
    let given = db::assignments::of_principal(&mut act.tx, org, Principal::Team(team)).await.map_err(internal)?;
    for assignment in given {
        let role = db::roles::find(&mut act.tx, org, &assignment.role.to_string()).await.map_err(internal)?;
        if role.is_none_or(|role| role.everything) {
            let detail = "this team administers something: an administrator, signed in as themself, takes people in";
            return Err(Problem::new(Code::BeyondOwnRights, detail));
        }
    }
    Ok(())
}
