//! Teams, as an identity provider sees and makes them.
//!
//! Every team is seen. Only those that an identity provider made are its to change: whoever gives a role to such a team gives it
//! to whomever the identity provider puts there. A team that administers anything takes nobody in that way.

pub mod create;
pub mod delete;
pub mod list;
pub mod settle;
pub mod update;
pub mod view;
pub mod wanted;

use crate::db::teams::Team;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use tegata_core::ids::{OrgId, TeamId};
use tegata_core::problem::Problem;

/// A team with this id, of this organization.
pub async fn find(tx: &mut Tx, org: OrgId, id: &str) -> Result<Team, Problem> {
    let hidden = || Problem::not_found("group");
    let id: TeamId = id.parse().map_err(|_| hidden())?;
    db::teams::find(tx, org, &id.to_string()).await.map_err(internal)?.ok_or_else(hidden)
}
