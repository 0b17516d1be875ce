//! `tegata access-policy`: ceilings that approvers lay on what they grant.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] =
    &[("NAME", "/name"), ("POSITION", "/position"), ("GRANTS", "/grants"), ("VERSION", "/version"), ("ID", "/id")];

/// What is done with access policies.
#[derive(Debug, Subcommand)]
pub enum AccessPolicy {
    #[command(about = operations::ACCESS_POLICY_CREATE.summary)]
    Create {
        /// What approvers choose it by
        #[arg(long)]
        name: String,
        /// Where it stands when they choose: small numbers first
        #[arg(long, value_name = "N", default_value_t = 0)]
        position: i64,
        #[command(flatten)]
        admits: Admits,
        #[command(flatten)]
        because: Because,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ACCESS_POLICY_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ACCESS_POLICY_SHOW.summary)]
    Show(Which),
    #[command(about = operations::ACCESS_POLICY_UPDATE.summary)]
    Update {
        #[command(flatten)]
        which: Which,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// Where it stands from now on
        #[arg(long, value_name = "N")]
        position: Option<i64>,
        #[command(flatten)]
        admits: Admits,
        /// The version that is changed; refused where somebody else changed it meanwhile
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::ACCESS_POLICY_DELETE.summary)]
    Delete(Which),
}

/// What it admits.
#[derive(Debug, Args)]
pub struct Admits {
    /// A scope that it admits, of the API that --api names; may be repeated
    #[arg(long, value_name = "SCOPE", requires = "api")]
    scope: Vec<String>,
    /// The API's key or id
    #[arg(long, value_name = "API")]
    api: Option<String>,
}

/// An access policy.
#[derive(Debug, Args)]
pub struct Which {
    /// Name or id
    access_policy: String,
    #[command(flatten)]
    org: InOrg,
}

impl Admits {
    fn list(self) -> Option<Value> {
        let Self { scope, api } = self;
        api.map(|api| json!([{"api": api, "scopes": scope}]))
    }
}

impl Which {
    async fn call(self, desk: &Desk, operation: &'static Operation) -> Result<Call, CliError> {
        Ok(Call::to(operation).at("org", desk.org(&self.org).await?).at("access_policy", self.access_policy))
    }
}

impl Verb for AccessPolicy {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, position, admits, because, org } => {
                let call = Call::to(operations::ACCESS_POLICY_CREATE).at("org", desk.org(&org).await?);
                let call = call.with("name", name).with("position", position);
                let call = call.with("admits", admits.list().unwrap_or_else(|| json!([])));
                desk.show(call.with("reason", because.reason)).await
            }
            Self::List { org } => {
                let call = Call::to(operations::ACCESS_POLICY_LIST).at("org", desk.org(&org).await?);
                desk.list_whole(call, COLUMNS).await
            }
            Self::Show(which) => desk.show(which.call(desk, operations::ACCESS_POLICY_SHOW).await?).await,
            Self::Update { which, name, position, admits, version, because } => {
                let call = which.call(desk, operations::ACCESS_POLICY_UPDATE).await?;
                let call = call.with("name", name).with("position", position).with("admits", admits.list());
                desk.show(call.with("version", version).with("reason", because.reason)).await
            }
            Self::Delete(which) => desk.show(which.call(desk, operations::ACCESS_POLICY_DELETE).await?).await,
        }
    }
}
