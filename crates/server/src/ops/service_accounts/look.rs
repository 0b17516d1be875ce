//! List the service accounts, or show one.

use super::view::ServiceAccountView;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the service accounts.
pub struct ListServiceAccounts {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListServiceAccounts {
    const OPERATION: &'static Operation = operations::SERVICE_ACCOUNT_LIST;
    type Output = Page<ServiceAccountView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let rows = db::service_accounts::list(&mut act.tx, org, &self.page.ask()?).await.map_err(internal)?;
        let page = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(page.items.len());
        for account in &page.items {
            items.push(ServiceAccountView::of(&mut act.tx, org, account).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show a service account.
pub struct ShowServiceAccount {
    /// The organization.
    pub org: String,
    /// Its id or name.
    pub account: String,
}

impl Query for ShowServiceAccount {
    const OPERATION: &'static Operation = operations::SERVICE_ACCOUNT_SHOW;
    type Output = ServiceAccountView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let account = account_here(&mut act.tx, org, &self.account).await?;
        ServiceAccountView::of(&mut act.tx, org, &account).await.map_err(internal)
    }
}

/// A service account of this organization.
pub async fn account_here(tx: &mut Tx, org: OrgId, id_or_name: &str) -> Result<ServiceAccount, Problem> {
    let found = db::service_accounts::find(tx, org, id_or_name).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("service account"))
}
