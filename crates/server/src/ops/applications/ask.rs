//! Ask for rights of an application, each in its place. Whoever answers for the place decides; they need not be those
//! who ask.

use super::filing::{self, Wanted};
use super::holder::held;
use super::view::AskedView;
use crate::db::WriteTx;
use crate::db::feed::Topic;
use crate::ops::organization_keys::plan::KeyGrant;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::wishes;
use crate::ops::tokens::revoke::told_reason;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::{Value, json};
use tegata_core::credential::CredentialKind;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What to ask for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationAsk)]
pub struct Body {
    /// The rights: 1 to 100 entries, each an API and scopes.
    pub rights: Vec<KeyGrant>,
    /// What for; whoever answers for the place reads it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Ask for rights of an application.
#[derive(Debug, Clone)]
pub struct AskRights {
    /// The organization.
    pub org: String,
    /// Its id, client id or name.
    pub application: String,
    /// What to ask for.
    pub body: Body,
}

impl Mutation for AskRights {
    const OPERATION: &'static Operation = operations::APPLICATION_ASK;
    type Output = AskedView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        told_reason(self.body.reason.as_deref())?;
        super::change::require_alive(act, &held).await?;
        let grants: Vec<_> = self.body.rights.iter().map(|entry| entry.in_org(&held.allowed.org)).collect();
        let mut broken = Broken::default();
        let wishes = wishes::read(act, CredentialKind::Application, &grants, &mut broken).await?;
        broken.told_as(Code::Invalid, "grants", "rights")?;
        let Some(world) = wishes.worlds.get(&held.allowed.org.id) else { return Err(Problem::internal()) };
        let wanted = wishes.list.iter().map(|wish| Wanted {
            api: wish.api.clone(),
            context: wish.context,
            chain: wish.chain.clone(),
            permission: wish.permission,
        });
        let reason = self.body.reason.as_deref().unwrap_or_default();
        let asking = (act.actor.user.id, reason);
        let asked = filing::file(act, &held.install, world, wanted.collect(), asking).await?;
        if asked.rights.is_empty() {
            return Ok((asked, Changes { list: Vec::new() }));
        }
        let change = Change::new(held.allowed.org.id, held.application.id)
            .after(json!({"name": held.application.name, "requests": asked.requests, "rights": told(&asked)}))
            .because(self.body.reason.as_deref())
            .feed(Topic::Token, None, held.install.token);
        Ok((asked, change.into()))
    }
}

/// What was asked for, for activity.
pub fn told(asked: &AskedView) -> Vec<Value> {
    let told = |right: &crate::ops::tokens::view::GrantView| json!({"api": right.api, "scopes": right.scopes, "state": right.state});
    asked.rights.iter().map(told).collect()
}
