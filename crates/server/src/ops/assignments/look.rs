//! List who has which role where.

use super::names::Names;
use super::principal;
use super::view::AssignmentView;
use crate::db::assignments::Filter;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Which assignments.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = AssignmentListParams)]
pub struct ListParams {
    /// Only of this user (id or e-mail address), team (id or key) or service account (id or name), directly.
    pub principal: Option<String>,
    /// Only in this context: an id, or a place as in scopes; `global` for those in the whole organization.
    pub context: Option<String>,
    /// Only of this role (key or id).
    pub role: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the assignments.
#[derive(Debug, Clone)]
pub struct ListAssignments {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListAssignments {
    const OPERATION: &'static Operation = operations::ASSIGNMENT_LIST;
    type Output = Page<AssignmentView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<AssignmentView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let params = &self.params;
        let page = PageRequest { limit: params.limit, cursor: params.cursor.clone() };
        let ask = page.ask()?;
        let mut filter = Filter::default();
        if let Some(text) = params.principal.as_deref() {
            filter.principal = Some(principal::id_of(act.tx(), org, text).await.map_err(internal)?);
        }
        if let Some(text) = params.context.as_deref() {
            let context = place::of_field(act, org, "context", Some(text)).await?;
            filter.global = context.is_none();
            filter.context = context.map(|context| context.id);
        }
        if let Some(text) = params.role.as_deref() {
            let role = db::roles::find(act.tx(), org, text).await.map_err(internal)?;
            let role = role.ok_or_else(|| Problem::field("role", "this organization has no such role"))?;
            filter.role = Some(role.id);
        }
        let rows = db::assignments::list(act.tx(), org, &filter, &ask).await.map_err(internal)?;
        let rows = page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut names = Names::new(org);
        let mut items = Vec::with_capacity(rows.items.len());
        for row in &rows.items {
            items.push(AssignmentView::of(act.tx(), &mut names, row).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: rows.next_cursor })
    }
}
