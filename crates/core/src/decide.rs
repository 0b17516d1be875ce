//! The decision: may this credential do this, here, now? One pure function, facts in, decision and reason out
//! (DESIGN §2).
//!
//! The function is total: every combination of facts has an answer, and silence is a denial. It is versioned, so that
//! a recorded decision can be replayed against other facts and compared.

mod facts;
mod grants;
mod policy;
mod reason;
#[cfg(test)]
mod tests;

pub use facts::{
    Acting, Alternative, Bounds, Credential, Facts, Gate, Grant, Grants, Need, Organization, Part, Place, Presented,
    Target,
};
pub use grants::{is_chosen, is_granted, is_held_by_owner};
pub use reason::Reason;

use crate::credential::{CredentialState, PartState};
use crate::policy::contains;
use grants::{of_any_grant, of_grants, of_owner_rights};
use policy::{admits_address, is_elsewhere, of_owner_and_policies, without_permission};

/// The version of the rule; a change of its meaning increases it.
pub const RULE_VERSION: u32 = 5;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may, by this alternative (none where no permission was needed).
    Allow {
        /// Index into the endpoint's alternatives.
        alternative: Option<u16>,
    },
    /// It may not.
    Deny {
        /// The first condition that failed.
        reason: Reason,
        /// The alternative that came furthest, when the denial is about permissions.
        alternative: Option<u16>,
    },
}

impl Decision {
    /// Whether the call may go on.
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow { .. })
    }

    /// The reason, `granted` included.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Allow { .. } => Reason::Granted,
            Self::Deny { reason, .. } => reason,
        }
    }

    /// The same, where a limit on calls is used up: the last condition, so that whatever was denied before stays what it was.
    #[must_use]
    pub const fn held_back(self) -> Self {
        match self {
            Self::Allow { alternative } => Self::Deny { reason: Reason::RateLimited, alternative },
            denied @ Self::Deny { .. } => denied,
        }
    }

    /// The alternative that decided.
    pub const fn alternative(self) -> Option<u16> {
        match self {
            Self::Allow { alternative } | Self::Deny { alternative, .. } => alternative,
        }
    }
}

const fn deny(reason: Reason) -> Decision {
    Decision::Deny { reason, alternative: None }
}

/// Decides. See the module's text and DESIGN §2 for the rule.
pub fn decide(facts: &Facts<'_>) -> Decision {
    if let Some(reason) = before_permissions(facts) {
        return deny(reason);
    }
    let Organization::Known(part) = &facts.organization else {
        return deny(Reason::OrganizationUnknown);
    };
    match facts.target {
        Target::NoSuchEndpoint => deny(Reason::NoSuchEndpoint),
        Target::AnyOf(alternatives) => by_alternatives(part, alternatives, facts),
        Target::Closed | Target::AuthenticatedOnly | Target::UnscopedOnly => {
            if let Some(reason) = without_permission(part) {
                return deny(reason);
            }
            let unscoped = match part.grants {
                _ if part.chosen.is_some() => false,
                Grants::Whole => true,
                Grants::Unscoped => !part.own_api,
                Grants::UpTo(_) | Grants::Listed(..) => false,
            };
            match facts.target {
                Target::AuthenticatedOnly => match of_any_grant(part, facts.now) {
                    None => Decision::Allow { alternative: None },
                    Some(reason) => deny(reason),
                },
                Target::UnscopedOnly if unscoped => Decision::Allow { alternative: None },
                _ => deny(Reason::InsufficientScope),
            }
        }
    }
}

/// Conditions on checkpoint, credential, endpoint and organization, in the order of DESIGN §2.
fn before_permissions(facts: &Facts<'_>) -> Option<Reason> {
    match facts.gate {
        Gate::Open => {}
        Gate::VerifierNotAllowed => return Some(Reason::VerifierNotAllowed),
        Gate::LeaseLost => return Some(Reason::LeaseLost),
        Gate::RecordUnavailable => return Some(Reason::RecordUnavailable),
    }
    let credential = match &facts.presented {
        Presented::Malformed => return Some(Reason::Malformed),
        Presented::Unknown => return Some(Reason::Unknown),
        Presented::Known(credential) => credential,
    };
    // Of an organization that is not known nothing can be asked: the credential alone says where it counts from.
    let part = match &facts.organization {
        Organization::Known(part) => Some(part),
        Organization::Unknown => None,
    };
    let part_state = part.map_or(PartState::Active, |part| part.state);
    if credential.state == CredentialState::Revoked || part_state == PartState::Revoked {
        return Some(Reason::Revoked);
    }
    if part_state == PartState::Blocked {
        return Some(Reason::Blocked);
    }
    if facts.now >= credential.expires_at {
        return Some(Reason::Expired);
    }
    let inside = contains(credential.addresses, facts.address);
    if !inside || !part.is_none_or(|part| admits_address(part, facts.address)) {
        return Some(Reason::AddressNotAllowed);
    }
    match facts.target {
        Target::NoSuchEndpoint => Some(Reason::NoSuchEndpoint),
        _ => None,
    }
}

/// The best alternative decides: the first that is met, or else the first of those that came furthest.
fn by_alternatives(part: &Part<'_>, alternatives: &[Alternative<'_>], facts: &Facts<'_>) -> Decision {
    let mut furthest: Option<(Reason, u16)> = None;
    // Alternatives that cannot be numbered cannot be recorded, and are not looked at.
    for (index, alternative) in (0..=u16::MAX).zip(alternatives) {
        match of_alternative(part, alternative, facts) {
            None => return Decision::Allow { alternative: Some(index) },
            Some(reason) if furthest.is_none_or(|(best, _)| nearness(reason) > nearness(best)) => {
                furthest = Some((reason, index));
            }
            Some(_) => {}
        }
    }
    match furthest {
        Some((reason, index)) => Decision::Deny { reason, alternative: Some(index) },
        None => deny(without_permission(part).unwrap_or(Reason::InsufficientScope)),
    }
}

/// How near an alternative came to being met: later conditions are nearer, and what was asked for is nearer than what
/// was refused or never asked for, so that nobody is sent to ask again for what is under way.
const fn nearness(reason: Reason) -> (u8, Reason) {
    let step = match reason {
        Reason::InsufficientScope => 1,
        Reason::ApprovalRejected => 2,
        Reason::ApprovalPending => 3,
        Reason::OwnerLacksPermission | Reason::RateLimited | Reason::Granted => 4,
        _ => 0,
    };
    (step, reason)
}

/// Why an alternative is not met; none when it is.
fn of_alternative(part: &Part<'_>, alternative: &Alternative<'_>, facts: &Facts<'_>) -> Option<Reason> {
    if alternative.needs.is_empty() {
        return without_permission(part).or(Some(Reason::InsufficientScope));
    }
    if is_elsewhere(part, alternative, facts.address) {
        return Some(Reason::AddressNotAllowed);
    }
    if alternative.needs.iter().any(|need| need.place == Place::Unregistered) {
        return Some(Reason::NoSuchContext);
    }
    of_owner_and_policies(part, alternative)
        .or_else(|| alternative.needs.iter().filter_map(|need| of_grants(part, need, facts.now)).min())
        .or_else(|| alternative.needs.iter().find_map(|need| of_owner_rights(part, need)))
}
