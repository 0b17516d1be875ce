//! List the limits on calls, and show one. An organization is shown what holds in every one as well.

use super::Whose;
use super::view::LimitView;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use std::marker::PhantomData;
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;

/// List the limits.
#[derive(Debug, Clone)]
pub struct ListLimits<W> {
    org: String,
    page: PageRequest,
    whose: PhantomData<W>,
}

impl<W> ListLimits<W> {
    /// Of an organization; its name is not looked at where only those for every one are asked for.
    pub const fn new(org: String, page: PageRequest) -> Self {
        Self { org, page, whose: PhantomData }
    }
}

impl<W: Whose> Query for ListLimits<W> {
    const OPERATION: &'static Operation = W::LIST;
    type Output = Page<LimitView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<LimitView>, Problem> {
        let (_, owner) = super::require(act, W::LIST, &self.org).await?;
        let rows = db::limits::list(act.tx(), owner, &self.page.ask()?).await.map_err(internal)?;
        let rows = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let app = act.app;
        let mut items = Vec::with_capacity(rows.items.len());
        for limit in rows.items {
            items.push(LimitView::of(app, act.tx(), &limit).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: rows.next_cursor })
    }
}

/// Show a limit.
#[derive(Debug, Clone)]
pub struct ShowLimit<W> {
    org: String,
    limit: String,
    whose: PhantomData<W>,
}

impl<W> ShowLimit<W> {
    /// Of an organization; its name is not looked at where only those for every one are asked for.
    pub const fn new(org: String, limit: String) -> Self {
        Self { org, limit, whose: PhantomData }
    }
}

impl<W: Whose> Query for ShowLimit<W> {
    const OPERATION: &'static Operation = W::SHOW;
    type Output = LimitView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<LimitView, Problem> {
        let (_, owner) = super::require(act, W::SHOW, &self.org).await?;
        let limit = super::find(act, owner, &self.limit).await?;
        let app = act.app;
        LimitView::of(app, act.tx(), &limit).await.map_err(internal)
    }
}
