//! `tegata leak`: secrets that leaked.

use super::call::Call;
use super::desk::{Desk, Verb};
use super::error::CliError;
use super::secret::{ask_hidden, from_stdin, somebody_is_there};
use clap::Subcommand;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tegata_core::operations;

/// What is done about secrets that leaked.
#[derive(Debug, Subcommand)]
pub enum Leak {
    /// Have a secret stopped everywhere and for good, whoever you are: it is asked for, or comes from the standard input, one a line
    Revoke {
        /// The client id, where the secret is that of an access key
        #[arg(long, value_name = "ID")]
        client_id: Option<String>,
    },
}

impl Verb for Leak {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let Self::Revoke { client_id } = self;
        let text = if somebody_is_there() { ask_hidden("The secret that leaked")? } else { from_stdin()? };
        let call = Call::to(operations::LEAK_REVOKE);
        let call = if let Some(id) = client_id {
            call.with("access_keys", json!([{"client_id": id, "client_secret": text.expose_secret()}]))
        } else {
            let lines = text.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
            call.with("secrets", json!(lines.collect::<Vec<_>>()))
        };
        desk.show(call).await
    }
}
