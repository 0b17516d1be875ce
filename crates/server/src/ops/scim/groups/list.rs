//! List or find teams, and show one.

use super::view;
use crate::db::{self, PageAsk, Tx};
use crate::ops::act::internal;
use crate::ops::scim::listing::{Listing, Page};
use crate::ops::{Act, Query};
use crate::scim::filter::Filter;
use crate::scim::projection::Asked;
use crate::scim::{Resource, schema};
use serde_json::Value;
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Teams that are looked at at once.
const BATCH: i64 = 200;

/// List or find teams.
#[derive(Debug)]
pub struct ListGroups {
    /// The organization.
    pub org: String,
    /// Which.
    pub listing: Listing,
}

/// The same, asked in a body.
#[derive(Debug)]
pub struct SearchGroups(pub ListGroups);

/// Show a team.
#[derive(Debug)]
pub struct ShowGroup {
    /// The organization.
    pub org: String,
    /// The id of the team.
    pub team: String,
    /// Which attributes.
    pub asked: Asked,
}

impl Query for ListGroups {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_LIST;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        listed(act, Self::OPERATION, self).await
    }
}

impl Query for SearchGroups {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_SEARCH;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        listed(act, Self::OPERATION, &self.0).await
    }
}

impl Query for ShowGroup {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_SHOW;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (allowed, base) = crate::ops::scim::allowed(act, Self::OPERATION, &self.org).await?;
        let team = super::find(&mut act.tx, allowed.org.id, &self.team).await?;
        let mut shown = view::shown(&mut act.tx, allowed.org.id, &team, &base).await.map_err(internal)?;
        self.asked.project(Resource::Group, &mut shown);
        Ok(shown)
    }
}

async fn listed(act: &mut Act<'_, Tx>, operation: &'static Operation, ask: &ListGroups) -> Result<Value, Problem> {
    let (allowed, base) = crate::ops::scim::allowed(act, operation, &ask.org).await?;
    let filter = ask.listing.read(Resource::Group)?;
    let page = find(act, allowed.org.id, &base, &ask.listing, filter.as_ref()).await?;
    Ok(schema::list(page.total, ask.listing.skip + 1, &page.items))
}

/// Finds teams by looking at all, some at a time: an organization has few.
pub async fn find(
    act: &mut Act<'_, Tx>,
    org: OrgId,
    base: &str,
    listing: &Listing,
    filter: Option<&Filter>,
) -> Result<Page<Value>, Problem> {
    let tx = &mut act.tx;
    let mut page = Page::new(listing.skip, listing.take);
    let mut ask = PageAsk { after: None, limit: BATCH };
    loop {
        let teams = db::teams::list(tx, org, &ask).await.map_err(internal)?;
        let Some(last) = teams.last() else { break };
        ask.after = Some(last.id.to_string());
        for team in &teams {
            let shown = view::shown(tx, org, team, base).await.map_err(internal)?;
            if filter.is_none_or(|filter| filter.fits_resource(Resource::Group, &shown)) {
                page.add(shown);
            }
        }
    }
    for shown in &mut page.items {
        listing.asked.project(Resource::Group, shown);
    }
    Ok(page)
}
