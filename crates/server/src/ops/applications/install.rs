//! Install an application that the publisher offers. It can do nothing yet.

use super::create::{carry, require_open};
use super::view::ApplicationView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::service_accounts::create::member;
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::credential::{CredentialKind, PartState};
use tegata_core::ids::ApplicationId;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// How to install it.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ApplicationInstall)]
pub struct Body {
    /// Id or e-mail address of the member who answers for it here; left out for whoever installs it.
    pub owner: Option<String>,
    /// Why; other people read it.
    pub reason: Option<String>,
}

/// Install an application.
#[derive(Debug, Clone)]
pub struct InstallApplication {
    /// The organization.
    pub org: String,
    /// Its id.
    pub application: String,
    /// How.
    pub body: Body,
}

impl Mutation for InstallApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_INSTALL;
    type Output = ApplicationView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org;
        told_reason(self.body.reason.as_deref())?;
        let hidden = || Problem::not_found("application");
        let id: ApplicationId = self.application.parse().map_err(|_| hidden())?;
        let found = db::applications::get(act.tx(), id).await.map_err(internal)?;
        let application = found.filter(|application| application.shared).ok_or_else(hidden)?;
        let installs = db::applications::installs(act.tx(), id).await.map_err(internal)?;
        for install in &installs {
            let part = db::tokens::part(act.tx(), install.org, install.token).await.map_err(internal)?;
            let lives = part.is_some_and(|part| part.state != PartState::Revoked);
            if install.org == application.org && !lives {
                return Err(hidden());
            }
            if install.org == org.id && lives {
                return Err(Problem::new(Code::Duplicate, "the organization has this application already"));
            }
        }
        let mut stopped = Vec::new();
        let world = World::read(act, CredentialKind::Application, org.id).await?;
        require_open(&world)?;
        let owner = match &self.body.owner {
            Some(named) => member(&mut act.tx, org.id, named).await?,
            None => act.actor.user.id,
        };
        // What is left of an older installation stays what it was: stopped.
        let now = act.now;
        for token in db::tokens::parts_of_owner(act.tx(), org.id, Owner::Application(id)).await.map_err(internal)? {
            let part = db::tokens::part(act.tx(), org.id, token).await.map_err(internal)?;
            let state = part.ok_or_else(Problem::internal)?.state;
            db::tokens::set_part_state(&mut act.tx, org.id, token, state, PartState::Revoked, None, now)
                .await
                .map_err(internal)?;
            stopped.push(token);
        }
        let install = carry(act, &application, &org, owner).await?;
        let view = ApplicationView::read(act, &application, &install).await.map_err(internal)?;
        let old: Vec<String> = stopped.iter().map(ToString::to_string).collect();
        let change = Change::new(org.id, id)
            .after(json!({"name": view.name, "state": "active", "owner": owner.to_string(), "tokens_revoked": old}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Application, None, id);
        let change = stopped.into_iter().fold(change, |change, token| change.feed(Topic::Token, None, token));
        Ok((view, change.into()))
    }
}
