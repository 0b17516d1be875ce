//! What the rule looks at.

use crate::bits::{PermissionNumber, PermissionSet};
use crate::ceiling::Ceilings;
use crate::credential::{CredentialState, GrantState, PartState};
use crate::ids::{AccessPolicyId, ApiId, ContextId};
use crate::level::Level;
use crate::policy::KindPolicies;
use crate::role::Right;
use crate::time::Timestamp;
use ipnet::IpNet;
use std::net::IpAddr;

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

impl Credential<'_> {
    /// One that was looked at already, when whoever shows it was identified.
    pub const IDENTIFIED: Self = Self { state: CredentialState::Active, expires_at: Timestamp::MAX, addresses: &[] };
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
    /// What the organization and its contexts allow for this kind; none for sign-in sessions, which no such policy governs.
    pub policies: Option<&'a KindPolicies>,
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

    pub(super) fn lasts(&self, now: Timestamp) -> bool {
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
