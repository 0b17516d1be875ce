//! `tegata backup`, `restore`, `copy`, `doctor`, `keys` and `user password`: looking after an installation on its own
//! machine. The work is in [`crate::maintenance`]; here are its flags, its progress bars and its words.

use super::error::CliError;
use super::exit::Exit;
use super::logging;
use super::render::{Colours, Column, Output, plain};
use super::secret::{self, PasswordFrom};
use super::settings::{Failure, Place, Settings};
use crate::maintenance::{
    self, BackupOptions, CopyOptions, Level, MaintenanceError, Progress, RestoreOptions, Unit, doctor, keys, shown,
};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

/// A backup to be made.
#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    place: Place,
    /// Where to: a directory that is empty or not there yet
    destination: PathBuf,
}

/// A backup to be restored.
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    place: Place,
    /// The directory of the backup
    #[arg(required_unless_present = "open")]
    source: Option<PathBuf>,
    /// The stops file of the installation as it was last, or its data directory: what was stopped after the backup
    #[arg(long, value_name = "PATH")]
    stops: Option<PathBuf>,
    /// Let a restored installation answer checks again, after what is uncertain was looked at
    #[arg(long, conflicts_with_all = ["source", "stops"])]
    open: bool,
}

/// A database to be copied.
#[derive(Debug, Args)]
pub struct Copy {
    #[command(flatten)]
    place: Place,
    /// The database that is read [default: the one of this installation]
    #[arg(long, value_name = "DATABASE", env = "TEGATA_COPY_FROM", hide_env_values = true)]
    from: Option<String>,
    /// The database that is filled; it has to be empty. A password in it belongs into the environment
    #[arg(long, value_name = "DATABASE", env = "TEGATA_COPY_TO", hide_env_values = true)]
    to: String,
}

/// A look at an installation's health.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    failure: Failure,
}

/// The hashing keys.
#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    verb: KeysVerb,
}

/// What is done with the hashing keys.
#[derive(Debug, Subcommand)]
enum KeysVerb {
    /// Show the keys that there are and were
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Make a new key for new secrets; those under the one before go on working
    Rotate {
        #[command(flatten)]
        place: Place,
    },
    /// Retire the older of two keys; secrets under it are unknown from then on
    Retire {
        #[command(flatten)]
        place: Place,
        /// Also while tokens or verifiers need it
        #[arg(long)]
        force: bool,
    },
}

/// A new password for an account, given on the machine itself.
#[derive(Debug, Args)]
pub struct SetPassword {
    #[command(flatten)]
    place: Place,
    /// The account's e-mail address
    email: String,
    #[command(flatten)]
    password: PasswordFrom,
}

impl Backup {
    /// Makes the backup.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = settled(&self.place, colours)?;
        let options = BackupOptions { destination: self.destination };
        let mut bars = Bars::new(output);
        let done = maintenance::backup(&settings.config, &options, &mut |progress| bars.show(&progress)).await;
        bars.clear();
        let done = done.map_err(told)?;
        if output.json {
            let (destination, key_file) = (&done.destination, &done.key_file);
            return output.thing(&json!({"destination": destination, "key_file": key_file, "manifest": done.manifest}));
        }
        let manifest = &done.manifest;
        let (at, records) = (manifest.created_at, manifest.records.records);
        output.line(&format!("Backup of {at} in {}, with {records} access records.", done.destination.display()))?;
        for finding in &manifest.records.findings {
            output.line(&format!("  the access log: {}", plain(finding)))?;
        }
        output.line(&done.reminder())
    }
}

impl Restore {
    /// Restores, or opens what was restored.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = settled(&self.place, colours)?;
        let Some(source) = self.source else {
            let left = maintenance::open_restored(&settings.config).await.map_err(told)?;
            output.remark("The restored installation answers checks again, from its next start on.");
            return output.thing(&left);
        };
        let options = RestoreOptions { source, stops: self.stops };
        let mut bars = Bars::new(output);
        let done = maintenance::restore(&settings.config, &options, &mut |progress| bars.show(&progress)).await;
        bars.clear();
        let done = done.map_err(told)?;
        if output.json {
            return output.thing(&json!({
                "manifest": done.manifest, "stopped": done.stopped, "sessions_ended": done.sessions_ended,
                "last_stop": done.last_stop, "uncertain": done.uncertain,
            }));
        }
        output.line(&format!(
            "Restored the backup of {}: {} stops were done again and {} sessions ended.",
            done.manifest.created_at,
            done.stopped.len(),
            done.sessions_ended
        ))?;
        for sentence in &done.uncertain {
            output.line(&format!("  look at: {}", plain(sentence)))?;
        }
        output.line("It answers no check until `tegata restore --open`.")
    }
}

impl Copy {
    /// Copies.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = settled(&self.place, colours)?;
        let from = self.from.unwrap_or_else(|| settings.config.database());
        let options = CopyOptions { from, to: self.to };
        let mut bars = Bars::new(output);
        let done = maintenance::copy(&options, &mut |progress| bars.show(&progress)).await;
        bars.clear();
        let done = done.map_err(told)?;
        let (from, to) = (shown(&options.from), shown(&options.to));
        if output.json {
            return output.thing(&json!({"from": from, "to": to, "sequence": done.sequence, "tables": done.tables}));
        }
        output.line(&format!("Copied {} tables from {from} to {to}, and compared them.", done.tables.len()))?;
        output.line("Start the server with --database and the new database; its data directory stays the same.")
    }
}

impl Doctor {
    /// Looks, and ends well only where nothing is broken.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let mut settings = settled(&self.place, colours)?;
        settings.config.record_failure = self.failure.or(settings.config.record_failure);
        let findings = doctor::doctor(&settings.config).await;
        for finding in &findings {
            if output.json {
                output.thing(&value(finding)?)?;
                continue;
            }
            let word = match finding.level {
                Level::Ok => "ok   ",
                Level::Warn => "warn ",
                Level::Error => "error",
            };
            output.line(&format!("{word}  {}", plain(&finding.what)))?;
            if let Some(advice) = &finding.advice {
                output.line(&format!("       {}", plain(advice)))?;
            }
        }
        if doctor::is_ill(&findings) { Err(CliError::silently(Exit::Failed)) } else { Ok(()) }
    }
}

impl Keys {
    /// Shows, rotates or retires.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        match self.verb {
            KeysVerb::Status { place } => {
                let settings = settled(&place, colours)?;
                let keys = keys::status(&settings.config).await.map_err(told)?;
                let rows = keys.iter().map(value).collect::<Result<Vec<_>, _>>()?;
                output.rows(KEY_COLUMNS, &rows)
            }
            KeysVerb::Rotate { place } => {
                let settings = settled(&place, colours)?;
                let key = keys::rotate(&settings.config).await.map_err(told)?;
                output.thing(&value(&key)?)?;
                let file = settings.config.key_file();
                output.remark(&format!("Renew the copy of {} that is kept elsewhere.", file.display()));
                Ok(())
            }
            KeysVerb::Retire { place, force } => {
                let settings = settled(&place, colours)?;
                let retired = keys::retire(&settings.config, force).await.map_err(told)?;
                output.thing(&value(&retired)?)
            }
        }
    }
}

const KEY_COLUMNS: &[Column] = &[
    ("KEY", "/key_id"),
    ("STATE", "/state"),
    ("IN KEY FILE", "/in_key_file"),
    ("TOKENS", "/live/tokens"),
    ("VERIFIERS", "/live/verifiers"),
    ("APPLICATIONS", "/live/applications"),
    ("SESSIONS", "/live/sessions"),
    ("CREATED", "/created_at"),
    ("FINGERPRINT", "/fingerprint"),
];

impl SetPassword {
    /// Sets the password.
    pub async fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = settled(&self.place, colours)?;
        let password = match self.password.read()? {
            Some(password) => password,
            None => secret::ask_new_password()?,
        };
        maintenance::password::set(&settings.config, &self.email, password).await.map_err(told)?;
        if output.json {
            return output.thing(&json!({"email": self.email}));
        }
        output.line("The password is set, and the sessions of the account have ended.")
    }
}

pub(super) fn settled(place: &Place, colours: Colours) -> Result<Settings, CliError> {
    logging::quietly(colours)?;
    place.settle()
}

pub(super) fn value(thing: &impl Serialize) -> Result<Value, CliError> {
    serde_json::to_value(thing).map_err(|error| CliError::failed(error.to_string()))
}

/// An error of maintenance; its text says what to do.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn told(error: MaintenanceError) -> CliError {
    let exit = match error {
        MaintenanceError::NoDatabase(_) | MaintenanceError::NoAccount(_) => Exit::NotFound,
        MaintenanceError::Lock(_)
        | MaintenanceError::NotEmpty(_)
        | MaintenanceError::DatabaseNotEmpty(_)
        | MaintenanceError::TwoKeys(_)
        | MaintenanceError::OneKey
        | MaintenanceError::KeyInUse { .. }
        | MaintenanceError::NotBlocked => Exit::Conflict,
        _ => Exit::Failed,
    };
    CliError::new(exit, "maintenance", error.to_string())
}

/// A progress bar for each step, on a terminal only.
pub(super) struct Bars {
    wanted: bool,
    step: String,
    bar: ProgressBar,
}

impl Bars {
    pub(super) fn new(output: Output) -> Self {
        let wanted = !output.json && io::stderr().is_terminal();
        Self { wanted, step: String::new(), bar: ProgressBar::hidden() }
    }

    pub(super) fn show(&mut self, progress: &Progress) {
        if !self.wanted {
            return;
        }
        if self.step != progress.step {
            self.bar.finish_and_clear();
            self.step.clone_from(&progress.step);
            let counts = match progress.unit {
                Unit::Bytes => "{bytes}/{total_bytes}",
                Unit::Rows | Unit::Stops => "{human_pos}/{human_len}",
            };
            self.bar = ProgressBar::new(progress.total).with_message(progress.step.clone());
            if let Ok(style) = ProgressStyle::with_template(&format!("{{msg:28}} {{wide_bar}} {counts}  {{elapsed}}")) {
                self.bar.set_style(style);
            }
        }
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
