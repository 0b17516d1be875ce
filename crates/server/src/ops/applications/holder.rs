//! Who works on an application: whoever may manage applications in the organization, and in person the member who
//! answers for it there. What shows its secrets needs more than the first.

use crate::db::applications::{Application, Install};
use crate::db::{self, WriteTx};
use crate::ops::act::{Reading, internal};
use crate::ops::contexts::place;
use crate::ops::{Act, Allowed};
use tegata_core::bits::PermissionSet;
use tegata_core::credential::GrantState;
use tegata_core::operations::Operation;
use tegata_core::problem::{Code, Problem};

/// An application in an organization, for somebody who may work on it.
#[derive(Debug)]
pub struct Held {
    /// The right to go on, in the organization.
    pub allowed: Allowed,
    /// The application.
    pub application: Application,
    /// What it is there.
    pub install: Install,
    /// Whether the actor answers for it, in person.
    pub owner: bool,
}

impl Held {
    /// Whether it is registered in this organization.
    pub fn at_home(&self) -> bool {
        self.application.org == self.allowed.org.id
    }
}

/// The application that a path names, for its owner in person or whoever has the operation's permission.
pub async fn held<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: &str,
    named: &str,
) -> Result<Held, Problem> {
    let org = act.visible_org(org).await?;
    let found = db::applications::find(act.tx(), org.id, named).await.map_err(internal)?;
    let user = act.actor.user.id;
    let owner = act.actor.token.is_none() && found.as_ref().is_some_and(|(_, install)| install.owner == user);
    let allowed =
        if owner { act.allow_own(operation, org).await? } else { act.require_in(operation, org, None).await? };
    let (application, install) = found.ok_or_else(|| Problem::not_found("application"))?;
    Ok(Held { allowed, application, install, owner })
}

/// The application that a path names, for whoever has the operation's permission.
pub async fn managed<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: &str,
    named: &str,
) -> Result<Held, Problem> {
    let allowed = act.require(operation, org).await?;
    let found = db::applications::find(act.tx(), allowed.org.id, named).await.map_err(internal)?;
    let (application, install) = found.ok_or_else(|| Problem::not_found("application"))?;
    let owner = act.actor.token.is_none() && install.owner == act.actor.user.id;
    Ok(Held { allowed, application, install, owner })
}

/// Requires that the actor answers for the application, or has all that it was granted themself: whoever gets its secret
/// acts as it.
pub async fn require_covered(act: &mut Act<'_, WriteTx>, held: &Held) -> Result<(), Problem> {
    if held.owner {
        return Ok(());
    }
    let (app, org) = (act.app, held.allowed.org.id);
    let rights = act.rights_in(org).await?;
    for grant in db::grants::of_token(act.tx(), held.install.token).await.map_err(internal)? {
        if grant.state != GrantState::Granted {
            continue;
        }
        let chain = place::chain(act, org, grant.context).await?;
        let loaded = app.catalogues.of(act.tx(), &grant.api.to_string()).await.map_err(internal)?;
        for name in &grant.permissions {
            // What the catalogue no longer has may come back, so it counts as not covered.
            let number = loaded.as_ref().and_then(|loaded| loaded.catalogue.number(name));
            let set: PermissionSet = number.into_iter().collect();
            let set = loaded.as_ref().map(|loaded| loaded.catalogue.with_implied(&set));
            let covered = number.is_some()
                && set.is_some_and(|set| {
                    rights.with_authority(|actor| actor.covers_all(grant.api, &set, &chain).is_ok())
                });
            if !covered {
                let detail = format!("the application may do more than you: `{name}` was granted to it and not to you");
                return Err(Problem::new(Code::BeyondOwnRights, detail));
            }
        }
    }
    Ok(())
}
