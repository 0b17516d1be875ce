//! Permanent tokens of an application: all that it may do in one organization, or less. They are meant for its
//! development; in production it signs in.

use super::holder::{Held, held, require_covered};
use crate::authn::mint::mint;
use crate::db::feed::Topic;
use crate::db::grants::StoredGrant;
use crate::db::tokens::{Part, Token};
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::internal;
use crate::ops::organization_keys::plan::KeyGrant;
use crate::ops::receipt::Receipt;
use crate::ops::tokens::bounds;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::fields::{self, Plain};
use crate::ops::tokens::create::wishes::{self, Wishes};
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::org::change::OnPart;
use crate::ops::tokens::org::look::{show, token_here};
use crate::ops::tokens::revoke;
use crate::ops::tokens::view::OrgTokenView;
use crate::ops::{Act, Change, Changes, Mutation, Page, PageRequest, Query};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use tegata_core::credential::{Coverage, CredentialKind, CredentialState, GrantState, PartState};
use tegata_core::ids::{GrantId, TokenId};
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// Most live credentials of one application.
const LIVE_MAX: i64 = 100;
/// What is told with every permanent token.
const WARNING: &str = "a permanent token is meant for development: it works until it is revoked, for whoever has it; in \
    production, let the application sign in";

/// A permanent token to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationTokenCreate)]
pub struct Body {
    /// What people call it.
    pub name: String,
    /// What it shall be able to do of what the application may; left out for all of it, also what comes later.
    #[serde(default)]
    pub rights: Vec<KeyGrant>,
    /// When it ends: RFC 3339, at most 365 days from now; left out for never, where the organization takes that.
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

/// Make a permanent token.
#[derive(Debug, Clone)]
pub struct CreateApplicationToken {
    /// The organization.
    pub org: String,
    /// The application's id, client id or name.
    pub application: String,
    /// What it shall be.
    pub body: Body,
}

/// A permanent token with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApplicationTokenWithSecret {
    /// The token.
    #[serde(flatten)]
    pub view: OrgTokenView,
    /// Its secret: shown here, and never again.
    pub token: String,
    /// What speaks for another way.
    pub warning: &'static str,
}

impl Mutation for CreateApplicationToken {
    const OPERATION: &'static Operation = operations::APPLICATION_TOKEN_CREATE;
    type Output = ApplicationTokenWithSecret;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        super::change::require_alive(act, &held).await?;
        let (app, body, now, org) = (act.app, &self.body, act.now, &held.allowed.org);
        let acting = bounds::acting_token(act).await?;
        let mut broken = Broken::default();
        let plain = Plain {
            name: &body.name,
            reason: body.reason.as_deref(),
            expires_at: body.expires_at.as_deref(),
            addresses: &body.addresses,
        };
        let fields = fields::read(&plain, acting.as_ref(), now, &mut broken);
        let wishes = self.wishes(act, &held, &mut broken).await?;
        if body.expires_at.is_none() && wishes.worlds.values().any(|world| !world.policy().without_end) {
            broken.note("expires_at", format!("the policy of {} asks for an end: name one", org.key));
        } else if body.expires_at.is_none() && acting.is_some() {
            broken.note("expires_at", "a token makes nothing that outlives it: name an end");
        }
        fields::check_expiry(fields.expires_at, &wishes.worlds, acting.as_ref(), now, &mut broken);
        broken.told_as(Code::Invalid, "grants", "rights")?;
        wishes.worlds.values().try_for_each(super::create::require_open)?;
        require_covered(act, &held).await?;
        let owner = Owner::Application(held.application.id);
        if db::tokens::count_live(act.tx(), owner, now).await.map_err(internal)? >= LIVE_MAX {
            let detail =
                format!("the application has {LIVE_MAX} live credentials: revoke one that is no longer needed");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let token = Token {
            id: act.id(TokenId::new),
            owner,
            kind: CredentialKind::ApplicationToken,
            coverage: if body.rights.is_empty() { Coverage::Application } else { Coverage::Listed },
            name: body.name.clone(),
            state: CredentialState::Active,
            reason: body.reason.clone().unwrap_or_default(),
            addresses: fields.addresses,
            created_by: act.actor.user.id,
            created_at: now,
            expires_at: fields.expires_at.unwrap_or(Timestamp::MAX),
            revoked_at: None,
        };
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::ApplicationToken);
        let subject = token.id.to_string();
        db::tokens::insert(&mut act.tx, &token).await.map_err(internal)?;
        db::secrets::insert(&mut act.tx, minted.digest, minted.key_id, &subject, now).await.map_err(internal)?;
        db::tokens::insert_part(&mut act.tx, org.id, token.id, now).await.map_err(internal)?;
        for grant in chosen(act, &wishes, token.id) {
            db::grants::insert(&mut act.tx, &grant).await.map_err(internal)?;
        }
        let part = Part { org: org.id, state: PartState::Active, state_reason: None, changed_at: now };
        let view = show(act, org, &token, &part).await?;
        let change = Change::new(org.id, token.id)
            .after(json!({"name": view.name, "application": held.application.name, "covers": view.covers,
                "expires_at": view.expires_at}))
            .because(body.reason.as_deref())
            .feed(Topic::Token, None, token.id);
        let token = minted.text.expose_secret().to_owned();
        Ok((ApplicationTokenWithSecret { view, token, warning: WARNING }, change.into()))
    }
}

impl CreateApplicationToken {
    async fn wishes(&self, act: &mut Act<'_, WriteTx>, held: &Held, broken: &mut Broken) -> Result<Wishes, Problem> {
        let kind = CredentialKind::ApplicationToken;
        if self.body.rights.is_empty() {
            let mut wishes = Wishes::default();
            wishes.worlds.insert(held.allowed.org.id, World::read(act, kind, held.allowed.org.id).await?);
            return Ok(wishes);
        }
        let grants: Vec<_> = self.body.rights.iter().map(|entry| entry.in_org(&held.allowed.org)).collect();
        wishes::read(act, kind, &grants, broken).await
    }
}

/// What a token chose, as grants: they give nothing that the application was not granted.
fn chosen(act: &Act<'_, WriteTx>, wishes: &Wishes, token: TokenId) -> Vec<StoredGrant> {
    let mut places: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for wish in &wishes.list {
        if let Some(known) = wish.api.catalogue.permission(wish.permission) {
            let names = places.entry((wish.org, wish.api.id, wish.context)).or_default();
            if !names.contains(&known.name) {
                names.push(known.name.clone());
            }
        }
    }
    let grant = |((org, api, context), permissions)| StoredGrant {
        id: act.id(GrantId::new),
        org,
        token,
        api,
        context,
        permissions,
        state: GrantState::Granted,
        self_granted: false,
        created_at: act.now,
        line: None,
        asked: None,
        until: None,
        access_policy: None,
        decided: None,
    };
    places.into_iter().map(grant).collect()
}

/// List the permanent tokens of an application.
#[derive(Debug, Clone)]
pub struct ListApplicationTokens {
    /// The organization.
    pub org: String,
    /// The application's id, client id or name.
    pub application: String,
    /// Which page.
    pub page: PageRequest,
}

impl Query for ListApplicationTokens {
    const OPERATION: &'static Operation = operations::APPLICATION_TOKEN_LIST;
    type Output = Page<OrgTokenView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        let (org, id) = (held.allowed.org.id, held.application.id);
        let rows = db::tokens::of_application(act.tx(), org, id, &self.page.ask()?).await.map_err(internal)?;
        let rows = self.page.page(rows, |row| row.id.to_string(), |row| row)?;
        let mut items = Vec::with_capacity(rows.items.len());
        for token in &rows.items {
            if let Some(part) = db::tokens::part(act.tx(), org, token.id).await.map_err(internal)? {
                items.push(show(act, &held.allowed.org, token, &part).await?);
            }
        }
        Ok(Page { items, next_cursor: rows.next_cursor })
    }
}

/// Stop a permanent token for good.
#[derive(Debug, Clone)]
pub struct RevokeApplicationToken {
    /// The organization.
    pub org: String,
    /// The application's id, client id or name.
    pub application: String,
    /// Which token.
    pub token: TokenId,
    /// Why.
    pub body: revoke::Body,
}

impl Mutation for RevokeApplicationToken {
    const OPERATION: &'static Operation = operations::APPLICATION_TOKEN_REVOKE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let held = held(act, Self::OPERATION, &self.org, &self.application).await?;
        let (token, _) = token_here(act, &held.allowed.org, self.token).await?;
        let theirs = token.owner == Owner::Application(held.application.id);
        if !theirs || token.kind != CredentialKind::ApplicationToken {
            return Err(Problem::not_found("token"));
        }
        let on = OnPart { org: self.org.clone(), token: token.id, body: self.body.clone() };
        let (token, _, change) = on.step(act, &held.allowed, PartState::revoke).await?;
        Ok((Receipt::of(token.id, "revoked"), change.into()))
    }
}
