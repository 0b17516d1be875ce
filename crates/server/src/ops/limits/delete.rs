//! Delete a limit. Calls that it held back pass from then on.

use super::Whose;
use super::view::LimitView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use std::marker::PhantomData;
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;

/// Delete a limit.
#[derive(Debug, Clone)]
pub struct DeleteLimit<W> {
    org: String,
    limit: String,
    whose: PhantomData<W>,
}

impl<W> DeleteLimit<W> {
    /// Of an organization; its name is not looked at where the limit is for every one.
    pub const fn new(org: String, limit: String) -> Self {
        Self { org, limit, whose: PhantomData }
    }
}

impl<W: Whose> Mutation for DeleteLimit<W> {
    const OPERATION: &'static Operation = W::DELETE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let (allowed, owner) = super::require(act, W::DELETE, &self.org).await?;
        let limit = super::find_to_change(act, owner, &self.limit, None).await?;
        let app = act.app;
        let before = LimitView::of(app, act.tx(), &limit).await.map_err(internal)?;
        db::limits::delete(&mut act.tx, &limit).await.map_err(internal)?;
        let change = Change::new(allowed.org.id, limit.id).before(json!(before)).feed(Topic::Limit, owner, limit.id);
        Ok((Receipt::of(limit.id, "deleted"), change.into()))
    }
}
