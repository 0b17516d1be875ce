//! List the organizations that one is a member of; with a token, those in which the token has a part.

use super::view::OrgView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Lists one's organizations.
#[derive(Debug)]
pub struct ListOrgs {
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListOrgs {
    const OPERATION: &'static Operation = operations::ORG_LIST;
    type Output = Page<OrgView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<OrgView>, Problem> {
        let ask = self.page.ask()?;
        let user = act.actor.user.id;
        let orgs = match act.actor.token {
            None => db::orgs::of_user(&mut act.tx, user, &ask).await,
            Some(token) => db::orgs::of_user_with_token(&mut act.tx, user, token, &ask).await,
        };
        self.page.page(orgs.map_err(internal)?, |org| org.key.clone(), |org| OrgView::from(&org))
    }
}
