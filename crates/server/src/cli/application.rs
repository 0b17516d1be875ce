//! `tegata application`: programs that an organization lets in, with rights of their own.

mod token;

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use super::secret::{from_env, from_stdin};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tegata_core::operations::{self, Operation};
use token::Token;

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("OWNER", "/owner/email"),
    ("CLIENT ID", "/client_id"),
    ("LAST USED", "/last_used_at"),
];
const RIGHTS: &[Column] = &[
    ("API", "/api"),
    ("SCOPE", "/scopes"),
    ("STATE", "/state"),
    ("UNTIL", "/until"),
    ("ACCESS POLICY", "/access_policy"),
    ("REQUEST", "/request"),
];
const OFFERS: &[Column] = &[("ID", "/id"), ("NAME", "/name"), ("INSTALLED", "/installed"), ("ABOUT", "/description")];

/// What is done with applications.
#[derive(Debug, Subcommand)]
pub enum Application {
    #[command(about = operations::APPLICATION_CREATE.summary)]
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// What it does; whoever lets it in reads it
        #[arg(long)]
        description: Option<String>,
        /// The member who answers for it, by id or e-mail address; left out for yourself
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        /// Whether every organization may install it: in the publisher's organization only
        #[arg(long)]
        shared: bool,
        #[command(flatten)]
        needs: Needs,
        #[command(flatten)]
        org: InOrg,
    },
    #[command(about = operations::APPLICATION_LIST.summary)]
    List {
        /// Only those that may act in this place, such as `project:key:MY-APP`
        #[arg(long, value_name = "CONTEXT")]
        context: Option<String>,
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::APPLICATION_OFFER_LIST.summary)]
    Offers {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::APPLICATION_SHOW.summary)]
    Show(Which),
    #[command(about = operations::APPLICATION_UPDATE.summary)]
    Update {
        #[command(flatten)]
        which: Which,
        /// The new name
        #[arg(long)]
        name: Option<String>,
        /// What it does
        #[arg(long)]
        description: Option<String>,
        /// The member who answers for it, by id or e-mail address
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        /// Whether every organization may install it
        #[arg(long, value_name = "YES")]
        shared: Option<bool>,
    },
    #[command(about = operations::APPLICATION_INSTALL.summary)]
    Install {
        #[command(flatten)]
        which: Which,
        /// The member who answers for it, by id or e-mail address; left out for yourself
        #[arg(long, value_name = "WHO")]
        owner: Option<String>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::APPLICATION_REQUIRE.summary)]
    Require {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        needs: Needs,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::APPLICATION_ASK.summary)]
    Ask {
        #[command(flatten)]
        which: Which,
        /// A scope, such as `project:key:MY-APP:Project.Issues.Create`; may be repeated
        #[arg(long, value_name = "SCOPE", required = true)]
        scope: Vec<String>,
        /// The API's key or id; may be left out where the organization uses one only
        #[arg(long, value_name = "API")]
        api: Option<String>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::APPLICATION_RIGHT_LIST.summary)]
    Rights {
        #[command(flatten)]
        which: Which,
        /// Only those in this place
        #[arg(long, value_name = "CONTEXT")]
        context: Option<String>,
        /// Only those in this state: requested, granted, rejected, withdrawn, expired or ungranted
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::APPLICATION_CONTEXT_ADD.summary)]
    Authorize {
        #[command(flatten)]
        which: Which,
        /// A place, such as `project:key:MY-APP`; may be repeated
        #[arg(long, value_name = "CONTEXT", required = true)]
        context: Vec<String>,
        #[command(flatten)]
        because: Because,
    },
    #[command(about = operations::APPLICATION_CONTEXT_REMOVE.summary)]
    Deauthorize {
        #[command(flatten)]
        which: Which,
        /// The place
        #[arg(long, value_name = "CONTEXT")]
        context: String,
    },
    #[command(about = operations::APPLICATION_BLOCK.summary)]
    Block(Stopping),
    #[command(about = operations::APPLICATION_UNBLOCK.summary)]
    Unblock(Stopping),
    #[command(about = operations::APPLICATION_UNINSTALL.summary)]
    Uninstall(Stopping),
    #[command(about = operations::APPLICATION_SECRET_REGENERATE.summary)]
    Regenerate {
        #[command(flatten)]
        which: Which,
        /// How many seconds the old secret goes on working, at most 604800
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap_seconds: u64,
        #[command(flatten)]
        because: Because,
    },
    /// Permanent tokens of an application
    #[command(subcommand)]
    Token(Token),
    #[command(about = operations::APPLICATION_SIGN_IN.summary)]
    SignIn {
        /// The client id
        client_id: String,
        /// Read the client secret from the standard input
        #[arg(long, conflicts_with = "secret_env", required_unless_present = "secret_env")]
        secret_stdin: bool,
        /// Read the client secret from this environment variable
        #[arg(long, value_name = "VAR")]
        secret_env: Option<String>,
        /// Where it shall act, where it is installed in several organizations
        #[arg(long, value_name = "ORG")]
        organization: Option<String>,
    },
}

/// Which application.
#[derive(Debug, Args)]
pub struct Which {
    /// Its id, client id or name
    application: String,
    #[command(flatten)]
    org: InOrg,
}

/// What an application needs in every place.
#[derive(Debug, Args)]
pub struct Needs {
    /// A permission that it needs in every place, of the API that --api names; may be repeated
    #[arg(long, value_name = "PERMISSION", requires = "api")]
    permission: Vec<String>,
    /// The API's key or id
    #[arg(long, value_name = "API")]
    api: Option<String>,
}

/// An application to be stopped or started.
#[derive(Debug, Args)]
pub struct Stopping {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    because: Because,
}

impl Which {
    async fn call(self, desk: &Desk, operation: &'static Operation) -> Result<Call, CliError> {
        Ok(Call::to(operation).at("org", desk.org(&self.org).await?).at("application", self.application))
    }
}

impl Needs {
    fn list(self) -> Value {
        let Self { permission, api } = self;
        api.map_or_else(|| json!([]), |api| json!([{"api": api, "permissions": permission}]))
    }
}

impl Stopping {
    async fn run(self, desk: &Desk, operation: &'static Operation) -> Result<(), CliError> {
        desk.show(self.which.call(desk, operation).await?.with("reason", self.because.reason)).await
    }
}

/// Scopes of one API, as the body of a call has them.
fn rights(api: Option<String>, scopes: &[String]) -> Value {
    let mut entry = json!({"scopes": scopes});
    if let Some(api) = api {
        entry["api"] = json!(api);
    }
    json!([entry])
}

impl Verb for Application {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, description, owner, shared, needs, org } => {
                let call = Call::to(operations::APPLICATION_CREATE).at("org", desk.org(&org).await?);
                let call = call.with("name", name).with("description", description).with("owner", owner);
                let call = call.with("shared", shared).with("required", needs.list());
                desk.show_secret(call, "the application's client secret").await
            }
            Self::List { context, org, paging } => {
                let call = Call::to(operations::APPLICATION_LIST).at("org", desk.org(&org).await?);
                desk.list(call.ask("context", context), COLUMNS, paging).await
            }
            Self::Offers { org, paging } => {
                let call = Call::to(operations::APPLICATION_OFFER_LIST).at("org", desk.org(&org).await?);
                desk.list(call, OFFERS, paging).await
            }
            Self::Show(which) => desk.show(which.call(desk, operations::APPLICATION_SHOW).await?).await,
            Self::Update { which, name, description, owner, shared } => {
                let call = which.call(desk, operations::APPLICATION_UPDATE).await?;
                let call = call.with("name", name).with("description", description);
                desk.show(call.with("owner", owner).with("shared", shared)).await
            }
            Self::Install { which, owner, because } => {
                let call = which.call(desk, operations::APPLICATION_INSTALL).await?;
                desk.show(call.with("owner", owner).with("reason", because.reason)).await
            }
            Self::Require { which, needs, because } => {
                let call = which.call(desk, operations::APPLICATION_REQUIRE).await?;
                desk.show(call.with("required", needs.list()).with("reason", because.reason)).await
            }
            Self::Ask { which, scope, api, because } => {
                let call = which.call(desk, operations::APPLICATION_ASK).await?;
                desk.show(call.with("rights", rights(api, &scope)).with("reason", because.reason)).await
            }
            Self::Rights { which, context, state, paging } => {
                let call = which.call(desk, operations::APPLICATION_RIGHT_LIST).await?;
                desk.list(call.ask("context", context).ask("state", state), RIGHTS, paging).await
            }
            Self::Authorize { which, context, because } => {
                let call = which.call(desk, operations::APPLICATION_CONTEXT_ADD).await?;
                desk.show(call.with("contexts", context).with("reason", because.reason)).await
            }
            Self::Deauthorize { which, context } => {
                let call = which.call(desk, operations::APPLICATION_CONTEXT_REMOVE).await?;
                desk.show(call.at("context", context)).await
            }
            Self::Block(stopping) => stopping.run(desk, operations::APPLICATION_BLOCK).await,
            Self::Unblock(stopping) => stopping.run(desk, operations::APPLICATION_UNBLOCK).await,
            Self::Uninstall(stopping) => stopping.run(desk, operations::APPLICATION_UNINSTALL).await,
            Self::Regenerate { which, overlap_seconds, because } => {
                let call = which.call(desk, operations::APPLICATION_SECRET_REGENERATE).await?;
                let call = call.with("overlap_seconds", overlap_seconds).with("reason", because.reason);
                desk.show_secret(call, "the application's new client secret").await
            }
            Self::Token(token) => token.run(desk).await,
            Self::SignIn { client_id, secret_stdin: _, secret_env, organization } => {
                let secret = match secret_env {
                    Some(name) => from_env(&name)?,
                    None => from_stdin()?,
                };
                let call = Call::to(operations::APPLICATION_SIGN_IN).with("client_id", client_id);
                let call = call.with("client_secret", secret.expose_secret()).with("organization", organization);
                desk.show_secret(call, "the application's token, which ends after an hour").await
            }
        }
    }
}
