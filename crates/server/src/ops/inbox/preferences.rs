//! How one likes to be spoken to: in which language.

use crate::db::notices::Preferences;
use crate::db::{self, Tx, WriteTx};
use crate::notices::Language;
use crate::ops::act::internal;
use crate::ops::sessions::require_session;
use crate::ops::{Act, Change, Changes, Mutation, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// How one likes to be spoken to.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Preferences)]
pub struct PreferencesView {
    /// In which language; none for what each program accepts.
    pub language: Option<Language>,
}

/// What to change; the rest stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = PreferencesUpdate)]
pub struct Body {
    /// In which language: `en` or `ja`.
    pub language: Option<Language>,
}

/// Show one's own preferences.
#[derive(Debug, Clone)]
pub struct ShowPreferences;

/// Change them.
#[derive(Debug, Clone)]
pub struct UpdatePreferences(pub Body);

impl From<Preferences> for PreferencesView {
    fn from(own: Preferences) -> Self {
        Self { language: own.language }
    }
}

impl Query for ShowPreferences {
    const OPERATION: &'static Operation = operations::ME_PREFERENCES;
    type Output = PreferencesView;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<PreferencesView, Problem> {
        require_session(&act.actor)?;
        let user = act.actor.user.id;
        Ok(db::notices::preferences(act.tx(), user).await.map_err(internal)?.into())
    }
}

impl Mutation for UpdatePreferences {
    const OPERATION: &'static Operation = operations::ME_PREFERENCES_UPDATE;
    type Output = PreferencesView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(PreferencesView, Changes), Problem> {
        require_session(&act.actor)?;
        let user = act.actor.user.id;
        let before = db::notices::preferences(act.tx(), user).await.map_err(internal)?;
        let after = Preferences { language: self.0.language.or(before.language) };
        db::notices::set_preferences(&mut act.tx, user, after).await.map_err(internal)?;
        let publisher = db::orgs::publisher(act.tx()).await.map_err(internal)?;
        let publisher = publisher.ok_or_else(|| Problem::not_found("organization"))?;
        let view = |own: Preferences| json!(PreferencesView::from(own));
        let change = Change::new(publisher.id, user).before(view(before)).after(view(after));
        Ok((after.into(), change.into()))
    }
}
