//! Register a context. Whoever does administers it: the one way in which anybody gains a right that nobody gave them,
//! in a place that did not exist before.

use super::kinds::{Kind, kinds_of};
use super::place;
use super::view::ContextView;
use crate::db::assignments::{Assignment, Principal};
use crate::db::contexts::Context;
use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::{AssignmentId, ContextId, OrgId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::{name, role};
use utoipa::ToSchema;

/// Deepest place of a tree, counted in contexts.
const DEPTH_MAX: usize = 30;

/// What to register.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContextCreate)]
pub struct Body {
    /// The type: one that an API of the organization declares.
    #[serde(rename = "type")]
    pub kind: String,
    /// The key that people use: `MY-APP`, `octo/hello`.
    pub key: String,
    /// What people call it; the key if left out.
    pub name: Option<String>,
    /// The id by which the API knows it.
    pub external_id: Option<String>,
    /// The context above it, by its id or as in scopes (`project:key:MY-APP`); left out directly under the organization.
    pub parent: Option<String>,
}

/// Register a context.
#[derive(Debug, Clone)]
pub struct CreateContext {
    /// The organization.
    pub org: String,
    /// What to register.
    pub body: Body,
}

impl Mutation for CreateContext {
    const OPERATION: &'static Operation = operations::CONTEXT_CREATE;
    type Output = ContextView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(ContextView, Changes), Problem> {
        let body = &self.body;
        let org = act.visible_org(&self.org).await?;
        let (allowed, parent) =
            place::require_in_field(act, Self::OPERATION, org, "parent", body.parent.as_deref()).await?;
        let org = allowed.org.id;
        check_texts(body)?;
        let app = act.app;
        let kinds = kinds_of(app, act.tx(), org).await.map_err(internal)?;
        let kind = kinds.get(&body.kind).ok_or_else(|| {
            let known = kinds.names();
            let known = if known.is_empty() { "none" } else { &known };
            Problem::field("type", format!("no API of this organization declares this type; declared: {known}"))
        })?;
        fits(kind, parent.as_ref())?;
        let above = place::chain(act, org, parent.as_ref().map(|parent| parent.id)).await?;
        if above.len() >= DEPTH_MAX {
            return Err(Problem::field("parent", format!("contexts lie at most {DEPTH_MAX} deep")));
        }
        refuse_duplicates(act, org, kind, body).await?;

        let context = Context {
            id: act.id(ContextId::new),
            kind: body.kind.clone(),
            key: body.key.clone(),
            external_id: body.external_id.clone(),
            name: body.name.clone().unwrap_or_else(|| body.key.clone()),
            parent: parent.map(|parent| parent.id),
            created_at: act.now,
            created_by: act.actor.user.id.to_string(),
        };
        let stored = db::contexts::insert(&mut act.tx, org, &context, &kind.folded(&context.key)).await;
        stored.map_err(|error| match error {
            DbError::Duplicate => duplicate("key"),
            other => internal(other),
        })?;
        name_administrator(act, org, context.id).await?;
        let view = ContextView::from(&context);
        let change = Change::new(org, context.id)
            .after(json!({ "context": view, "administrator": act.actor.user.id }))
            .feed(Topic::Context, Some(org), context.id)
            .feed(Topic::Member, Some(org), act.actor.user.id);
        Ok((view, change.into()))
    }
}

fn check_texts(body: &Body) -> Result<(), Problem> {
    name::check_context_key(&body.key).map_err(|error| Problem::field("key", error))?;
    if let Some(title) = &body.name {
        name::check_title(title).map_err(|error| Problem::field("name", error))?;
    }
    if let Some(external_id) = &body.external_id {
        let field = |error: &str| Problem::field("external_id", error);
        name::check_context_key(external_id)
            .map_err(|error| field(&error.to_string().replace("context's key", "context's id")))?;
        // As ids in scopes these words mean something else, or another context.
        if external_id == "id" || external_id == "key" || external_id.parse::<ContextId>().is_ok() {
            return Err(field("`id`, `key` and ids of the form ctx_… cannot be ids of an API"));
        }
    }
    Ok(())
}

/// Whether a context of this type may lie under this parent.
pub(super) fn fits(kind: &Kind, parent: Option<&Context>) -> Result<(), Problem> {
    let is = parent.map(|parent| parent.kind.as_str());
    if kind.parent.as_deref() == is {
        return Ok(());
    }
    let wanted = kind.parent.as_deref().map_or("the organization itself".to_owned(), |kind| format!("a `{kind}`"));
    Err(Problem::field("parent", format!("a `{}` lies in {wanted}", kind.name)))
}

async fn refuse_duplicates(act: &mut Act<'_, WriteTx>, org: OrgId, kind: &Kind, body: &Body) -> Result<(), Problem> {
    let same_key = db::contexts::by_key(act.tx(), org, &kind.name, &kind.folded(&body.key)).await.map_err(internal)?;
    if same_key.is_some() {
        return Err(duplicate("key"));
    }
    if let Some(external_id) = &body.external_id {
        let same_id = db::contexts::by_any_id(act.tx(), org, &kind.name, external_id).await.map_err(internal)?;
        if same_id.is_some() {
            return Err(duplicate("external_id"));
        }
    }
    Ok(())
}

fn duplicate(field: &str) -> Problem {
    let message = "a context of this type has it already; keys and ids are never used again";
    Problem::new(Code::Duplicate, format!("{field}: {message}")).with(field, message)
}

async fn name_administrator(act: &mut Act<'_, WriteTx>, org: OrgId, context: ContextId) -> Result<(), Problem> {
    let key = role::predefined::CONTEXT_ADMINISTRATOR;
    let role = db::roles::find(act.tx(), org, key).await.map_err(internal)?.ok_or_else(|| {
        tracing::error!(organization = %org, role = key, "a predefined role is missing");
        Problem::internal()
    })?;
    let assignment = Assignment {
        id: act.id(AssignmentId::new),
        role: role.id,
        principal: Principal::User(act.actor.user.id),
        context: Some(context),
        created_at: act.now,
        created_by: act.actor.user.id.to_string(),
    };
    db::assignments::insert(&mut act.tx, org, &assignment).await.map_err(internal)
}
