//! `tegata credential`: keys that were made elsewhere come in by their hashes. See docs/import.md.

use super::call::Call;
use super::desk::{Because, Desk, InOrg, Paging, Verb};
use super::error::CliError;
use super::render::Column;
use super::secret::{ask_hidden, from_env, from_stdin, somebody_is_there};
use crate::imports::{Candidate, Format, Row, Rows, Settings};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tegata_core::operations;

/// Largest file that is read: what the server takes.
const FILE_MAX_BYTES: u64 = 60 << 20;
/// How often the bar moves by itself while the server works.
const TICK: Duration = Duration::from_millis(120);

const COLUMNS: &[Column] = &[
    ("ID", "/id"),
    ("STATE", "/state"),
    ("CREDENTIALS", "/credentials"),
    ("LEFT OUT", "/skipped"),
    ("WARNINGS", "/warnings"),
    ("MADE BY", "/created_by_name"),
    ("CREATED", "/created_at"),
];

/// How long an import is waited for, which answers when all of it is there.
const PATIENCE: Duration = Duration::from_hours(1);

/// What is done with credentials of every kind.
#[derive(Debug, Subcommand)]
pub enum Credential {
    #[command(about = operations::CREDENTIAL_IMPORT_CREATE.summary)]
    Import(Box<Import>),
    #[command(about = operations::CREDENTIAL_IMPORT_LIST.summary)]
    Imports {
        #[command(flatten)]
        org: InOrg,
        #[command(flatten)]
        paging: Paging,
    },
    #[command(about = operations::CREDENTIAL_IMPORT_SHOW.summary)]
    ShowImport {
        /// The import's id
        import: String,
        #[command(flatten)]
        org: InOrg,
    },
}

/// How a file is written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FileFormat {
    /// With a header line
    Csv,
    /// One JSON object a line
    Jsonl,
}

/// What was hashed of a key.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Part {
    /// The whole key
    Key,
    /// What follows its visible beginning
    Secret,
}

/// A file of keys.
#[derive(Debug, Args)]
pub struct Import {
    /// The file
    file: PathBuf,
    /// How it is written; told from its name if not said
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    /// What rows say that say nothing, such as `kind=personal_token`; may be repeated
    #[arg(long = "default", value_name = "FIELD=VALUE", value_parser = pair)]
    defaults: Vec<(String, String)>,
    /// What every key begins with, where its visible beginning says whose it is
    #[arg(long, value_name = "TEXT")]
    prefix: Option<String>,
    /// What stands between the visible beginning of a key and the rest
    #[arg(long, value_name = "TEXT")]
    separator: Option<String>,
    /// How many bytes the visible beginning of a key has, the prefix included
    #[arg(long, value_name = "BYTES", conflicts_with = "separator")]
    length: Option<u64>,
    /// What was hashed of a key that has a visible beginning
    #[arg(long, value_enum, value_name = "PART")]
    hashed: Option<Part>,
    /// The environment variable that holds the key of HMAC hashes
    #[arg(long, value_name = "VAR")]
    hmac_key_env: Option<String>,
    /// How that key is written: hex, base64, base64url or text
    #[arg(long, value_name = "ENCODING", requires = "hmac_key_env")]
    hmac_key_encoding: Option<String>,
    /// Import what is sound, and leave wrong rows out
    #[arg(long)]
    skip_wrong_rows: bool,
    /// Show what is wrong, and import nothing
    #[arg(long)]
    dry_run: bool,
    /// Try one key against the file: it is asked for, or comes from the standard input, and is neither sent nor kept
    #[arg(long = "try", conflicts_with_all = ["dry_run", "skip_wrong_rows"])]
    try_one: bool,
    #[command(flatten)]
    org: InOrg,
    #[command(flatten)]
    because: Because,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE")?;
    if Row::FIELDS.contains(&field) {
        Ok((field.to_owned(), value.to_owned()))
    } else {
        Err(format!("the fields are {}", Row::FIELDS.join(", ")))
    }
}

impl Verb for Credential {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Import(import) => import.run(desk).await,
            Self::Imports { org, paging } => {
                let call = Call::to(operations::CREDENTIAL_IMPORT_LIST).at("org", desk.org(&org).await?);
                desk.list(call, COLUMNS, paging).await
            }
            Self::ShowImport { import, org } => {
                let call = Call::to(operations::CREDENTIAL_IMPORT_SHOW).at("org", desk.org(&org).await?);
                desk.show(call.at("import", import)).await
            }
        }
    }
}

impl Import {
    async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let (text, format) = (read(&self.file)?, self.format()?);
        let body = self.settings()?;
        let settings: Settings = serde_json::from_value(body.clone())
            .map_err(|error| CliError::usage(format!("the options do not go together: {error}")))?;
        settings.check().map_err(|error| CliError::usage(error.to_string()))?;
        let bar = if io::stderr().is_terminal() && !desk.output.json { bar(&text) } else { ProgressBar::hidden() };
        let read = Read::of(format, &text, &settings, &bar)?;
        if self.try_one {
            bar.finish_and_clear();
            return try_one(desk, &read, &settings);
        }
        bar.finish_and_clear();
        let waiting = if bar.is_hidden() { ProgressBar::hidden() } else { spinner(read.rows) };
        waiting.enable_steady_tick(TICK);
        let call = Call::to(operations::CREDENTIAL_IMPORT_CREATE)
            .at("org", desk.org(&self.org).await?)
            .ask("dry_run", self.dry_run.then(|| "true".to_owned()))
            .with("format", json!(format))
            .with("content", text)
            .with("settings", body)
            .with("skip_wrong_rows", self.skip_wrong_rows)
            .with("reason", self.because.reason);
        let answer = desk.client.patient(PATIENCE)?.call(&call).await;
        waiting.finish_and_clear();
        desk.output.thing(&answer?)
    }

    fn format(&self) -> Result<Format, CliError> {
        let by_name = self.file.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
        match (self.format, by_name.as_deref()) {
            (Some(FileFormat::Csv), _) | (None, Some("csv")) => Ok(Format::Csv),
            (Some(FileFormat::Jsonl), _) | (None, Some("jsonl" | "ndjson")) => Ok(Format::Jsonl),
            _ => Err(CliError::usage(
                "the file's name does not say how it is written: add --format csv or --format jsonl",
            )),
        }
    }

    /// The settings as the server reads them.
    fn settings(&self) -> Result<Value, CliError> {
        let mut settings = Map::new();
        let defaults: Map<String, Value> =
            self.defaults.iter().map(|(field, value)| (field.clone(), json!(value))).collect();
        settings.insert("defaults".to_owned(), Value::Object(defaults));
        if self.separator.is_some() || self.length.is_some() || self.prefix.is_some() {
            let mut shape = json!({"prefix": self.prefix.clone().unwrap_or_default()});
            if let Some(separator) = &self.separator {
                shape["separator"] = json!(separator);
            }
            if let Some(length) = self.length {
                shape["length"] = json!(length);
            }
            settings.insert("shape".to_owned(), shape);
        }
        if let Some(part) = self.hashed {
            settings.insert("hashed".to_owned(), json!(if matches!(part, Part::Key) { "key" } else { "secret" }));
        }
        if let Some(variable) = &self.hmac_key_env {
            settings.insert("hmac_key".to_owned(), json!(from_env(variable)?.expose_secret()));
            if let Some(encoding) = &self.hmac_key_encoding {
                settings.insert("hmac_key_encoding".to_owned(), json!(encoding));
            }
        }
        Ok(Value::Object(settings))
    }
}

/// Says which row a key is that is asked for.
fn try_one(desk: &Desk, read: &Read, settings: &Settings) -> Result<(), CliError> {
    let key: SecretString = if somebody_is_there() {
        ask_hidden("A key, or client id and secret with a space between them")?
    } else {
        from_stdin()?
    };
    let found = read.candidates.iter().find(|(_, candidate)| candidate.is(key.expose_secret(), settings));
    match found {
        Some((row, candidate)) => desk.output.thing(&json!({
            "found": true, "row": row, "name": candidate.name, "owner": candidate.owner,
        })),
        None => Err(CliError::failed(format!(
            "none of the {} rows that can be read is this key ({} cannot be read)",
            read.candidates.len(),
            read.rows - read.candidates.len()
        ))
        .hint("look at algorithm, encoding, salt and, for keys with a visible beginning, at --separator and --hashed")),
    }
}

/// What is read of a file here: the same as the server reads.
struct Read {
    rows: usize,
    candidates: Vec<(usize, Candidate)>,
}

impl Read {
    fn of(format: Format, text: &str, settings: &Settings, bar: &ProgressBar) -> Result<Self, CliError> {
        let rows = Rows::read(format, text).map_err(|error| CliError::usage(error.to_string()))?;
        let mut read = Self { rows: 0, candidates: Vec::new() };
        for row in rows {
            read.rows += 1;
            bar.inc(1);
            if let Ok(candidate) = row.map_err(|_| Vec::new()).and_then(|row| Candidate::read(row, settings)) {
                read.candidates.push((read.rows, candidate));
            }
        }
        Ok(read)
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    let unreadable = |error: io::Error| CliError::usage(format!("{} cannot be read: {error}", file.display()));
    let length = std::fs::metadata(file).map_err(unreadable)?.len();
    if length > FILE_MAX_BYTES {
        return Err(CliError::usage("a file has at most 60 MiB").hint("split it: 100,000 rows at a time"));
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

fn bar(text: &str) -> ProgressBar {
    let lines = u64::try_from(text.lines().count()).unwrap_or(0);
    match ProgressStyle::with_template("reading  {wide_bar} {human_pos}/{human_len} rows  {elapsed}") {
        Ok(style) => ProgressBar::new(lines).with_style(style),
        Err(_) => ProgressBar::new_spinner(),
    }
}

fn spinner(rows: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} the server checks and imports {msg} rows  {elapsed}");
    let bar = ProgressBar::new_spinner().with_message(rows.to_string());
    style.map(|style| bar.clone().with_style(style)).unwrap_or(bar)
}
