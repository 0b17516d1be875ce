//! Secrets come from the standard input, from the environment, or hidden from a terminal. Never from arguments, which
//! every process of the machine may read, and which shells remember.

use super::error::CliError;
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use std::io::{self, IsTerminal as _, Read as _};
use zeroize::Zeroizing;

/// Longest secret that is read.
const SECRET_MAX_BYTES: u64 = 8 * 1024;

/// Where a password comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordFrom {
    /// Read the password from the standard input
    #[arg(long, conflicts_with = "password_env")]
    pub password_stdin: bool,
    /// Read the password from this environment variable
    #[arg(long, value_name = "VAR")]
    pub password_env: Option<String>,
}

impl PasswordFrom {
    /// The password, if the command line says where it comes from.
    pub fn read(&self) -> Result<Option<SecretString>, CliError> {
        match (&self.password_env, self.password_stdin) {
            (Some(name), _) => from_env(name).map(Some),
            (None, true) => from_stdin().map(Some),
            (None, false) => Ok(None),
        }
    }

    /// The password: as the command line says, or asked for.
    pub fn read_or_ask(&self, question: &str) -> Result<SecretString, CliError> {
        match self.read()? {
            Some(password) => Ok(password),
            None => ask_hidden(question),
        }
    }
}

/// A secret from an environment variable.
pub fn from_env(name: &str) -> Result<SecretString, CliError> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => Ok(SecretString::from(text)),
        _ => Err(CliError::usage(format!("the environment variable {name} is not set"))),
    }
}

/// A secret from the standard input; the end of its line is none of it.
pub fn from_stdin() -> Result<SecretString, CliError> {
    read_secret(io::stdin().lock())
}

fn read_secret(from: impl io::Read) -> Result<SecretString, CliError> {
    let mut text = Zeroizing::new(String::new());
    let unreadable = |error: io::Error| CliError::failed(format!("the standard input cannot be read: {error}"));
    from.take(SECRET_MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() {
        return Err(CliError::usage("a secret was to come from the standard input, and nothing came"));
    }
    if secret.len() as u64 > SECRET_MAX_BYTES {
        return Err(CliError::usage("what came from the standard input is too long for a secret"));
    }
    Ok(SecretString::from(secret))
}

/// Whether somebody is there to be asked.
pub fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line.
pub fn ask(question: &str) -> Result<String, CliError> {
    let terminal = terminal(question)?;
    let line = terminal.read_line().map_err(CliError::output)?;
    let line = line.trim();
    if line.is_empty() { Err(CliError::usage(format!("{question}: nothing was written"))) } else { Ok(line.to_owned()) }
}

/// Asks for a secret, without showing it.
pub fn ask_hidden(question: &str) -> Result<SecretString, CliError> {
    let terminal = terminal(question)?;
    let line = terminal.read_secure_line().map_err(CliError::output)?;
    if line.is_empty() {
        return Err(CliError::usage(format!("{question}: nothing was written")));
    }
    Ok(SecretString::from(line))
}

/// Asks for a new password, twice.
pub fn ask_new_password() -> Result<SecretString, CliError> {
    let first = ask_hidden("Password (at least 12 characters)")?;
    let second = ask_hidden("The same again")?;
    if first.expose_secret() == second.expose_secret() {
        Ok(first)
    } else {
        Err(CliError::usage("the two passwords differ"))
    }
}

fn terminal(question: &str) -> Result<console::Term, CliError> {
    if !somebody_is_there() {
        let detail = format!("{question}: nobody can be asked, since this is no terminal");
        return Err(CliError::usage(detail).hint("`--help` names the options and environment variables for scripts"));
    }
    let terminal = console::Term::stderr();
    terminal.write_str(&format!("{question}: ")).map_err(CliError::output)?;
    Ok(terminal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_line_is_no_part_of_a_secret() {
        let read = |text: &str| read_secret(text.as_bytes()).map(|secret| secret.expose_secret().to_owned());
        assert_eq!(read("correct horse\n"), Ok("correct horse".to_owned()));
        assert_eq!(read("correct horse\r\n"), Ok("correct horse".to_owned()));
        assert_eq!(read(" two\n\n"), Ok(" two\n".to_owned()));
        assert!(read("\n").is_err() && read("").is_err());
        assert!(read(&"x".repeat(9_000)).is_err());
    }
}
