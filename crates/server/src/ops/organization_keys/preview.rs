//! Show what an organization key could do, and make none: the step of review before one is made.

use super::plan::{Body, Plan, plan};
use crate::db::Tx;
use crate::ops::act::internal;
use crate::ops::tokens::show::Names;
use crate::ops::{Act, Query};
use serde::Serialize;
use tegata_core::bits::PermissionSet;
use tegata_core::credential::Coverage;
use tegata_core::operations::{self, Operation};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// Show what an organization key could do.
pub struct PreviewOrganizationKey {
    /// The organization.
    pub org: String,
    /// What it would be.
    pub body: Body,
}

/// What an organization key could do, if it were made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganizationKeyPreview {
    /// Always true: nothing was made.
    pub dry_run: bool,
    /// What it would be called.
    pub name: String,
    /// What it would cover: what is `listed`, or everything (`unscoped`).
    pub covers: &'static str,
    /// What speaks against it: `unscoped`, `writes`, `from_anywhere`.
    pub risks: Vec<&'static str>,
    /// When it would end.
    pub expires_at: String,
    /// All that it could do, as of now.
    pub can: Vec<Ability>,
}

/// What a key could do with one API in one place.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OrganizationKeyAbility)]
pub struct Ability {
    /// The key of the API.
    pub api: String,
    /// The place and everything below it.
    pub context: String,
    /// The permissions, with what they imply.
    pub permissions: Vec<String>,
}

impl Query for PreviewOrganizationKey {
    const OPERATION: &'static Operation = operations::ORGANIZATION_KEY_CREATE;
    type Output = OrganizationKeyPreview;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let plan = plan(act, &allowed, &self.body).await?;
        let mut can = Vec::new();
        let mut writes = false;
        let mut names = Names::default();
        for (api, context, set) in abilities(&plan) {
            let Some(loaded) = plan.world.apis.iter().find(|known| known.id == api) else { continue };
            let place = names.place(&mut act.tx, allowed.org.id, context).await.map_err(internal)?;
            let held: Vec<_> = set.iter().filter_map(|number| loaded.catalogue.permission(number)).collect();
            writes |= held.iter().any(|permission| permission.level != tegata_core::level::Level::Read);
            can.push(Ability {
                api: loaded.key.clone(),
                context: place.to_string(),
                permissions: held.into_iter().map(|permission| permission.name.clone()).collect(),
            });
        }
        let unscoped = plan.coverage == Coverage::Unscoped;
        let risks = [(unscoped, "unscoped"), (writes, "writes"), (plan.addresses.is_empty(), "from_anywhere")];
        Ok(OrganizationKeyPreview {
            dry_run: true,
            name: self.body.name.clone(),
            covers: plan.coverage.as_str(),
            risks: risks.into_iter().filter(|(holds, _)| *holds).map(|(_, risk)| risk).collect(),
            expires_at: plan.expires_at.to_string(),
            can,
        })
    }
}

type Held = (tegata_core::ids::ApiId, Option<tegata_core::ids::ContextId>, PermissionSet);

/// What a key would list; for one that lists nothing, everything that there is now.
fn abilities(plan: &Plan) -> Vec<Held> {
    let apis = &plan.world.apis;
    if plan.coverage == Coverage::Unscoped {
        let others = apis.iter().filter(|api| api.key != OWN_API);
        let all = |api: &crate::catalogues::Loaded| -> PermissionSet {
            api.catalogue.permissions().iter().map(|permission| permission.number).collect()
        };
        return others.map(|api| (api.id, None, all(api))).collect();
    }
    let of_grant = |grant: &crate::ops::tokens::create::admit::Admitted| {
        let loaded = apis.iter().find(|api| api.id == grant.api)?;
        let named: PermissionSet = grant.permissions.iter().filter_map(|name| loaded.catalogue.number(name)).collect();
        Some((grant.api, grant.context, loaded.catalogue.with_implied(&named)))
    };
    plan.grants.iter().filter_map(of_grant).collect()
}
