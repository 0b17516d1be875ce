//! What a dry run tells.

use crate::ops::policies::contexts::view::ContextPolicyView;
use crate::ops::policies::view::PolicyView;
use serde::Serialize;
use utoipa::ToSchema;

/// What a policy would have done to the calls of a span of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PolicyDryRun)]
pub struct DryRunView {
    /// The policy as it is.
    pub policy: PolicyView,
    /// The policy as it would be.
    pub proposed: PolicyView,
    /// What would become of the calls. What contexts say beyond the organization is accounted for.
    #[serde(flatten)]
    pub foreseen: ForeseenView,
}

/// What a context's policy would have done to the calls of a span of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextPolicyDryRun)]
pub struct ContextDryRunView {
    /// What the context says, and what counts there, as it is.
    pub policy: ContextPolicyView,
    /// The same, as it would be.
    pub proposed: ContextPolicyView,
    /// What would become of the calls.
    #[serde(flatten)]
    pub foreseen: ForeseenView,
}

/// What would become of the calls of a span of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PolicyForeseen)]
pub struct ForeseenView {
    /// Where the span begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// The moment by whose facts everything was judged: credentials, grants, roles and places as they are now.
    pub judged_at: String,
    /// How many calls were recorded in the span, of credentials that the policy governs.
    pub calls: u64,
    /// How many of them would be allowed now, and denied under the proposed policy.
    pub denied_newly: u64,
    /// How many would be denied now, and allowed under it.
    pub allowed_newly: u64,
    /// How many could not be judged: their credential, API or place is no longer there.
    pub not_judged: u64,
    /// Whether there were more different calls than were looked at, the most frequent first: take a shorter span.
    pub partial: bool,
    /// How many credentials would lose at least one call.
    pub credentials: usize,
    /// How many owners they have: people, service accounts, applications, organizations.
    pub principals: usize,
    /// Calls that would be denied, the most frequent first.
    pub examples: Vec<ExampleView>,
}

/// Calls that would be denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyDryRunExample)]
pub struct ExampleView {
    /// The id of the credential.
    pub credential: String,
    /// What it is called.
    pub name: String,
    /// The id of its owner.
    pub principal: String,
    /// The API.
    pub api: String,
    /// The method, of calls of an endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The endpoint, as the catalogue writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// One of the paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The permission that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// Why they would be denied.
    pub reason: String,
    /// How many such calls there were.
    pub calls: u64,
    /// When the last of them was made.
    pub last: String,
}
