//! `tegata policy`: what an organization allows for each kind of credential.

use super::call::Call;
use super::desk::{Desk, InOrg, Verb};
use super::error::CliError;
use super::exit::Exit;
use super::moment::{Moment, moment};
use super::render::Column;
use crate::app::Clock;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::Value;
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
    #[command(about = operations::POLICY_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
    },
    /// Change what the organization allows for a kind of credential; what is not named stays as it is
    Set(Set),
    #[command(about = operations::POLICY_DRY_RUN.summary)]
    DryRun(DryRun),
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
    #[arg(long, value_name = "BOOL")]
    unscoped: Option<bool>,
    /// Calls from then on: a span back from now (7d), a date or a moment; a day, if not said
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: Option<Moment>,
    /// Calls before then; now, if not said
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    to: Option<Moment>,
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
    #[arg(long, value_name = "BOOL")]
    unscoped: Option<bool>,
    /// `legacy_token` and `access_key` only: whether they may be made without an end
    #[arg(long, value_name = "BOOL")]
    without_end: Option<bool>,
    /// Whether nobody decides a request of their own
    #[arg(long, value_name = "BOOL")]
    four_eyes: Option<bool>,
    /// How many days a request waits for a decision: 1 to 365
    #[arg(long, value_name = "DAYS")]
    request_lifetime_days: Option<u64>,
    /// `organization_key` only: what becomes of keys that a leaver made
    #[arg(long, value_parser = words(LeaverAction::ALL.iter().map(|word| word.as_str())))]
    leaver: Option<String>,
    /// `access_key` only: how many days a service account whose owner left waits for a successor: 1 to 365
    #[arg(long, value_name = "DAYS")]
    succession_days: Option<u64>,
    /// Why; other people read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    org: InOrg,
}

fn words(words: impl Iterator<Item = &'static str>) -> PossibleValuesParser {
    PossibleValuesParser::new(words.collect::<Vec<_>>())
}

impl Verb for Policy {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { org } => {
                let call = Call::to(operations::POLICY_LIST).at("org", desk.org(&org).await?);
                desk.list_whole(call, COLUMNS).await
            }
            Self::Set(set) => set.run(desk).await,
            Self::DryRun(thought) => thought.run(desk).await,
        }
    }
}

impl DryRun {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let now = Clock::System.now();
        let moment = |when: Option<Moment>| when.map(|when| when.ago(now).to_string());
        let call = Call::to(operations::POLICY_DRY_RUN)
            .at("org", desk.org(&self.org).await?)
            .at("kind", self.kind)
            .with("admission", self.admission)
            .with("level", self.level)
            .with("unscoped", self.unscoped)
            .with("from", moment(self.from))
            .with("to", moment(self.to));
        desk.show(call).await
    }
}

impl Set {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let org = desk.org(&self.org).await?;
        let listed = desk.client.call(&Call::to(operations::POLICY_LIST).at("org", &org)).await?;
        let items = listed.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let now = items.iter().find(|policy| policy.get("kind").and_then(Value::as_str) == Some(&self.kind));
        let Some(now) = now else {
            let kinds: Vec<&str> = items.iter().filter_map(|policy| policy.get("kind")?.as_str()).collect();
            return Err(CliError::new(Exit::NotFound, "not_found", "there is no such kind of credential")
                .hint(format!("write one of {}", kinds.join(", "))));
        };
        let kept = |name: &str| now.get(name).cloned().unwrap_or_default();
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
            .with("reason", self.reason);
        desk.show(call).await
    }
}
