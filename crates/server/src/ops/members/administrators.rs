//! An organization keeps at least one active administrator: without one nobody could ever name another.

use crate::db::{self, Tx};
use crate::ops::act::internal;
use tegata_core::ids::OrgId;
use tegata_core::problem::{Code, Problem};

/// How many administrators an organization had before a change that may take one away.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    org: OrgId,
    count: i64,
}

/// Counts before the change.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<Before, Problem> {
    let count = db::assignments::count_administrators(tx, org).await.map_err(internal)?;
    Ok(Before { org, count })
}

/// Counts again after it, in the same transaction, and refuses to leave none. `named` is the organization's key.
pub async fn require_one_left(tx: &mut Tx, before: Before, named: &str) -> Result<(), Problem> {
    let after = db::assignments::count_administrators(tx, before.org).await.map_err(internal)?;
    if before.count > 0 && after == 0 {
        return Err(Problem::new(
            Code::Conflict,
            format!("this would leave the organization `{named}` without an administrator; name another first"),
        ));
    }
    Ok(())
}
