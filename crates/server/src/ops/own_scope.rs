//! What a token needs to work on its owner's own things: the operation's permission, granted in at least one
//! organization where the token counts at this moment. A session is its owner and needs nothing.

use super::act::{Act, Decided, Reading, internal};
use super::rights::OwnNeed;
use crate::db;
use tegata_core::decide::{Credential, Decision, Reason};
use tegata_core::operations::Operation;
use tegata_core::permissions::OWN_API;
use tegata_core::problem::{Code, Problem};

/// Asks for the right to an operation on one's own things.
pub async fn require_own_scope<T: Reading>(act: &mut Act<'_, T>, operation: &'static Operation) -> Result<(), Problem> {
    let (Some(token), Some(scope)) = (act.actor.token, operation.scope) else {
        return Ok(());
    };
    let app = act.app;
    let own = app.catalogues.of(act.tx(), OWN_API).await.map_err(internal)?;
    let own = own.ok_or_else(|| Problem::new(Code::Unavailable, "the installation has not been set up yet"))?;
    // A permission that the table names and the catalogue does not know is granted to nobody.
    let needed = own.catalogue.number(scope).and_then(|number| own.catalogue.permission(number));
    let mut furthest = None;
    for part in db::tokens::parts(act.tx(), token).await.map_err(internal)? {
        let Some(needed) = needed else { break };
        let rights = act.rights_in(part.org).await?;
        let need = OwnNeed { api: own.id, permission: needed.number, level: needed.level, chain: &[] };
        let decision = rights.decide(Credential::IDENTIFIED, need, act.now, act.meta.address);
        let decided = Decided { decision, org: part.org, permission: Some(scope), context: None };
        match decision {
            Decision::Allow { .. } => {
                act.decided = Some(decided);
                return act.count(operation, Some(part.org));
            }
            Decision::Deny { reason, .. } if furthest.as_ref().is_none_or(|(best, _)| reason > *best) => {
                furthest = Some((reason, decided));
            }
            Decision::Deny { .. } => {}
        }
    }
    let reason = furthest.as_ref().map_or(Reason::InsufficientScope, |(reason, _)| *reason);
    act.decided = furthest.map(|(_, decided)| decided);
    let detail = format!("a token needs `{scope}` for this, granted in one of its organizations: {reason}");
    Err(Problem::new(Code::Forbidden, detail).with("reason", reason.as_str()))
}
