//! `tegata limit`: limits on calls, of an organization or of every one.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use tegata_core::limit::Per;
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("QUOTA", "/quota"),
    ("WINDOW SECONDS", "/window_seconds"),
    ("PER", "/per"),
    ("API", "/api"),
    ("CLASS", "/class"),
    ("EVERYWHERE", "/everywhere"),
    ("ID", "/id"),
];

/// What is done with limits.
#[derive(Debug, Subcommand)]
pub enum Limit {
    #[command(about = operations::LIMIT_CREATE.summary)]
    Create {
        /// What callers are told: lower-case letters, digits, `.`, `_` and `-`
        #[arg(long)]
        name: String,
        /// How many calls
        #[arg(long, value_name = "CALLS")]
        quota: u64,
        /// In how many seconds; at most 2678400, which is 31 days
        #[arg(long, value_name = "SECONDS")]
        window_seconds: u64,
        /// For whom calls are counted
        #[arg(long, value_parser = PossibleValuesParser::new(Per::ALL.iter().map(|per| per.as_str()).collect::<Vec<_>>()))]
        per: String,
        /// Count the calls of this API only
        #[arg(long, value_name = "API")]
        api: Option<String>,
        /// Count the calls of endpoints of this class only
        #[arg(long, value_name = "CLASS")]
        class: Option<String>,
        #[command(flatten)]
        because: Because,
        #[command(flatten)]
        place: Place,
    },
    #[command(about = operations::LIMIT_LIST.summary)]
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::LIMIT_SHOW.summary)]
    Show(Which),
    #[command(about = operations::LIMIT_UPDATE.summary)]
    Update {
        #[command(flatten)]
        which: Which,
        /// What callers are told from now on
        #[arg(long, required_unless_present_any = ["quota", "window_seconds"])]
        name: Option<String>,
        /// How many calls from now on
        #[arg(long, value_name = "CALLS")]
        quota: Option<u64>,
        /// In how many seconds from now on
        #[arg(long, value_name = "SECONDS")]
        window_seconds: Option<u64>,
        /// The version that is changed; refused where somebody else changed it meanwhile
        #[arg(long, value_name = "N")]
        version: Option<u64>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::LIMIT_DELETE.summary)]
    Delete(Which),
}

/// Where a limit holds.
#[derive(Debug, Args)]
pub struct Place {
    /// In every organization, as the publisher sets it
    #[arg(long)]
    everywhere: bool,
    #[command(flatten)]
    org: InOrg,
}

/// A limit.
#[derive(Debug, Args)]
pub struct Which {
    /// Name or id
    limit: String,
    #[command(flatten)]
    place: Place,
}

impl Place {
    /// A call of the operation on an organization's limits, or of that on those of every one.
    async fn call(
        &self,
        desk: &Desk,
        own: &'static Operation,
        everywhere: &'static Operation,
    ) -> Result<Call, CliError> {
        if self.everywhere { Ok(Call::to(everywhere)) } else { Ok(Call::to(own).at("org", desk.org(&self.org).await?)) }
    }
}

impl Verb for Limit {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, quota, window_seconds, per, api, class, because, place } => {
                let call = place.call(desk, operations::LIMIT_CREATE, operations::INSTALLATION_LIMIT_CREATE).await?;
                let call = call.with("name", name).with("quota", quota).with("window_seconds", window_seconds);
                let call = call.with("per", per).with("api", api).with("class", class);
                desk.show(call.with("reason", because.reason)).await
            }
            Self::List { place, paging } => {
                let call = place.call(desk, operations::LIMIT_LIST, operations::INSTALLATION_LIMIT_LIST).await?;
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show(which) => {
                let call = which.place.call(desk, operations::LIMIT_SHOW, operations::INSTALLATION_LIMIT_SHOW).await?;
                desk.show(call.at("limit", which.limit)).await
            }
            Self::Update { which, name, quota, window_seconds, version, because } => {
                let call =
                    which.place.call(desk, operations::LIMIT_UPDATE, operations::INSTALLATION_LIMIT_UPDATE).await?;
                let call = call.at("limit", which.limit).with("name", name).with("quota", quota);
                let call = call.with("window_seconds", window_seconds).with("version", version);
                desk.show(call.with("reason", because.reason)).await
            }
            Self::Delete(which) => {
                let call =
                    which.place.call(desk, operations::LIMIT_DELETE, operations::INSTALLATION_LIMIT_DELETE).await?;
                desk.show(call.at("limit", which.limit)).await
            }
        }
    }
}
