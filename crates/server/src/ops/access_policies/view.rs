//! Access policies as they are shown.

use crate::app::App;
use crate::db::access_policies::{AccessPolicy, Part};
use crate::db::{self, DbError, Tx};
use crate::ops::Act;
use crate::ops::act::Reading;
use crate::ops::tokens::show::Names;
use serde::Serialize;
use tegata_core::ids::OrgId;
use tegata_core::scope::Scope;
use utoipa::ToSchema;

/// A named ceiling of permissions and places.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessPolicy)]
pub struct AccessPolicyView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it stands when approvers choose: small numbers first.
    pub position: i64,
    /// What it admits; nothing else passes a grant under it.
    pub admits: Vec<PartView>,
    /// How many grants in force it bounds, of credentials that can be used or are only blocked.
    pub grants: i64,
    /// Counts its changes; send it back with a change, and the change is refused where somebody else made one meanwhile.
    pub version: u64,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// What it admits of one API in one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessPolicyPartView)]
pub struct PartView {
    /// The key of the API.
    pub api: String,
    /// The scopes.
    pub scopes: Vec<String>,
}

/// Permissions in places as scopes.
pub async fn shown(app: &App, tx: &mut Tx, org: OrgId, parts: Vec<Part>) -> Result<Vec<PartView>, DbError> {
    let mut names = Names::default();
    let mut admits = Vec::with_capacity(parts.len());
    for Part { api, context, permissions } in parts {
        let place = names.place(tx, org, context).await?;
        let scope = |permission| Scope::Permission { place: place.clone(), permission }.to_string();
        let scopes = permissions.into_iter().map(scope).collect();
        admits.push(PartView { api: names.api(app, tx, api).await?, scopes });
    }
    Ok(admits)
}

impl AccessPolicyView {
    /// An access policy with its parts.
    pub async fn of<T: Reading>(act: &mut Act<'_, T>, policy: &AccessPolicy) -> Result<Self, DbError> {
        let (app, now) = (act.app, act.now);
        let tx = act.tx();
        let parts = db::access_policies::parts(tx, policy.org, policy.id).await?.unwrap_or_default();
        let admits = shown(app, tx, policy.org, parts).await?;
        Ok(Self {
            id: policy.id.to_string(),
            name: policy.name.clone(),
            position: policy.position,
            admits,
            grants: db::grants::count_under(tx, policy.org, policy.id, now).await?,
            version: policy.version,
            created_at: policy.created_at.to_string(),
            updated_at: policy.updated_at.to_string(),
        })
    }
}
