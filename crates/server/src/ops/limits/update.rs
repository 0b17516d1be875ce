//! Change the name, quota or window of a limit. What was used of it stays used: as many calls, and all of its quota at most.
//! For whom it counts, and what, stays: that would be another limit.

use super::Whose;
use super::create::{check_name, duplicate};
use super::view::LimitView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use std::marker::PhantomData;
use tegata_core::name;
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What to change.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LimitUpdate)]
pub struct Body {
    /// The new name.
    pub name: Option<String>,
    /// How many calls from now on.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pub quota: Option<u64>,
    /// In how many seconds from now on.
    #[schema(minimum = 1, maximum = 2_678_400)]
    pub window_seconds: Option<u64>,
    /// The version that this changes; refused where the limit has another by now.
    pub version: Option<u64>,
    /// Why, for the activity.
    pub reason: Option<String>,
}

/// Change a limit.
#[derive(Debug, Clone)]
pub struct UpdateLimit<W> {
    org: String,
    limit: String,
    body: Body,
    whose: PhantomData<W>,
}

impl<W> UpdateLimit<W> {
    /// Of an organization; its name is not looked at where the limit is for every one.
    pub const fn new(org: String, limit: String, body: Body) -> Self {
        Self { org, limit, body, whose: PhantomData }
    }
}

impl<W: Whose> Mutation for UpdateLimit<W> {
    const OPERATION: &'static Operation = W::UPDATE;
    type Output = LimitView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(LimitView, Changes), Problem> {
        let body = &self.body;
        let (allowed, owner) = super::require(act, W::UPDATE, &self.org).await?;
        let mut limit = super::find_to_change(act, owner, &self.limit, body.version).await?;
        let app = act.app;
        let before = LimitView::of(app, act.tx(), &limit).await.map_err(internal)?;
        if let Some(name) = &body.name {
            check_name(name)?;
            limit.name.clone_from(name);
        }
        let window = body.window_seconds.unwrap_or(limit.rate.window_seconds());
        limit.rate = super::rate(body.quota.unwrap_or(limit.rate.quota()), window)?;
        if let Some(reason) = &body.reason {
            name::check_reason(reason).map_err(|error| Problem::field("reason", error))?;
        }
        let was = limit.version;
        limit.version += 1;
        limit.updated_at = act.now;
        db::limits::update(&mut act.tx, &limit, was).await.map_err(duplicate)?;
        let view = LimitView::of(app, act.tx(), &limit).await.map_err(internal)?;
        let change = Change::new(allowed.org.id, limit.id)
            .before(json!(before))
            .after(json!(view))
            .because(body.reason.as_deref())
            .feed(Topic::Limit, owner, limit.id);
        Ok((view, change.into()))
    }
}
