//! `tegata verify`: ask for a decision, as a verifier does. The exit code tells the answer.

use super::call::Call;
use super::client::{Client, Remote, server_url};
use super::desk::InOrg;
use super::error::CliError;
use super::exit::Exit;
use super::render::Output;
use super::secret;
use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tegata_core::operations;

/// The variable that holds the verifier's credential.
const VERIFIER_VARIABLE: &str = "TEGATA_VERIFIER_TOKEN";

/// A question.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    remote: Remote,
    /// The API, by its key
    #[arg(long)]
    api: String,
    /// The client id of an access key that was shown: what is read is then its secret
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the token, or secret, that was shown from the standard input
    #[arg(long, conflicts_with = "token_env", required_unless_present = "token_env")]
    token_stdin: bool,
    /// Read the token, or secret, that was shown from this environment variable
    #[arg(long, value_name = "VAR")]
    token_env: Option<String>,
    /// The method of the call
    #[arg(long, requires = "path")]
    method: Option<String>,
    /// The path of the call
    #[arg(long, requires = "method", required_unless_present = "permission")]
    path: Option<String>,
    /// The permission that the call needs, in place of method and path
    #[arg(long, conflicts_with_all = ["method", "path"])]
    permission: Option<String>,
    /// The place of the permission, such as `project:key:MY-APP`
    #[arg(long, requires = "permission")]
    context: Option<String>,
    #[command(flatten)]
    org: InOrg,
    /// The address of the caller
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// The program of the caller
    #[arg(long)]
    user_agent: Option<String>,
    /// The id of the caller's request
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
}

impl Verify {
    /// Asks and shows the answer.
    pub async fn run(self, output: Output) -> Result<(), CliError> {
        let verifier = secret::from_env(VERIFIER_VARIABLE)
            .map_err(|error| error.hint("`tegata verifier create` makes the credential that it has to hold"))?;
        let client = Client::with(&server_url(&Client::anonymous(&self.remote)?.server_name())?, Some(verifier))?;
        let token = match &self.token_env {
            Some(name) => secret::from_env(name)?,
            None => secret::from_stdin()?,
        };
        let shown = if self.client_id.is_some() { "client_secret" } else { "token" };
        let call = Call::to(operations::VERIFY)
            .with(shown, token.expose_secret())
            .with("client_id", self.client_id)
            .with("api", self.api)
            .with("method", self.method.map(|method| method.to_ascii_uppercase()))
            .with("path", self.path)
            .with("permission", self.permission)
            .with("context", self.context)
            .with("organization", self.org.org)
            .with("ip", self.ip)
            .with("user_agent", self.user_agent)
            .with("request_id", self.request_id);
        let answer = client.call(&call).await?;
        output.thing(&answer)?;
        if answer.get("allowed").and_then(Value::as_bool) == Some(true) {
            Ok(())
        } else {
            Err(CliError::silently(Exit::Denied))
        }
    }
}
