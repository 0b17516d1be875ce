//! The closed list of reasons, in the order in which a denial names them.

use crate::credential::{UnknownWord, words};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

words! {
    /// Why a call was allowed or denied. The order is that of DESIGN §2: the first condition that failed is named.
    Reason {
        /// The verifier is not one for this API.
        VerifierNotAllowed = "verifier_not_allowed",
        /// This node cannot know what was revoked, so it denies.
        LeaseLost = "lease_lost",
        /// The decision could not be recorded, so it is a denial.
        RecordUnavailable = "record_unavailable",
        /// What was shown cannot be a credential.
        Malformed = "malformed",
        /// Nobody knows it.
        Unknown = "unknown",
        /// It was stopped for good.
        Revoked = "revoked",
        /// It is stopped for now.
        Blocked = "blocked",
        /// Its time is over.
        Expired = "expired",
        /// It was shown from a place where it does not count.
        AddressNotAllowed = "address_not_allowed",
        /// The catalogue has no such endpoint, or the path can be read two ways.
        NoSuchEndpoint = "no_such_endpoint",
        /// It is not clear which organization the call is in.
        OrganizationUnknown = "organization_unknown",
        /// Nobody registered the place.
        NoSuchContext = "no_such_context",
        /// The owner's account or membership is not active.
        OwnerInactive = "owner_inactive",
        /// The organization admits no credential of this kind.
        PolicyDenied = "policy_denied",
        /// The organization lets credentials of this kind read only.
        PolicyReadOnly = "policy_read_only",
        /// Asked for and not decided.
        ApprovalPending = "approval_pending",
        /// Asked for and refused.
        ApprovalRejected = "approval_rejected",
        /// The credential was not given what the call needs.
        InsufficientScope = "insufficient_scope",
        /// The credential was given it, and its owner does not have it.
        OwnerLacksPermission = "owner_lacks_permission",
        /// Too many calls.
        RateLimited = "rate_limited",
        /// Allowed.
        Granted = "granted",
    }
}
