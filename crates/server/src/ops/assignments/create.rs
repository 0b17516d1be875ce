//! Give a role to a person or team. Nobody gives a role that holds more than they have themselves in that place.

use super::authority::must_cover;
use super::names::Names;
use super::principal::{self, Named};
use super::view::AssignmentView;
use crate::db::assignments::{Assignment, Principal};
use crate::db::contexts::Context;
use crate::db::feed::Topic;
use crate::db::roles::Role;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::{Act, Change, Changes, Mutation, rights};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::{AssignmentId, OrgId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Which role, to whom, where.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssignmentCreate)]
pub struct Body {
    /// The role's key or id.
    pub role: String,
    /// Who gets it.
    pub principal: Named,
    /// Where: a context's id, or a place as in scopes (`project:key:MY-APP`); left out for the whole organization.
    pub context: Option<String>,
}

/// Give a role.
#[derive(Debug, Clone)]
pub struct CreateAssignment {
    /// The organization.
    pub org: String,
    /// What to give.
    pub body: Body,
}

impl Mutation for CreateAssignment {
    const OPERATION: &'static Operation = operations::ASSIGNMENT_CREATE;
    type Output = AssignmentView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(AssignmentView, Changes), Problem> {
        let body = &self.body;
        let org = act.visible_org(&self.org).await?;
        let (allowed, context) =
            place::require_in_field(act, Self::OPERATION, org, "context", body.context.as_deref()).await?;
        let org = allowed.org.id;
        let role = db::roles::find(act.tx(), org, &body.role).await.map_err(internal)?;
        let role = role.ok_or_else(|| Problem::field("role", "this organization has no such role"))?;
        let found = principal::find(act.tx(), org, &body.principal).await.map_err(internal)?;
        let (principal, _) = found.ok_or_else(|| principal::nobody(body.principal.kind))?;
        fits(&role, context.as_ref())?;

        let app = act.app;
        let held = rights::content_of_role(app, act.tx(), org, role.id).await.map_err(internal)?;
        let chain = place::chain(act, org, context.as_ref().map(|context| context.id)).await?;
        must_cover(act, &allowed, &held, &chain).await?;

        let assignment = Assignment {
            id: act.id(AssignmentId::new),
            role: role.id,
            principal,
            context: context.map(|context| context.id),
            created_at: act.now,
            created_by: act.actor.user.id.to_string(),
        };
        let stored = db::assignments::insert(&mut act.tx, org, &assignment).await;
        stored.map_err(|error| match error {
            DbError::Duplicate => {
                let message = "they have this role in this place already";
                Problem::new(Code::Duplicate, message).with("role", message)
            }
            other => internal(other),
        })?;
        let view = AssignmentView::of(act.tx(), &mut Names::new(org), &assignment).await.map_err(internal)?;
        let change = reaching(Change::new(org, assignment.id), org, principal).after(json!(view));
        Ok((view, change.into()))
    }
}

/// Whether a role may be given in a place.
fn fits(role: &Role, context: Option<&Context>) -> Result<(), Problem> {
    let message = match (role.context_type.as_str(), context) {
        ("global", None) | ("any", Some(_)) => return Ok(()),
        (kind, Some(context)) if kind == context.kind => return Ok(()),
        ("global", Some(_)) => format!("the role `{}` is for the whole organization; leave the context out", role.key),
        ("any", None) => format!("the role `{}` is for contexts; name one", role.key),
        (kind, _) => format!("the role `{}` is for contexts of the type `{kind}`", role.key),
    };
    Err(Problem::field("context", message))
}

/// Who has to be looked at again when what a principal was given changes.
pub(super) fn reaching(change: Change, org: OrgId, principal: Principal) -> Change {
    match principal {
        Principal::User(user) => change.feed(Topic::Member, Some(org), user),
        Principal::Team(team) => change.feed(Topic::Team, Some(org), team),
        Principal::ServiceAccount(account) => change.feed(Topic::ServiceAccount, Some(org), account),
    }
}
