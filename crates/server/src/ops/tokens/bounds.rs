//! No credential mints more than itself: what a token may make or renew is covered by what it was given, lives no
//! longer, and counts from no further address.

use crate::db;
use crate::db::tokens::Token;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use ipnet::IpNet;
use tegata_core::authority::Authority;
use tegata_core::bits::PermissionSet;
use tegata_core::ceiling::Ceilings;
use tegata_core::credential::{Coverage, GrantState, PartState};
use tegata_core::decide::Grants;
use tegata_core::problem::{Code, Problem};
use tegata_core::role::{Held, Right};

/// The token that acts; none for a session.
pub async fn acting_token<T: Reading>(act: &mut Act<'_, T>) -> Result<Option<Token>, Problem> {
    match act.actor.token {
        None => Ok(None),
        Some(id) => db::tokens::get(act.tx(), id).await.map_err(internal),
    }
}

/// Whether every address of `inner` is one of `outer`; no ranges stand for every address.
pub fn is_within(inner: &[IpNet], outer: &[IpNet]) -> bool {
    outer.is_empty()
        || (!inner.is_empty() && inner.iter().all(|range| outer.iter().any(|around| around.contains(range))))
}

fn beyond(why: impl Into<String>) -> Problem {
    Problem::new(Code::BeyondOwnRights, why)
}

/// Requires that a token, where one acts, was given everything that another one was given or asks for. A session may
/// renew whatever its owner has, and a token may renew itself.
pub async fn require_covered<T: Reading>(act: &mut Act<'_, T>, target: &Token) -> Result<(), Problem> {
    let Some(acting) = acting_token(act).await? else {
        return Ok(());
    };
    if acting.id == target.id {
        return Ok(());
    }
    if target.coverage != Coverage::Listed {
        return Err(beyond("a token renews nothing that reaches as far as its owner: sign in"));
    }
    if target.expires_at > acting.expires_at {
        return Err(beyond("the token that acts ends earlier than the one it would renew"));
    }
    if !is_within(&target.addresses, &acting.addresses) {
        return Err(beyond("the token that acts counts from fewer addresses than the one it would renew"));
    }
    // Only the two credentials are compared: the rights of their owner bound both alike.
    let anybody = [Right { context: None, api: None, held: Held::Everything }];
    let app = act.app;
    let parts = db::tokens::parts(act.tx(), target.id).await.map_err(internal)?;
    let stored = db::grants::of_token(act.tx(), target.id).await.map_err(internal)?;
    for part in parts.iter().filter(|part| part.state != PartState::Revoked) {
        let own = act.rights_in(part.org).await?;
        let given = own.grants.unwrap_or_default();
        let authority = Authority { rights: &anybody, grants: Grants::Listed(&given, Ceilings::NONE) };
        if own.part_state != PartState::Active {
            return Err(beyond("the token that acts is stopped in an organization where the other one is used"));
        }
        for grant in stored.iter().filter(|grant| grant.org == part.org && may_count(grant.state)) {
            let chain = match grant.context {
                Some(context) => db::contexts::chain(act.tx(), part.org, context).await.map_err(internal)?,
                None => Vec::new(),
            };
            let loaded = app.catalogues.of(act.tx(), &grant.api.to_string()).await.map_err(internal)?;
            for name in &grant.permissions {
                // What the catalogue no longer has may come back, so it counts as not covered.
                let number = loaded.as_ref().and_then(|loaded| loaded.catalogue.number(name));
                let set: PermissionSet = number.into_iter().collect();
                let with_implied = loaded.as_ref().map(|loaded| loaded.catalogue.with_implied(&set));
                let covered = number.is_some()
                    && with_implied.is_some_and(|set| authority.covers_all(grant.api, &set, &chain).is_ok());
                if !covered {
                    return Err(beyond(format!("the token that acts was not given `{name}`, which the other one has")));
                }
            }
        }
    }
    Ok(())
}

/// Whether a grant is in force, or may come to be.
const fn may_count(state: GrantState) -> bool {
    matches!(state, GrantState::Granted | GrantState::Requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn no_ranges_stand_for_every_address() {
        assert!(is_within(&[], &[]));
        assert!(is_within(&ranges(&["10.0.0.1/32"]), &[]));
        assert!(!is_within(&[], &ranges(&["10.0.0.0/8"])));
    }

    #[test]
    fn every_range_has_to_lie_inside_one() {
        let outer = ranges(&["10.0.0.0/8", "2001:db8::/32"]);
        assert!(is_within(&ranges(&["10.1.0.0/16", "2001:db8:1::/48"]), &outer));
        assert!(!is_within(&ranges(&["10.1.0.0/16", "11.0.0.0/16"]), &outer));
        assert!(!is_within(&ranges(&["0.0.0.0/0"]), &outer));
    }
}
