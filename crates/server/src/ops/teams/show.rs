//! Show a team with its members and roles.

use super::view::TeamDetailsView;
use crate::db::Tx;
use crate::ops::act::internal;
use crate::ops::{Act, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Shows a team.
#[derive(Debug)]
pub struct ShowTeam {
    /// The organization's key or id.
    pub org: String,
    /// The team's key or id.
    pub team: String,
}

impl Query for ShowTeam {
    const OPERATION: &'static Operation = operations::TEAM_SHOW;
    type Output = TeamDetailsView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<TeamDetailsView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let team = super::find(&mut act.tx, org, &self.team).await?;
        TeamDetailsView::read(&mut act.tx, org, &team).await.map_err(internal)
    }
}
