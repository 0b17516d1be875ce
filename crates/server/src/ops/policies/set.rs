//! Change what an organization allows for a kind of credential. It holds for every check from now on, also of
//! credentials that exist; nothing is revoked, so that the reversal brings everything back.

use super::view::PolicyView;
use super::{askable, fields};
use crate::db::access_policies::Part;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::access_policies::parts::{self, PartBody};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::credential::CredentialKind;
use tegata_core::operations::{self, Operation};
use tegata_core::policy::{
    Admission, KindPolicy, LIFETIME_MAX, LeaverAction, LevelLimit, REQUEST_LIFETIME_MAX, SUCCESSION_MAX, UNUSED_MAX,
};
use tegata_core::problem::Problem;
use tegata_core::time::days;
use utoipa::ToSchema;

/// The policy, and why.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicySet)]
pub struct Body {
    /// Whether credentials of the kind come into use: `allow`, `approval` or `deny`.
    #[schema(value_type = String, example = "approval")]
    pub admission: Admission,
    /// How far they may reach: `all` or `read_only`.
    #[schema(value_type = String, example = "all")]
    pub level: LevelLimit,
    /// Longest life, in days: 1 to 365.
    #[schema(minimum = 1, maximum = 365)]
    pub max_lifetime_days: u64,
    /// `organization_key` only: whether keys may be unscoped, and those that are count; left out: as it is.
    #[serde(default)]
    pub unscoped: Option<bool>,
    /// `legacy_token`, `access_key` and `application_token` only: whether they may be made without an end; left out: as it is.
    #[serde(default)]
    pub without_end: Option<bool>,
    /// Whether nobody decides a request of their own; left out: as it is.
    #[serde(default)]
    pub four_eyes: Option<bool>,
    /// How many days a request waits for a decision before it expires, 1 to 365; left out: as it is.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub request_lifetime_days: Option<u64>,
    /// `organization_key` only: what becomes of keys that a leaver made, `keep` or `revoke`; left out: as it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "keep")]
    pub leaver: Option<LeaverAction>,
    /// `access_key` only: how many days a service account whose owner left waits for a successor before its keys stop, 1 to 365;
    /// left out: as it is.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub succession_days: Option<u64>,
    /// Addresses and ranges (CIDR) from which credentials of the kind may be shown in this organization, at most 50; an empty
    /// list for anywhere; left out: as it is.
    #[serde(default)]
    pub addresses: Option<Vec<String>>,
    /// The permissions that may be asked for at all, at most 1,000 scopes; an empty list for everything; left out: as it is. What
    /// was granted before goes on.
    #[serde(default)]
    pub permissions: Option<Vec<PartBody>>,
    /// After how many days without a use in this organization they are revoked, for good: 1 to 365, or 0 for never; left out: as it
    /// is. It counts from this change at the earliest.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 365)]
    pub unused_days: Option<u64>,
    /// Why it is changed.
    pub reason: String,
}

/// Change a policy.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// The organization.
    pub org: String,
    /// The kind of credential.
    pub kind: String,
    /// The policy.
    pub body: Body,
}

impl Mutation for SetPolicy {
    const OPERATION: &'static Operation = operations::POLICY_SET;
    type Output = PolicyView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(PolicyView, Changes), Problem> {
        let body = &self.body;
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let kind = fields::kind(&self.kind)?;
        let max_lifetime = fields::days_up_to("max_lifetime_days", body.max_lifetime_days, LIFETIME_MAX)?;
        let reason = fields::reason(&body.reason)?;
        fits(kind, body)?;
        let addresses = body.addresses.as_deref().map(fields::ranges).transpose()?;
        let before = db::policies::get(act.tx(), org, kind).await.map_err(internal)?;
        let request_lifetime = body
            .request_lifetime_days
            .map(|count| fields::days_up_to("request_lifetime_days", count, REQUEST_LIFETIME_MAX))
            .transpose()?;
        let unused = match body.unused_days {
            None => before.unused,
            Some(0) => None,
            Some(count) => Some(fields::days_up_to("unused_days", count, UNUSED_MAX)?),
        };
        let policy = KindPolicy {
            admission: body.admission,
            level: body.level,
            max_lifetime,
            unscoped: body.unscoped.unwrap_or(before.unscoped),
            without_end: body.without_end.unwrap_or(before.without_end),
            four_eyes: body.four_eyes.unwrap_or(before.four_eyes),
            request_lifetime: request_lifetime.unwrap_or(before.request_lifetime),
            leaver: body.leaver.unwrap_or(before.leaver),
            succession: body.succession_days.map_or(before.succession, days),
            addresses: addresses.unwrap_or_else(|| before.addresses.clone()),
            unused,
        };
        let app = act.app;
        let permissions: Option<Vec<Part>> = match &body.permissions {
            Some(bodies) => Some(parts::read(act, org, "permissions", bodies).await?),
            None => None,
        };
        askable::check_kind(kind, permissions.as_deref().unwrap_or_default())?;
        let asked_before = askable::view(app, act.tx(), org, kind, None).await.map_err(internal)?;
        db::policies::set(&mut act.tx, org, kind, &policy, act.now).await.map_err(internal)?;
        if let Some(permissions) = permissions {
            db::policies::set_askable(&mut act.tx, org, (None, kind), &permissions).await.map_err(internal)?;
        }
        let asked = askable::view(app, act.tx(), org, kind, None).await.map_err(internal)?;
        let view = PolicyView::of(kind, &policy, asked);
        let change = Change::new(org, org)
            .before(json!(PolicyView::of(kind, &before, asked_before)))
            .after(json!(view))
            .because(Some(reason))
            .feed(Topic::Org, Some(org), org);
        Ok((view, change.into()))
    }
}

/// Whether a policy can be one for this kind.
fn fits(kind: CredentialKind, body: &Body) -> Result<(), Problem> {
    fields::check_admission(kind, Some(body.admission))?;
    if body.unscoped == Some(true) && kind != CredentialKind::OrganizationKey {
        return Err(Problem::field("unscoped", "only organization keys can be unscoped"));
    }
    let endless =
        matches!(kind, CredentialKind::LegacyToken | CredentialKind::AccessKey | CredentialKind::ApplicationToken);
    if body.without_end == Some(true) && !endless {
        return Err(Problem::field("without_end", "credentials of this kind always have an end"));
    }
    if body.leaver == Some(LeaverAction::Revoke) && kind != CredentialKind::OrganizationKey {
        return Err(Problem::field(
            "leaver",
            "only organization keys can be revoked with a leaver; people's own always are",
        ));
    }
    // What a page shows of another kind may be sent back as it is.
    let day = days(1).as_secs();
    let fresh = KindPolicy::fresh(kind).succession.as_secs() / day;
    let Some(count) = body.succession_days.filter(|count| *count != fresh) else { return Ok(()) };
    let most = SUCCESSION_MAX.as_secs() / day;
    if kind != CredentialKind::AccessKey {
        return Err(Problem::field("succession_days", "only service accounts, and so access keys, have successors"));
    }
    if !(1..=most).contains(&count) {
        return Err(Problem::field("succession_days", format!("write 1 to {most} days")));
    }
    Ok(())
}
