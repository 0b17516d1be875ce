//! Kinds and states of credentials (DESIGN §3).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in storage, documents and records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord) }
            }
        }
    };
}
pub(crate) use words;

/// A word that is none of the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

words! {
    /// What a credential is.
    CredentialKind {
        /// A person's token with chosen scopes, in one or several organizations.
        PersonalToken = "personal_token",
        /// A sign-in session: the person themself, at Tegata's own doors only.
        Session = "session",
        /// A person's token for everything of some levels that they may do, in the organizations that it was made for.
        LegacyToken = "legacy_token",
        /// A key that an organization owns and that acts for itself.
        OrganizationKey = "organization_key",
        /// A client id and a secret of a service account, with the rights of that account's roles.
        AccessKey = "access_key",
        /// An application in one organization: what it was granted there, shown by what its client secret is traded for.
        Application = "application",
        /// A token that an application keeps: what the application was granted in one organization, or less of it.
        ApplicationToken = "application_token",
    }
}

impl CredentialKind {
    /// The kind whose policy governs this one: an application and its tokens have one. None for sign-in sessions, which
    /// are the person themself.
    pub const fn governed_by(self) -> Option<Self> {
        match self {
            Self::Session => None,
            Self::Application => Some(Self::ApplicationToken),
            other => Some(other),
        }
    }
}

words! {
    /// How a credential says what it covers.
    Coverage {
        /// What its grants list.
        Listed = "listed",
        /// Every permission of the level `read` that its owner has.
        Read = "read",
        /// Every permission of the levels `read` and `write` that its owner has.
        ReadWrite = "read_write",
        /// Whatever the roles of its service account give.
        Roles = "roles",
        /// Everything of the organization's APIs, also what comes later.
        Unscoped = "unscoped",
        /// Whatever its application is granted, also what comes later.
        Application = "application",
    }
}

words! {
    /// The state of a whole credential. `Revoked` is final; expiry is a matter of time and not stored.
    CredentialState {
        /// It may be used.
        Active = "active",
        /// It was stopped for good and stays as a tombstone.
        Revoked = "revoked",
    }
}

words! {
    /// The state of one organization's part of a credential.
    PartState {
        /// It may be used here.
        Active = "active",
        /// It is stopped here and may be started again.
        Blocked = "blocked",
        /// It is stopped here for good.
        Revoked = "revoked",
    }
}

words! {
    /// The state of one grant.
    GrantState {
        /// Asked for and not decided.
        Requested = "requested",
        /// In force.
        Granted = "granted",
        /// Decided against.
        Rejected = "rejected",
        /// Taken back before it was decided.
        Withdrawn = "withdrawn",
        /// Not decided in time.
        Expired = "expired",
        /// It was in force, and was taken away again.
        Ungranted = "ungranted",
    }
}

/// A step that a state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// `revoked` is final.
    #[error("it is revoked, and revoked is final")]
    Revoked,
    /// Blocking what is blocked.
    #[error("it is blocked already")]
    AlreadyBlocked,
    /// Unblocking what is not blocked.
    #[error("it is not blocked")]
    NotBlocked,
    /// Deciding, or taking back, what is not waiting for a decision.
    #[error("it is {0}, and was decided once for all")]
    NotRequested(GrantState),
    /// Taking away what is not in force.
    #[error("it is {0}, and not in force")]
    NotGranted(GrantState),
}

impl GrantState {
    /// Whether a check looks at it: what was taken back, ran out or was taken away is as if it had never been asked for.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Requested | Self::Granted | Self::Rejected)
    }

    /// `requested` → `granted`.
    pub const fn grant(self) -> Result<Self, TransitionError> {
        self.settle(Self::Granted)
    }

    /// `requested` → `rejected`.
    pub const fn reject(self) -> Result<Self, TransitionError> {
        self.settle(Self::Rejected)
    }

    /// `requested` → `withdrawn`.
    pub const fn withdraw(self) -> Result<Self, TransitionError> {
        self.settle(Self::Withdrawn)
    }

    /// `requested` → `expired`.
    pub const fn expire(self) -> Result<Self, TransitionError> {
        self.settle(Self::Expired)
    }

    /// `granted` → `ungranted`.
    pub const fn ungrant(self) -> Result<Self, TransitionError> {
        match self {
            Self::Granted => Ok(Self::Ungranted),
            other => Err(TransitionError::NotGranted(other)),
        }
    }

    const fn settle(self, to: Self) -> Result<Self, TransitionError> {
        match self {
            Self::Requested => Ok(to),
            other => Err(TransitionError::NotRequested(other)),
        }
    }
}

impl PartState {
    /// `active` → `blocked`.
    pub const fn block(self) -> Result<Self, TransitionError> {
        match self {
            Self::Active => Ok(Self::Blocked),
            Self::Blocked => Err(TransitionError::AlreadyBlocked),
            Self::Revoked => Err(TransitionError::Revoked),
        }
    }

    /// `blocked` → `active`.
    pub const fn unblock(self) -> Result<Self, TransitionError> {
        match self {
            Self::Blocked => Ok(Self::Active),
            Self::Active => Err(TransitionError::NotBlocked),
            Self::Revoked => Err(TransitionError::Revoked),
        }
    }

    /// Anything but `revoked` → `revoked`.
    pub const fn revoke(self) -> Result<Self, TransitionError> {
        match self {
            Self::Active | Self::Blocked => Ok(Self::Revoked),
            Self::Revoked => Err(TransitionError::Revoked),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_read_back() {
        for kind in CredentialKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert_eq!("root_token".parse::<CredentialKind>(), Err(UnknownWord));
    }

    proptest! {
        /// Whatever is tried, a line is decided once, and what is in force was granted.
        #[test]
        fn a_line_is_decided_once(steps in proptest::collection::vec(0..5, 0..20)) {
            let (mut state, mut decisions) = (GrantState::Requested, 0);
            for step in steps {
                let next = match step {
                    0 => state.grant(),
                    1 => state.reject(),
                    2 => state.withdraw(),
                    3 => state.expire(),
                    _ => state.ungrant(),
                };
                if let Ok(next) = next {
                    decisions += u32::from(state == GrantState::Requested);
                    prop_assert!(next != GrantState::Ungranted || state == GrantState::Granted);
                    prop_assert!(next != GrantState::Requested);
                    state = next;
                }
            }
            prop_assert_eq!(decisions, u32::from(state != GrantState::Requested));
        }

        #[test]
        fn revoked_is_final(steps in proptest::collection::vec(0..3, 0..20)) {
            let mut state = PartState::Active;
            let mut was_revoked = false;
            for step in steps {
                let next = match step { 0 => state.block(), 1 => state.unblock(), _ => state.revoke() };
                state = next.unwrap_or(state);
                was_revoked |= state == PartState::Revoked;
                prop_assert!(!was_revoked || state == PartState::Revoked);
            }
        }
    }
}
