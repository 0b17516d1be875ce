//! Show what a policy would break, and change nothing: the calls of a span of time are judged again, by today's facts,
//! under the policy as it is and as it would be.

use super::log::{self, Wanted};
use super::replay::replay;
use super::view::{ContextDryRunView, DryRunView, ForeseenView};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::policies::contexts::view::ContextPolicyView;
use crate::ops::policies::view::PolicyView;
use crate::ops::policies::{askable, fields};
use crate::ops::records::span::Span;
use crate::ops::{Act, Caller, Query, frame};
use serde::{Deserialize, Serialize};
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::{self, Operation};
use tegata_core::policy::{Admission, KindPolicies, KindPolicy, LevelLimit};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use utoipa::ToSchema;

/// The policy that is thought of, and the span of time; what is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = PolicyDryRunBody)]
pub struct Body {
    /// Whether credentials of the kind come into use: `allow`, `approval` or `deny`.
    #[schema(value_type = Option<String>, example = "deny")]
    pub admission: Option<Admission>,
    /// How far they may reach: `all` or `read_only`.
    #[schema(value_type = Option<String>, example = "read_only")]
    pub level: Option<LevelLimit>,
    /// `organization_key` of the whole organization only: whether those that are unscoped count.
    pub unscoped: Option<bool>,
    /// From where they may be shown: addresses and ranges (CIDR), an empty list for anywhere.
    pub addresses: Option<Vec<String>>,
    /// Calls from this moment on (RFC 3339, UTC); left out: the day before `to`.
    pub from: Option<String>,
    /// Calls before this moment; left out: now.
    pub to: Option<String>,
}

/// Show what a policy of the organization would break.
#[derive(Debug, Clone)]
pub struct DryRunPolicy {
    /// The organization.
    pub org: String,
    /// The kind of credential.
    pub kind: String,
    /// The policy that is thought of.
    pub body: Body,
}

/// Show what a policy of a context would break.
#[derive(Debug, Clone)]
pub struct DryRunContextPolicy {
    /// The context.
    pub context: String,
    /// What is thought of.
    pub thought: DryRunPolicy,
}

/// What is asked, for those who may ask.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    org: String,
    /// The ids of the context and of those above it; none for the whole organization.
    chain: Vec<String>,
}

impl Query for DryRunPolicy {
    const OPERATION: &'static Operation = operations::POLICY_DRY_RUN;
    type Output = serde_json::Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        self.kind()?;
        let asked = Asked { org: org.to_string(), chain: Vec::new() };
        serde_json::to_value(asked).map_err(|_| Problem::internal())
    }
}

impl Query for DryRunContextPolicy {
    const OPERATION: &'static Operation = operations::CONTEXT_POLICY_DRY_RUN;
    type Output = serde_json::Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.thought.org).await?.org.id;
        let context = place::of_path(act, org, &self.context).await?.id;
        self.thought.kind()?;
        if self.thought.body.unscoped.is_some() {
            return Err(Problem::field("unscoped", "the organization alone says whether keys may be unscoped"));
        }
        let chain = place::chain(act, org, Some(context)).await?;
        let asked = Asked { org: org.to_string(), chain: chain.iter().map(ToString::to_string).collect() };
        serde_json::to_value(asked).map_err(|_| Problem::internal())
    }
}

impl DryRunContextPolicy {
    /// Answers, for whoever may ask.
    pub async fn run(self, app: &App, caller: &Caller) -> Result<ContextDryRunView, Problem> {
        let reply = frame::query(app, caller, &self).await?;
        let (org, chain) = read(reply.body)?;
        let (kind, body) = (self.thought.kind()?, &self.thought.body);
        let addresses = body.addresses.as_deref().map(fields::ranges).transpose()?;
        let propose = |policies: &KindPolicies| {
            let mut contexts = policies.contexts().to_vec();
            if let Some(context) = chain.first() {
                let mut own = policies.of(*context).cloned().unwrap_or_default();
                own.admission = body.admission.or(own.admission);
                own.level = body.level.or(own.level);
                own.addresses = addresses.clone().unwrap_or(own.addresses);
                contexts.retain(|(id, _)| id != context);
                contexts.push((*context, own));
            }
            KindPolicies::new(policies.organization.clone(), contexts)
        };
        let (policies, proposed, foreseen) = foresee(app, org, kind, body, propose).await?;
        let mut tx = app.db.read().await.map_err(internal)?;
        let permissions = askable::view(app, &mut tx, org, kind, chain.first().copied()).await.map_err(internal)?;
        Ok(ContextDryRunView {
            policy: ContextPolicyView::of(kind, &policies, &chain, permissions.clone()),
            proposed: ContextPolicyView::of(kind, &proposed, &chain, permissions),
            foreseen,
        })
    }
}

impl DryRunPolicy {
    fn kind(&self) -> Result<CredentialKind, Problem> {
        let kind = fields::kind(&self.kind)?;
        if self.body.unscoped.is_some() && kind != CredentialKind::OrganizationKey {
            return Err(Problem::field("unscoped", "only organization keys can be unscoped"));
        }
        self.body.addresses.as_deref().map(fields::ranges).transpose()?;
        Ok(kind)
    }

    /// Answers, for whoever may ask.
    pub async fn run(self, app: &App, caller: &Caller) -> Result<DryRunView, Problem> {
        let reply = frame::query(app, caller, &self).await?;
        let (org, _) = read(reply.body)?;
        let (kind, body) = (self.kind()?, &self.body);
        let addresses = body.addresses.as_deref().map(fields::ranges).transpose()?;
        let propose = |policies: &KindPolicies| {
            let policy = &policies.organization;
            let proposed = KindPolicy {
                admission: body.admission.unwrap_or(policy.admission),
                level: body.level.unwrap_or(policy.level),
                unscoped: body.unscoped.unwrap_or(policy.unscoped),
                addresses: addresses.clone().unwrap_or_else(|| policy.addresses.clone()),
                ..policy.clone()
            };
            KindPolicies::new(proposed, policies.contexts().to_vec())
        };
        let (policies, proposed, foreseen) = foresee(app, org, kind, body, propose).await?;
        let mut tx = app.db.read().await.map_err(internal)?;
        let permissions = askable::view(app, &mut tx, org, kind, None).await.map_err(internal)?;
        Ok(DryRunView {
            policy: PolicyView::of(kind, &policies.organization, permissions.clone()),
            proposed: PolicyView::of(kind, &proposed.organization, permissions),
            foreseen,
        })
    }
}

fn read(asked: serde_json::Value) -> Result<(OrgId, Vec<ContextId>), Problem> {
    let asked: Asked = serde_json::from_value(asked).map_err(|_| Problem::internal())?;
    let chain: Result<_, _> = asked.chain.iter().map(|context| context.parse::<ContextId>()).collect();
    match (asked.org.parse(), chain) {
        (Ok(org), Ok(chain)) => Ok((org, chain)),
        _ => Err(Problem::internal()),
    }
}

/// Judges the calls of the span under the policies as they are, and as they would be.
async fn foresee(
    app: &App,
    org: OrgId,
    kind: CredentialKind,
    body: &Body,
    propose: impl Fn(&KindPolicies) -> KindPolicies + Send,
) -> Result<(KindPolicies, KindPolicies, ForeseenView), Problem> {
    let now = app.clock.now();
    let span = Span::read(body.from.as_deref(), body.to.as_deref(), now).map_err(as_field)?;
    let kinds = CredentialKind::ALL.iter().copied().filter(|other| other.governed_by() == Some(kind)).collect();
    let wanted = Wanted { kinds, credentials: Vec::new(), addresses: true, span };
    let log::Found { calls, partial, turn } = log::read(app, org, wanted).await?;
    let mut tx = app.db.read().await.map_err(internal)?;
    let policies = db::policies::with_contexts(&mut tx, org, kind).await.map_err(internal)?;
    let proposed = propose(&policies);
    let outcome = replay(app, &mut tx, org, &calls, &proposed, now).await.map_err(internal)?;
    drop(turn);
    let foreseen = ForeseenView {
        from: span.from.to_string(),
        to: span.to.to_string(),
        judged_at: Timestamp::to_string(&now),
        calls: outcome.calls,
        denied_newly: outcome.denied_newly,
        allowed_newly: outcome.allowed_newly,
        not_judged: outcome.not_judged,
        partial,
        credentials: outcome.credentials.len(),
        principals: outcome.principals.len(),
        examples: outcome.examples,
    };
    Ok((policies, proposed, foreseen))
}

/// These stand in the body here.
fn as_field(problem: Problem) -> Problem {
    Problem { code: Code::Invalid, ..problem }
}
