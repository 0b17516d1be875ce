//! `tegata org`: organizations, and the APIs that they use.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::Subcommand;
use tegata_core::operations;

const COLUMNS: &[Column] =
    &[("KEY", "/key"), ("NAME", "/name"), ("KIND", "/kind"), ("ID", "/id"), ("CREATED", "/created_at")];
const API_COLUMNS: &[Column] =
    &[("KEY", "/key"), ("TITLE", "/title"), ("ENABLED", "/enabled_at"), ("ROLES", "/roles"), ("ID", "/id")];

/// What is done with organizations.
#[derive(Debug, Subcommand)]
pub enum Org {
    #[command(about = operations::ORG_CREATE.summary)]
    Create {
        /// What stands in URLs: lower-case letters, digits, `.`, `_` and `-`
        #[arg(long)]
        key: String,
        /// What people call it
        #[arg(long)]
        name: String,
        /// Who administers it, by id or e-mail address; you, if nothing is said
        #[arg(long, value_name = "USER")]
        administrator: Option<String>,
    },
    #[command(about = operations::ORG_LIST.summary)]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::ORG_SHOW.summary)]
    Show {
        /// Key or id
        org: String,
    },
    #[command(about = operations::ORG_UPDATE.summary)]
    Update {
        /// Key or id
        org: String,
        /// What people call it from now on
        #[arg(long)]
        name: String,
    },
    /// Show how many days before a credential ends people are warned, or change it
    Notices {
        /// How many days before, such as 30,7,1
        #[arg(long, value_name = "DAYS", value_delimiter = ',')]
        expiry_days: Vec<u32>,
        /// No warnings
        #[arg(long, conflicts_with = "expiry_days")]
        no_warnings: bool,
        #[command(flatten)]
        because: Because,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ORG_API_LIST.summary)]
    Apis {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::ORG_API_ENABLE.summary)]
    EnableApi {
        /// The API's key or id
        api: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ORG_API_DISABLE.summary)]
    DisableApi {
        /// The API's key or id
        api: String,
        #[command(flatten)]
        org: InOrg,
    },
}

impl Verb for Org {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { key, name, administrator } => {
                let call = Call::to(operations::ORG_CREATE).with("key", key).with("name", name);
                desk.show(call.with("administrator", administrator)).await
            }
            Self::List { paging } => desk.list(Call::to(operations::ORG_LIST), COLUMNS, paging).await,
            Self::Show { org } => desk.show(Call::to(operations::ORG_SHOW).at("org", org)).await,
            Self::Update { org, name } => {
                desk.show(Call::to(operations::ORG_UPDATE).at("org", org).with("name", name)).await
            }
            Self::Notices { expiry_days, no_warnings: false, org, .. } if expiry_days.is_empty() => {
                desk.show(Call::to(operations::NOTICE_SETTINGS_SHOW).at("org", desk.org(&org).await?)).await
            }
            Self::Notices { expiry_days, because, org, .. } => {
                let call = Call::to(operations::NOTICE_SETTINGS_SET).at("org", desk.org(&org).await?);
                desk.show(call.with("expiry_days", expiry_days).with("reason", because.reason)).await
            }
            Self::Apis { org, paging } => {
                let call = Call::to(operations::ORG_API_LIST).at("org", desk.org(&org).await?);
                desk.list(call, API_COLUMNS, paging).await
            }
            Self::EnableApi { api, org } => {
                let call = Call::to(operations::ORG_API_ENABLE).at("org", desk.org(&org).await?).at("api", api);
                desk.show(call).await
            }
            Self::DisableApi { api, org } => {
                let call = Call::to(operations::ORG_API_DISABLE).at("org", desk.org(&org).await?).at("api", api);
                desk.show(call).await
            }
        }
    }
}
