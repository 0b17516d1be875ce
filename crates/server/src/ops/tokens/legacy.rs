//! Create a legacy token: everything of the level `read`, or of `read` and `write`, that its owner may do, in the
//! organizations that admit such tokens. It lists nothing, so nothing is asked for and nobody is asked; what it may do is what
//! its owner may do at the moment of each check. It never opens Tegata's own API.

use super::broken::Broken;
use super::create::LIVE_MAX;
use super::create::fields::{self, Plain};
use super::create::world::World;
use super::show::Names;
use super::view::TokenWithSecret;
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::tokens::Token;
use crate::db::{self, PageAsk, WriteTx};
use crate::ops::act::internal;
use crate::ops::own_scope::require_own_scope;
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState};
use tegata_core::ids::{OrgId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// Most organizations of one token.
const ORGS_MAX: usize = 100;

/// Create a legacy token.
pub struct CreateLegacyToken {
    /// What it shall be.
    pub body: Body,
}

/// What a legacy token shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyTokenCreate)]
pub struct Body {
    /// What its owner calls it.
    pub name: String,
    /// `read`, or `read write`: everything of these levels that its owner may do.
    #[schema(value_type = String, example = "read")]
    pub levels: Levels,
    /// Keys or ids of organizations; left out for every one that one is in and that admits such tokens now.
    #[serde(default)]
    pub organizations: Option<Vec<String>>,
    /// When it ends: RFC 3339, at most 365 days from now; left out for never, where every organization takes that.
    #[serde(default)]
    #[schema(format = "date-time")]
    pub expires_at: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub reason: Option<String>,
    /// Addresses and ranges (CIDR) that it may be shown from; none for anywhere.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// How far a legacy token reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Levels {
    /// Everything of the level `read`.
    #[serde(rename = "read")]
    Read,
    /// Everything of the levels `read` and `write`.
    #[serde(rename = "read write")]
    ReadWrite,
}

impl Mutation for CreateLegacyToken {
    const OPERATION: &'static Operation = operations::TOKEN_LEGACY_CREATE;
    type Output = TokenWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        if act.actor.token.is_some() {
            let detail = "a token mints nothing that reaches as far as its owner: sign in to make a legacy token";
            return Err(Problem::new(Code::BeyondOwnRights, detail));
        }
        let (app, now, user) = (act.app, act.now, act.actor.user.id);
        let body = &self.body;
        let mut broken = Broken::default();
        let plain = Plain {
            name: &body.name,
            reason: body.reason.as_deref(),
            expires_at: body.expires_at.as_deref(),
            addresses: &body.addresses,
        };
        let fields = fields::read(&plain, None, now, &mut broken);
        let worlds = self.worlds(act, &mut broken).await?;
        if body.expires_at.is_none() {
            for world in worlds.values().filter(|world| !world.policy().without_end) {
                broken.note("expires_at", format!("the policy of {} asks for an end: name one", world.org.key));
            }
        }
        fields::check_expiry(fields.expires_at, &worlds, None, now, &mut broken);
        broken.told(Code::Invalid)?;
        if db::tokens::count_live(&mut act.tx, Owner::User(user), now).await.map_err(internal)? >= LIVE_MAX {
            let detail = format!("you have {LIVE_MAX} live tokens: revoke one that you no longer need");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let token = Token {
            id: act.id(TokenId::new),
            owner: Owner::User(user),
            kind: CredentialKind::LegacyToken,
            coverage: match body.levels {
                Levels::Read => Coverage::Read,
                Levels::ReadWrite => Coverage::ReadWrite,
            },
            name: body.name.clone(),
            state: CredentialState::Active,
            reason: body.reason.clone().unwrap_or_default(),
            addresses: fields.addresses,
            created_by: user,
            created_at: now,
            expires_at: fields.expires_at.unwrap_or(Timestamp::MAX),
            revoked_at: None,
        };
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::LegacyToken);
        let subject = token.id.to_string();
        db::tokens::insert(&mut act.tx, &token).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        let mut changes = Vec::with_capacity(worlds.len());
        for org in worlds.keys() {
            db::tokens::insert_part(&mut act.tx, *org, token.id, now).await.map_err(internal)?;
            let after = json!({"name": token.name, "kind": token.kind, "covers": token.coverage,
                "expires_at": token.ends_at()});
            let change = Change::new(*org, token.id).after(after).because(body.reason.as_deref());
            changes.push(change.feed(Topic::Token, None, token.id));
        }
        let view = Names::default().for_owner(app, &mut act.tx, &token, now).await.map_err(internal)?;
        let token = minted.text.expose_secret().to_owned();
        Ok((TokenWithSecret { view, token, requests: Vec::new() }, Changes { list: changes }))
    }
}

impl CreateLegacyToken {
    /// The organizations that it is for.
    async fn worlds(&self, act: &mut Act<'_, WriteTx>, broken: &mut Broken) -> Result<BTreeMap<OrgId, World>, Problem> {
        let wanted = self.body.organizations.as_deref();
        let orgs = if let Some(wanted) = wanted {
            named(act, wanted, broken).await?
        } else {
            let ask = PageAsk { after: None, limit: i64::try_from(ORGS_MAX).unwrap_or(i64::MAX) };
            db::orgs::of_user(&mut act.tx, act.actor.user.id, &ask).await.map_err(internal)?
        };
        let mut worlds = BTreeMap::new();
        for org in orgs {
            let world = World::read(act, CredentialKind::LegacyToken, org.id).await?;
            if world.policy().admission != Admission::Deny && world.rights.owner_active {
                worlds.insert(org.id, world);
            } else if wanted.is_some() {
                let detail = format!("the policy of {} admits no legacy tokens; make a personal token", org.key);
                return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
            }
        }
        if worlds.is_empty() && wanted.is_none() {
            broken.note("organizations", "none of your organizations admits legacy tokens; make a personal token");
        }
        Ok(worlds)
    }
}

async fn named(act: &mut Act<'_, WriteTx>, names: &[String], broken: &mut Broken) -> Result<Vec<Org>, Problem> {
    if names.is_empty() || names.len() > ORGS_MAX {
        broken.note("organizations", format!("name 1 to {ORGS_MAX} organizations, or leave them out for all of yours"));
        return Ok(Vec::new());
    }
    let mut orgs = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        match act.visible_org(name).await {
            Ok(org) => orgs.push(org),
            Err(problem) if problem.code == Code::NotFound => {
                broken.note(format!("organizations[{place}]"), "you are in no organization of this key or id");
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(orgs)
}
