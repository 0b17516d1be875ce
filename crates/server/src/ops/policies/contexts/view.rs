//! Policies of contexts as they are shown.

use crate::db;
use crate::ops::Act;
use crate::ops::access_policies::view::PartView;
use crate::ops::act::{Reading, internal};
use crate::ops::policies::askable;
use crate::ops::policies::view::{in_days, texts};
use serde::Serialize;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::policy::{ContextPolicy, KindPolicies};
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// What a context says of a kind of credential, and what counts there.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextPolicy)]
pub struct ContextPolicyView {
    /// The id of the context.
    pub context: String,
    /// The kind of credential.
    pub kind: String,
    /// What the context itself says; what is null or empty is as above.
    pub own: OwnView,
    /// What counts there: the strictest of what the organization, the contexts above and this one say.
    pub effective: EffectiveView,
}

/// What a context itself says.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextPolicyOwn)]
pub struct OwnView {
    /// `allow`, `approval` or `deny`.
    pub admission: Option<String>,
    /// `all` or `read_only`.
    pub level: Option<String>,
    /// Longest life of what is made for use there, in days.
    pub max_lifetime_days: Option<u64>,
    /// Whether nobody decides a request of their own there.
    pub four_eyes: bool,
    /// How many days requests for something there wait.
    pub request_lifetime_days: Option<u64>,
    /// From where credentials of the kind may be shown for something there; empty where nothing is said of it.
    pub addresses: Vec<String>,
    /// The permissions that may be asked for there at all; empty where nothing is said of it. Every list above counts, too.
    pub permissions: Vec<PartView>,
}

/// What counts in a context.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ContextPolicyEffective)]
pub struct EffectiveView {
    /// `allow`, `approval` or `deny`.
    pub admission: String,
    /// `all` or `read_only`.
    pub level: String,
    /// Longest life of what is made for use there, in days.
    pub max_lifetime_days: u64,
    /// Whether nobody decides a request of their own there.
    pub four_eyes: bool,
    /// How many days requests for something there wait.
    pub request_lifetime_days: u64,
    /// From where credentials of the kind may be shown for something there: null for anywhere, an empty list for nowhere.
    pub addresses: Option<Vec<String>>,
}

impl ContextPolicyView {
    /// What the first context of a chain says, and what counts there.
    pub fn of(kind: CredentialKind, policies: &KindPolicies, chain: &[ContextId], permissions: Vec<PartView>) -> Self {
        let own = chain.first().and_then(|context| policies.of(*context)).cloned().unwrap_or_default();
        let counting = policies.counting_in(chain);
        Self {
            context: chain.first().map(ToString::to_string).unwrap_or_default(),
            kind: kind.as_str().to_owned(),
            own: OwnView::of(&own, permissions),
            effective: EffectiveView {
                admission: counting.admission.as_str().to_owned(),
                level: counting.level.as_str().to_owned(),
                max_lifetime_days: in_days(counting.max_lifetime),
                four_eyes: counting.four_eyes,
                request_lifetime_days: in_days(counting.request_lifetime),
                addresses: policies.addresses_in(chain).as_deref().map(texts),
            },
        }
    }

    /// The same, as it is stored.
    pub async fn read<T: Reading>(
        act: &mut Act<'_, T>,
        org: OrgId,
        kind: CredentialKind,
        chain: &[ContextId],
    ) -> Result<Self, Problem> {
        let policies = db::policies::with_contexts(act.tx(), org, kind).await.map_err(internal)?;
        let app = act.app;
        let permissions = askable::view(app, act.tx(), org, kind, chain.first().copied()).await.map_err(internal)?;
        Ok(Self::of(kind, &policies, chain, permissions))
    }
}

impl OwnView {
    fn of(own: &ContextPolicy, permissions: Vec<PartView>) -> Self {
        Self {
            admission: own.admission.map(|admission| admission.as_str().to_owned()),
            level: own.level.map(|level| level.as_str().to_owned()),
            max_lifetime_days: own.max_lifetime.map(in_days),
            four_eyes: own.four_eyes,
            request_lifetime_days: own.request_lifetime.map(in_days),
            addresses: texts(&own.addresses),
            permissions,
        }
    }
}
