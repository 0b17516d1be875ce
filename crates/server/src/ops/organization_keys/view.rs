//! Organization keys as they are shown.

use crate::db;
use crate::db::orgs::Org;
use crate::db::tokens::{Part, Token};
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::tokens::show::Names;
use crate::ops::tokens::view::GrantView;
use serde::Serialize;
use tegata_core::credential::Coverage;
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// An organization key.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OrganizationKey)]
pub struct OrganizationKeyView {
    /// Its id.
    pub id: String,
    /// What it is: `organization_key`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// `active`, `blocked`, `revoked` or `expired`.
    pub state: String,
    /// Why it is blocked or revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// What it covers: what is `listed` in its grants, or everything (`unscoped`).
    pub covers: String,
    /// Whether it covers everything of the organization's APIs, also what they come to have.
    pub unscoped: bool,
    /// What speaks against it: `unscoped`. Empty where nothing does.
    pub risks: Vec<&'static str>,
    /// Whether it was made elsewhere and imported.
    pub imported: bool,
    /// What it is for.
    pub reason: String,
    /// Addresses and ranges that it may be shown from; none for anywhere.
    pub addresses: Vec<String>,
    /// Who made it.
    pub created_by: CreatorView,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// When it was last let in, give or take five minutes; absent where it was not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// What it was given.
    pub grants: Vec<GrantView>,
}

/// Who made a key.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = KeyCreator)]
pub struct CreatorView {
    /// The id of the person.
    pub id: String,
    /// What they are called.
    pub name: String,
}

/// An organization key with the secret that was just made for it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganizationKeyWithSecret {
    /// The key.
    #[serde(flatten)]
    pub view: OrganizationKeyView,
    /// Its secret: shown here, and never again.
    pub token: String,
}

impl OrganizationKeyView {
    /// A key as it is shown.
    pub async fn of<T: Reading>(act: &mut Act<'_, T>, org: &Org, key: &Token, part: &Part) -> Result<Self, Problem> {
        let (app, now) = (act.app, act.now);
        let shown = Names::default().for_org(app, act.tx(), org, key, part, now).await.map_err(internal)?;
        let creator = db::users::get(act.tx(), key.created_by).await.map_err(internal)?;
        Ok(Self {
            id: shown.id,
            kind: shown.kind,
            name: shown.name,
            state: shown.state,
            state_reason: shown.state_reason,
            covers: shown.covers,
            unscoped: key.coverage == Coverage::Unscoped,
            risks: shown.risks,
            imported: shown.imported,
            reason: shown.reason,
            addresses: key.addresses.iter().map(ToString::to_string).collect(),
            created_by: CreatorView {
                id: key.created_by.to_string(),
                name: creator.map(|user| user.name).unwrap_or_default(),
            },
            created_at: shown.created_at,
            expires_at: shown.expires_at,
            last_used_at: shown.last_used_at,
            grants: shown.grants,
        })
    }
}
