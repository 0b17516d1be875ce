//! Show what a policy would break, and change nothing: the calls of a span of time are judged again, by today's facts,
//! under the policy as it is and as it would be.

use super::log::{self, Wanted};
use super::replay::replay;
use super::view::DryRunView;
use crate::app::App;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::policies::view::{PolicyView, is_governed};
use crate::ops::records::span::Span;
use crate::ops::{Act, Caller, Query, frame};
use serde::{Deserialize, Serialize};
use tegata_core::credential::CredentialKind;
use tegata_core::ids::OrgId;
use tegata_core::operations::{self, Operation};
use tegata_core::policy::{Admission, KindPolicy, LevelLimit};
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
    /// `organization_key` only: whether those that are unscoped count.
    pub unscoped: Option<bool>,
    /// Calls from this moment on (RFC 3339, UTC); left out: the day before `to`.
    pub from: Option<String>,
    /// Calls before this moment; left out: now.
    pub to: Option<String>,
}

/// Show what a policy would break.
#[derive(Debug, Clone)]
pub struct DryRunPolicy {
    /// The organization.
    pub org: String,
    /// The kind of credential.
    pub kind: String,
    /// The policy that is thought of.
    pub body: Body,
}

/// What is asked, for those who may ask.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    org: OrgId,
}

impl Query for DryRunPolicy {
    const OPERATION: &'static Operation = operations::POLICY_DRY_RUN;
    type Output = serde_json::Value;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Self::Output, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        self.kind()?;
        serde_json::to_value(Asked { org }).map_err(|_| Problem::internal())
    }
}

impl DryRunPolicy {
    fn kind(&self) -> Result<CredentialKind, Problem> {
        let kind = self.kind.parse().ok().filter(|kind| is_governed(*kind));
        let kind = kind.ok_or_else(|| Problem::not_found("kind of credential"))?;
        if self.body.unscoped.is_some() && kind != CredentialKind::OrganizationKey {
            return Err(Problem::field("unscoped", "only organization keys can be unscoped"));
        }
        Ok(kind)
    }

    fn proposed(&self, policy: &KindPolicy) -> KindPolicy {
        KindPolicy {
            admission: self.body.admission.unwrap_or(policy.admission),
            level: self.body.level.unwrap_or(policy.level),
            unscoped: self.body.unscoped.unwrap_or(policy.unscoped),
            ..policy.clone()
        }
    }

    /// Answers, for whoever may ask.
    pub async fn run(self, app: &App, caller: &Caller) -> Result<DryRunView, Problem> {
        let reply = frame::query(app, caller, &self).await?;
        let Asked { org } = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
        let (kind, now) = (self.kind()?, app.clock.now());
        let span = Span::read(self.body.from.as_deref(), self.body.to.as_deref(), now).map_err(as_field)?;
        let kinds = CredentialKind::ALL.iter().copied().filter(|other| other.governed_by() == Some(kind)).collect();
        let wanted = Wanted { kinds, credentials: Vec::new(), addresses: true, span };
        let log::Found { calls, partial, turn } = log::read(app, org, wanted).await?;
        let mut tx = app.db.read().await.map_err(internal)?;
        let policy = db::policies::get(&mut tx, org, kind).await.map_err(internal)?;
        let proposed = self.proposed(&policy);
        let outcome = replay(app, &mut tx, org, &calls, &proposed, now).await.map_err(internal)?;
        drop(turn);
        Ok(DryRunView {
            policy: PolicyView::of(kind, &policy),
            proposed: PolicyView::of(kind, &proposed),
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
        })
    }
}

/// These stand in the body here.
fn as_field(problem: Problem) -> Problem {
    Problem { code: Code::Invalid, ..problem }
}
