//! How an organization wants its people warned: how many days before a credential ends.

use crate::db::{self, Tx, WriteTx};
use crate::notices::expiry::{DAYS, DAYS_MAX};
use crate::ops::act::internal;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// How people are warned.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NoticeSettings)]
pub struct NoticeSettingsView {
    /// How many days before a credential ends its owner is warned, the largest number first. None where nobody is warned.
    pub expiry_days: Vec<u32>,
}

/// How people shall be warned.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoticeSettingsSet)]
pub struct Body {
    /// How many days before a credential ends its owner is warned: up to ten numbers from 1 to 365. An empty list for no warning.
    #[schema(max_items = 10)]
    pub expiry_days: Vec<u32>,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Show how people are warned.
#[derive(Debug, Clone)]
pub struct ShowNoticeSettings {
    /// The organization.
    pub org: String,
}

/// Change it.
#[derive(Debug, Clone)]
pub struct SetNoticeSettings {
    /// The organization.
    pub org: String,
    /// How.
    pub body: Body,
}

impl Query for ShowNoticeSettings {
    const OPERATION: &'static Operation = operations::NOTICE_SETTINGS_SHOW;
    type Output = NoticeSettingsView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<NoticeSettingsView, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let days = db::expiry::days(act.tx(), org).await.map_err(internal)?;
        Ok(NoticeSettingsView { expiry_days: days.unwrap_or_else(|| DAYS.to_vec()) })
    }
}

impl Mutation for SetNoticeSettings {
    const OPERATION: &'static Operation = operations::NOTICE_SETTINGS_SET;
    type Output = NoticeSettingsView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(NoticeSettingsView, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        told_reason(self.body.reason.as_deref())?;
        let (most, longest) = DAYS_MAX;
        let mut days = self.body.expiry_days.clone();
        if days.len() > most || days.iter().any(|count| !(1..=longest).contains(count)) {
            let message = format!("name up to {most} numbers of days from 1 to {longest}");
            return Err(Problem::field("expiry_days", message));
        }
        days.sort_unstable_by(|one, other| other.cmp(one));
        days.dedup();
        let before = db::expiry::days(act.tx(), org).await.map_err(internal)?.unwrap_or_else(|| DAYS.to_vec());
        db::expiry::set_days(&mut act.tx, org, &days).await.map_err(internal)?;
        let change = Change::new(org, org)
            .before(json!({"expiry_days": before}))
            .after(json!({"expiry_days": days}))
            .because(self.body.reason.as_deref());
        Ok((NoticeSettingsView { expiry_days: days }, change.into()))
    }
}
