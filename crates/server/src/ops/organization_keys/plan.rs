//! What a new organization key would be, checked: the same for making one and for looking at what it could do.

use crate::db::orgs::Org;
use crate::ops::act::Reading;
use crate::ops::tokens::bounds;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::admit::{self, Admitted};
use crate::ops::tokens::create::fields::{self, Plain};
use crate::ops::tokens::create::wishes::{self, Wishes};
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::create::{GrantBody, ScopesBody};
use crate::ops::{Act, Allowed};
use ipnet::IpNet;
use serde::Deserialize;
use tegata_core::credential::{Coverage, CredentialKind};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// What an organization key shall be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationKeyCreate)]
pub struct Body {
    /// What people call it.
    #[schema(example = "backup")]
    pub name: String,
    /// When it ends: RFC 3339, at most 365 days from now, and less where the organization says so.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// What it is for.
    #[serde(default)]
    pub reason: Option<String>,
    /// Addresses and ranges (CIDR) that it may be shown from; none for anywhere.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Everything of the organization's APIs, also what they come to have: a risk, and only where the policy takes it.
    #[serde(default)]
    pub unscoped: bool,
    /// What it shall be able to do: 1 to 100 entries; none where it is unscoped.
    #[serde(default)]
    pub grants: Vec<KeyGrant>,
}

/// What a key shall be able to do with one API.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationKeyCreateGrant)]
pub struct KeyGrant {
    /// Key or id of the API; may be left out where the organization uses one only.
    #[serde(default)]
    pub api: Option<String>,
    /// The scopes.
    pub scopes: ScopesBody,
}

/// A key that may be made as it was asked for.
pub struct Plan {
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where it may be shown from.
    pub addresses: Vec<IpNet>,
    /// How it says what it covers.
    pub coverage: Coverage,
    /// What it lists.
    pub grants: Vec<Admitted>,
    /// The organization with its APIs.
    pub world: World,
}

/// Checks what was asked for: every field, the policy, and the rights of whoever asks.
pub async fn plan<T: Reading>(act: &mut Act<'_, T>, allowed: &Allowed, body: &Body) -> Result<Plan, Problem> {
    let (kind, org) = (CredentialKind::OrganizationKey, &allowed.org);
    let acting = bounds::acting_token(act).await?;
    let mut broken = Broken::default();
    let plain = Plain {
        name: &body.name,
        reason: body.reason.as_deref(),
        expires_at: Some(&body.expires_at),
        addresses: &body.addresses,
    };
    let fields = fields::read(&plain, acting.as_ref(), act.now, &mut broken);
    let mut wishes = if body.unscoped {
        if !body.grants.is_empty() {
            broken.note("grants", "an unscoped key lists nothing: leave the scopes out, or `unscoped`");
        }
        let mut wishes = Wishes::default();
        wishes.worlds.insert(org.id, World::read(act, kind, org.id).await?);
        wishes
    } else {
        let grants: Vec<GrantBody> = body.grants.iter().map(|grant| grant.in_org(org)).collect();
        wishes::read(act, kind, &grants, &mut broken).await?
    };
    fields::check_expiry(fields.expires_at, &wishes.worlds, acting.as_ref(), act.now, &mut broken);
    broken.told(Code::Invalid)?;
    let grants = admit::admit(act, &wishes).await?;
    let world = wishes.worlds.remove(&org.id).ok_or_else(Problem::internal)?;
    if body.unscoped {
        require_unscoped(allowed, &world)?;
    }
    Ok(Plan {
        expires_at: fields.expires_at.unwrap_or(act.now),
        addresses: fields.addresses,
        coverage: if body.unscoped { Coverage::Unscoped } else { Coverage::Listed },
        grants,
        world,
    })
}

/// An unscoped key needs the policy's word, and whoever makes one administers the whole organization, signed in.
fn require_unscoped(allowed: &Allowed, world: &World) -> Result<(), Problem> {
    if !world.policy().unscoped {
        let detail = format!(
            "the policy of {} takes no unscoped keys: list scopes, or change the policy for organization_key",
            world.org.key
        );
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
    }
    if !world.askable.is_everything() {
        let detail = format!(
            "the policy of {} for organization_key lists what may be asked for, and an unscoped key has everything",
            world.org.key
        );
        return Err(Problem::new(Code::Forbidden, detail).with("reason", "policy_denied"));
    }
    allowed.rights.with_authority(|authority| authority.covers_everything(&[])).map_err(|_| {
        let detail = "an unscoped key is made by an administrator of the whole organization, signed in as themself";
        Problem::new(Code::BeyondOwnRights, detail)
    })
}

impl KeyGrant {
    /// The same, in an organization.
    pub fn in_org(&self, org: &Org) -> GrantBody {
        GrantBody { organization: Some(org.key.clone()), api: self.api.clone(), scopes: self.scopes.clone() }
    }
}
