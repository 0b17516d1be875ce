//! Typed ids: a prefix that says what is meant and a UUIDv7 (RFC 9562 §5.7) in Crockford's base 32, so that ids sort
//! by the time they were made and a pasted one explains itself in a log.

use crate::base32;
use std::fmt;
use std::str::FromStr;

/// Ten random bytes for one id; the caller supplies them, since this crate makes no randomness.
pub type IdEntropy = [u8; 10];

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_…: a prefix, an underscore and 26 letters and digits")]
pub struct IdError {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

fn uuid_v7(unix_millis: u64, entropy: IdEntropy) -> u128 {
    uuid::Builder::from_unix_timestamp_millis(unix_millis, &entropy).into_uuid().as_u128()
}

/// The text of an id, without memory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdText([u8; IdText::BYTES]);

impl IdText {
    /// Three letters, an underscore and [`base32::LENGTH`] characters.
    const BYTES: usize = 4 + base32::LENGTH;

    fn new(prefix: &'static str, value: u128) -> Self {
        let mut text = [b'_'; Self::BYTES];
        let (front, number) = text.split_at_mut(4);
        for (place, letter) in front.iter_mut().zip(prefix.bytes().take(3)) {
            *place = letter;
        }
        number.copy_from_slice(&base32::encode(value));
        Self(text)
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

macro_rules! define_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(u128);

            impl $name {
                /// What stands before the underscore.
                pub const PREFIX: &'static str = $prefix;

                /// Makes an id from a moment (milliseconds since 1970) and ten random bytes.
                pub fn new(unix_millis: u64, entropy: IdEntropy) -> Self {
                    Self(uuid_v7(unix_millis, entropy))
                }

                /// The id as text, without memory of its own; for answers and records, of which there are many.
                pub fn text(self) -> IdText {
                    const { assert!($prefix.len() == 3) };
                    IdText::new($prefix, self.0)
                }

                /// The number behind the text; for maps keyed by ids.
                pub const fn as_u128(self) -> u128 {
                    self.0
                }

                /// The id with this number, for tests and benchmarks.
                pub const fn from_u128(value: u128) -> Self {
                    Self(value)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.text().as_str())
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            }

            impl FromStr for $name {
                type Err = IdError;

                fn from_str(text: &str) -> Result<Self, IdError> {
                    text.strip_prefix(concat!($prefix, "_"))
                        .and_then(base32::decode)
                        .map(Self)
                        .ok_or(IdError { prefix: $prefix })
                }
            }

            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.text().as_str())
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }
        )+

        /// Every prefix in use, with the name of its type: the one registry of ids.
        pub const PREFIXES: &[(&str, &str)] = &[$(($prefix, stringify!($name))),+];
    };
}

define_ids! {
    /// A person with an account on this installation.
    UserId = "usr";
    /// A tenant, or the publisher.
    OrgId = "org";
    /// A place in an organization's tree.
    ContextId = "ctx";
    /// A protected API with its catalogue.
    ApiId = "api";
    /// A role of one organization.
    RoleId = "rol";
    /// A role given to a principal in a context.
    AssignmentId = "asg";
    /// A group of users in one organization.
    TeamId = "tem";
    /// A person's place in one organization.
    MembershipId = "mbr";
    /// A credential that is shown at the door.
    TokenId = "tok";
    /// One grant of one credential: permissions of one API in one context.
    GrantId = "grt";
    /// Whatever asks for decisions about one or more APIs.
    VerifierId = "ver";
    /// A sign-in session.
    SessionId = "ses";
    /// One change of the truth.
    ActivityId = "act";
    /// A limit on calls.
    LimitId = "lim";
    /// Where access records are sent on to.
    RecordStreamId = "rst";
    /// Where changes are told to.
    WebhookId = "whk";
    /// An event on its way to a webhook.
    DeliveryId = "whd";
    /// A notice to somebody.
    NoticeId = "ntc";
    /// An account that belongs to an organization and that no person signs in with.
    ServiceAccountId = "sva";
    /// A program that organizations let in, with rights of its own.
    ApplicationId = "app";
    /// An import of credentials that were made elsewhere.
    ImportId = "imp";
    /// Permissions that were asked for and wait for a decision.
    RequestId = "req";
    /// A named ceiling of permissions and places.
    AccessPolicyId = "apo";
    /// Something that a leaver answered for, until somebody takes it over.
    SuccessionId = "suc";
    /// An access request as AuthZEN's callers know it.
    AccessTaskId = "tsk";
    /// The approval of an access request.
    ApprovalId = "apv";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_reads_back(millis in 0_u64..1 << 48, entropy: IdEntropy) {
            let id = TokenId::new(millis, entropy);
            prop_assert_eq!(id.to_string().parse::<TokenId>(), Ok(id));
        }

        #[test]
        fn later_ids_sort_later(millis in 0_u64..(1 << 48) - 1, a: IdEntropy, b: IdEntropy) {
            prop_assert!(TokenId::new(millis, a).to_string() < TokenId::new(millis + 1, b).to_string());
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<UserId>();
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let user = UserId::new(1, [7; 10]).to_string();
        assert_eq!(user.parse::<TokenId>(), Err(IdError { prefix: "tok" }));
    }

    #[test]
    fn prefixes_are_unique() {
        let mut prefixes: Vec<_> = PREFIXES.iter().map(|(prefix, _)| prefix).collect();
        prefixes.sort();
        prefixes.dedup();
        assert_eq!(prefixes.len(), PREFIXES.len());
    }
}
