//! Show an organization.

use super::view::OrgView;
use crate::db::Tx;
use crate::ops::{Act, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Shows an organization.
#[derive(Debug)]
pub struct ShowOrg {
    /// Its key or id.
    pub org: String,
}

impl Query for ShowOrg {
    const OPERATION: &'static Operation = operations::ORG_SHOW;
    type Output = OrgView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<OrgView, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        Ok(OrgView::from(&allowed.org))
    }
}
