//! Teams: groups of members that have roles together.

pub mod add_member;
pub mod create;
pub mod delete;
pub mod list;
pub mod remove_member;
pub mod show;
pub mod view;

use crate::db::teams::Team;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use tegata_core::ids::OrgId;
use tegata_core::problem::Problem;

/// The team with this key or id, of this organization.
async fn find(tx: &mut Tx, org: OrgId, key_or_id: &str) -> Result<Team, Problem> {
    let found = db::teams::find(tx, org, key_or_id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("team"))
}
