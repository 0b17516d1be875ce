//! Search people and teams at once (RFC 7644 §3.4.3). A filter over what only one type has finds only those.

use super::listing::Listing;
use super::{groups, users};
use crate::db::Tx;
use crate::ops::{Act, Query};
use crate::scim::{Resource, schema};
use serde_json::Value;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Search people and teams.
#[derive(Debug)]
pub struct Search {
    /// The organization.
    pub org: String,
    /// What is looked for.
    pub listing: Listing,
}

impl Query for Search {
    const OPERATION: &'static Operation = operations::SCIM_SEARCH;
    type Output = Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Value, Problem> {
        let (allowed, base) = super::allowed(act, Self::OPERATION, &self.org).await?;
        let (org, listing) = (allowed.org.id, &self.listing);
        let (people, teams) = (listing.read(Resource::User), listing.read(Resource::Group));
        if let (Err(wrong), Err(_)) = (&people, &teams) {
            return Err(wrong.clone().into());
        }
        let (mut total, mut shown) = (0, Vec::new());
        if let Ok(filter) = people {
            let page = users::list::find(act, org, &base, listing, filter.as_ref()).await?;
            (total, shown) = (page.total, page.items);
        }
        if let Ok(filter) = teams {
            let rest = Listing {
                skip: listing.skip.saturating_sub(total),
                take: listing.take - shown.len(),
                ..listing.clone()
            };
            let page = groups::list::find(act, org, &base, &rest, filter.as_ref()).await?;
            total += page.total;
            shown.extend(page.items);
        }
        Ok(schema::list(total, listing.skip + 1, &shown))
    }
}
