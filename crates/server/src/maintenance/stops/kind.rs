//! Which operations stop something, and what a restore does about each.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tegata_core::operations::{self, Operation};

/// What was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A token, everywhere.
    Token,
    /// One organization's part of a token, for good.
    TokenPart,
    /// One organization's part of a token, for now. A later unblocking is not looked at: somebody looks again.
    TokenBlock,
    /// The former secrets of a token or verifier.
    Secret,
    /// The former secret of an access key, and whatever was signed in by it.
    AccessSecret,
    /// A service account, for now. A later activation is not looked at: somebody looks again.
    ServiceAccount,
    /// A verifier.
    Verifier,
    /// A sign-in session.
    Session,
    /// An account.
    User,
    /// A membership, with the organization's part of the person's tokens.
    Member,
    /// An account's former password.
    Password,
    /// A role that somebody had.
    Assignment,
    /// Somebody's place in a team.
    TeamMember,
    /// A team.
    Team,
    /// An organization's use of an API.
    OrgApi,
    /// A line of a request that was granted.
    Grant,
    /// A record stream.
    RecordStream,
    /// A record stream, for now. A later resumption is not looked at: somebody looks again.
    RecordStreamPause,
    /// A webhook.
    Webhook,
    /// A webhook, for now. A later resumption is not looked at: somebody looks again.
    WebhookPause,
    /// A hashing key, with every secret under it.
    HashKey,
    /// A change that may have narrowed what somebody can do and cannot be repeated from this file: it is listed.
    Review,
}

/// The operations after which something that was allowed no longer is.
pub const STOPPING: &[(&Operation, Kind)] = &[
    (operations::TOKEN_REVOKE, Kind::Token),
    (operations::LEAK_REVOKE, Kind::Token),
    (operations::TOKEN_REGENERATE, Kind::Secret),
    (operations::ORG_TOKEN_REVOKE, Kind::TokenPart),
    (operations::ORG_TOKEN_BLOCK, Kind::TokenBlock),
    (operations::ACCESS_KEY_REVOKE, Kind::TokenPart),
    (operations::ACCESS_KEY_BLOCK, Kind::TokenBlock),
    (operations::ACCESS_KEY_REGENERATE, Kind::AccessSecret),
    (operations::SERVICE_ACCOUNT_DEACTIVATE, Kind::ServiceAccount),
    (operations::APPLICATION_BLOCK, Kind::TokenBlock),
    (operations::APPLICATION_UNINSTALL, Kind::TokenPart),
    (operations::APPLICATION_CONTEXT_REMOVE, Kind::Grant),
    (operations::APPLICATION_SECRET_REGENERATE, Kind::Secret),
    (operations::APPLICATION_TOKEN_REVOKE, Kind::TokenPart),
    (operations::ORGANIZATION_KEY_REVOKE, Kind::TokenPart),
    (operations::ORGANIZATION_KEY_BLOCK, Kind::TokenBlock),
    (operations::VERIFIER_REVOKE, Kind::Verifier),
    (operations::VERIFIER_REGENERATE, Kind::Secret),
    (operations::SESSION_END, Kind::Session),
    (operations::USER_DEACTIVATE, Kind::User),
    (operations::MEMBER_DEACTIVATE, Kind::Member),
    (operations::ME_PASSWORD, Kind::Password),
    (operations::ASSIGNMENT_DELETE, Kind::Assignment),
    (operations::TEAM_MEMBER_REMOVE, Kind::TeamMember),
    (operations::TEAM_DELETE, Kind::Team),
    (operations::ORG_API_DISABLE, Kind::OrgApi),
    (operations::RECORD_STREAM_DELETE, Kind::RecordStream),
    (operations::RECORD_STREAM_PAUSE, Kind::RecordStreamPause),
    (operations::RECORD_STREAM_UPDATE, Kind::Review),
    (operations::WEBHOOK_DELETE, Kind::Webhook),
    (operations::WEBHOOK_PAUSE, Kind::WebhookPause),
    (operations::WEBHOOK_UPDATE, Kind::Review),
    (operations::REQUEST_UNGRANT, Kind::Grant),
    (operations::ACCESS_POLICY_UPDATE, Kind::Review),
    (operations::ACCESS_POLICY_DELETE, Kind::Review),
    (operations::POLICY_SET, Kind::Review),
    (operations::CONTEXT_POLICY_SET, Kind::Review),
    (operations::ROLE_UPDATE, Kind::Review),
    (operations::CONTEXT_UPDATE, Kind::Review),
    (operations::API_IMPORT, Kind::Review),
    (operations::INSTALLATION_LIMIT_CREATE, Kind::Review),
    (operations::INSTALLATION_LIMIT_UPDATE, Kind::Review),
    (operations::LIMIT_CREATE, Kind::Review),
    (operations::LIMIT_UPDATE, Kind::Review),
];

/// What an operation stops, if anything.
pub fn kind_of(operation: &str) -> Option<Kind> {
    STOPPING.iter().find(|(stopping, _)| stopping.id == operation).map(|(_, kind)| *kind)
}

impl Kind {
    /// The second id that a stop of this kind needs, as the change tells it.
    pub(super) fn about(self, before: Option<&Value>) -> Option<String> {
        let field = match self {
            Self::TeamMember => "member_removed",
            _ => return None,
        };
        before?.get(field)?.as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stopping_operation_is_forgotten() {
        const ENDINGS: &[&str] =
            &["revoke", "block", "deactivate", "delete", "remove", "disable", "end", "regenerate", "password"];
        // Nobody has a role that may be deleted, and without a limit more is allowed.
        // What an identity provider deletes is recorded as `member.deactivate` and `team.delete`.
        // Without what a context says, more is allowed there.
        const HARMLESS: &[&str] = &[
            "role.delete",
            "limit.delete",
            "installation.limit.delete",
            "scim.user.delete",
            "scim.group.delete",
            "context.policy.delete",
        ];
        for operation in operations::OPERATIONS.iter().filter(|operation| operation.changes) {
            let verb = operation.id.rsplit('.').next().unwrap_or_default();
            if ENDINGS.contains(&verb) && !HARMLESS.contains(&operation.id) {
                assert!(kind_of(operation.id).is_some(), "add {} to STOPPING", operation.id);
            }
        }
    }
}
