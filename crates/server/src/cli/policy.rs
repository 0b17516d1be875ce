//! `tegata policy`: what an organization allows for each kind of credential.

mod context;

use super::call::Call;
use super::desk::{Desk, InOrg, Verb};
use super::error::CliError;
use super::exit::Exit;
use super::moment::{Moment, moment};
use super::render::Column;
use crate::app::Clock;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tegata_core::operations;
use tegata_core::policy::{Admission, LeaverAction, LevelLimit};

const COLUMNS: &[Column] = &[
    ("KIND", "/kind"),
    ("ADMISSION", "/admission"),
    ("LEVEL", "/level"),
    ("MAX LIFETIME DAYS", "/max_lifetime_days"),
    ("FOUR EYES", "/four_eyes"),
];

/// What is done with policies.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// List what the organization allows for each kind of credential, or what a context says of them and what counts there
    List {
        #[command(flatten)]
        place: In,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::CONTEXT_POLICY_SHOW.summary)]
    Show(context::Which),
    /// Change what the organization allows for a kind of credential, or tighten it in a context; what is not named stays as it is
    Set(Box<Set>),
    #[command(about = operations::CONTEXT_POLICY_DELETE.summary)]
    Clear(context::Which),
    /// Show which recorded calls a change of policy would deny, and change nothing
    DryRun(DryRun),
}

/// In which context, if in one.
#[derive(Debug, Args)]
pub struct In {
    /// Of this context (an id, or a place as in scopes, such as `project:key:BLUE`) in place of the organization
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
}

/// From where credentials may be shown.
#[derive(Debug, Args)]
pub struct Addresses {
    /// Address or range (CIDR) from which credentials of the kind may be shown; may be said several times
    #[arg(long, value_name = "RANGE")]
    address: Vec<String>,
    /// From anywhere; in a context: from wherever is allowed above
    #[arg(long, conflicts_with = "address")]
    any_address: bool,
}

/// What may be asked for at all.
#[derive(Debug, Args)]
pub struct Askable {
    /// A scope that may be asked for, of the API that --api names; may be said several times
    #[arg(long = "askable", value_name = "SCOPE", requires = "api")]
    scopes: Vec<String>,
    /// The API's key or id
    #[arg(long, value_name = "API", requires = "scopes")]
    api: Option<String>,
    /// Everything may be asked for; in a context: whatever may be above
    #[arg(long, conflicts_with = "scopes")]
    any_permission: bool,
}

impl Askable {
    /// The list to be sent, in the place of what is said of the same API now; none where nothing is said.
    fn list(&self, now: &Value) -> Option<Value> {
        if self.any_permission {
            return Some(json!([]));
        }
        let api = self.api.as_ref()?;
        let others = now.as_array().into_iter().flatten();
        let others = others.filter(|part| part.get("api").and_then(Value::as_str) != Some(api)).cloned();
        Some(others.chain([json!({"api": api, "scopes": self.scopes})]).collect())
    }
}

impl Addresses {
    /// The list to be sent; none where nothing is said.
    fn list(&self) -> Option<Vec<String>> {
        (self.any_address || !self.address.is_empty()).then(|| self.address.clone())
    }
}

/// A policy that is thought of; what is not named stays as it is.
#[derive(Debug, Args)]
pub struct DryRun {
    /// The kind of credential, such as `personal_token`
    kind: String,
    /// Whether credentials of the kind come into use
    #[arg(long, value_parser = words(Admission::ALL.iter().map(|word| word.as_str())))]
    admission: Option<String>,
    /// How far they may reach
    #[arg(long, value_parser = words(LevelLimit::ALL.iter().map(|word| word.as_str())))]
    level: Option<String>,
    /// `organization_key` only: whether those that are unscoped count
    #[arg(long, value_name = "BOOL", conflicts_with = "context")]
    unscoped: Option<bool>,
    #[command(flatten)]
    addresses: Addresses,
    /// Calls from then on: a span back from now (7d), a date or a moment; a day, if not said
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: Option<Moment>,
    /// Calls before then; now, if not said
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    to: Option<Moment>,
    #[command(flatten)]
    place: In,
    #[command(flatten)]
    org: InOrg,
}

/// A policy to be.
#[derive(Debug, Args)]
pub struct Set {
    /// The kind of credential, such as `personal_token`
    kind: String,
    /// Whether credentials of the kind come into use
    #[arg(long, value_parser = words(Admission::ALL.iter().map(|word| word.as_str())))]
    admission: Option<String>,
    /// How far they may reach
    #[arg(long, value_parser = words(LevelLimit::ALL.iter().map(|word| word.as_str())))]
    level: Option<String>,
    /// Longest life, in days: 1 to 365
    #[arg(long, value_name = "DAYS")]
    max_lifetime_days: Option<u64>,
    /// `organization_key` only: whether keys may be unscoped, and those that are count
    #[arg(long, value_name = "BOOL", conflicts_with = "context")]
    unscoped: Option<bool>,
    /// `legacy_token` and `access_key` only: whether they may be made without an end
    #[arg(long, value_name = "BOOL", conflicts_with = "context")]
    without_end: Option<bool>,
    /// Whether nobody decides a request of their own
    #[arg(long, value_name = "BOOL")]
    four_eyes: Option<bool>,
    /// How many days a request waits for a decision: 1 to 365
    #[arg(long, value_name = "DAYS")]
    request_lifetime_days: Option<u64>,
    /// `organization_key` only: what becomes of keys that a leaver made
    #[arg(long, value_parser = words(LeaverAction::ALL.iter().map(|word| word.as_str())), conflicts_with = "context")]
    leaver: Option<String>,
    /// `access_key` only: how many days a service account whose owner left waits for a successor: 1 to 365
    #[arg(long, value_name = "DAYS", conflicts_with = "context")]
    succession_days: Option<u64>,
    #[command(flatten)]
    addresses: Addresses,
    #[command(flatten)]
    askable: Askable,
    /// After how many days without a use they are revoked, for good: 1 to 365; 0 for never
    #[arg(long, value_name = "DAYS", conflicts_with = "context")]
    unused_days: Option<u64>,
    /// Why; other people read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    place: In,
    #[command(flatten)]
    org: InOrg,
}

fn words(words: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(words.collect::<Vec<_>>())
}

impl Verb for Policy {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { place, org } => {
                let org = desk.org(&org).await?;
                match place.context {
                    Some(context) => context::list(desk, org, context).await,
                    None => desk.list_whole(Call::to(operations::POLICY_LIST).at("org", org), COLUMNS).await,
                }
            }
            Self::Show(which) => which.show(desk).await,
            Self::Clear(which) => which.clear(desk).await,
            Self::Set(set) => set.run(desk).await,
            Self::DryRun(thought) => thought.run(desk).await,
        }
    }
}

impl DryRun {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let now = Clock::System.now();
        let moment = |when: Option<Moment>| when.map(|when| when.ago(now).to_string());
        let call = match self.place.context {
            Some(context) => Call::to(operations::CONTEXT_POLICY_DRY_RUN).at("context", context),
            None => Call::to(operations::POLICY_DRY_RUN),
        };
        let call = call
            .at("org", desk.org(&self.org).await?)
            .at("kind", self.kind)
            .with("admission", self.admission)
            .with("level", self.level)
            .with("unscoped", self.unscoped)
            .with("addresses", self.addresses.list())
            .with("from", moment(self.from))
            .with("to", moment(self.to));
        desk.show(call).await
    }
}

impl Set {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let org = desk.org(&self.org).await?;
        if self.place.context.is_some() {
            return context::set(desk, org, self).await;
        }
        let listed = desk.client.call(&Call::to(operations::POLICY_LIST).at("org", &org)).await?;
        let items = listed.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let now = items.iter().find(|policy| policy.get("kind").and_then(Value::as_str) == Some(&self.kind));
        let Some(now) = now else {
            let kinds: Vec<&str> = items.iter().filter_map(|policy| policy.get("kind")?.as_str()).collect();
            return Err(CliError::new(Exit::NotFound, "not_found", "there is no such kind of credential")
                .hint(format!("write one of {}", kinds.join(", "))));
        };
        let kept = |name: &str| now.get(name).cloned().unwrap_or_default();
        let permissions = self.askable.list(&kept("permissions"));
        let call = Call::to(operations::POLICY_SET)
            .at("org", org)
            .at("kind", self.kind)
            .with("admission", self.admission.map_or_else(|| kept("admission"), Value::from))
            .with("level", self.level.map_or_else(|| kept("level"), Value::from))
            .with("max_lifetime_days", self.max_lifetime_days.map_or_else(|| kept("max_lifetime_days"), Value::from))
            .with("unscoped", self.unscoped.map_or_else(|| kept("unscoped"), Value::from))
            .with("without_end", self.without_end.map_or_else(|| kept("without_end"), Value::from))
            .with("four_eyes", self.four_eyes)
            .with("request_lifetime_days", self.request_lifetime_days)
            .with("leaver", self.leaver)
            .with("succession_days", self.succession_days)
            .with("addresses", self.addresses.list())
            .with("permissions", permissions)
            .with("unused_days", self.unused_days)
            .with("reason", self.reason);
        desk.show(call).await
    }
}
