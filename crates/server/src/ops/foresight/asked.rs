//! What a question about rights names: an API that the organization uses, a permission of it, a place.

use super::standing::Wish;
use crate::catalogues::Loaded;
use crate::db;
use crate::db::contexts::Context;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::contexts::place;
use crate::ops::records::filters::refused;
use std::sync::Arc;
use tegata_core::bits::PermissionNumber;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::problem::{Code, Problem};

/// A place.
#[derive(Debug, Clone, Default)]
pub struct At {
    /// Its type; none for the whole organization.
    pub kind: Option<String>,
    /// As checks write it; none for the whole organization.
    pub text: Option<String>,
    /// The ids of the place and of those above it, innermost first.
    pub chain: Vec<ContextId>,
}

impl At {
    fn of(context: &Context, chain: Vec<ContextId>) -> Self {
        Self { kind: Some(context.kind.clone()), text: Some(format!("{}:id:{}", context.kind, context.id)), chain }
    }

    /// A permission in this place.
    pub fn wish<'a>(&'a self, api: &'a Loaded, permission: PermissionNumber) -> Wish<'a> {
        let (kind, context) = (self.kind.as_deref(), self.text.as_deref());
        Wish { api, permission, kind, context, chain: &self.chain }
    }
}

fn wrong(name: &str, why: &str) -> Problem {
    refused(Code::InvalidParameter, name, why)
}

/// The APIs that an organization uses.
pub async fn apis<T: Reading>(act: &mut Act<'_, T>, org: OrgId) -> Result<Vec<Arc<Loaded>>, Problem> {
    let app = act.app;
    let mut apis = Vec::new();
    for (id, _) in db::orgs::apis(act.tx(), org).await.map_err(internal)? {
        apis.extend(app.catalogues.of(act.tx(), &id.to_string()).await.map_err(internal)?);
    }
    apis.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(apis)
}

/// The API that a parameter names, by key or id, where the organization uses it.
pub async fn api<T: Reading>(act: &mut Act<'_, T>, org: OrgId, named: Option<&str>) -> Result<Arc<Loaded>, Problem> {
    let named = named.ok_or_else(|| wrong("api", "name an API of the organization"))?;
    let used = apis(act, org).await?;
    let found = used.iter().find(|api| api.key == named || api.id.to_string() == named);
    found.cloned().ok_or_else(|| {
        let keys: Vec<&str> = used.iter().map(|api| api.key.as_str()).collect();
        wrong("api", &format!("the organization uses no such API; it uses {}", keys.join(", ")))
    })
}

/// The permission of an API that a parameter names.
pub fn permission(api: &Loaded, named: Option<&str>) -> Result<PermissionNumber, Problem> {
    let named = named.ok_or_else(|| wrong("permission", "name a permission of the API"))?;
    let why = || format!("the API `{}` has no such permission", api.key);
    api.catalogue.number(named).ok_or_else(|| wrong("permission", &why()))
}

/// The place that a parameter names.
pub async fn at<T: Reading>(act: &mut Act<'_, T>, org: OrgId, named: Option<&str>) -> Result<At, Problem> {
    let context = place::of_field(act, org, "context", named).await;
    let context = context.map_err(|problem| Problem { code: Code::InvalidParameter, ..problem })?;
    let Some(context) = context else { return Ok(At::default()) };
    let chain = place::chain(act, org, Some(context.id)).await?;
    Ok(At::of(&context, chain))
}

/// A place by its id; none where it is no longer there.
pub async fn at_id<T: Reading>(act: &mut Act<'_, T>, org: OrgId, id: ContextId) -> Result<Option<At>, Problem> {
    let found = db::contexts::get(act.tx(), org, id).await.map_err(internal)?;
    let Some(context) = found else { return Ok(None) };
    let chain = place::chain(act, org, Some(id)).await?;
    Ok(Some(At::of(&context, chain)))
}
