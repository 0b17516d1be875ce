//! Access keys as they are shown.

use crate::db;
use crate::db::access_keys::AccessKey;
use crate::db::orgs::Org;
use crate::db::tokens::{Part, Token};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::tokens::show::Names;
use crate::ops::tokens::view::OwnerView;
use serde::Serialize;
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// An access key.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessKey)]
pub struct AccessKeyView {
    /// Its id.
    pub id: String,
    /// What it is: `access_key`.
    pub kind: String,
    /// What it is shown by, together with its secret; a new secret keeps it.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// `active`, `blocked`, `revoked` or `expired`.
    pub state: String,
    /// Whether it is active.
    pub is_valid: bool,
    /// Why it is blocked or revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// The service account that it shows.
    pub service_account: OwnerView,
    /// What speaks against it: `never_expires`. Empty where nothing does.
    pub risks: Vec<&'static str>,
    /// Whether it was made elsewhere and imported.
    pub imported: bool,
    /// What it is for.
    pub reason: String,
    /// Addresses and ranges that it may be shown from; none for anywhere.
    pub addresses: Vec<String>,
    /// The id of whoever made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends; null where it does not.
    pub expires_at: Option<String>,
    /// When it was last let in, give or take five minutes; absent where it was not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

/// An access key with the secret that it was just given.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccessKeyWithSecret {
    /// The key.
    #[serde(flatten)]
    pub view: AccessKeyView,
    /// Its secret: shown here, and never again.
    pub secret: String,
}

impl AccessKeyView {
    /// A key as it is shown.
    pub async fn of<T: Reading>(
        act: &mut Act<'_, T>,
        org: &Org,
        key: &AccessKey,
        token: &Token,
        part: &Part,
    ) -> Result<Self, Problem> {
        let (app, now) = (act.app, act.now);
        let shown = Names::default().for_org(app, act.tx(), org, token, part, now).await.map_err(internal)?;
        Ok(Self {
            id: shown.id,
            kind: shown.kind,
            client_id: key.client_id.clone(),
            name: shown.name,
            is_valid: shown.state == "active",
            state: shown.state,
            state_reason: shown.state_reason,
            service_account: shown.owner,
            risks: shown.risks,
            imported: shown.imported,
            reason: shown.reason,
            addresses: token.addresses.iter().map(ToString::to_string).collect(),
            created_by: token.created_by.to_string(),
            created_at: shown.created_at,
            expires_at: shown.expires_at,
            last_used_at: shown.last_used_at,
        })
    }

    /// A key as it is shown, read anew.
    pub async fn read<T: Reading>(act: &mut Act<'_, T>, org: &Org, key: &AccessKey) -> Result<Self, Problem> {
        let hidden = || Problem::not_found("access key");
        let token = db::tokens::get(act.tx(), key.token).await.map_err(internal)?.ok_or_else(hidden)?;
        let part = db::tokens::part(act.tx(), org.id, key.token).await.map_err(internal)?.ok_or_else(hidden)?;
        Self::of(act, org, key, &token, &part).await
    }
}
