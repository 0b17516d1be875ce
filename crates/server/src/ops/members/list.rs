//! List the members of an organization.

use super::view::MemberView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Lists the members.
#[derive(Debug)]
pub struct ListMembers {
    /// The organization's key or id.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListMembers {
    const OPERATION: &'static Operation = operations::MEMBER_LIST;
    type Output = Page<MemberView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<MemberView>, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let ask = self.page.ask()?;
        let members = db::members::list(&mut act.tx, allowed.org.id, &ask).await.map_err(internal)?;
        self.page.page(members, |member| member.user.to_string(), |member| MemberView::from(&member))
    }
}
