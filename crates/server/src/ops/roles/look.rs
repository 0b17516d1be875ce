//! List the roles, predefined ones included, and show one.

use super::view::RoleView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::assignments::names::Names;
use crate::ops::{Act, Page, PageRequest, Query};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// List the roles.
#[derive(Debug, Clone)]
pub struct ListRoles {
    /// The organization.
    pub org: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListRoles {
    const OPERATION: &'static Operation = operations::ROLE_LIST;
    type Output = Page<RoleView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<RoleView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let rows = db::roles::list(act.tx(), org, &self.page.ask()?).await.map_err(internal)?;
        let rows = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let app = act.app;
        let mut names = Names::new(org);
        let mut items = Vec::with_capacity(rows.items.len());
        for role in rows.items {
            items.push(RoleView::of(app, act.tx(), org, &mut names, role).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: rows.next_cursor })
    }
}

/// Show a role.
#[derive(Debug, Clone)]
pub struct ShowRole {
    /// The organization.
    pub org: String,
    /// The role.
    pub role: String,
}

impl Query for ShowRole {
    const OPERATION: &'static Operation = operations::ROLE_SHOW;
    type Output = RoleView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<RoleView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let role = db::roles::find(act.tx(), org, &self.role).await.map_err(internal)?;
        let role = role.ok_or_else(|| Problem::not_found("role"))?;
        let app = act.app;
        RoleView::of(app, act.tx(), org, &mut Names::new(org), role).await.map_err(internal)
    }
}
