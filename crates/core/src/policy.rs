//! What an organization allows for one kind of credential (DESIGN §4).

mod contexts;

pub use contexts::{ContextPolicy, KindPolicies, Looser};

use crate::credential::{CredentialKind, words};
use crate::level::Level;
use crate::time::days;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::credential::UnknownWord;

words! {
    /// Whether credentials of a kind come into use, and by whose word.
    Admission {
        /// At once.
        Allow = "allow",
        /// When somebody who answers for the place has agreed.
        Approval = "approval",
        /// Not at all; what exists is refused while this holds.
        Deny = "deny",
    }
}

words! {
    /// How far credentials of a kind may reach.
    LevelLimit {
        /// Every level.
        All = "all",
        /// Permissions of the level `read` only.
        ReadOnly = "read_only",
    }
}

impl LevelLimit {
    /// Whether a permission of this level may be used.
    pub const fn admits(self, level: Level) -> bool {
        matches!(self, Self::All) || matches!(level, Level::Read)
    }
}

words! {
    /// What becomes of the organization keys that somebody made when they leave.
    LeaverAction {
        /// They stay: the organization owns them.
        Keep = "keep",
        /// They are revoked with the membership of whoever made them.
        Revoke = "revoke",
    }
}

/// Longest life that any policy may give a credential that has an end.
pub const LIFETIME_MAX: Duration = days(365);

/// The policy of one organization for one kind of credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindPolicy {
    /// Whether and how they come into use.
    pub admission: Admission,
    /// How far they reach.
    pub level: LevelLimit,
    /// Longest life, at most [`LIFETIME_MAX`].
    pub max_lifetime: Duration,
    /// Whether organization keys may be unscoped; those that are count only while this holds.
    pub unscoped: bool,
    /// Whether credentials of the kind may be made without an end.
    pub without_end: bool,
    /// Whether nobody decides a request of their own, so that always two people look.
    pub four_eyes: bool,
    /// How long a request waits for a decision before it expires, at most [`REQUEST_LIFETIME_MAX`].
    pub request_lifetime: Duration,
    /// What becomes of the credentials of the kind that a leaver made; of organization keys only.
    pub leaver: LeaverAction,
    /// How long what a leaver answered for waits for a successor before its credentials are stopped, at most
    /// [`SUCCESSION_MAX`]; of access keys only.
    pub succession: Duration,
    /// Where credentials of the kind may be shown from; empty for anywhere.
    pub addresses: Vec<IpNet>,
    /// After how long without a use they are revoked, at most [`UNUSED_MAX`]; none for never.
    pub unused: Option<Duration>,
}

/// Longest time without a use that any policy may name.
pub const UNUSED_MAX: Duration = days(365);

/// Most address ranges of one policy.
pub const ADDRESSES_MAX: usize = 50;

/// Whether an address is in one of these ranges. No ranges stand for anywhere; of nobody knows where, it is in none.
pub(crate) fn contains(ranges: &[IpNet], address: Option<IpAddr>) -> bool {
    ranges.is_empty() || address.is_some_and(|address| ranges.iter().any(|range| range.contains(&address)))
}

/// Longest time that any policy may leave a service account without anybody who answers for it.
pub const SUCCESSION_MAX: Duration = days(365);

/// Longest time that any policy may let requests wait.
pub const REQUEST_LIFETIME_MAX: Duration = days(365);

impl KindPolicy {
    /// Whether credentials of the kind may be shown from an address. Where ranges are set and none is known, it is no.
    pub fn admits_address(&self, address: Option<IpAddr>) -> bool {
        contains(&self.addresses, address)
    }

    /// What a fresh organization has. Legacy tokens reach as far as their owner, so they are not admitted; what an
    /// administrator alone may make needs nobody else's word, and goes with whoever made it.
    pub const fn fresh(kind: CredentialKind) -> Self {
        let (admission, without_end) = match kind {
            CredentialKind::PersonalToken | CredentialKind::Session => (Admission::Approval, false),
            CredentialKind::LegacyToken => (Admission::Deny, true),
            CredentialKind::OrganizationKey => (Admission::Allow, false),
            CredentialKind::AccessKey => (Admission::Allow, true),
            CredentialKind::Application | CredentialKind::ApplicationToken => (Admission::Approval, true),
        };
        Self {
            admission,
            level: LevelLimit::All,
            max_lifetime: LIFETIME_MAX,
            unscoped: false,
            without_end,
            four_eyes: false,
            request_lifetime: days(30),
            leaver: match kind {
                CredentialKind::OrganizationKey => LeaverAction::Revoke,
                _ => LeaverAction::Keep,
            },
            succession: days(30),
            addresses: Vec::new(),
            unused: None,
        }
    }
}
