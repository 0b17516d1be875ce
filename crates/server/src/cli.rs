//! The command line: a server, the tools that look after its files, and a client of `/v1` for everything else.
//!
//! A client command is a noun (a file here) with verbs; each verb is a call of an operation of the table, and
//! the desk shows the answer. What a command may do, the server decides: nothing here knows a rule.

mod access_key;
mod access_policy;
mod account;
mod activity;
mod application;
mod assignment;
mod call;
mod catalogue;
mod client;
mod completions;
mod context;
mod credential;
mod credentials;
mod desk;
mod error;
mod exit;
mod inbox;
mod init;
mod leak;
mod limit;
mod logging;
mod maintenance;
mod member;
mod moment;
mod org;
mod organization_key;
mod policy;
mod proof;
mod record;
mod render;
mod request;
mod rights;
mod role;
mod secret;
mod serve;
mod service_account;
mod session;
mod settings;
mod size;
mod succession;
mod team;
mod token;
mod user;
mod verifier;
mod verify;
mod webhook;

use clap::{Parser, Subcommand};
use desk::{Desk, Noun, Verb};
use error::CliError;
use exit::Exit;
use render::{Colours, Output};
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

/// Governed API access: issues, scopes, checks, records and stops every credential of an API.
#[derive(Debug, Parser)]
#[command(name = "tegata", version, propagate_version = false, max_term_width = 110, after_help = Exit::help())]
#[command(after_long_help = format!("{ENVIRONMENT}\n\n{}", Exit::help()))]
struct Cli {
    /// JSON for scripts: an answer is one line, a list is one line for each row
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    /// When the output has colours; `auto` respects `NO_COLOR`
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    color: Colours,
    #[command(subcommand)]
    command: Command,
}

/// The variables that are no option of any command.
const ENVIRONMENT: &str = "Environment:
  TEGATA_URL             the server, in place of --url
  TEGATA_TOKEN           a token, in place of the session of `tegata login`
  TEGATA_ORG             the organization, in place of --org
  TEGATA_VERIFIER_TOKEN  the verifier's credential for `tegata verify`
  TEGATA_DATA_DIR, TEGATA_DATABASE, TEGATA_LISTEN, … for `tegata serve`: see its --help

Secrets are read from the standard input, the environment or a hidden prompt, never from
arguments. `tegata login` keeps a session for each server, by its URL, in
$XDG_CONFIG_HOME/tegata/credentials.toml.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Make the first administrator, here or at a running server
    Init(init::Init),
    /// Sign in and keep the session
    Login(account::Login),
    /// Sign out and forget the session
    Logout(account::Logout),
    #[command(about = tegata_core::operations::ME_SHOW.summary)]
    Whoami(account::Whoami),
    #[command(about = tegata_core::operations::ME_PASSWORD.summary)]
    Password(account::Password),
    /// Where you are signed in
    Session(Noun<session::Session>),
    /// What concerns you
    Inbox(Noun<inbox::Inbox>),
    /// Organizations, and the APIs that they use
    Org(Noun<org::Org>),
    /// Accounts of the installation
    User(Noun<user::User>),
    /// People in an organization
    Member(Noun<member::Member>),
    /// Groups of members
    Team(Noun<team::Team>),
    /// Places where permissions hold
    Context(Noun<context::Context>),
    /// Named sets of permissions
    Role(Noun<role::Role>),
    /// Who has which role where
    Assignment(Noun<assignment::Assignment>),
    /// Protected APIs with their permissions and endpoints
    #[command(visible_alias = "api")]
    Catalogue(Noun<catalogue::Catalogue>),
    /// Tokens: your own, and those that are used in an organization
    Token(Noun<token::Token>),
    /// Keys that an organization owns
    OrganizationKey(Noun<organization_key::OrganizationKey>),
    /// Keys that were made elsewhere, and come in by their hashes
    Credential(Noun<credential::Credential>),
    /// Secrets that leaked
    Leak(Noun<leak::Leak>),
    /// What programs act as
    ServiceAccount(Noun<service_account::ServiceAccount>),
    /// Programs that an organization lets in, with rights of their own
    Application(Noun<application::Application>),
    /// What leavers answered for, and who takes it over
    Succession(Noun<succession::Succession>),
    /// Client ids and secrets that show service accounts
    AccessKey(Noun<access_key::AccessKey>),
    /// Whatever asks for decisions about APIs
    Verifier(Noun<verifier::Verifier>),
    /// What an organization allows for each kind of credential
    Policy(Noun<policy::Policy>),
    /// What was asked for and needs somebody's word
    Request(Noun<request::Request>),
    /// Who can do what, by what, and what of it is not used
    Rights(Noun<rights::Rights>),
    /// Ceilings that approvers lay on what they grant
    AccessPolicy(Noun<access_policy::AccessPolicy>),
    /// Limits on calls, and their quotas
    Limit(Noun<limit::Limit>),
    #[command(about = tegata_core::operations::VERIFY.summary)]
    Verify(verify::Verify),
    /// The access log: who called what, and what was answered
    Record(Noun<record::Record>),
    /// Where an organization's changes are told to
    Webhook(Noun<webhook::Webhook>),
    /// Who changed what
    Activity(Noun<activity::Activity>),
    /// Write a backup of the installation on this machine, also while it serves
    Backup(maintenance::Backup),
    /// Restore a backup; it revives nothing that was stopped
    Restore(maintenance::Restore),
    /// Copy the database to another one, such as from SQLite to PostgreSQL
    Copy(maintenance::Copy),
    /// The keys under which secrets are stored
    #[command(visible_alias = "key")]
    Keys(maintenance::Keys),
    /// Look at the health of the installation on this machine
    Doctor(maintenance::Doctor),
    /// Write what a shell needs to complete commands
    Completions(completions::Completions),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let Cli { json, color, command } = Cli::parse();
    let output = Output::new(json, color);
    match run(command, output, color) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            if !error.silent {
                tell(&error, output, color);
            }
            error.exit.into()
        }
    }
}

fn run(command: Command, output: Output, colours: Colours) -> Result<(), CliError> {
    match command {
        Command::Completions(completions) => completions.run(),
        Command::Serve(serve) => at_home(serve.run(output, colours)),
        Command::Init(init) => at_home(init.run(output, colours)),
        Command::Backup(backup) => at_home(backup.run(output, colours)),
        Command::Restore(restore) => at_home(restore.run(output, colours)),
        Command::Copy(copy) => at_home(copy.run(output, colours)),
        Command::Keys(keys) => at_home(keys.run(output, colours)),
        Command::Doctor(doctor) => at_home(doctor.run(output, colours)),
        Command::Login(login) => abroad(login.run(output)),
        Command::Logout(logout) => abroad(logout.run(output)),
        Command::Whoami(whoami) => abroad(whoami.run(output)),
        Command::Password(password) => abroad(password.run(output)),
        Command::Verify(verify) => abroad(verify.run(output)),
        Command::Session(noun) => visit(noun, output),
        Command::Inbox(noun) => visit(noun, output),
        Command::Org(noun) => visit(noun, output),
        // The only verb of a noun that is done on this machine: no server is needed, and none may run.
        Command::User(Noun { verb: user::User::Password(password), .. }) => at_home(password.run(output, colours)),
        Command::User(noun) => visit(noun, output),
        Command::Member(noun) => visit(noun, output),
        Command::Team(noun) => visit(noun, output),
        Command::Context(noun) => visit(noun, output),
        Command::Role(noun) => visit(noun, output),
        Command::Assignment(noun) => visit(noun, output),
        Command::Catalogue(noun) => visit(noun, output),
        Command::Token(noun) => visit(noun, output),
        Command::OrganizationKey(noun) => visit(noun, output),
        Command::Credential(noun) => visit(noun, output),
        Command::Leak(noun) => visit(noun, output),
        Command::ServiceAccount(noun) => visit(noun, output),
        Command::Application(noun) => visit(noun, output),
        Command::Succession(noun) => visit(noun, output),
        Command::AccessKey(noun) => visit(noun, output),
        Command::Verifier(noun) => visit(noun, output),
        Command::Policy(noun) => visit(noun, output),
        Command::Request(noun) => visit(noun, output),
        Command::Rights(noun) => visit(noun, output),
        Command::AccessPolicy(noun) => visit(noun, output),
        Command::Limit(noun) => visit(noun, output),
        // A log is checked without any server.
        Command::Record(Noun { verb: record::Record::Verify(verify), .. }) => verify.run(output, colours),
        Command::Record(Noun { verb: record::Record::VerifyProof(verify), .. }) => verify.run(output),
        Command::Record(Noun { verb: record::Record::PublicKey(key), .. }) => key.run(output, colours),
        Command::Record(noun) => visit(noun, output),
        Command::Webhook(noun) => visit(noun, output),
        Command::Activity(noun) => visit(noun, output),
    }
}

/// Work on this machine's files, which uses all of it.
fn at_home(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| CliError::failed(format!("no threads can be started: {error}")))?.block_on(work)
}

/// Work at a server, for which one thread is enough.
fn abroad(work: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| CliError::failed(format!("no work can be started: {error}")))?.block_on(work)
}

/// A verb of a noun, at its server.
fn visit<V: Verb + Subcommand>(noun: Noun<V>, output: Output) -> Result<(), CliError> {
    abroad(async {
        let desk = Desk::open(&noun.remote, output)?;
        noun.verb.run(&desk).await
    })
}

/// Tells people, or scripts, what went wrong.
fn tell(error: &CliError, output: Output, colours: Colours) {
    let mut stream = io::stderr().lock();
    // There is nobody left to tell where this fails.
    if output.json {
        let _ = writeln!(stream, "{}", error.json());
        return;
    }
    let coloured = colours.wanted(io::stderr().is_terminal());
    for line in error.lines() {
        let _ = match line.strip_prefix("error:") {
            Some(rest) if coloured => writeln!(stream, "\u{1b}[1;31merror:\u{1b}[0m{rest}"),
            _ => writeln!(stream, "{line}"),
        };
    }
}

#[cfg(test)]
mod tests;
