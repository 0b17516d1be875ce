//! `tegata verifier`: whatever asks for decisions about APIs.

use super::call::Call;
use super::desk::{Because, Desk, Paging, Verb};
use super::error::CliError;
use super::moment::span;
use super::render::Column;
use clap::Subcommand;
use std::time::Duration;
use tegata_core::operations;

const COLUMNS: &[Column] =
    &[("ID", "/id"), ("NAME", "/name"), ("STATE", "/state"), ("APIS", "/apis"), ("CREATED", "/created_at")];

/// What is done with verifiers.
#[derive(Debug, Subcommand)]
pub enum Verifier {
    #[command(about = operations::VERIFIER_CREATE.summary)]
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// An API that it may ask about, by key or id; may be repeated
        #[arg(long, value_name = "API", required = true)]
        api: Vec<String>,
    },
    #[command(about = operations::VERIFIER_LIST.summary)]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::VERIFIER_SHOW.summary)]
    Show {
        /// The verifier's id
        verifier: String,
    },
    #[command(about = operations::VERIFIER_REGENERATE.summary)]
    Regenerate {
        /// The verifier's id
        verifier: String,
        /// How long the old credential goes on working: 1h, 7d
        #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = span)]
        overlap: Duration,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::VERIFIER_REVOKE.summary)]
    Revoke {
        /// The verifier's id
        verifier: String,
        #[command(flatten)]
        because: Because,
    },
}

impl Verb for Verifier {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, api } => {
                let call = Call::to(operations::VERIFIER_CREATE).with("name", name).with("apis", api);
                desk.show_secret(call, "the verifier's credential").await
            }
            Self::List { paging } => desk.list(Call::to(operations::VERIFIER_LIST), COLUMNS, paging).await,
            Self::Show { verifier } => desk.show(Call::to(operations::VERIFIER_SHOW).at("verifier", verifier)).await,
            Self::Regenerate { verifier, overlap, because } => {
                let call = Call::to(operations::VERIFIER_REGENERATE).at("verifier", verifier);
                let call = call.with("overlap_seconds", overlap.as_secs()).with("reason", because.reason);
                desk.show_secret(call, "the verifier's new credential").await
            }
            Self::Revoke { verifier, because } => {
                let call = Call::to(operations::VERIFIER_REVOKE).at("verifier", verifier);
                desk.show(call.with("reason", because.reason)).await
            }
        }
    }
}
