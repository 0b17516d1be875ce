//! `tegata user`: accounts of the installation.

use super::call::Call;
use super::desk::{Desk, Paging, Verb};
use super::error::CliError;
use super::maintenance::SetPassword;
use super::render::{Colours, Column};
use super::secret::PasswordFrom;
use clap::Subcommand;
use secrecy::ExposeSecret as _;
use tegata_core::operations;
use tegata_core::operations::Operation;

const COLUMNS: &[Column] =
    &[("EMAIL", "/email"), ("NAME", "/name"), ("STATE", "/state"), ("ID", "/id"), ("CREATED", "/created_at")];

/// What is done with accounts.
#[derive(Debug, Subcommand)]
pub enum User {
    #[command(about = operations::USER_CREATE.summary)]
    Create {
        /// What the person signs in with
        #[arg(long)]
        email: String,
        /// What they are called
        #[arg(long)]
        name: String,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Give an account a new password, on the server's own machine while the server is stopped
    Password(SetPassword),
    #[command(about = operations::USER_LIST.summary)]
    List {
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::USER_SHOW.summary)]
    Show {
        /// Id or e-mail address
        user: String,
    },
    #[command(about = operations::USER_DEACTIVATE.summary)]
    Deactivate {
        /// Id or e-mail address
        user: String,
    },
    #[command(about = operations::USER_ACTIVATE.summary)]
    Activate {
        /// Id or e-mail address
        user: String,
    },
}

impl Verb for User {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { email, name, password } => {
                let password = password.read()?;
                if password.is_none() {
                    desk.output.remark("without --password-stdin or --password-env the person cannot sign in yet");
                }
                let password = password.map(|text| text.expose_secret().to_owned());
                let call = Call::to(operations::USER_CREATE).with("email", email).with("name", name);
                desk.show(call.with("password", password)).await
            }
            // Reached without a desk by `tegata user password`; this is the same.
            Self::Password(password) => password.run(desk.output, Colours::default()).await,
            Self::List { paging } => desk.list(Call::to(operations::USER_LIST), COLUMNS, paging).await,
            Self::Show { user } => one(desk, operations::USER_SHOW, &user).await,
            Self::Deactivate { user } => one(desk, operations::USER_DEACTIVATE, &user).await,
            Self::Activate { user } => one(desk, operations::USER_ACTIVATE, &user).await,
        }
    }
}

async fn one(desk: &Desk, operation: &'static Operation, user: &str) -> Result<(), CliError> {
    let id = if user.contains('@') {
        desk.find_email(&Call::to(operations::USER_LIST), user, "account").await?
    } else {
        user.to_owned()
    };
    desk.show(Call::to(operation).at("user", id)).await
}
