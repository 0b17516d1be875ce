//! List the teams of an organization.

use super::view::TeamView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Lists the teams.
#[derive(Debug)]
pub struct ListTeams {
    /// The organization's key or id.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListTeams {
    const OPERATION: &'static Operation = operations::TEAM_LIST;
    type Output = Page<TeamView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<TeamView>, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let ask = self.page.ask()?;
        let teams = db::teams::list(&mut act.tx, allowed.org.id, &ask).await.map_err(internal)?;
        self.page.page(teams, |team| team.id.to_string(), |team| TeamView::from(&team))
    }
}
