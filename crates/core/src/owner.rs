//! Whose a credential is. The text of an id says which sort of owner it is, so that one column and one word are enough.

use crate::credential::CredentialKind;
use crate::ids::{ApplicationId, IdError, IdText, OrgId, ServiceAccountId, UserId};
use std::fmt;
use std::str::FromStr;

/// The owner of a credential: who acts when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A person.
    User(UserId),
    /// An organization.
    Organization(OrgId),
    /// A service account of an organization.
    ServiceAccount(ServiceAccountId),
    /// An application.
    Application(ApplicationId),
}

impl Owner {
    /// What sort of principal it is: `user`, `organization`, `service_account` or `application`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Organization(_) => "organization",
            Self::ServiceAccount(_) => "service_account",
            Self::Application(_) => "application",
        }
    }

    /// The id as text, without memory of its own.
    pub fn text(self) -> IdText {
        match self {
            Self::User(id) => id.text(),
            Self::Organization(id) => id.text(),
            Self::ServiceAccount(id) => id.text(),
            Self::Application(id) => id.text(),
        }
    }

    /// The number behind the id.
    pub const fn as_u128(self) -> u128 {
        match self {
            Self::User(id) => id.as_u128(),
            Self::Organization(id) => id.as_u128(),
            Self::ServiceAccount(id) => id.as_u128(),
            Self::Application(id) => id.as_u128(),
        }
    }

    /// The owner with this number of a credential of this kind: the kind says which sort of owner it has.
    pub const fn of_kind(kind: CredentialKind, number: u128) -> Self {
        match kind {
            CredentialKind::PersonalToken | CredentialKind::Session | CredentialKind::LegacyToken => {
                Self::User(UserId::from_u128(number))
            }
            CredentialKind::OrganizationKey => Self::Organization(OrgId::from_u128(number)),
            CredentialKind::AccessKey => Self::ServiceAccount(ServiceAccountId::from_u128(number)),
            CredentialKind::Application | CredentialKind::ApplicationToken => {
                Self::Application(ApplicationId::from_u128(number))
            }
        }
    }

    /// The person, where it is one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Organization(_) | Self::ServiceAccount(_) | Self::Application(_) => None,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl FromStr for Owner {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('_').map(|(prefix, _)| prefix) {
            Some(OrgId::PREFIX) => text.parse().map(Self::Organization),
            Some(ServiceAccountId::PREFIX) => text.parse().map(Self::ServiceAccount),
            Some(ApplicationId::PREFIX) => text.parse().map(Self::Application),
            _ => text.parse().map(Self::User),
        }
    }
}

impl serde::Serialize for Owner {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_owner_reads_back(number: u128) {
            for kind in CredentialKind::ALL {
                let owner = Owner::of_kind(*kind, number);
                prop_assert_eq!(owner.to_string().parse(), Ok(owner));
                prop_assert_eq!(owner.as_u128(), number);
            }
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Owner>();
        }
    }
}
