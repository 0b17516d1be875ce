//! List contexts, show one with its administrators, and show beforehand what moving one would give to whom.

use super::view::{Administrator, ContextDetail, ContextView, MovePreview};
use super::{moving, place};
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::assignments::names::Names;
use crate::ops::{Act, Page, PageRequest, Query};
use serde::Deserialize;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Which contexts.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ContextListParams)]
pub struct ListParams {
    /// Only of this type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Only directly under this context (an id, or a place as in scopes; `global` for the organization itself).
    pub parent: Option<String>,
    /// How many at most: 1 to 200, 50 if not said.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// Where to go on: the `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// List the contexts.
#[derive(Debug, Clone)]
pub struct ListContexts {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListContexts {
    const OPERATION: &'static Operation = operations::CONTEXT_LIST;
    type Output = Page<ContextView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<ContextView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let params = &self.params;
        let page = PageRequest { limit: params.limit, cursor: params.cursor.clone() };
        let (ask, kind) = (page.ask()?, params.kind.as_deref());
        let rows = match params.parent.as_deref() {
            None => db::contexts::list(act.tx(), org, kind, &ask).await,
            Some(parent) => {
                let parent = place::of_field(act, org, "parent", Some(parent)).await?.map(|parent| parent.id);
                db::contexts::list_under(act.tx(), org, parent, kind, &ask).await
            }
        };
        page.page(rows.map_err(internal)?, |row| row.id.to_string(), |row| ContextView::from(&row))
    }
}

/// Show a context.
#[derive(Debug, Clone)]
pub struct ShowContext {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
}

impl Query for ShowContext {
    const OPERATION: &'static Operation = operations::CONTEXT_SHOW;
    type Output = ContextDetail;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<ContextDetail, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let context = place::of_path(act, org, &self.context).await?;
        let mut names = Names::new(org);
        let mut administrators = Vec::new();
        for assignment in db::assignments::in_context(act.tx(), org, context.id).await.map_err(internal)? {
            let role = names.role(act.tx(), assignment.role).await.map_err(internal)?;
            if let Some(role) = role.filter(|role| role.everything) {
                let name = names.principal(act.tx(), assignment.principal).await.map_err(internal)?;
                administrators.push(Administrator {
                    kind: assignment.principal.kind().to_owned(),
                    id: assignment.principal.id(),
                    name,
                    role: role.key,
                });
            }
        }
        Ok(ContextDetail { context: ContextView::from(&context), administrators })
    }
}

/// Where a context would be moved.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ContextMovePreviewParams)]
pub struct PreviewParams {
    /// The new parent: an id, or a place as in scopes; `global` or left out for the organization itself.
    pub parent: Option<String>,
}

/// Show what moving a context would give to whom.
#[derive(Debug, Clone)]
pub struct PreviewMove {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
    /// Where it would be moved.
    pub params: PreviewParams,
}

impl Query for PreviewMove {
    const OPERATION: &'static Operation = operations::CONTEXT_MOVE_PREVIEW;
    type Output = MovePreview;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<MovePreview, Problem> {
        let org = act.visible_org(&self.org).await?;
        let context = place::of_path(act, org.id, &self.context).await?;
        let planned =
            moving::plan(act, Self::OPERATION, &org, &context, self.params.parent.as_deref().unwrap_or("global"))
                .await?;
        Ok(MovePreview {
            context: context.id.to_string(),
            parent: context.parent.map(|parent| parent.to_string()),
            new_parent: planned.parent.map(|parent| parent.to_string()),
            gained: planned.gained,
            lost: planned.lost,
            policies_gained: planned.policies_gained,
            policies_lost: planned.policies_lost,
        })
    }
}
