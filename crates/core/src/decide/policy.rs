//! What the organization allows for the kind of credential, and what the contexts on the way to a need say beyond that: a
//! context only ever tightens, so each of them has to admit a need by itself.

use super::facts::{Alternative, Grants, Need, Part, Place};
use super::reason::Reason;
use crate::level::Level;
use crate::policy::{Admission, ContextPolicy, contains};
use std::net::IpAddr;

/// Whether the organization lets credentials of this kind be shown from an address.
pub(super) fn admits_address(part: &Part<'_>, address: Option<IpAddr>) -> bool {
    part.policies.is_none_or(|policies| policies.organization.admits_address(address))
}

/// Why owner and policy refuse what names no permission. Nothing says how far it reaches, so it is taken as writing; and
/// nothing says where it is, so no context has a say.
pub(super) fn without_permission(part: &Part<'_>) -> Option<Reason> {
    of_owner_and_organization(part).or_else(|| of_level(part, Level::Write))
}

/// Why owner and policies refuse an alternative, in the order of the reasons.
pub(super) fn of_owner_and_policies(part: &Part<'_>, alternative: &Alternative<'_>) -> Option<Reason> {
    let denied = |policy: &ContextPolicy, _: &Need<'_>| policy.admission == Some(Admission::Deny);
    let too_high =
        |policy: &ContextPolicy, need: &Need<'_>| policy.level.is_some_and(|level| !level.admits(need.level));
    of_owner_and_organization(part)
        .or_else(|| in_contexts(part, alternative, denied).then_some(Reason::PolicyDenied))
        .or_else(|| alternative.needs.iter().find_map(|need| of_level(part, need.level)))
        .or_else(|| in_contexts(part, alternative, too_high).then_some(Reason::PolicyReadOnly))
}

/// Whether a context on the way to one of the needs does not let credentials of this kind be shown from an address.
pub(super) fn is_elsewhere(part: &Part<'_>, alternative: &Alternative<'_>, address: Option<IpAddr>) -> bool {
    in_contexts(part, alternative, |policy, _| !contains(&policy.addresses, address))
}

/// Whether the policy of a context on the way to one of the needs fails it.
fn in_contexts(
    part: &Part<'_>,
    alternative: &Alternative<'_>,
    fails: impl Fn(&ContextPolicy, &Need<'_>) -> bool,
) -> bool {
    // Most organizations have none, and then this one look is all.
    let Some(policies) = part.policies.filter(|policies| !policies.contexts().is_empty()) else { return false };
    alternative.needs.iter().any(|need| match need.place {
        Place::Chain(chain) => policies.on(chain).any(|(_, policy)| fails(policy, need)),
        Place::Unregistered => false,
    })
}

fn of_owner_and_organization(part: &Part<'_>) -> Option<Reason> {
    if !part.owner_active {
        return Some(Reason::OwnerInactive);
    }
    let policy = part.policies.map(|policies| &policies.organization);
    if policy.is_some_and(|policy| policy.admission == Admission::Deny) {
        return Some(Reason::PolicyDenied);
    }
    let unscoped = matches!(part.grants, Grants::Unscoped);
    (unscoped && policy.is_none_or(|policy| !policy.unscoped)).then_some(Reason::PolicyDenied)
}

fn of_level(part: &Part<'_>, level: Level) -> Option<Reason> {
    let admits = part.policies.is_none_or(|policies| policies.organization.level.admits(level));
    (!admits).then_some(Reason::PolicyReadOnly)
}
