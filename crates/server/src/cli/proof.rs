//! Proofs of the access log: `tegata record prove` and `checkpoints` ask a server; `verify`, `verify-proof` and
//! `public-key` need none.

use super::call::Call;
use super::desk::{Desk, InOrg};
use super::error::CliError;
use super::exit::Exit;
use super::maintenance::{Bars, settled, told, value};
use super::render::{Colours, Output, plain};
use super::settings::Place;
use crate::maintenance::proof::{self, VerifyDone, VerifyOptions};
use clap::Args;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tegata_record::proof::{ProofError, VerifyingKey, verify_proof};

/// A record is signed within a second or so; so often it is asked again.
const TRIES: u32 = 6;
const AGAIN: Duration = Duration::from_millis(500);
/// No proof is longer.
const PROOF_BYTES_MAX: u64 = 1 << 20;

/// The proof of a record, from a server.
#[derive(Debug, Args)]
pub struct Prove {
    /// The record's id
    record: String,
    #[command(flatten)]
    pub(super) org: InOrg,
    /// The file; the standard output if left out
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What was signed last, from a server.
#[derive(Debug, Args)]
pub struct Checkpoints {
    #[command(flatten)]
    pub(super) org: InOrg,
}

/// A check of a whole log.
#[derive(Debug, Args)]
pub struct VerifyLog {
    #[command(flatten)]
    place: Place,
    /// A backup, or a copy of a data directory or of its access records, in place of the data directory
    #[arg(long, value_name = "DIRECTORY", requires = "public_key")]
    copy: Option<PathBuf>,
    /// The public key, or `@` and a file with it [default: that of the installation's own key file]
    #[arg(long, value_name = "LINE|@FILE")]
    public_key: Option<String>,
    /// Only this organization (its id)
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Records of this day and later have to be there, such as 2026-11-22. If left out: of the first day that retention
    /// has not cleared away
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// A file with checkpoints that were kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
}

/// A check of one proof.
#[derive(Debug, Args)]
pub struct VerifyProof {
    /// The file with the proof, or `-` for the standard input
    file: PathBuf,
    /// The public key, or `@` and a file with it
    #[arg(long, value_name = "LINE|@FILE")]
    public_key: String,
}

/// The public key of an installation.
#[derive(Debug, Args)]
pub struct PublicKey {
    #[command(flatten)]
    place: Place,
}

impl Prove {
    /// Asks for the proof and writes it.
    pub async fn run(self, desk: &Desk, call: Call) -> Result<(), CliError> {
        let call = call.at("record", self.record);
        let mut tries = 0;
        let answer = loop {
            tries += 1;
            match desk.client.call(&call).await {
                Err(error) if error.exit == Exit::Conflict && tries < TRIES => tokio::time::sleep(AGAIN).await,
                answered => break answered?,
            }
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        match &self.output {
            Some(path) => {
                let mut file = std::fs::OpenOptions::new();
                // It holds the record, which says who did what.
                let file = file.write(true).create(true).truncate(true).mode(0o600).open(path);
                let written = file.and_then(|mut file| file.write_all(text("proof").as_bytes()));
                written.map_err(|error| CliError::file(path, &error))?;
                desk.output
                    .remark(&format!("Check it with: tegata record verify-proof {} --public-key …", path.display()));
                Ok(())
            }
            None if desk.output.json => desk.output.thing(&answer),
            None => desk.output.line(text("proof").trim_end_matches('\n')),
        }
    }
}

impl Checkpoints {
    /// Asks for the checkpoints and writes their notes, as `verify --checkpoint` reads them.
    pub async fn run(self, desk: &Desk, call: Call) -> Result<(), CliError> {
        let answer = desk.client.call(&call).await?;
        if desk.output.json {
            return desk.output.thing(&answer);
        }
        let notes = answer.get("items").and_then(Value::as_array).into_iter().flatten();
        for note in notes.filter_map(|item| item.get("note").and_then(Value::as_str)) {
            desk.output.line(note)?;
        }
        let key = answer.get("public_key").and_then(Value::as_str).unwrap_or_default();
        desk.output.remark(&format!("The public key is {}", plain(key)));
        Ok(())
    }
}

impl VerifyLog {
    /// Checks, and ends well only where nothing is wrong.
    pub fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = settled(&self.place, colours)?;
        let key = match &self.public_key {
            Some(key) => key_of(key)?,
            None => key_of(&proof::public_key(&settings.config).map_err(told)?)?,
        };
        let since_day = self.since.map(day_number).transpose()?;
        let options = VerifyOptions {
            place: self.copy.unwrap_or_else(|| settings.config.data_dir.clone()),
            columns: settings.config.record_bucket.clone(),
            key,
            organization: self.org,
            since_day,
            checkpoints: self.checkpoint,
        };
        let mut bars = Bars::new(output);
        let work = proof::verify(&options, &mut |progress| bars.show(&progress));
        bars.clear();
        let done = work.map_err(told)?;
        if output.json {
            output.thing(&value(&done)?)?;
        } else {
            say(&done, output)?;
        }
        if done.problems.is_empty() { Ok(()) } else { Err(CliError::silently(Exit::Altered)) }
    }
}

fn say(done: &VerifyDone, output: Output) -> Result<(), CliError> {
    for problem in &done.problems {
        output.line(&format!("problem  {}", plain(problem)))?;
    }
    output.line(&format!(
        "{} records of {} organizations were checked against {} trees; signed through sequence {}.",
        done.records, done.organizations, done.trees, done.signed_through
    ))?;
    if done.dropped_trees > 0 {
        let trees = done.dropped_trees;
        output
            .line(&format!("The records of {trees} older trees are not here: --since DATE says which have to be."))?;
    }
    if done.unsigned > 0 {
        output.line(&format!("{} records came after everything that was signed.", done.unsigned))?;
    }
    if done.kept_checkpoints > 0 {
        output.line(&format!("{} checkpoints that were kept elsewhere were compared.", done.kept_checkpoints))?;
    }
    output.line(&match done.problems.len() {
        0 => "Everything is as it was signed.".to_owned(),
        1 => "There is 1 problem.".to_owned(),
        more => format!("There are {more} problems."),
    })
}

impl VerifyProof {
    /// Checks, and shows the record.
    pub fn run(self, output: Output) -> Result<(), CliError> {
        let key = key_of(&self.public_key)?;
        let proof = read_text(&self.file)?;
        let proven = match verify_proof(&proof, &key) {
            Ok(proven) => proven,
            Err(error @ ProofError::Malformed) => return Err(CliError::failed(error.to_string())),
            Err(error) => return Err(CliError::new(Exit::Altered, "not_proven", error.to_string())),
        };
        let checkpoint = &proven.checkpoint;
        output.thing(&json!({
            "record": value(&proven.record)?,
            "tree": checkpoint.tree.to_string(),
            "index": proven.index,
            "records_in_tree": checkpoint.size,
            "signed_by": key.name(),
        }))
    }
}

impl PublicKey {
    /// Shows the key.
    pub fn run(self, output: Output, colours: Colours) -> Result<(), CliError> {
        let settings = settled(&self.place, colours)?;
        let key = proof::public_key(&settings.config).map_err(told)?;
        if output.json { output.thing(&json!({"public_key": key})) } else { output.line(&key) }
    }
}

fn key_of(text: &str) -> Result<VerifyingKey, CliError> {
    let read = match text.strip_prefix('@') {
        Some(path) => read_text(Path::new(path))?,
        None => text.to_owned(),
    };
    read.trim()
        .parse()
        .map_err(|error: tegata_record::proof::KeyError| CliError::usage(format!("--public-key: {error}")))
}

fn read_text(path: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(PROOF_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(PROOF_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| CliError::file(path, &error))?;
    Ok(text)
}

/// A UTC day, counted from 1970.
fn day_number(day: Date) -> Result<i64, CliError> {
    let days = date(1970, 1, 1).until(day).map_err(|error| CliError::usage(format!("--since: {error}")))?;
    Ok(days.get_days().into())
}
