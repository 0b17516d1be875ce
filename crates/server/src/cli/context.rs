//! `tegata context`: places where permissions hold.

use super::call::Call;
use super::desk::{Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use clap::{Args, Subcommand};
use tegata_core::operations;

const COLUMNS: &[Column] = &[
    ("TYPE", "/type"),
    ("KEY", "/key"),
    ("NAME", "/name"),
    ("ID", "/id"),
    ("PARENT", "/parent"),
    ("CREATED", "/created_at"),
];

/// What is done with contexts.
#[derive(Debug, Subcommand)]
pub enum Context {
    #[command(about = operations::CONTEXT_CREATE.summary)]
    Create {
        /// The type: one that an API of the organization declares
        #[arg(long = "type", value_name = "TYPE")]
        kind: String,
        /// The key that people use: `MY-APP`, `octo/hello`
        #[arg(long)]
        key: String,
        /// What people call it; the key if left out
        #[arg(long)]
        name: Option<String>,
        /// The id by which the API knows it
        #[arg(long, value_name = "ID")]
        external_id: Option<String>,
        /// The context above it, by its id or as in scopes (`project:key:MY-APP`)
        #[arg(long, value_name = "CONTEXT")]
        parent: Option<String>,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::CONTEXT_LIST.summary)]
    List {
        /// Only of this type
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only directly under this context; `global` for the organization itself
        #[arg(long, value_name = "CONTEXT")]
        parent: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::CONTEXT_SHOW.summary)]
    Show(Which),
    #[command(about = operations::CONTEXT_UPDATE.summary)]
    Update {
        #[command(flatten)]
        which: Which,
        /// What people call it from now on
        #[arg(long, required_unless_present = "parent")]
        name: Option<String>,
        /// Where it lies from now on; `global` for the organization itself
        #[arg(long, value_name = "CONTEXT")]
        parent: Option<String>,
    },
    #[command(about = operations::CONTEXT_MOVE_PREVIEW.summary)]
    MovePreview {
        #[command(flatten)]
        which: Which,
        /// Where it would lie; `global` for the organization itself
        #[arg(long, value_name = "CONTEXT")]
        parent: String,
    },
}

/// A context.
#[derive(Debug, Args)]
pub struct Which {
    /// Its id, or the place as in scopes (`project:key:MY-APP`)
    context: String,
    #[command(flatten)]
    org: InOrg,
}

impl Verb for Context {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { kind, key, name, external_id, parent, org } => {
                let call = Call::to(operations::CONTEXT_CREATE).at("org", desk.org(&org).await?);
                let call = call.with("type", kind).with("key", key).with("name", name);
                desk.show(call.with("external_id", external_id).with("parent", parent)).await
            }
            Self::List { kind, parent, org, paging } => {
                let call = Call::to(operations::CONTEXT_LIST).at("org", desk.org(&org).await?);
                desk.list(call.ask("type", kind).ask("parent", parent), COLUMNS, paging).await
            }
            Self::Show(which) => {
                let call = Call::to(operations::CONTEXT_SHOW).at("org", desk.org(&which.org).await?);
                desk.show(call.at("context", which.context)).await
            }
            Self::Update { which, name, parent } => {
                let call = Call::to(operations::CONTEXT_UPDATE).at("org", desk.org(&which.org).await?);
                desk.show(call.at("context", which.context).with("name", name).with("parent", parent)).await
            }
            Self::MovePreview { which, parent } => {
                let call = Call::to(operations::CONTEXT_MOVE_PREVIEW).at("org", desk.org(&which.org).await?);
                desk.show(call.at("context", which.context).ask("parent", parent)).await
            }
        }
    }
}
