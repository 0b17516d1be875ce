//! `tegata access-key`: client ids and secrets that show service accounts.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::moment::{Moment, moment};
use super::render::Column;
use super::secret::{from_env, from_stdin};
use crate::app::Clock;
use clap::{Args, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use tegata_core::operations::{self, Operation};

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("CLIENT ID", "/client_id"),
    ("ACCOUNT", "/service_account/name"),
    ("STATE", "/state"),
    ("EXPIRES", "/expires_at"),
    ("LAST USED", "/last_used_at"),
];

/// What is done with access keys.
#[derive(Debug, Subcommand)]
pub enum AccessKey {
    #[command(about = operations::ACCESS_KEY_CREATE.summary)]
    Create(Create),
    #[command(about = operations::ACCESS_KEY_LIST.summary)]
    List {
        /// Only of this service account, by id or name
        #[arg(long, value_name = "ACCOUNT")]
        service_account: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::ACCESS_KEY_SHOW.summary)]
    Show {
        /// The key's id
        key: String,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::ACCESS_KEY_BLOCK.summary)]
    Block(Stopping),
    #[command(about = operations::ACCESS_KEY_UNBLOCK.summary)]
    Unblock(Stopping),
    #[command(about = operations::ACCESS_KEY_REGENERATE.summary)]
    Regenerate {
        /// The key's id
        key: String,
        #[command(flatten)]
        secret: Chosen,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::ACCESS_KEY_REVOKE.summary)]
    Revoke(Stopping),
    #[command(about = operations::ACCESS_KEY_SIGN_IN.summary)]
    SignIn {
        /// The client id
        client_id: String,
        #[command(flatten)]
        secret: Chosen,
    },
}

/// Where a secret comes from.
#[derive(Debug, Args)]
pub struct Chosen {
    /// Read the secret from the standard input
    #[arg(long, conflicts_with = "secret_env")]
    secret_stdin: bool,
    /// Read the secret from this environment variable
    #[arg(long, value_name = "VAR")]
    secret_env: Option<String>,
}

/// A key to be. Without a secret of your choice, one is made.
#[derive(Debug, Args)]
pub struct Create {
    /// What people call it; the client id begins with it
    #[arg(long)]
    name: String,
    /// The service account that it shows, by id or name
    #[arg(long, value_name = "ACCOUNT")]
    service_account: String,
    #[command(flatten)]
    secret: Chosen,
    /// When it ends: a span from now (90d), a date (2026-12-31) or a moment; left out for never, where that is taken
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Option<Moment>,
    /// An address or range (CIDR) that it may be shown from; may be repeated. None for anywhere
    #[arg(long, value_name = "RANGE")]
    address: Vec<String>,
    #[command(flatten)]
    org: InOrg,
    #[command(flatten)]
    because: Because,
}

/// A key to be stopped or started.
#[derive(Debug, Args)]
pub struct Stopping {
    /// The key's id
    key: String,
    #[command(flatten)]
    org: InOrg,
    #[command(flatten)]
    because: Because,
}

impl Chosen {
    fn read(&self) -> Result<Option<SecretString>, CliError> {
        match (&self.secret_env, self.secret_stdin) {
            (Some(name), _) => from_env(name).map(Some),
            (None, true) => from_stdin().map(Some),
            (None, false) => Ok(None),
        }
    }
}

impl Verb for AccessKey {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create(create) => create.run(desk).await,
            Self::List { service_account, org, paging } => {
                let call = Call::to(operations::ACCESS_KEY_LIST).at("org", desk.org(&org).await?);
                desk.list(call.ask("service_account", service_account), COLUMNS, paging).await
            }
            Self::Show { key, org } => {
                let call = Call::to(operations::ACCESS_KEY_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("access_key", key)).await
            }
            Self::Block(stopping) => stopping.run(desk, operations::ACCESS_KEY_BLOCK).await,
            Self::Unblock(stopping) => stopping.run(desk, operations::ACCESS_KEY_UNBLOCK).await,
            Self::Regenerate { key, secret, org, because } => {
                let secret = secret.read()?;
                let call = Call::to(operations::ACCESS_KEY_REGENERATE).at("org", desk.org(&org).await?);
                let call = call.at("access_key", key).with("reason", because.reason);
                let call = call.with("secret", secret.as_ref().map(ExposeSecret::expose_secret));
                desk.show_secret(call, "the key's new secret").await
            }
            Self::Revoke(stopping) => stopping.run(desk, operations::ACCESS_KEY_REVOKE).await,
            Self::SignIn { client_id, secret } => {
                let secret = secret.read()?.ok_or_else(|| {
                    CliError::usage("say where the secret comes from: --secret-stdin or --secret-env")
                })?;
                let call = Call::to(operations::ACCESS_KEY_SIGN_IN)
                    .with("client_id", client_id)
                    .with("client_secret", secret.expose_secret());
                desk.show_secret(call, "a credential for an hour").await
            }
        }
    }
}

impl Create {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let secret = self.secret.read()?;
        let expires_at = self.expires.map(|expires| expires.ahead(Clock::System.now()).to_string());
        let call = Call::to(operations::ACCESS_KEY_CREATE)
            .at("org", desk.org(&self.org).await?)
            .with("name", self.name)
            .with("service_account", self.service_account)
            .with("secret", secret.as_ref().map(ExposeSecret::expose_secret))
            .with("expires_at", expires_at)
            .with("reason", self.because.reason)
            .with("addresses", self.address);
        desk.show_secret(call, "the key's secret").await
    }
}

impl Stopping {
    async fn run(self, desk: &Desk, operation: &'static Operation) -> Result<(), CliError> {
        let call = Call::to(operation).at("org", desk.org(&self.org).await?).at("access_key", self.key);
        desk.show(call.with("reason", self.because.reason)).await
    }
}
