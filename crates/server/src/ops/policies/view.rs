//! Policies as they are shown.

use crate::ops::access_policies::view::PartView;
use ipnet::IpNet;
use serde::Serialize;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::policy::KindPolicy;
use utoipa::ToSchema;

/// Seconds of a day.
const DAY_SECONDS: u64 = 86_400;

/// The policy for one kind of credential.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Policy)]
pub struct PolicyView {
    /// The kind of credential.
    pub kind: String,
    /// `allow`, `approval` or `deny`.
    pub admission: String,
    /// `all` or `read_only`.
    pub level: String,
    /// Longest life, in days.
    pub max_lifetime_days: u64,
    /// Whether organization keys may be unscoped, and those that are count: a risk.
    pub unscoped: bool,
    /// Whether credentials of the kind may be made without an end.
    pub without_end: bool,
    /// Whether nobody decides a request of their own.
    pub four_eyes: bool,
    /// How many days a request waits for a decision before it expires.
    pub request_lifetime_days: u64,
    /// What becomes of organization keys that a leaver made: `keep` or `revoke`.
    pub leaver: String,
    /// How many days a service account whose owner left waits for a successor before its keys stop.
    pub succession_days: u64,
    /// From where credentials of the kind may be shown; empty for anywhere.
    pub addresses: Vec<String>,
    /// The permissions that may be asked for at all; empty for everything. What was granted before goes on.
    pub permissions: Vec<PartView>,
    /// After how many days without a use they are revoked; null for never.
    pub unused_days: Option<u64>,
}

impl PolicyView {
    /// A policy of a kind.
    pub fn of(kind: CredentialKind, policy: &KindPolicy, permissions: Vec<PartView>) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            admission: policy.admission.as_str().to_owned(),
            level: policy.level.as_str().to_owned(),
            max_lifetime_days: in_days(policy.max_lifetime),
            unscoped: policy.unscoped,
            without_end: policy.without_end,
            four_eyes: policy.four_eyes,
            request_lifetime_days: in_days(policy.request_lifetime),
            leaver: policy.leaver.as_str().to_owned(),
            succession_days: in_days(policy.succession),
            addresses: texts(&policy.addresses),
            permissions,
            unused_days: policy.unused.map(in_days),
        }
    }
}

/// Ranges as they are shown.
pub fn texts(ranges: &[IpNet]) -> Vec<String> {
    ranges.iter().map(ToString::to_string).collect()
}

/// Days of a span of time.
pub const fn in_days(span: Duration) -> u64 {
    span.as_secs() / DAY_SECONDS
}

/// Whether organizations have a policy for a kind of its own.
pub fn is_governed(kind: CredentialKind) -> bool {
    kind.governed_by() == Some(kind)
}
