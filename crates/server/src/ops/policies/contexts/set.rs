//! Say, for a context and everything below it, something stricter of a kind of credential than what is above says. It holds
//! for every check from now on, also of credentials that exist; nothing is revoked, so that taking it back brings
//! everything back.

use super::COUNT_MAX;
use super::view::ContextPolicyView;
use crate::db::access_policies::Part;
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::{self, WriteTx};
use crate::ops::access_policies::parts::{self, PartBody};
use crate::ops::act::{Reading, internal};
use crate::ops::contexts::place;
use crate::ops::policies::askable::{self, Askable};
use crate::ops::policies::fields;
use crate::ops::policies::view::in_days;
use crate::ops::tokens::broken::Broken;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::credential::CredentialKind;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::{self, Operation};
use tegata_core::policy::{
    Admission, ContextPolicy, KindPolicies, LIFETIME_MAX, LevelLimit, Looser, REQUEST_LIFETIME_MAX,
};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// What the context shall say, and why. What is left out is as above.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContextPolicySet)]
pub struct Body {
    /// Whether credentials of the kind come into use there: `allow`, `approval` or `deny`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "approval")]
    pub admission: Option<Admission>,
    /// How far they may reach there: `all` or `read_only`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "read_only")]
    pub level: Option<LevelLimit>,
    /// Longest life of what is made for use there, in days: 1 to 365.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub max_lifetime_days: Option<u64>,
    /// Whether nobody decides a request of their own there.
    #[serde(default)]
    pub four_eyes: bool,
    /// How many days requests for something there wait for a decision, 1 to 365.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub request_lifetime_days: Option<u64>,
    /// Addresses and ranges (CIDR) from which credentials of the kind may be shown for something there, at most 50.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The permissions that may be asked for there at all, at most 1,000 scopes: each is one that may be asked for above.
    #[serde(default)]
    pub permissions: Vec<PartBody>,
    /// Why it is changed.
    pub reason: String,
}

/// Tighten a policy in a context.
#[derive(Debug, Clone)]
pub struct SetContextPolicy {
    /// The organization.
    pub org: String,
    /// The context.
    pub context: String,
    /// The kind of credential.
    pub kind: String,
    /// What it shall say.
    pub body: Body,
}

impl Mutation for SetContextPolicy {
    const OPERATION: &'static Operation = operations::CONTEXT_POLICY_SET;
    type Output = ContextPolicyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let org = act.visible_org(&self.org).await?;
        let context = place::of_path(act, org.id, &self.context).await?.id;
        let org = act.require_in(Self::OPERATION, org, Some(context)).await?.org;
        let kind = fields::kind(&self.kind)?;
        let reason = fields::reason(&self.body.reason)?;
        let policy = self.body.read(kind)?;
        let permissions = parts::read(act, org.id, "permissions", &self.body.permissions).await?;
        askable::check_kind(kind, &permissions)?;
        if policy.is_empty() && permissions.is_empty() {
            let message =
                "say at least one thing that is stricter than above; to take all of it back, delete the policy";
            return Err(Problem::field("admission", message));
        }
        let chain = place::chain(act, org.id, Some(context)).await?;
        let policies = db::policies::with_contexts(act.tx(), org.id, kind).await.map_err(internal)?;
        require_within(act, org.id, &policies, &chain, &policy).await?;
        require_askable(act, &org, kind, &chain, &permissions).await?;
        let org = org.id;
        let is_new = policies.of(context).is_none();
        if is_new && db::policies::count_contexts(act.tx(), org).await.map_err(internal)? >= COUNT_MAX {
            let detail = format!("the contexts of an organization have at most {COUNT_MAX} policies of their own");
            return Err(Problem::new(Code::Conflict, detail));
        }
        let before = ContextPolicyView::read(act, org, kind, &chain).await?;
        db::policies::set_context(&mut act.tx, org, (context, kind), &policy, act.now).await.map_err(internal)?;
        db::policies::set_askable(&mut act.tx, org, (Some(context), kind), &permissions).await.map_err(internal)?;
        let view = ContextPolicyView::read(act, org, kind, &chain).await?;
        let change = Change::new(org, context).before(json!(before)).after(json!(view)).because(Some(reason)).feed(
            Topic::Org,
            Some(org),
            org,
        );
        Ok((view, change.into()))
    }
}

impl Body {
    /// What it says, as far as it can be said of a kind.
    fn read(&self, kind: CredentialKind) -> Result<ContextPolicy, Problem> {
        fields::check_admission(kind, self.admission)?;
        let days =
            |field, count: Option<u64>, most| count.map(|count| fields::days_up_to(field, count, most)).transpose();
        let policy = ContextPolicy {
            admission: self.admission,
            level: self.level,
            max_lifetime: days("max_lifetime_days", self.max_lifetime_days, LIFETIME_MAX)?,
            four_eyes: self.four_eyes,
            request_lifetime: days("request_lifetime_days", self.request_lifetime_days, REQUEST_LIFETIME_MAX)?,
            addresses: fields::ranges(&self.addresses)?,
        };
        Ok(policy)
    }
}

/// Refuses what is looser than anything above it, naming the field and what is above.
async fn require_within<T: Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    policies: &KindPolicies,
    chain: &[ContextId],
    policy: &ContextPolicy,
) -> Result<(), Problem> {
    for above in chain.get(1..).unwrap_or_default() {
        if let Some(Err(looser)) = policies.of(*above).map(|above| policy.is_within(above)) {
            let whose = askable::place(act.tx(), org, *above).await.map_err(internal)?;
            return Err(told(looser, &format!("the policy of {whose}")));
        }
    }
    policy.is_within(&policies.organization.as_context()).map_err(|looser| told(looser, "the organization's policy"))
}

/// Refuses what may not be asked for above, naming it and what is above.
async fn require_askable<T: Reading>(
    act: &mut Act<'_, T>,
    org: &Org,
    kind: CredentialKind,
    chain: &[ContextId],
    parts: &[Part],
) -> Result<(), Problem> {
    let app = act.app;
    let above = Askable::read(app, act.tx(), org, kind).await.map_err(internal)?.without(chain.first().copied());
    let mut broken = Broken::default();
    for part in parts {
        let there = match part.context {
            Some(_) => place::chain(act, org.id, part.context).await?,
            None => chain.to_vec(),
        };
        let loaded = app.catalogues.of(act.tx(), &part.api.to_string()).await.map_err(internal)?;
        let Some(api) = loaded else { continue };
        for known in part.permissions.iter().filter_map(|name| api.catalogue.permission(api.catalogue.number(name)?)) {
            broken.take("permissions", above.admits(api.id, known, &there));
        }
    }
    broken.told(Code::Invalid)
}

fn told(looser: Looser, whose: &str) -> Problem {
    let (field, above) = match looser {
        Looser::Admission(above) => ("admission", format!("says `{}`", above.as_str())),
        Looser::Level => ("level", "says `read_only`".to_owned()),
        Looser::MaxLifetime(above) => ("max_lifetime_days", format!("says {} days", in_days(above))),
        Looser::RequestLifetime(above) => ("request_lifetime_days", format!("says {} days", in_days(above))),
        Looser::Addresses(range) => ("addresses", format!("does not have all of {range}")),
    };
    Problem::field(field, format!("a context only tightens, and {whose}, which is above it, {above}"))
}
