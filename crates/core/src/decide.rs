//! The decision: may this credential do this, here, now? One pure function, facts in, decision and reason out
//! (DESIGN §2).
//!
//! The function is total: every combination of facts has an answer, and silence is a denial. It is versioned, so that
//! a recorded decision can be replayed against other facts and compared.

mod reason;
#[cfg(test)]
mod tests;

pub use reason::Reason;

use crate::bits::{PermissionNumber, PermissionSet};
use crate::ceiling::Ceilings;
use crate::credential::{CredentialState, GrantState, PartState};
use crate::ids::{AccessPolicyId, ApiId, ContextId};
use crate::level::Level;
use crate::policy::{Admission, KindPolicy};
use crate::role::Right;
use crate::time::Timestamp;
use ipnet::IpNet;
use std::net::IpAddr;

/// The version of the rule; a change of its meaning increases it.
pub const RULE_VERSION: u32 = 4;

/// Everything the rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What stands before the credential is even looked at.
    pub gate: Gate,
    /// The moment of the call.
    pub now: Timestamp,
    /// The address of the caller, as the verifier saw it.
    pub address: Option<IpAddr>,
    /// What was shown.
    pub presented: Presented<'a>,
    /// What is asked for.
    pub target: Target<'a>,
    /// Where it is asked for.
    pub organization: Organization<'a>,
}

/// Conditions of the checkpoint itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The verifier may ask, this node may decide, and the decision can be recorded.
    Open,
    /// The verifier may not ask about this API.
    VerifierNotAllowed,
    /// This node cannot know what was revoked.
    LeaseLost,
    /// The decision could not be recorded.
    RecordUnavailable,
}

/// What was shown at the door.
#[derive(Debug, Clone, Copy)]
pub enum Presented<'a> {
    /// It cannot be a credential of ours.
    Malformed,
    /// It has the right form and nobody knows it.
    Unknown,
    /// A credential that exists.
    Known(Credential<'a>),
}

/// The credential as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Credential<'a> {
    /// Its state in all organizations.
    pub state: CredentialState,
    /// When it ends; for a secret that was replaced, when its overlap ends.
    pub expires_at: Timestamp,
    /// Where it may be shown from; empty for anywhere.
    pub addresses: &'a [IpNet],
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// No endpoint of the catalogue, or a path that can be read two ways.
    NoSuchEndpoint,
    /// An endpoint that names no permission, so that nobody may call it.
    Closed,
    /// An endpoint that needs a credential and no permission.
    AuthenticatedOnly,
    /// An endpoint that only an unscoped credential may call.
    UnscopedOnly,
    /// One of these alternatives.
    AnyOf(&'a [Alternative<'a>]),
}

/// One way of being allowed: all of these needs.
#[derive(Debug, Clone, Copy)]
pub struct Alternative<'a> {
    /// Each has to be met.
    pub needs: &'a [Need<'a>],
}

/// A permission in a place.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The permission's number in the API of the call.
    pub permission: PermissionNumber,
    /// Its level.
    pub level: Level,
    /// The place.
    pub place: Place<'a>,
}

/// A place that was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Nobody registered it.
    Unregistered,
    /// The ids of the context and those above it, innermost first; empty for the organization itself.
    Chain(&'a [ContextId]),
}

/// The organization of the call, and what the credential is there.
#[derive(Debug, Clone, Copy)]
pub enum Organization<'a> {
    /// It was not said, does not exist, does not use this API, or the credential has no part in it.
    Unknown,
    /// It is known.
    Known(Part<'a>),
}

/// What the credential is in one organization.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The API of the call.
    pub api: ApiId,
    /// Whether that is Tegata's own, which nothing covers that does not list its permissions.
    pub own_api: bool,
    /// The state of this organization's part.
    pub state: PartState,
    /// Whether the owner's account and membership are active.
    pub owner_active: bool,
    /// The organization's policy for this kind; none for sign-in sessions, which no such policy governs.
    pub policy: Option<&'a KindPolicy>,
    /// What the credential was given.
    pub grants: Grants<'a>,
    /// What it chose of that, where it lists less: a token of an application. Only what is in force counts.
    pub chosen: Option<&'a [Grant]>,
    /// Whose rights bound it.
    pub acting: Acting<'a>,
}

/// What a credential was given in one organization.
#[derive(Debug, Clone, Copy)]
pub enum Grants<'a> {
    /// Whatever its owner may do: a sign-in session.
    Whole,
    /// These, with the access policies that are laid on any of them.
    Listed(&'a [Grant], Ceilings<'a>),
    /// Every permission up to this level, of every API but Tegata's own: a legacy token, or an access key.
    UpTo(Level),
    /// Everything of every API but Tegata's own, where the organization's policy says so: an unscoped organization key.
    Unscoped,
}

/// Permissions of one API in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The API.
    pub api: ApiId,
    /// The place; none for the whole organization.
    pub context: Option<ContextId>,
    /// The permissions, with what they imply.
    pub permissions: PermissionSet,
    /// Whether it is in force.
    pub state: GrantState,
    /// What an approver laid on it. Few grants have any, and all of them lie on the way of a check.
    pub bounds: Option<Box<Bounds>>,
}

/// What an approver laid on a grant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bounds {
    /// When it ends by itself; none where it lasts as long as the credential.
    pub until: Option<Timestamp>,
    /// The access policy that it is under; one that is not there allows nothing.
    pub ceiling: Option<AccessPolicyId>,
}

impl Grant {
    /// A grant that lasts, with nothing laid on it.
    pub const fn new(api: ApiId, context: Option<ContextId>, permissions: PermissionSet, state: GrantState) -> Self {
        Self { api, context, permissions, state, bounds: None }
    }

    /// The same, with what was laid on it.
    #[must_use]
    pub fn within(self, until: Option<Timestamp>, ceiling: Option<AccessPolicyId>) -> Self {
        let bounded = until.is_some() || ceiling.is_some();
        Self { bounds: bounded.then(|| Box::new(Bounds { until, ceiling })), ..self }
    }

    /// The access policy that it is under.
    pub fn ceiling(&self) -> Option<AccessPolicyId> {
        self.bounds.as_ref()?.ceiling
    }

    /// Whether it is about a permission in a place at a moment, whatever was decided of it.
    pub fn is_about(
        &self,
        api: ApiId,
        permission: PermissionNumber,
        chain: &[ContextId],
        now: Timestamp,
        ceilings: Ceilings<'_>,
    ) -> bool {
        let here = self.context.is_none_or(|context| chain.contains(&context));
        self.api == api
            && here
            && self.permissions.contains(permission)
            && self.lasts(now)
            && self.ceiling().is_none_or(|ceiling| ceilings.admit(ceiling, api, permission, chain))
    }

    fn lasts(&self, now: Timestamp) -> bool {
        self.bounds.as_ref().and_then(|bounds| bounds.until).is_none_or(|until| now < until)
    }
}

/// On whose rights a credential acts.
#[derive(Debug, Clone, Copy)]
pub enum Acting<'a> {
    /// For a user or a service account, within their rights at this moment.
    For(&'a [Right<'a>]),
    /// For itself, bounded by what it was given alone: an organization key, or an application.
    Itself,
}

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
        Target::AnyOf(alternatives) => by_alternatives(part, alternatives, facts.now),
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
    let part_state = match &facts.organization {
        Organization::Known(part) => part.state,
        Organization::Unknown => PartState::Active,
    };
    if credential.state == CredentialState::Revoked || part_state == PartState::Revoked {
        return Some(Reason::Revoked);
    }
    if part_state == PartState::Blocked {
        return Some(Reason::Blocked);
    }
    if facts.now >= credential.expires_at {
        return Some(Reason::Expired);
    }
    if !credential.addresses.is_empty() {
        let inside = |address: IpAddr| credential.addresses.iter().any(|range| range.contains(&address));
        if !facts.address.is_some_and(inside) {
            return Some(Reason::AddressNotAllowed);
        }
    }
    match facts.target {
        Target::NoSuchEndpoint => Some(Reason::NoSuchEndpoint),
        _ => None,
    }
}

/// The best alternative decides: the first that is met, or else the first of those that came furthest.
fn by_alternatives(part: &Part<'_>, alternatives: &[Alternative<'_>], now: Timestamp) -> Decision {
    let mut furthest: Option<(Reason, u16)> = None;
    // Alternatives that cannot be numbered cannot be recorded, and are not looked at.
    for (index, alternative) in (0..=u16::MAX).zip(alternatives) {
        match of_alternative(part, alternative, now) {
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
fn of_alternative(part: &Part<'_>, alternative: &Alternative<'_>, now: Timestamp) -> Option<Reason> {
    if alternative.needs.is_empty() {
        return without_permission(part).or(Some(Reason::InsufficientScope));
    }
    if alternative.needs.iter().any(|need| need.place == Place::Unregistered) {
        return Some(Reason::NoSuchContext);
    }
    of_owner_and_policy(part)
        .or_else(|| alternative.needs.iter().find_map(|need| of_level(part, need.level)))
        .or_else(|| alternative.needs.iter().filter_map(|need| of_grants(part, need, now)).min())
        .or_else(|| alternative.needs.iter().find_map(|need| of_owner_rights(part, need)))
}

/// Why owner and policy refuse what names no permission. Nothing says how far it reaches, so it is taken as writing.
fn without_permission(part: &Part<'_>) -> Option<Reason> {
    of_owner_and_policy(part).or_else(|| of_level(part, Level::Write))
}

fn of_owner_and_policy(part: &Part<'_>) -> Option<Reason> {
    if !part.owner_active {
        return Some(Reason::OwnerInactive);
    }
    if part.policy.is_some_and(|policy| policy.admission == Admission::Deny) {
        return Some(Reason::PolicyDenied);
    }
    let unscoped = matches!(part.grants, Grants::Unscoped);
    (unscoped && part.policy.is_none_or(|policy| !policy.unscoped)).then_some(Reason::PolicyDenied)
}

fn of_level(part: &Part<'_>, level: Level) -> Option<Reason> {
    part.policy.is_some_and(|policy| !policy.level.admits(level)).then_some(Reason::PolicyReadOnly)
}

/// Why the grants do not cover a need; none when one does.
fn of_grants(part: &Part<'_>, need: &Need<'_>, now: Timestamp) -> Option<Reason> {
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
fn of_any_grant(part: &Part<'_>, now: Timestamp) -> Option<Reason> {
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

fn of_owner_rights(part: &Part<'_>, need: &Need<'_>) -> Option<Reason> {
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
