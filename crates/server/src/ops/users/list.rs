//! List the accounts of the installation.

use super::view::UserView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Lists the accounts.
#[derive(Debug)]
pub struct ListUsers {
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListUsers {
    const OPERATION: &'static Operation = operations::USER_LIST;
    type Output = Page<UserView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<UserView>, Problem> {
        act.require_publisher(Self::OPERATION).await?;
        let users = db::users::list(&mut act.tx, &self.page.ask()?).await.map_err(internal)?;
        self.page.page(users, |user| user.id.to_string(), |user| UserView::from(&user))
    }
}
