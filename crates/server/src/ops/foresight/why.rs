//! By what something is allowed, as it is shown.

use super::standing::{Piece, Reasons, Standing};
use crate::app::App;
use crate::catalogues::Loaded;
use crate::db::tokens::Token;
use crate::db::{DbError, Tx};
use crate::ops::assignments::names::Names;
use crate::ops::rights::HeldRole;
use crate::ops::tokens::show::{Names as TokenNames, owner};
use crate::ops::tokens::view::OwnerView;
use serde::Serialize;
use tegata_core::bits::{PermissionNumber, PermissionSet};
use tegata_core::ids::OrgId;
use tegata_core::scope::{Place, Scope};
use utoipa::ToSchema;

/// A credential, in a few words.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RightsCredential)]
pub struct CredentialView {
    /// Its id.
    pub id: String,
    /// What it is, such as `personal_token`.
    pub kind: String,
    /// What its owner calls it.
    pub name: String,
    /// Whose it is.
    pub owner: OwnerView,
}

/// A grant that allows something.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GrantWhy {
    /// Its id.
    pub id: String,
    /// What was granted that allows it: the permission itself, or one that implies it.
    pub scopes: Vec<String>,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The access policy that it is under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_policy: Option<String>,
    /// The request that it is a line of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The account that granted it, where somebody's word was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_by: Option<String>,
}

/// A role that allows something.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RoleWhy {
    /// Its key.
    pub role: String,
    /// Where it was given: `global`, or a place.
    pub context: String,
    /// The team that it was given to, where it was not given to them by themself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// By what something is allowed. Where grants and roles are told, it takes one of each.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct WhyView {
    /// What was granted to the credential, or to the application that it belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantWhy>,
    /// What the credential covers without any grant: everything up to `read` or `read_write`, what `roles` give, or
    /// everything (`unscoped`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers: Option<&'static str>,
    /// What the person or service account has, on whose rights it acts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleWhy>,
}

/// Puts names to reasons, each of which is looked up once.
pub struct Namer<'a> {
    app: &'a App,
    org: OrgId,
    names: Names,
    places: TokenNames,
}

impl<'a> Namer<'a> {
    /// Nothing is known yet.
    pub fn new(app: &'a App, org: OrgId) -> Self {
        Self { app, org, names: Names::new(org), places: TokenNames::default() }
    }

    /// A credential.
    pub async fn credential(&mut self, tx: &mut Tx, token: &Token) -> Result<CredentialView, DbError> {
        Ok(CredentialView {
            id: token.id.to_string(),
            kind: token.kind.as_str().to_owned(),
            name: token.name.clone(),
            owner: owner(tx, token.owner).await?,
        })
    }

    /// What allows a credential these permissions of an API.
    pub async fn why(
        &mut self,
        tx: &mut Tx,
        standing: &Standing,
        reasons: &Reasons,
        api: &Loaded,
        permissions: &PermissionSet,
    ) -> Result<WhyView, DbError> {
        let mut grants = Vec::with_capacity(reasons.grants.len());
        for piece in reasons.grants.iter().filter_map(|place| standing.given.get(*place)) {
            grants.push(self.grant(tx, piece, api, permissions).await?);
        }
        let held = reasons.roles.iter().filter_map(|place| standing.roles.get(*place));
        Ok(WhyView { grants, covers: standing.beyond_grants(), roles: self.roles(tx, held).await? })
    }

    /// Roles that somebody has.
    pub async fn roles<'h>(
        &mut self,
        tx: &mut Tx,
        held: impl Iterator<Item = &'h HeldRole> + Send,
    ) -> Result<Vec<RoleWhy>, DbError> {
        let mut roles = Vec::new();
        for held in held {
            let team = held.team.map(crate::db::assignments::Principal::Team);
            roles.push(RoleWhy {
                role: self.names.role(tx, held.role).await?.map_or_else(|| held.role.to_string(), |role| role.key),
                context: self.places.place(tx, self.org, held.context).await?.to_string(),
                team: match team {
                    Some(team) => Some(self.names.principal(tx, team).await?),
                    None => None,
                },
            });
        }
        Ok(roles)
    }

    async fn grant(
        &mut self,
        tx: &mut Tx,
        piece: &Piece,
        api: &Loaded,
        permissions: &PermissionSet,
    ) -> Result<GrantWhy, DbError> {
        let stored = &piece.stored;
        let place = self.place(tx, piece).await?;
        let counts = |name: &&String| implies(api, name).is_some_and(|set| !set.intersection(permissions).is_empty());
        Ok(GrantWhy {
            id: stored.id.to_string(),
            scopes: stored.permissions.iter().filter(counts).map(|name| scope(&place, name)).collect(),
            until: stored.until.map(|until| until.to_string()),
            access_policy: stored.access_policy.map(|policy| policy.to_string()),
            request: stored.line.map(|(request, _)| request.to_string()),
            granted_by: stored.decided.as_ref().and_then(|decided| decided.by).map(|user| user.to_string()),
        })
    }

    /// Where something was granted.
    pub async fn place(&mut self, tx: &mut Tx, piece: &Piece) -> Result<Place, DbError> {
        self.places.place(tx, self.org, piece.stored.context).await
    }

    /// The key of an API.
    pub async fn api(&mut self, tx: &mut Tx, piece: &Piece) -> Result<String, DbError> {
        self.places.api(self.app, tx, piece.stored.api).await
    }
}

/// A permission in a place, as a scope.
pub fn scope(place: &Place, permission: &str) -> String {
    Scope::Permission { place: place.clone(), permission: permission.to_owned() }.to_string()
}

/// A permission with what it implies; none where it is no longer there.
pub fn implies(api: &Loaded, permission: &str) -> Option<PermissionSet> {
    let number: PermissionNumber = api.catalogue.number(permission)?;
    Some(api.catalogue.with_implied(&std::iter::once(number).collect()))
}
