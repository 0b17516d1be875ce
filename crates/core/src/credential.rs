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
