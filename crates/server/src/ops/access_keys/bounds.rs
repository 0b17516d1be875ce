//! Whoever gets the secret of a key acts as its account, so they have to hold what it holds.

use crate::db::assignments::Principal;
use crate::db::service_accounts::ServiceAccount;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::assignments::authority::must_cover;
use crate::ops::contexts::place;
use crate::ops::{Act, Allowed, rights};
use tegata_core::problem::Problem;

/// Requires that the actor has everything that the roles of an account hold, each in its place.
pub async fn require_covered(
    act: &mut Act<'_, WriteTx>,
    allowed: &Allowed,
    account: &ServiceAccount,
) -> Result<(), Problem> {
    let (app, org) = (act.app, allowed.org.id);
    let principal = Principal::ServiceAccount(account.id);
    for held in db::assignments::of_principal(&mut act.tx, org, principal).await.map_err(internal)? {
        let content = rights::content_of_role(app, &mut act.tx, org, held.role).await.map_err(internal)?;
        let chain = place::chain(act, org, held.context).await?;
        must_cover(act, allowed, &content, &chain).await?;
    }
    Ok(())
}
