//! List the APIs that an organization uses.

use super::view::OrgApiView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Lists the APIs of an organization.
#[derive(Debug)]
pub struct ListOrgApis {
    /// The organization's key or id.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListOrgApis {
    const OPERATION: &'static Operation = operations::ORG_API_LIST;
    type Output = Page<OrgApiView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<OrgApiView>, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let ask = self.page.ask()?;
        let after = ask.after.unwrap_or_default();
        let enabled = db::orgs::apis(&mut act.tx, allowed.org.id).await.map_err(internal)?;
        // An organization uses a handful of APIs; the page is cut here.
        let mut rows: Vec<_> = enabled.into_iter().filter(|(api, _)| api.to_string() > after).collect();
        rows.truncate(usize::try_from(ask.limit).unwrap_or(usize::MAX));
        let mut views = Vec::with_capacity(rows.len());
        for (api, enabled_at) in rows {
            let loaded = act.app.catalogues.of(&mut act.tx, &api.to_string()).await.map_err(internal)?;
            views.extend(loaded.map(|loaded| OrgApiView::new(&loaded, enabled_at)));
        }
        self.page.page(views, |view| view.id.clone(), |view| view)
    }
}
