//! "No one passes on what they do not have", as every use case here asks it that gives somebody roles: by adding a
//! member, by putting somebody into a team, by reviving a membership or an account.

use crate::db::assignments::Assignment;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::assignments::authority::{must_administer, must_cover};
use crate::ops::rights::content_of_role;
use crate::ops::{Act, Allowed};
use tegata_core::ids::{ContextId, RoleId};
use tegata_core::problem::Problem;

/// Refuses to pass on a role, in a place (none for the whole organization), beyond the actor's own rights there.
pub async fn require_role(
    act: &mut Act<'_, WriteTx>,
    allowed: &Allowed,
    role: RoleId,
    context: Option<ContextId>,
) -> Result<(), Problem> {
    let (app, org) = (act.app, allowed.org.id);
    let chain = match context {
        Some(context) => db::contexts::chain(&mut act.tx, org, context).await.map_err(internal)?,
        None => Vec::new(),
    };
    let held = content_of_role(app, &mut act.tx, org, role).await.map_err(internal)?;
    must_cover(act, allowed, &held, &chain).await
}

/// Refuses to pass on any of these assignments beyond the actor's own rights.
pub async fn require_assignments(
    act: &mut Act<'_, WriteTx>,
    allowed: &Allowed,
    assignments: &[Assignment],
) -> Result<(), Problem> {
    for assignment in assignments {
        require_role(act, allowed, assignment.role, assignment.context).await?;
    }
    Ok(())
}

/// Refuses to touch an administrator unless the actor is one, signed in as themself: a lesser person must not stop
/// whoever they answer to.
pub async fn require_administrator(act: &mut Act<'_, WriteTx>, allowed: &Allowed) -> Result<(), Problem> {
    must_administer(act, allowed, &[]).await
}
