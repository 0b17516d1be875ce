//! Tokens as they are shown: to their owner with every part, to an organization with its own part only.

use crate::app::App;
use crate::db::orgs::Org;
use crate::db::tokens::{Part, StoredGrant, Token};
use crate::db::{self, DbError, Tx};
use serde::Serialize;
use std::collections::HashMap;
use tegata_core::credential::{CredentialState, PartState};
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::scope::{Place, Scope};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// A token, for its owner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id, which outlives its secrets.
    pub id: String,
    /// What it is: `personal_token`.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// `active`, `revoked` or `expired`.
    pub state: String,
    /// Why it was asked for.
    pub reason: String,
    /// Addresses and ranges that it may be shown from; none for anywhere.
    pub addresses: Vec<String>,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// When it was stopped everywhere for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Its state in each organization.
    pub parts: Vec<PartView>,
    /// What it was given, or asks for.
    pub grants: Vec<GrantView>,
}

/// One organization's part of a token.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PartView {
    /// The key of the organization.
    pub organization: String,
    /// `active`, `blocked` or `revoked`.
    pub state: String,
    /// Why it is blocked or revoked there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    pub changed_at: String,
}

/// Permissions of one API in one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// The key of the organization.
    pub organization: String,
    /// The key of the API.
    pub api: String,
    /// The place: `global`, or for example `repository:key:octo/hello`.
    pub context: String,
    /// The permissions, each as a whole scope.
    pub scopes: Vec<String>,
    /// `requested`, `granted` or `rejected`.
    pub state: String,
    /// Whether its owner, who answers for the place, granted it to themself.
    pub self_granted: bool,
    /// When it was asked for.
    pub created_at: String,
}

/// A token with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TokenWithSecret {
    /// The token.
    #[serde(flatten)]
    pub view: TokenView,
    /// Its secret: shown here, and never again.
    pub token: String,
}

/// One organization's part of a token, for that organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrgTokenView {
    /// The token's id.
    pub id: String,
    /// What it is: `personal_token`.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// `active`, `blocked`, `revoked` or `expired`.
    pub state: String,
    /// Why this organization blocked or revoked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Whose it is.
    pub owner: OwnerView,
    /// Why it was asked for.
    pub reason: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// What it was given here, or asks for.
    pub grants: Vec<GrantView>,
}

/// Whose a token is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnerView {
    /// The id of the user.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
}

/// Names that views need, read once.
#[derive(Default)]
pub struct Names {
    orgs: HashMap<OrgId, String>,
    apis: HashMap<ApiId, String>,
    places: HashMap<ContextId, Place>,
}

impl Names {
    /// The key of an organization.
    pub async fn org(&mut self, tx: &mut Tx, id: OrgId) -> Result<String, DbError> {
        if let Some(key) = self.orgs.get(&id) {
            return Ok(key.clone());
        }
        let key = db::orgs::find(tx, &id.to_string()).await?.map_or_else(|| id.to_string(), |org| org.key);
        self.orgs.insert(id, key.clone());
        Ok(key)
    }

    async fn api(&mut self, app: &App, tx: &mut Tx, id: ApiId) -> Result<String, DbError> {
        if let Some(key) = self.apis.get(&id) {
            return Ok(key.clone());
        }
        let loaded = app.catalogues.of(tx, &id.to_string()).await?;
        let key = loaded.map_or_else(|| id.to_string(), |loaded| loaded.key.clone());
        self.apis.insert(id, key.clone());
        Ok(key)
    }

    /// The place of a context, as scopes write it.
    pub async fn place(&mut self, tx: &mut Tx, org: OrgId, context: Option<ContextId>) -> Result<Place, DbError> {
        let Some(id) = context else {
            return Ok(Place::Global);
        };
        if let Some(place) = self.places.get(&id) {
            return Ok(place.clone());
        }
        let found = db::contexts::get(tx, org, id).await?.ok_or_else(|| DbError::Corrupt(id.to_string()))?;
        let place = Place::Key { kind: found.kind, key: found.key };
        self.places.insert(id, place.clone());
        Ok(place)
    }

    /// A grant as it is shown.
    pub async fn grant(&mut self, app: &App, tx: &mut Tx, grant: &StoredGrant) -> Result<GrantView, DbError> {
        let place = self.place(tx, grant.org, grant.context).await?;
        let scope = |name: &String| Scope::Permission { place: place.clone(), permission: name.clone() }.to_string();
        Ok(GrantView {
            id: grant.id.to_string(),
            organization: self.org(tx, grant.org).await?,
            api: self.api(app, tx, grant.api).await?,
            context: place.to_string(),
            scopes: grant.permissions.iter().map(scope).collect(),
            state: grant.state.as_str().to_owned(),
            self_granted: grant.self_granted,
            created_at: grant.created_at.to_string(),
        })
    }

    /// A token as its owner sees it.
    pub async fn for_owner(
        &mut self,
        app: &App,
        tx: &mut Tx,
        token: &Token,
        now: Timestamp,
    ) -> Result<TokenView, DbError> {
        let mut parts = Vec::new();
        for part in db::tokens::parts(tx, token.id).await? {
            parts.push(PartView {
                organization: self.org(tx, part.org).await?,
                state: part.state.as_str().to_owned(),
                reason: part.state_reason,
                changed_at: part.changed_at.to_string(),
            });
        }
        let mut grants = Vec::new();
        for grant in db::tokens::grants(tx, token.id).await? {
            grants.push(self.grant(app, tx, &grant).await?);
        }
        Ok(TokenView {
            id: token.id.to_string(),
            kind: token.kind.as_str().to_owned(),
            name: token.name.clone(),
            state: whole_state(token, now).to_owned(),
            reason: token.reason.clone(),
            addresses: token.addresses.iter().map(ToString::to_string).collect(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            revoked_at: token.revoked_at.map(|moment| moment.to_string()),
            parts,
            grants,
        })
    }

    /// An organization's part of a token, as that organization sees it: nothing of any other.
    pub async fn for_org(
        &mut self,
        app: &App,
        tx: &mut Tx,
        org: &Org,
        token: &Token,
        part: &Part,
        now: Timestamp,
    ) -> Result<OrgTokenView, DbError> {
        let owner = db::users::get(tx, token.owner).await?;
        let owner = owner.ok_or_else(|| DbError::Corrupt(token.owner.to_string()))?;
        let mut grants = Vec::new();
        for grant in db::tokens::grants(tx, token.id).await?.iter().filter(|grant| grant.org == org.id) {
            grants.push(self.grant(app, tx, grant).await?);
        }
        Ok(OrgTokenView {
            id: token.id.to_string(),
            kind: token.kind.as_str().to_owned(),
            name: token.name.clone(),
            state: part_state(token, part, now).to_owned(),
            state_reason: part.state_reason.clone(),
            owner: OwnerView { id: owner.id.to_string(), name: owner.name, email: owner.email },
            reason: token.reason.clone(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            grants,
        })
    }
}

/// The state of a whole token at a moment.
pub fn whole_state(token: &Token, now: Timestamp) -> &'static str {
    match token.state {
        CredentialState::Revoked => "revoked",
        CredentialState::Active if now >= token.expires_at => "expired",
        CredentialState::Active => "active",
    }
}

/// The state of one organization's part at a moment: what stops it first.
pub fn part_state(token: &Token, part: &Part, now: Timestamp) -> &'static str {
    match (whole_state(token, now), part.state) {
        ("revoked", _) | (_, PartState::Revoked) => "revoked",
        ("expired", _) => "expired",
        (_, state) => state.as_str(),
    }
}
