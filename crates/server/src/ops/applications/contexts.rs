//! Let an application into further places, with what it needs everywhere; or take it out of one.

use super::filing::{self, Wanted};
use super::holder::held;
use super::view::{ApplicationView, AskedView};
use crate::db::applications::Required;
use crate::db::contexts::Context;
use crate::db::feed::Topic;
use crate::db::grants::Decided;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::requests::close;
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::credential::{CredentialKind, GrantState};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// Most places at once.
const PLACES_MAX: usize = 100;

/// Which places.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationContextAdd)]
pub struct Body {
    /// Places: ids, or as in scopes (`project:key:MY-APP`, `global`); 1 to 100.
    pub contexts: Vec<String>,
    /// What for; whoever answers for the place reads it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Ask for what an application needs in further places.
#[derive(Debug, Clone)]
pub struct AddContexts {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// Which places.
    pub body: Body,
}

impl Mutation for AddContexts {
    const OPERATION: &'static Operation = operations::APPLICATION_CONTEXT_ADD;
    type Output = AskedView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        told_reason(self.body.reason.as_deref())?;
        super::change::require_alive(act, &held).await?;
        let texts = &self.body.contexts;
        if texts.is_empty() || texts.len() > PLACES_MAX {
            return Err(Problem::field("contexts", format!("name 1 to {PLACES_MAX} places")));
        }
        let required = db::applications::required(act.tx(), held.application.id).await.map_err(internal)?;
        if required.is_empty() {
            let detail = "this application needs nothing yet: say what it needs, or ask for rights one by one";
            return Err(Problem::new(Code::Conflict, detail));
        }
        let world = World::read(act, CredentialKind::Application, held.allowed.org.id).await?;
        let mut wanted = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            let field = format!("contexts[{at}]");
            let context = place::of_field(act, held.allowed.org.id, &field, Some(text)).await?;
            let found = needed(act, &world, &required, context.as_ref()).await?;
            if found.is_empty() {
                return Err(Problem::field(field, "nothing that it needs can be granted in a place of this type"));
            }
            wanted.extend(found);
        }
        let reason = self.body.reason.as_deref().unwrap_or_default();
        let asking = (act.actor.user.id, reason);
        let asked = filing::file(act, &held.install, &world, wanted, asking).await?;
        if asked.rights.is_empty() {
            return Ok((asked, Changes { list: Vec::new() }));
        }
        let change = Change::new(held.allowed.org.id, held.application.id)
            .after(json!({"name": held.application.name, "contexts": texts, "requests": asked.requests,
                "rights": super::ask::told(&asked)}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Token, None, held.install.token);
        Ok((asked, change.into()))
    }
}

/// What of an application's needs can be granted in a place.
pub async fn needed(
    act: &mut Act<'_, WriteTx>,
    world: &World,
    required: &Required,
    context: Option<&Context>,
) -> Result<Vec<Wanted>, Problem> {
    let id = context.map(|context| context.id);
    let chain = place::chain(act, world.org.id, id).await?;
    let mut wanted = Vec::new();
    for (api, names) in required {
        let Some(api) = world.apis.iter().find(|known| known.id == *api) else { continue };
        let here = api.catalogue.grantable_in(context.map(|context| context.kind.as_str()));
        for number in names.iter().filter_map(|name| api.catalogue.number(name)) {
            let known = api.catalogue.permission(number);
            let admits = known.is_some_and(|known| world.admits_asking(api.id, known, &chain).is_ok());
            if admits && here.contains(number) {
                wanted.push(Wanted { api: api.clone(), context: id, chain: chain.clone(), permission: number });
            }
        }
    }
    Ok(wanted)
}

/// Take an application out of a place.
#[derive(Debug, Clone)]
pub struct RemoveContext {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// The place: an id, or as in scopes.
    pub context: String,
}

impl Mutation for RemoveContext {
    const OPERATION: &'static Operation = operations::APPLICATION_CONTEXT_REMOVE;
    type Output = ApplicationView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        let (org, user, now) = (held.allowed.org.id, act.actor.user.id, act.now);
        let context = match self.context.as_str() {
            "global" => None,
            text => Some(place::of_path(act, org, text).await?.id),
        };
        let mut changes = Vec::new();
        for mut grant in db::grants::of_token(act.tx(), held.install.token).await.map_err(internal)? {
            let from = grant.state;
            let next = if from == GrantState::Requested { from.withdraw() } else { from.ungrant() };
            let (Ok(next), true) = (next, grant.context == context) else { continue };
            grant.state = next;
            grant.decided = Some(Decided { by: Some(user), at: now, comment: None });
            db::grants::settle(&mut act.tx, from, &grant).await.map_err(internal)?;
            if let Some((request, _)) = grant.line
                && let Some(request) = db::requests::get(act.tx(), org, request).await.map_err(internal)?
            {
                close::close_if_settled(&mut act.tx, &request, now).await.map_err(internal)?;
            }
            let told = |state: GrantState| json!({"application": held.application.name, "permissions": grant.permissions, "state": state});
            let change = Change::new(org, grant.id).before(told(from)).after(told(next));
            changes.push(change.feed(Topic::Token, None, grant.token));
        }
        if changes.is_empty() {
            return Err(Problem::new(Code::Conflict, "the application has no rights in this place, and asks for none"));
        }
        let view = ApplicationView::of(act, &held).await.map_err(internal)?;
        Ok((view, Changes { list: changes }))
    }
}
