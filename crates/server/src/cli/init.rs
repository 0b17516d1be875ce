//! `tegata init`: the first administrator, of the installation on this machine or of a running server.

use super::account::keep_session;
use super::call::Call;
use super::client::{Client, server_url};
use super::error::CliError;
use super::logging;
use super::render::{Colours, Output, plain};
use super::secret::{self, PasswordFrom};
use super::serve::open_locally;
use super::settings::Place;
use crate::app::App;
use crate::authn::password;
use crate::ops::setup::first_administrator;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tegata_core::operations;
use tegata_core::problem::Problem;

/// The first administrator to be.
#[derive(Debug, Args)]
pub struct Init {
    #[command(flatten)]
    place: Place,
    /// A running server in place of the installation on this machine
    #[arg(long, value_name = "URL", requires = "setup_token")]
    url: Option<String>,
    /// The token that the server printed when it started; it works once
    #[arg(long, value_name = "TOKEN", requires = "url", env = "TEGATA_SETUP_TOKEN", hide_env_values = true)]
    setup_token: Option<SecretString>,
    /// Ask nothing
    #[arg(long, requires_all = ["email", "name"])]
    non_interactive: bool,
    /// What the administrator signs in with; asked for if left out
    #[arg(long)]
    email: Option<String>,
    /// What they are called; asked for if left out
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    password: PasswordFrom,
}

/// Whoever is to be the first administrator.
struct Person {
    email: String,
    name: String,
    password: SecretString,
}

impl Init {
    /// Makes the first administrator.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        match (&self.url, &self.setup_token) {
            (Some(url), Some(token)) => self.remote(url, token, output).await,
            _ => self.local(output, colours).await,
        }
    }

    async fn local(&self, output: Output, colours: Colours) -> Result<(), CliError> {
        logging::quietly(colours)?;
        let settings = self.place.settle()?;
        let person = self.person()?;
        // Before anything is made on the disk.
        password::check(&person.password).map_err(|error| CliError::from(Problem::field("password", error)))?;
        let opened = open_locally(&settings.config).await?;
        let made = make(&opened.app, person).await;
        opened.close().await;
        let made = made?;
        if output.json {
            return output.thing(&made);
        }
        let email = made.pointer("/user/email").and_then(Value::as_str).unwrap_or_default();
        output.line(&format!("{} is the first administrator of the installation.", plain(email)))?;
        if !self.non_interactive {
            output.line(&next_steps("http://127.0.0.1:7700", Some(email)))?;
        }
        Ok(())
    }

    async fn remote(&self, url: &str, token: &SecretString, output: Output) -> Result<(), CliError> {
        let client = Client::with(&server_url(url)?, None)?;
        if client.is_in_the_open() {
            output.remark("warning: this is http, and others in the network can read your password");
        }
        let person = self.person()?;
        let call = Call::to(operations::SETUP)
            .with("token", token.expose_secret())
            .with("email", person.email.as_str())
            .with("name", person.name)
            .with("password", person.password.expose_secret());
        let mut answer = client.call(&call).await?;
        let kept = keep_session(&client.server_name(), &person.email, &answer);
        if let Err(error) = &kept {
            // The administrator is made; signing in is a command of its own.
            output.remark(&format!("the session could not be kept ({}); sign in with `tegata login`", error.detail));
        }
        if let Some(fields) = answer.as_object_mut() {
            fields.shift_remove("token");
        }
        if output.json {
            return output.thing(&answer);
        }
        output.line(&format!("{} is the first administrator, and signed in here.", plain(&person.email)))?;
        if !self.non_interactive {
            output.line(&next_steps(&client.server_name(), None))?;
        }
        Ok(())
    }

    fn person(&self) -> Result<Person, CliError> {
        let asked = |known: &Option<String>, question| known.clone().map_or_else(|| secret::ask(question), Ok);
        let email = asked(&self.email, "E-mail address")?;
        let name = asked(&self.name, "Name")?;
        let password = match self.password.read()? {
            Some(password) => password,
            None if self.non_interactive => {
                return Err(CliError::usage(
                    "where does the password come from? --password-stdin, or --password-env VAR",
                ));
            }
            None => secret::ask_new_password()?,
        };
        Ok(Person { email, name, password })
    }
}

async fn make(app: &App, person: Person) -> Result<Value, CliError> {
    let unusable = |error: crate::db::DbError| CliError::failed(format!("the database cannot be used: {error}"));
    let hash = password::hash(person.password, &app.entropy).await;
    let hash = hash.map_err(|error| CliError::failed(format!("the password cannot be hashed: {error}")))?;
    let mut tx = app.db.write().await.map_err(unusable)?;
    let user = first_administrator(app, &mut tx, &person.email, &person.name, &hash).await?;
    tx.commit().await.map_err(unusable)?;
    Ok(json!({"user": {"id": user.id.to_string(), "email": user.email, "name": user.name}}))
}

/// From an administrator to the first token.
fn next_steps(url: &str, sign_in: Option<&str>) -> String {
    let mut steps = Vec::new();
    if let Some(email) = sign_in {
        steps.push("tegata serve".to_owned());
        steps.push(format!("tegata login --url {url} --email {}", plain(email)));
    }
    steps.extend(
        [
            "tegata catalogue import catalogues/github.yaml",
            "tegata org enable-api github",
            "tegata policy set personal_token --admission allow --reason 'trying it out'",
            "tegata token create --name first --expires 30d --api tegata --scope organization:read",
            "tegata verifier create --name gateway --api github",
        ]
        .map(str::to_owned),
    );
    let lines: Vec<String> = steps.iter().map(|step| format!("  {step}")).collect();
    format!("\nNext:\n{}", lines.join("\n"))
}
