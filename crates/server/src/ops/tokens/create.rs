//! Create a personal token: chosen scopes, in one or several organizations. Nobody issues beyond themself: every
//! permission that is asked for is the owner's own at this moment, in that place.

pub mod admit;
pub mod fields;
mod near;
pub mod scopes;
pub mod wishes;
pub mod world;

use super::bounds;
use super::broken::Broken;
use super::show::Names;
use super::view::TokenWithSecret;
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::grants::StoredGrant;
use crate::db::tokens::Token;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::own_scope::require_own_scope;
use crate::ops::requests::file;
use crate::ops::{Act, Change, Changes, Mutation};
use fields::Plain;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState};
use tegata_core::ids::{GrantId, OrgId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;
use utoipa::ToSchema;

/// Most live tokens of one user.
pub const LIVE_MAX: i64 = 50;

/// Create a personal token.
pub struct CreateToken {
    /// What it shall be.
    pub body: Body,
}

/// What a token shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenCreate)]
pub struct Body {
    /// What its owner calls it.
    pub name: String,
    /// When it ends: RFC 3339, at most 365 days from now, and less where an organization says so.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// What it is for; whoever answers for the place reads it.
    #[serde(default)]
    pub reason: Option<String>,
    /// Addresses and ranges (CIDR) that it may be shown from; none for anywhere.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// What it shall be able to do: 1 to 100 entries.
    pub grants: Vec<GrantBody>,
}

/// What a token shall be able to do with one API in one organization.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenCreateGrant)]
pub struct GrantBody {
    /// Key or id of the organization; may be left out by whoever is in one only.
    #[serde(default)]
    pub organization: Option<String>,
    /// Key or id of the API; may be left out where the organization uses one only.
    #[serde(default)]
    pub api: Option<String>,
    /// The scopes.
    pub scopes: ScopesBody,
}

/// Scopes: a list, or one text with spaces between them.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a list of scopes, or one text with spaces between them")]
#[schema(as = Scopes)]
pub enum ScopesBody {
    /// As in OAuth.
    Text(String),
    /// One by one.
    List(Vec<String>),
}

impl ScopesBody {
    /// The scopes, each with its place in the list.
    pub fn list(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.split(' ').filter(|word| !word.is_empty()).collect(),
            Self::List(list) => list.iter().map(String::as_str).collect(),
        }
    }
}

impl Body {
    fn plain(&self) -> Plain<'_> {
        Plain {
            name: &self.name,
            reason: self.reason.as_deref(),
            expires_at: Some(&self.expires_at),
            addresses: &self.addresses,
        }
    }
}

impl Mutation for CreateToken {
    const OPERATION: &'static Operation = operations::TOKEN_CREATE;
    type Output = TokenWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        require_own_scope(act, Self::OPERATION).await?;
        let acting = bounds::acting_token(act).await?;
        let mut broken = Broken::default();
        let fields = fields::read(&self.body.plain(), acting.as_ref(), act.now, &mut broken);
        let wishes = wishes::read(act, CredentialKind::PersonalToken, &self.body.grants, &mut broken).await?;
        fields::check_expiry(fields.expires_at, &wishes.worlds, acting.as_ref(), act.now, &mut broken);
        broken.told(Code::Invalid)?;
        let parts = admit::admit(act, &wishes).await?;

        let (app, now, owner) = (act.app, act.now, act.actor.user.id);
        if db::tokens::count_live(&mut act.tx, Owner::User(owner), now).await.map_err(internal)? >= LIVE_MAX {
            let detail = format!("you have {LIVE_MAX} live tokens: revoke one that you no longer need");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let token = Token {
            id: act.id(TokenId::new),
            owner: Owner::User(owner),
            kind: CredentialKind::PersonalToken,
            coverage: Coverage::Listed,
            name: self.body.name.clone(),
            state: CredentialState::Active,
            reason: self.body.reason.clone().unwrap_or_default(),
            addresses: fields.addresses,
            created_by: owner,
            created_at: now,
            expires_at: fields.expires_at.unwrap_or(now),
            revoked_at: None,
        };
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::PersonalToken);
        let subject = token.id.to_string();
        db::tokens::insert(&mut act.tx, &token).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        let orgs: BTreeSet<OrgId> = parts.iter().map(|part| part.org).collect();
        for org in &orgs {
            db::tokens::insert_part(&mut act.tx, *org, token.id, now).await.map_err(internal)?;
        }
        let grants = parts.into_iter().map(|part| part.into_grant(act.id(GrantId::new), token.id, now)).collect();
        let requests = file::grants(act, &token, owner, &token.reason, grants).await?;
        let mut names = Names::default();
        let view = names.for_owner(app, &mut act.tx, &token, now).await.map_err(internal)?;
        let mut changes = Vec::with_capacity(orgs.len());
        for org in orgs {
            let key = names.org(&mut act.tx, org).await.map_err(internal)?;
            // Each organization's activity shows its own part, and none of the others.
            let grants: Vec<_> = view.grants.iter().filter(|grant| grant.organization == key).map(shown).collect();
            let after = json!({"name": token.name, "expires_at": token.expires_at, "grants": grants});
            let change = Change::new(org, token.id).after(after).because(self.body.reason.as_deref());
            changes.push(change.feed(Topic::Token, None, token.id));
        }
        let token = minted.text.expose_secret().to_owned();
        Ok((TokenWithSecret { view, token, requests }, Changes { list: changes }))
    }
}

fn shown(grant: &super::view::GrantView) -> Value {
    json!({"id": grant.id, "api": grant.api, "scopes": grant.scopes, "state": grant.state, "self_granted": grant.self_granted})
}

impl admit::Admitted {
    /// The grant of a token.
    pub fn into_grant(self, id: GrantId, token: TokenId, now: tegata_core::time::Timestamp) -> StoredGrant {
        StoredGrant {
            id,
            org: self.org,
            token,
            api: self.api,
            context: self.context,
            permissions: self.permissions.into_iter().collect(),
            state: self.state,
            self_granted: self.self_granted,
            created_at: now,
            line: None,
            asked: None,
            until: None,
            access_policy: None,
            decided: None,
        }
    }
}
