//! What an access policy admits, as callers write it: scopes by API.

use crate::db::access_policies::Part;
use crate::db::{self, WriteTx};
use crate::ops::Act;
use crate::ops::act::internal;
use crate::ops::contexts::kinds::{self, Resolved};
use crate::ops::tokens::broken::Broken;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use tegata_core::ids::{ApiId, ContextId, OrgId};
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};
use tegata_core::scope::Scope;
use utoipa::ToSchema;

/// Most scopes of one access policy.
const SCOPES_MAX: usize = 1_000;

/// Scopes of one API.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessPolicyPart)]
pub struct PartBody {
    /// Key or id of the API.
    pub api: String,
    /// The scopes that it admits, such as `read:post` or `project:key:MY-APP:Project.View`. A scope without a place admits
    /// its permission everywhere.
    pub scopes: Vec<String>,
}

/// Reads them from a field; what cannot be is told, all of it at once.
pub async fn read(
    act: &mut Act<'_, WriteTx>,
    org: OrgId,
    field: &str,
    bodies: &[PartBody],
) -> Result<Vec<Part>, Problem> {
    let mut broken = Broken::default();
    if bodies.iter().map(|body| body.scopes.len()).sum::<usize>() > SCOPES_MAX {
        return Err(Problem::field(field, format!("write at most {SCOPES_MAX} scopes")));
    }
    let app = act.app;
    let declared = kinds::kinds_of(app, act.tx(), org).await.map_err(internal)?;
    let enabled = db::orgs::apis(act.tx(), org).await.map_err(internal)?;
    let mut parts: BTreeMap<(ApiId, Option<ContextId>), BTreeSet<String>> = BTreeMap::new();
    for (place, body) in bodies.iter().enumerate() {
        let at = format!("{field}[{place}]");
        let loaded = app.catalogues.of(act.tx(), &body.api).await.map_err(internal)?;
        let used = loaded.filter(|api| api.key == OWN_API || enabled.iter().any(|(id, _)| *id == api.id));
        let Some(api) = used else {
            broken.note(format!("{at}.api"), "this organization uses no such API");
            continue;
        };
        for (number, text) in body.scopes.iter().enumerate() {
            let field = format!("{at}.scopes[{number}]");
            let is_type = |word: &str| {
                if api.key == OWN_API { declared.is_type(word) } else { api.catalogue.is_type(word) }
            };
            let scope = match Scope::parse(text, &is_type) {
                Ok(Scope::Permission { place, permission }) => (place, permission),
                Ok(_) => {
                    broken.note(field, "list what is admitted: `**` would admit everything");
                    continue;
                }
                Err(error) => {
                    broken.note(field, error);
                    continue;
                }
            };
            let (place, permission) = scope;
            if api.catalogue.number(&permission).is_none() {
                broken.note(field, format!("{} has no permission `{permission}`", api.key));
                continue;
            }
            let context = match kinds::resolve_among(&declared, act.tx(), org, &place).await.map_err(internal)? {
                Resolved::Global => None,
                Resolved::Context(context) => Some(context.id),
                Resolved::Unregistered | Resolved::UnknownType => {
                    broken.note(field, format!("nobody registered {place} here"));
                    continue;
                }
            };
            parts.entry((api.id, context)).or_default().insert(permission);
        }
    }
    broken.told(Code::Invalid)?;
    let part = |((api, context), names): (_, BTreeSet<String>)| Part {
        api,
        context,
        permissions: names.into_iter().collect(),
    };
    Ok(parts.into_iter().map(part).collect())
}
