//! Nobody passes on what they do not have: the rule is in core; here it is asked, and its refusal told.

use crate::ops::act::{Reading, internal};
use crate::ops::rights::RoleContent;
use crate::ops::{Act, Allowed};
use tegata_core::authority::Beyond;
use tegata_core::bits::PermissionSet;
use tegata_core::ids::{ApiId, ContextId};
use tegata_core::problem::{Code, Problem};

/// Requires that the actor has everything that a role holds, in the place of this chain.
pub async fn must_cover<T: Reading>(
    act: &mut Act<'_, T>,
    allowed: &Allowed,
    content: &RoleContent,
    chain: &[ContextId],
) -> Result<(), Problem> {
    let covered = allowed.rights.with_authority(|authority| match content {
        RoleContent::Everything => authority.covers_everything(chain),
        RoleContent::Listed(list) => list.iter().try_for_each(|(api, set)| authority.covers_all(*api, set, chain)),
    });
    told(act, covered).await
}

/// Requires that the actor has these permissions of an API in the whole organization.
pub async fn must_cover_globally<T: Reading>(
    act: &mut Act<'_, T>,
    allowed: &Allowed,
    api: ApiId,
    permissions: &PermissionSet,
) -> Result<(), Problem> {
    let covered = allowed.rights.with_authority(|authority| authority.covers_all(api, permissions, &[]));
    told(act, covered).await
}

/// Requires that the actor administers the place of this chain.
pub async fn must_administer<T: Reading>(
    act: &mut Act<'_, T>,
    allowed: &Allowed,
    chain: &[ContextId],
) -> Result<(), Problem> {
    let covered = allowed.rights.with_authority(|authority| authority.covers_everything(chain));
    told(act, covered).await
}

async fn told<T: Reading>(act: &mut Act<'_, T>, covered: Result<(), Beyond>) -> Result<(), Problem> {
    match covered {
        Ok(()) => Ok(()),
        Err(Beyond::Everything) => {
            let message = "only an administrator of this place, signed in as themself, may do this";
            Err(Problem::new(Code::BeyondOwnRights, message))
        }
        Err(Beyond::Permission(api, number)) => {
            let app = act.app;
            let loaded = app.catalogues.of(act.tx(), &api.to_string()).await.map_err(internal)?;
            let name = loaded.as_ref().and_then(|loaded| {
                let permission = loaded.catalogue.permission(number)?;
                Some((loaded.key.clone(), permission.name.clone()))
            });
            let (api, permission) = name.unwrap_or_else(|| (api.to_string(), number.0.to_string()));
            let message = format!("you do not have `{permission}` of the API `{api}` here yourself");
            Err(Problem::new(Code::BeyondOwnRights, message).with("permission", permission))
        }
    }
}
