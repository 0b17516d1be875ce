//! Change a context's name or parent. The key stays: whoever was given something in a place finds the same place.

use super::view::{ContextUpdated, ContextView};
use super::{moving, place};
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What to change.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContextUpdate)]
pub struct Body {
    /// The new name.
    pub name: Option<String>,
    /// The new parent: an id, or a place as in scopes; `global` for the organization itself. `…/move-preview` shows
    /// beforehand which rights would be gained.
    pub parent: Option<String>,
}

/// Change a context.
#[derive(Debug, Clone)]
pub struct UpdateContext {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
    /// What to change.
    pub body: Body,
}

impl Mutation for UpdateContext {
    const OPERATION: &'static Operation = operations::CONTEXT_UPDATE;
    type Output = ContextUpdated;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(ContextUpdated, Changes), Problem> {
        let body = &self.body;
        let org = act.visible_org(&self.org).await?;
        let mut context = place::of_path(act, org.id, &self.context).await?;
        act.require_in(Self::OPERATION, org.clone(), Some(context.id)).await?;
        let before = ContextView::from(&context);
        if let Some(title) = &body.name {
            name::check_title(title).map_err(|error| Problem::field("name", error))?;
            db::contexts::rename(&mut act.tx, org.id, context.id, title).await.map_err(internal)?;
            context.name.clone_from(title);
        }
        let (mut gained, mut lost) = (Vec::new(), Vec::new());
        let (mut policies_gained, mut policies_lost) = (Vec::new(), Vec::new());
        if let Some(parent) = &body.parent {
            let planned = moving::plan(act, Self::OPERATION, &org, &context, parent).await?;
            let moved = db::contexts::set_parent(&mut act.tx, org.id, context.id, context.parent, planned.parent).await;
            moved.map_err(internal)?;
            context.parent = planned.parent;
            (gained, lost) = (planned.gained, planned.lost);
            (policies_gained, policies_lost) = (planned.policies_gained, planned.policies_lost);
        }
        let view = ContextView::from(&context);
        let change = Change::new(org.id, context.id)
            .before(json!(before))
            .after(json!({ "context": view, "gained": gained, "lost": lost, "policies_gained": policies_gained,
                "policies_lost": policies_lost }))
            .feed(Topic::Context, Some(org.id), context.id);
        Ok((ContextUpdated { context: view, gained, lost, policies_gained, policies_lost }, change.into()))
    }
}
