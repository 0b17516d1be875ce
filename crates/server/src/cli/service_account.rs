//! `tegata service-account`: what programs act as.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::Subcommand;
use tegata_core::operations;

const COLUMNS: &[Column] =
    &[("ID", "/id"), ("NAME", "/name"), ("STATE", "/state"), ("OWNER", "/owner/email"), ("CREATED", "/created_at")];

/// What is done with service accounts.
#[derive(Debug, Subcommand)]
pub enum ServiceAccount {
    #[command(about = operations::SERVICE_ACCOUNT_CREATE.summary)]
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// The member who answers for it, by id or e-mail address; left out for yourself
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::SERVICE_ACCOUNT_LIST.summary)]
    List {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::SERVICE_ACCOUNT_SHOW.summary)]
    Show {
        /// The account's id or name
        account: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::SERVICE_ACCOUNT_UPDATE.summary)]
    Update {
        /// The account's id or name
        account: String,
        /// What people call it
        #[arg(long, required_unless_present = "owner")]
        name: Option<String>,
        /// The member who answers for it, by id or e-mail address
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::SERVICE_ACCOUNT_DEACTIVATE.summary)]
    Deactivate {
        /// The account's id or name
        account: String,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::SERVICE_ACCOUNT_ACTIVATE.summary)]
    Activate {
        /// The account's id or name
        account: String,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        because: Because,
    },
}

impl Verb for ServiceAccount {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, owner, org } => {
                let call = Call::to(operations::SERVICE_ACCOUNT_CREATE).at("org", desk.org(&org).await?);
                desk.show(call.with("name", name).with("owner", owner)).await
            }
            Self::List { org, paging } => {
                let call = Call::to(operations::SERVICE_ACCOUNT_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::Show { account, org } => {
                let call = Call::to(operations::SERVICE_ACCOUNT_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("account", account)).await
            }
            Self::Update { account, name, owner, org } => {
                let call = Call::to(operations::SERVICE_ACCOUNT_UPDATE).at("org", desk.org(&org).await?);
                desk.show(call.at("account", account).with("name", name).with("owner", owner)).await
            }
            Self::Deactivate { account, org, because } => {
                let call = Call::to(operations::SERVICE_ACCOUNT_DEACTIVATE).at("org", desk.org(&org).await?);
                desk.show(call.at("account", account).with("reason", because.reason)).await
            }
            Self::Activate { account, org, because } => {
                let call = Call::to(operations::SERVICE_ACCOUNT_ACTIVATE).at("org", desk.org(&org).await?);
                desk.show(call.at("account", account).with("reason", because.reason)).await
            }
        }
    }
}
