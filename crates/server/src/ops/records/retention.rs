//! For how long the access records of an organization are kept, and the legal hold that keeps them all.

use crate::db::feed::Topic;
use crate::db::retention::RecordRetention;
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Ten years.
const DAYS_MAX: u32 = 3_653;

/// How long access records are kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecordRetention)]
pub struct RetentionView {
    /// For how many days after its own a record is kept, if there is no hold.
    pub days: u32,
    /// What the organization said itself; none where the installation's setting holds.
    pub own_days: Option<u32>,
    /// The installation's setting.
    pub default_days: u32,
    /// Whether a legal hold keeps everything for now.
    pub hold: bool,
}

impl RetentionView {
    fn of(own: RecordRetention, default_days: u32) -> Self {
        Self { days: own.days.unwrap_or(default_days), own_days: own.days, default_days, hold: own.hold }
    }
}

/// Show how long.
#[derive(Debug, Clone)]
pub struct ShowRetention {
    /// The organization.
    pub org: String,
}

impl Query for ShowRetention {
    const OPERATION: &'static Operation = operations::RECORD_RETENTION_SHOW;
    type Output = RetentionView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<RetentionView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let own = db::retention::get(act.tx(), org).await.map_err(internal)?;
        Ok(RetentionView::of(own, act.app.record_days))
    }
}

/// How long, and why.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordRetentionSet)]
pub struct Body {
    /// For how many days after its own a record is kept: 1 to 3,653. Left out: the installation's setting.
    #[schema(minimum = 1, maximum = 3_653)]
    pub days: Option<u32>,
    /// A legal hold: nothing is dropped while it lasts, however old.
    pub hold: bool,
    /// Why it is changed.
    pub reason: String,
}

/// Change how long.
#[derive(Debug, Clone)]
pub struct SetRetention {
    /// The organization.
    pub org: String,
    /// How long.
    pub body: Body,
}

impl Mutation for SetRetention {
    const OPERATION: &'static Operation = operations::RECORD_RETENTION_SET;
    type Output = RetentionView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(RetentionView, Changes), Problem> {
        let body = &self.body;
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        if body.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
            return Err(Problem::field("days", format!("write 1 to {DAYS_MAX} days, or leave it out")));
        }
        let reason = body.reason.trim();
        if reason.is_empty() {
            return Err(Problem::field("reason", "say why; people will ask"));
        }
        name::check_reason(reason).map_err(|error| Problem::field("reason", error))?;

        let before = db::retention::get(act.tx(), org).await.map_err(internal)?;
        let after = RecordRetention { days: body.days, hold: body.hold };
        db::retention::set(&mut act.tx, org, after, act.now).await.map_err(internal)?;
        let default_days = act.app.record_days;
        let view = RetentionView::of(after, default_days);
        let change = Change::new(org, org)
            .before(json!(RetentionView::of(before, default_days)))
            .after(json!(view))
            .because(Some(reason))
            .feed(Topic::Org, Some(org), org);
        Ok((view, change.into()))
    }
}
