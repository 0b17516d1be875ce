//! `tegata login`, `logout`, `whoami` and `password`: one's own account at a server.

use super::call::Call;
use super::client::{Client, Remote, TOKEN_VARIABLE};
use super::credentials::{Credentials, Known};
use super::desk::Desk;
use super::error::CliError;
use super::exit::Exit;
use super::render::{Output, plain};
use super::secret::{self, PasswordFrom};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tegata_core::operations;

/// Signing in.
#[derive(Debug, Args)]
pub struct Login {
    #[command(flatten)]
    remote: Remote,
    /// What you sign in with; asked for if left out
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    password: PasswordFrom,
}

/// Signing out.
#[derive(Debug, Args)]
pub struct Logout {
    #[command(flatten)]
    remote: Remote,
}

/// Who is signed in.
#[derive(Debug, Args)]
pub struct Whoami {
    #[command(flatten)]
    remote: Remote,
}

/// A new password.
#[derive(Debug, Args)]
pub struct Password {
    #[command(flatten)]
    remote: Remote,
    /// Read the old and the new password from the standard input, each on a line of its own
    #[arg(long)]
    passwords_stdin: bool,
}

impl Login {
    /// Signs in and keeps the session.
    pub async fn run(self, output: Output) -> Result<(), CliError> {
        let client = Client::anonymous(&self.remote)?;
        let server = client.server_name();
        if client.is_in_the_open() {
            output.remark("warning: this is http, and others in the network can read your password");
        }
        let email = match self.email {
            Some(email) => email,
            None => secret::ask(&format!("E-mail address at {server}"))?,
        };
        let password = self.password.read_or_ask("Password")?;
        let call = Call::to(operations::SESSION_CREATE).with("email", email.as_str());
        let answer = client.call(&call.with("password", password.expose_secret())).await?;
        let expires_at = keep_session(&server, &email, &answer)?;
        if std::env::var_os(TOKEN_VARIABLE).is_some() {
            output.remark(&format!("warning: {TOKEN_VARIABLE} is set, and is used in place of this session"));
        }
        if output.json {
            return output.thing(&json!({"url": server, "email": email, "expires_at": expires_at}));
        }
        output.line(&format!("Signed in to {server} as {}, until {}.", plain(&email), plain(&expires_at)))
    }
}

/// Keeps the session of an answer that holds one; tells when it ends.
pub fn keep_session(server: &str, email: &str, answer: &Value) -> Result<String, CliError> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (token, expires_at) = (SecretString::from(text("token")), text("expires_at"));
    if token.expose_secret().is_empty() {
        return Err(CliError::failed("the server's answer holds no session"));
    }
    let path = Credentials::path()?;
    let mut stored = Credentials::read(&path)?;
    let known = Known { token, email: email.to_owned(), expires_at: expires_at.clone() };
    stored.servers.insert(server.to_owned(), known);
    stored.current = Some(server.to_owned());
    stored.write(&path)?;
    Ok(expires_at)
}

impl Logout {
    /// Ends the session at the server and forgets it here, whether or not the server still knows it.
    pub async fn run(self, output: Output) -> Result<(), CliError> {
        let server = Client::anonymous(&self.remote)?.server_name();
        let path = Credentials::path()?;
        let mut stored = Credentials::read(&path)?;
        let Some(known) = stored.servers.remove(&server) else {
            let detail = format!("you are not signed in to {server}");
            return Err(CliError::new(Exit::NotAllowed, "unauthenticated", detail));
        };
        if stored.current.as_deref() == Some(&server) {
            stored.current = None;
        }
        let client = Client::with(&super::client::server_url(&server)?, Some(known.token))?;
        let ended = client.call(&Call::to(operations::SESSION_END).at("session", "current")).await;
        stored.write(&path)?;
        match ended {
            Ok(_) => {}
            // It had ended already.
            Err(error) if matches!(error.exit, Exit::NotAllowed | Exit::NotFound | Exit::Conflict) => {}
            Err(error) => return Err(error.hint("the session was forgotten here; at the server it ends by itself")),
        }
        if output.json {
            output.thing(&json!({"url": server}))
        } else {
            output.line(&format!("Signed out of {server}."))
        }
    }
}

impl Whoami {
    /// Shows who is signed in.
    pub async fn run(self, output: Output) -> Result<(), CliError> {
        Desk::open(&self.remote, output)?.show(Call::to(operations::ME_SHOW)).await
    }
}

impl Password {
    /// Changes one's own password.
    pub async fn run(self, output: Output) -> Result<(), CliError> {
        let desk = Desk::open(&self.remote, output)?;
        let (old, new) = if self.passwords_stdin {
            let both = secret::from_stdin()?;
            let Some((old, new)) = both.expose_secret().split_once('\n') else {
                return Err(CliError::usage(
                    "two lines were to come from the standard input: the old password, the new one",
                ));
            };
            (SecretString::from(old.trim_end_matches('\r')), SecretString::from(new))
        } else {
            (secret::ask_hidden("Password as it is")?, secret::ask_new_password()?)
        };
        let call = Call::to(operations::ME_PASSWORD).with("old_password", old.expose_secret());
        desk.show(call.with("new_password", new.expose_secret())).await
    }
}
