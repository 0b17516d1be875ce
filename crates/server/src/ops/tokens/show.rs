//! From stored tokens to what is shown of them.

use super::view::{GrantView, OrgTokenView, OwnerView, PartView, TokenView};
use crate::app::App;
use crate::db::grants::StoredGrant;
use crate::db::orgs::Org;
use crate::db::tokens::{Part, Token};
use crate::db::{self, DbError, Tx};
use std::collections::HashMap;
use tegata_core::credential::{Coverage, CredentialState, PartState};
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::owner::Owner;
use tegata_core::scope::{Place, Scope};
use tegata_core::time::Timestamp;

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

    /// The key of an API.
    pub async fn api(&mut self, app: &App, tx: &mut Tx, id: ApiId) -> Result<String, DbError> {
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
            request: grant.line.map(|(request, _)| request.to_string()),
            asked: grant.asked.clone(),
            until: grant.until.map(|until| until.to_string()),
            access_policy: grant.access_policy.map(|policy| policy.to_string()),
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
        let (mut parts, mut last_used_at) = (Vec::new(), None);
        for part in db::tokens::parts(tx, token.id).await? {
            let last_used_here = db::uses::last(tx, part.org, &token.id.to_string()).await?;
            last_used_at = last_used_at.max(last_used_here);
            parts.push(PartView {
                organization: self.org(tx, part.org).await?,
                state: part.state.as_str().to_owned(),
                reason: part.state_reason,
                changed_at: part.changed_at.to_string(),
                last_used_at: last_used_here.map(|moment| moment.to_string()),
            });
        }
        let mut grants = Vec::new();
        for grant in db::grants::of_token(tx, token.id).await? {
            grants.push(self.grant(app, tx, &grant).await?);
        }
        Ok(TokenView {
            id: token.id.to_string(),
            kind: token.kind.as_str().to_owned(),
            covers: token.coverage.as_str().to_owned(),
            risks: risks(token),
            imported: db::imports::of_token(tx, token.id).await?.is_some(),
            name: token.name.clone(),
            state: whole_state(token, now).to_owned(),
            reason: token.reason.clone(),
            addresses: token.addresses.iter().map(ToString::to_string).collect(),
            created_at: token.created_at.to_string(),
            expires_at: token.ends_at().map(|moment| moment.to_string()),
            last_used_at: last_used_at.map(|moment| moment.to_string()),
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
        let owner = owner(tx, token.owner).await?;
        let last_used_at = db::uses::last(tx, org.id, &token.id.to_string()).await?;
        let mut grants = Vec::new();
        for grant in db::grants::of_token(tx, token.id).await?.iter().filter(|grant| grant.org == org.id) {
            grants.push(self.grant(app, tx, grant).await?);
        }
        Ok(OrgTokenView {
            id: token.id.to_string(),
            kind: token.kind.as_str().to_owned(),
            covers: token.coverage.as_str().to_owned(),
            risks: risks(token),
            name: token.name.clone(),
            state: part_state(token, part, now).to_owned(),
            state_reason: part.state_reason.clone(),
            owner,
            imported: db::imports::of_token(tx, token.id).await?.is_some(),
            reason: token.reason.clone(),
            created_at: token.created_at.to_string(),
            expires_at: token.ends_at().map(|moment| moment.to_string()),
            last_used_at: last_used_at.map(|moment| moment.to_string()),
            grants,
        })
    }
}

/// Whose a token is, as it is shown.
pub async fn owner(tx: &mut Tx, owner: Owner) -> Result<OwnerView, DbError> {
    let (name, email) = match owner {
        Owner::User(id) => db::users::get(tx, id).await?.map(|user| (user.name, Some(user.email))),
        Owner::Organization(id) => db::orgs::find(tx, &id.to_string()).await?.map(|org| (org.name, None)),
        Owner::ServiceAccount(id) => db::service_accounts::name(tx, id).await?.map(|name| (name, None)),
        Owner::Application(id) => db::applications::get(tx, id).await?.map(|application| (application.name, None)),
    }
    .ok_or_else(|| DbError::Corrupt(owner.to_string()))?;
    Ok(OwnerView { kind: owner.kind(), id: owner.to_string(), name, email })
}

/// What speaks against a token, wherever it is shown.
pub fn risks(token: &Token) -> Vec<&'static str> {
    let of_coverage = match token.coverage {
        Coverage::Unscoped => Some("unscoped"),
        Coverage::Read | Coverage::ReadWrite => Some("everything_of_owner"),
        Coverage::Listed | Coverage::Roles | Coverage::Application => None,
    };
    let endless = token.ends_at().is_none().then_some("never_expires");
    of_coverage.into_iter().chain(endless).collect()
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
