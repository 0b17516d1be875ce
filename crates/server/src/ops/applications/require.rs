//! Say what an application needs in every place. Where it is let in already, whoever answers for the place is asked for
//! what is new.

use super::contexts::needed;
use super::holder::held;
use super::required;
use super::view::{AskedView, RequiredView};
use super::{filing, view};
use crate::db::applications::{Install, Required};
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::tokens::show::Names;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use tegata_core::credential::{CredentialKind, GrantState, PartState};
use tegata_core::operations::{self, Operation};
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What it needs.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationRequire)]
pub struct Body {
    /// What it needs in every place where it is let in, instead of what it needed before.
    pub required: Vec<RequiredView>,
    /// What for; whoever answers for a place reads it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Say what an application needs.
#[derive(Debug, Clone)]
pub struct RequireRights {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// What it needs.
    pub body: Body,
}

/// What it needs now, and what was asked for because of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApplicationNeeds)]
pub struct NeedsView {
    /// What it needs in every place where it is let in.
    pub required: Vec<RequiredView>,
    /// What was asked for in this organization.
    pub asked: AskedView,
}

impl Mutation for RequireRights {
    const OPERATION: &'static Operation = operations::APPLICATION_REQUIRE;
    type Output = NeedsView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        told_reason(self.body.reason.as_deref())?;
        if !held.at_home() {
            return Err(Problem::new(Code::Forbidden, "what an application needs is said where it is registered"));
        }
        super::change::require_alive(act, &held).await?;
        let world = World::read(act, CredentialKind::Application, held.allowed.org.id).await?;
        let mut broken = Broken::default();
        let required = required::read(&self.body.required, &world, &mut broken);
        broken.told(Code::Invalid)?;
        let (app, id) = (act.app, held.application.id);
        let before = db::applications::required(act.tx(), id).await.map_err(internal)?;
        db::applications::set_required(&mut act.tx, held.allowed.org.id, id, &required).await.map_err(internal)?;
        let new = beyond(&required, &before);
        let reason = self.body.reason.as_deref().unwrap_or_default();
        let mut here = AskedView { requests: Vec::new(), rights: Vec::new(), unchanged: 0 };
        let mut changes = Vec::new();
        for install in db::applications::installs(act.tx(), id).await.map_err(internal)? {
            let at_home = install.org == held.allowed.org.id;
            let asked = self.anew(act, &install, &new, at_home, reason).await?;
            let (shown_before, shown) =
                (shown(app, act, before.clone()).await?, shown(app, act, required.clone()).await?);
            let change = Change::new(install.org, id)
                .before(json!({"required": shown_before}))
                .after(json!({"name": held.application.name, "required": shown, "requests": asked.requests}))
                .because(self.body.reason.as_deref())
                .feed(Topic::Token, None, install.token);
            // Other organizations learn that the application did it, and not who of the publisher's people.
            let change = if at_home { change } else { change.by_other(id, &held.application.name) };
            changes.push(change);
            if at_home {
                here = asked;
            }
        }
        let required = shown(app, act, required).await?;
        Ok((NeedsView { required, asked: here }, Changes { list: changes }))
    }
}

impl RequireRights {
    /// Asks for what is new in every place of one organization where the application is let in.
    async fn anew(
        &self,
        act: &mut Act<'_, WriteTx>,
        install: &Install,
        new: &Required,
        at_home: bool,
        reason: &str,
    ) -> Result<AskedView, Problem> {
        let nothing = AskedView { requests: Vec::new(), rights: Vec::new(), unchanged: 0 };
        let world = World::read(act, CredentialKind::Application, install.org).await?;
        let part = db::tokens::part(act.tx(), install.org, install.token).await.map_err(internal)?;
        let lives = part.is_some_and(|part| part.state != PartState::Revoked);
        if !lives || new.is_empty() || world.policy().admission == Admission::Deny {
            return Ok(nothing);
        }
        let grants = db::grants::of_token(act.tx(), install.token).await.map_err(internal)?;
        let live = |state: GrantState| matches!(state, GrantState::Granted | GrantState::Requested);
        let places: BTreeSet<_> = grants.iter().filter(|grant| live(grant.state)).map(|grant| grant.context).collect();
        let mut wanted = Vec::new();
        for place in places {
            let context = match place {
                Some(id) => db::contexts::get(act.tx(), install.org, id).await.map_err(internal)?,
                None => None,
            };
            wanted.extend(needed(act, &world, new, context.as_ref()).await?);
        }
        let requester = if at_home { act.actor.user.id } else { install.owner };
        filing::file(act, install, &world, wanted, (requester, reason)).await
    }
}

/// What of the new is not in the old.
fn beyond(new: &Required, old: &Required) -> Required {
    let mut more = Required::new();
    for (api, names) in new {
        let known = old.get(api);
        let added: Vec<String> =
            names.iter().filter(|name| !known.is_some_and(|known| known.contains(name))).cloned().collect();
        if !added.is_empty() {
            more.insert(*api, added);
        }
    }
    more
}

async fn shown(
    app: &crate::app::App,
    act: &mut Act<'_, WriteTx>,
    required: Required,
) -> Result<Vec<RequiredView>, Problem> {
    view::required_view(app, &mut act.tx, &mut Names::default(), required).await.map_err(internal)
}
