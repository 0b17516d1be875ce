//! The kinds of notices, and what the texts of each need.

use serde_json::Value;
use std::fmt;
use std::str::FromStr;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, [$($field:literal),*];)+) => {
        /// What a notice is about. Each kind names the fields of `data` that its texts show; those that are absent, null, empty or
        /// zero are passed over with their line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum NoticeKind {
            $(
                $(#[$doc])*
                #[doc = concat!("Fields:", $(" `", $field, "`",)* ".")]
                $name,
            )+
        }

        impl NoticeKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word for it, as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// The fields that its texts may show.
            pub const fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$($field),*],)+
                }
            }
        }
    };
}

kinds! {
    /// Somebody asks for permissions; to whoever decides. `lines` counts them.
    RequestFiled = "request_filed", ["request", "organization", "credential", "requester", "reason", "lines"];
    /// It was decided; to whoever asked. `granted`, `rejected` and `narrowed` count lines.
    RequestDecided = "request_decided", ["request", "organization", "credential", "granted", "rejected", "narrowed", "decider", "comment"];
    /// It is no longer asked for; to whoever would decide.
    RequestWithdrawn = "request_withdrawn", ["request", "organization", "credential", "requester"];
    /// Nobody decided in time; to whoever asked.
    RequestExpired = "request_expired", ["request", "organization", "credential"];
    /// Lines of it that were granted were taken away; to whoever asked. `lines` counts them.
    RequestUngranted = "request_ungranted", ["request", "organization", "credential", "lines", "by", "reason"];
    /// A credential ends within so many `days`; to its owner, and to whoever answers for one of an organization.
    CredentialExpiring = "credential_expiring", ["credential", "organization", "owner", "days", "expires_at"];
    /// An organization stopped its part of a credential; to its owner. `action` is `blocked` or `revoked`.
    CredentialStopped = "credential_stopped", ["credential", "organization", "action", "by", "reason"];
    /// Rights that it did not use were taken away; to its owner. `rights` counts them.
    CredentialNarrowed = "credential_narrowed", ["credential", "organization", "rights", "by", "reason"];
    /// Its secret leaked, and it was stopped; to its owner, and to administrators where an organization owns it. `found_by` names a
    /// scanner, and `stopped` is `secret` where the credential goes on without it.
    CredentialLeaked = "credential_leaked", ["credential", "organization", "found_by", "url"];
    /// A membership was deactivated; to whoever was the member.
    MembershipDeactivated = "membership_deactivated", ["organization", "by"];
    /// A leaver answered for something; to whoever administers, who name a successor. `days` are left until its credentials stop.
    SuccessionOpened = "succession_opened", ["organization", "leaver", "subject", "days", "due_at"];
    /// Nobody has taken it over yet, and so many `days` are left; to whoever administers.
    SuccessionDue = "succession_due", ["organization", "leaver", "subject", "days", "due_at"];
    /// It was handed over; to the successor.
    SuccessionHandedOver = "succession_handed_over", ["organization", "leaver", "subject", "by"];
    /// Nobody took it over in time, and its credentials were stopped; to whoever administers.
    SuccessionLapsed = "succession_lapsed", ["organization", "leaver", "subject"];
    /// A webhook was disabled; to administrators. `reason` is `receiver_gone` or `failing_for_long`.
    WebhookDisabled = "webhook_disabled", ["organization", "webhook", "reason"];
}

impl NoticeKind {
    /// Under which key its texts are, which may depend on what it says.
    pub fn text_key(self, data: &Value) -> String {
        let word = |field: &str| data.get(field).and_then(Value::as_str).unwrap_or_default();
        let count = |field: &str| data.get(field).and_then(Value::as_u64).unwrap_or(0);
        let variant = match self {
            Self::CredentialStopped if word("action") == "revoked" => "revoked",
            Self::CredentialStopped => "blocked",
            Self::CredentialLeaked if word("stopped") == "secret" => "secret",
            Self::CredentialLeaked => "revoked",
            Self::WebhookDisabled if word("reason") == "receiver_gone" => "receiver_gone",
            Self::WebhookDisabled => "failing_for_long",
            Self::RequestDecided => match (count("granted"), count("rejected")) {
                (0, _) => "rejected",
                (_, 0) => "granted",
                _ => "partly",
            },
            _ => return self.as_str().to_owned(),
        };
        format!("{}_{variant}", self.as_str())
    }

    /// The field whose number chooses between one and many.
    pub const fn counted(self) -> Option<&'static str> {
        match self {
            Self::RequestFiled | Self::RequestUngranted => Some("lines"),
            Self::CredentialExpiring | Self::SuccessionOpened | Self::SuccessionDue => Some("days"),
            _ => None,
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No kind has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no kind of notice has this name")]
pub struct UnknownKind;

impl FromStr for NoticeKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.iter().find(|kind| kind.as_str() == text).copied().ok_or(UnknownKind)
    }
}
