//! List what leavers answered for, or show one of it.

use super::view::SuccessionView;
use crate::db::successions::{State, Succession};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::ids::{OrgId, SuccessionId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Which successions.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = SuccessionListParams)]
pub struct ListParams {
    /// Only those of one state: `waiting`, `handed_over` or `lapsed`.
    pub state: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List what leavers answered for, newest first.
#[derive(Debug)]
pub struct ListSuccessions {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListSuccessions {
    const OPERATION: &'static Operation = operations::SUCCESSION_LIST;
    type Output = Page<SuccessionView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let state = match self.params.state.as_deref() {
            None => None,
            Some(word) => Some(word.parse::<State>().map_err(|()| {
                let message = "write `waiting`, `handed_over` or `lapsed`";
                Problem::new(Code::InvalidParameter, format!("state: {message}")).with("state", message)
            })?),
        };
        let page = PageRequest { limit: self.params.limit, cursor: self.params.cursor.clone() };
        let rows = db::successions::list(&mut act.tx, org, state, &page.ask()?).await.map_err(internal)?;
        let page = page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(page.items.len());
        for succession in &page.items {
            items.push(SuccessionView::of(&mut act.tx, org, succession).await.map_err(internal)?);
        }
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// Show something that a leaver answered for.
#[derive(Debug)]
pub struct ShowSuccession {
    /// The organization.
    pub org: String,
    /// Which.
    pub succession: SuccessionId,
}

impl Query for ShowSuccession {
    const OPERATION: &'static Operation = operations::SUCCESSION_SHOW;
    type Output = SuccessionView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let succession = succession_here(&mut act.tx, org, self.succession).await?;
        SuccessionView::of(&mut act.tx, org, &succession).await.map_err(internal)
    }
}

/// A succession of this organization.
pub async fn succession_here(tx: &mut Tx, org: OrgId, id: SuccessionId) -> Result<Succession, Problem> {
    let found = db::successions::get(tx, org, id).await.map_err(internal)?;
    found.ok_or_else(|| Problem::not_found("succession"))
}
