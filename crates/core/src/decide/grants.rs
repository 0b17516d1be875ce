//! What was granted, what was chosen of it, and what the owner may do: whether a need is covered.

use super::facts::{Acting, Grant, Grants, Need, Part, Place};
use super::reason::Reason;
use crate::ceiling::Ceilings;
use crate::credential::GrantState;
use crate::ids::ContextId;
use crate::time::Timestamp;

/// Why the grants do not cover a need; none when one does.
pub(super) fn of_grants(part: &Part<'_>, need: &Need<'_>, now: Timestamp) -> Option<Reason> {
    let Place::Chain(chain) = need.place else {
        return Some(Reason::NoSuchContext);
    };
    if !has_chosen(part, need, chain, now) {
        return Some(Reason::InsufficientScope);
    }
    let (grants, ceilings) = match part.grants {
        Grants::Listed(grants, ceilings) => (grants, ceilings),
        Grants::UpTo(level) if need.level > level => return Some(Reason::InsufficientScope),
        Grants::UpTo(_) | Grants::Unscoped => return part.own_api.then_some(Reason::InsufficientScope),
        Grants::Whole => return None,
    };
    let about = |grant: &&Grant| grant.is_about(part.api, need.permission, chain, now, ceilings);
    nearest(grants.iter().filter(about))
}

/// Why nothing at all was granted of the API of the call; none when something was. A credential that nobody has let in
/// yet is let in nowhere.
pub(super) fn of_any_grant(part: &Part<'_>, now: Timestamp) -> Option<Reason> {
    let in_force = |grant: &Grant| grant.state == GrantState::Granted && grant.api == part.api && grant.lasts(now);
    if part.chosen.is_some_and(|chosen| !chosen.iter().any(in_force)) {
        return Some(Reason::InsufficientScope);
    }
    let grants = match part.grants {
        Grants::Listed(grants, _) => grants,
        Grants::UpTo(_) | Grants::Unscoped => return part.own_api.then_some(Reason::InsufficientScope),
        Grants::Whole => return None,
    };
    nearest(grants.iter().filter(|grant| grant.api == part.api && grant.lasts(now)))
}

/// None where one of these is in force, and otherwise how near they came.
fn nearest<'g>(grants: impl Iterator<Item = &'g Grant>) -> Option<Reason> {
    let mut reason = Reason::InsufficientScope;
    for grant in grants {
        match grant.state {
            GrantState::Granted => return None,
            GrantState::Requested => reason = reason.min(Reason::ApprovalPending),
            GrantState::Rejected => reason = reason.min(Reason::ApprovalRejected),
            GrantState::Withdrawn | GrantState::Expired | GrantState::Ungranted => {}
        }
    }
    Some(reason)
}

fn has_chosen(part: &Part<'_>, need: &Need<'_>, chain: &[ContextId], now: Timestamp) -> bool {
    let is_it = |grant: &Grant| {
        grant.state == GrantState::Granted && grant.is_about(part.api, need.permission, chain, now, Ceilings::NONE)
    };
    part.chosen.is_none_or(|chosen| chosen.iter().any(is_it))
}

/// Whether a need is within what the credential chose, if it did; for telling whether asking for more would help.
pub fn is_chosen(part: &Part<'_>, need: &Need<'_>, now: Timestamp) -> bool {
    match need.place {
        Place::Chain(chain) => has_chosen(part, need, chain, now),
        Place::Unregistered => false,
    }
}

/// Whether a need is covered by the grants; for telling what is missing.
pub fn is_granted(part: &Part<'_>, need: &Need<'_>, now: Timestamp) -> bool {
    of_grants(part, need, now).is_none()
}

/// Why the owner's rights do not cover a need; none where they do, or where nobody's bound it.
pub(super) fn of_owner_rights(part: &Part<'_>, need: &Need<'_>) -> Option<Reason> {
    let Place::Chain(chain) = need.place else {
        return Some(Reason::NoSuchContext);
    };
    let Acting::For(rights) = part.acting else {
        return None;
    };
    let covered = rights.iter().any(|right| right.covers(part.api, need.permission, chain));
    (!covered).then_some(Reason::OwnerLacksPermission)
}

/// Whether the owner's rights cover a need; for telling what is missing.
pub fn is_held_by_owner(part: &Part<'_>, need: &Need<'_>) -> bool {
    of_owner_rights(part, need).is_none()
}
