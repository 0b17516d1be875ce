//! `tegata record export`: records as a file. It appears under its name when it is whole; until then it lies beside, as
//! `FILE.part`, and what was cut off is gone on with after the last record that is whole.

use crate::cli::call::Call;
use crate::cli::desk::Desk;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::record::partial::{self, Scan};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Response;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many records an export has, as the server says.
const COUNT_HEADER: &str = "tegata-record-count";

/// How often a connection that breaks is made again without one more record having arrived.
const TRIES: u32 = 5;
/// How long to wait before that.
const PAUSE: Duration = Duration::from_secs(1);

/// Where an export goes.
#[derive(Debug, Args)]
pub struct Target {
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The file; the standard output if left out, or `-`
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists, and what is left of an export that was cut off
    #[arg(long)]
    force: bool,
    /// Go on with an export that was cut off
    #[arg(long, requires = "output", conflicts_with = "force")]
    resume: bool,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For spreadsheets: a line of names, then a record on each line.
    Csv,
    /// The exact texts: a JSON object on each line.
    #[default]
    Jsonl,
    /// A file of Apache Parquet, for analysis.
    Parquet,
    /// Events of OCSF (API Activity, class 6003), a JSON object on each line.
    Ocsf,
}

impl Format {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Ocsf => "ocsf",
        }
    }

    /// Whether records stand in it one after the other, so that it can be gone on with.
    fn has_lines(self) -> bool {
        self != Self::Parquet
    }
}

impl Target {
    /// Fetches and writes. `call` makes the call, without what this adds to it.
    pub async fn run(self, desk: &Desk, call: impl Fn() -> Call) -> Result<(), CliError> {
        let format = self.format;
        let path = self.output.filter(|path| path != Path::new("-"));
        if let Some(path) = &path
            && !self.force
            && path.exists()
        {
            let detail = format!("{} exists already", path.display());
            return Err(CliError::new(Exit::Conflict, "duplicate", detail).hint("--force replaces it"));
        }
        if self.resume && !format.has_lines() {
            return Err(CliError::usage("a Parquet file is whole or nothing: begin it anew, without --resume"));
        }
        let begin = match (self.resume, self.force) {
            (true, _) => Begin::GoOn,
            (_, true) => Begin::Replace,
            _ => Begin::Anew,
        };
        let mut sink = Sink::open(path.as_deref(), begin)?;
        let mut scan = Scan::new(format == Format::Csv);
        let mut last = sink.look(&mut scan, format)?;
        let bar = if io::stderr().is_terminal() && !desk.output.json { bar() } else { ProgressBar::hidden() };
        let mut tries = 0;
        let copied = loop {
            let call = call().ask("format", format.as_str().to_owned()).ask("after", last.clone());
            let before = scan.records();
            let ended = match desk.client.open_answer(&call).await {
                Ok(response) => copy(response, &mut sink, &mut scan, &bar).await,
                Err(error) => Err(error),
            };
            match ended {
                Err(error) if error.exit == Exit::Unavailable && sink.is_file() && format.has_lines() => {
                    tries = if scan.records() > before { 1 } else { tries + 1 };
                    if tries > TRIES {
                        break Err(error);
                    }
                    bar.println("the connection broke; it is made again");
                    tokio::time::sleep(PAUSE).await;
                    last = sink.cut(&mut scan, format)?;
                }
                ended => break ended,
            }
        };
        bar.finish_and_clear();
        match copied {
            Ok(()) => sink.finish()?,
            Err(error) if sink.is_file() && format.has_lines() && scan.records() > 0 => {
                let hint = format!("{} records are kept; --resume goes on after them", scan.records());
                return Err(error.hint(hint));
            }
            Err(error) => {
                sink.give_up();
                return Err(error);
            }
        }
        if path.is_some() && format.has_lines() {
            desk.output.remark(&format!("{} records", scan.records()));
        }
        Ok(())
    }
}

/// Writes an answer as it arrives.
async fn copy(mut response: Response, sink: &mut Sink, scan: &mut Scan, bar: &ProgressBar) -> Result<(), CliError> {
    let count = response.headers().get(COUNT_HEADER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    bar.set_length(scan.records() + count.unwrap_or(0));
    let ended = |_| CliError::new(Exit::Unavailable, "unreachable", "the export ended early; begin it anew");
    while let Some(chunk) = response.chunk().await.map_err(ended)? {
        sink.write(&chunk)?;
        scan.see(&chunk);
        bar.set_position(scan.records());
    }
    Ok(())
}

fn bar() -> ProgressBar {
    let template = "{wide_bar} {human_pos}/{human_len} records  {elapsed}";
    match ProgressStyle::with_template(template) {
        Ok(style) => ProgressBar::new(0).with_style(style),
        Err(_) => ProgressBar::new_spinner(),
    }
}

/// How a file is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// There must not be a part of it.
    Anew,
    /// A part of it is thrown away.
    Replace,
    /// A part of it is gone on with.
    GoOn,
}

/// Where the bytes go.
enum Sink {
    Out,
    File { file: File, beside: PathBuf, path: PathBuf },
}

impl Sink {
    fn open(path: Option<&Path>, begin: Begin) -> Result<Self, CliError> {
        let Some(path) = path else { return Ok(Self::Out) };
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let beside = PathBuf::from(beside);
        // Records say who did what: nobody else needs to read them.
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        match begin {
            Begin::Anew => options.create_new(true),
            Begin::Replace => options.create(true).truncate(true),
            Begin::GoOn => options.create(true),
        };
        match options.open(&beside) {
            Ok(file) => Ok(Self::File { file, beside, path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let detail = format!("{} is left of an export that was cut off", beside.display());
                let hint = "--resume goes on with it, --force begins anew";
                Err(CliError::new(Exit::Conflict, "duplicate", detail).hint(hint))
            }
            Err(error) => Err(CliError::file(&beside, &error)),
        }
    }

    fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Goes through what is there, cuts off what is not whole, and returns the id of the last record.
    fn look(&mut self, scan: &mut Scan, format: Format) -> Result<Option<String>, CliError> {
        let Self::File { file, beside, .. } = self else { return Ok(None) };
        let mut chunk = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut chunk).map_err(|error| CliError::file(beside, &error))?;
            match chunk.get(..read) {
                Some(seen) if read > 0 => scan.see(seen),
                _ => break,
            }
        }
        self.cut(scan, format)
    }

    /// Cuts off what is not whole, and returns the id of the last record.
    fn cut(&mut self, scan: &mut Scan, format: Format) -> Result<Option<String>, CliError> {
        let Self::File { file, beside, .. } = self else { return Ok(None) };
        let id = match scan.last() {
            None => None,
            Some(line) => {
                let mut text = vec![0; usize::try_from(line.end - line.start).unwrap_or(0)];
                let read = file.read_exact_at(&mut text, line.start);
                read.map_err(|error| CliError::file(beside, &error))?;
                let id = partial::id_of(&text, format == Format::Csv).ok_or_else(|| {
                    let detail = format!("{} is no part of an export as {}", beside.display(), format.as_str());
                    CliError::new(Exit::Conflict, "conflict", detail).hint("--force begins anew")
                })?;
                Some(id)
            }
        };
        if id.is_none() {
            *scan = Scan::new(format == Format::Csv);
        }
        let end = scan.whole();
        let cut = file.set_len(end).and_then(|()| file.seek(io::SeekFrom::Start(end)));
        cut.map_err(|error| CliError::file(beside, &error))?;
        scan.cut();
        Ok(id)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        match self {
            Self::Out => io::stdout().lock().write_all(bytes).map_err(CliError::output),
            Self::File { file, path, .. } => file.write_all(bytes).map_err(|error| CliError::file(path, &error)),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        match self {
            Self::Out => io::stdout().lock().flush().map_err(CliError::output),
            Self::File { file, beside, path } => {
                let done = file.sync_all().and_then(|()| std::fs::rename(&beside, &path));
                done.map_err(|error| CliError::file(&path, &error))
            }
        }
    }

    fn give_up(self) {
        if let Self::File { beside, .. } = self {
            let _ = std::fs::remove_file(beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_export_that_nobody_goes_on_with_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.csv");
        let mut sink = Sink::open(Some(&path), Begin::Anew).unwrap();
        sink.write(b"half").unwrap();
        sink.give_up();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let mut sink = Sink::open(Some(&path), Begin::Anew).unwrap();
        sink.write(b"whole").unwrap();
        sink.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn what_was_cut_off_is_gone_on_with_after_its_last_whole_record() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.jsonl");
        let mut sink = Sink::open(Some(&path), Begin::Anew).unwrap();
        sink.write(b"{\"id\":\"rec_1\"}\n{\"id\":\"rec_2").unwrap();
        drop(sink);
        let refused = Sink::open(Some(&path), Begin::Anew).err().unwrap();
        assert_eq!(refused.exit, Exit::Conflict);
        let (mut sink, mut scan) = (Sink::open(Some(&path), Begin::GoOn).unwrap(), Scan::new(false));
        assert_eq!(sink.look(&mut scan, Format::Jsonl).unwrap().as_deref(), Some("rec_1"));
        sink.write(b"{\"id\":\"rec_2\"}\n").unwrap();
        sink.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"{\"id\":\"rec_1\"}\n{\"id\":\"rec_2\"}\n");
    }

    #[test]
    fn a_part_of_something_else_is_not_gone_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.csv");
        std::fs::write(directory.path().join("records.csv.part"), b"something\nelse\n").unwrap();
        let mut sink = Sink::open(Some(&path), Begin::GoOn).unwrap();
        assert_eq!(sink.look(&mut Scan::new(true), Format::Csv).unwrap_err().exit, Exit::Conflict);
        drop(sink);
        let mut sink = Sink::open(Some(&path), Begin::Replace).unwrap();
        assert_eq!(sink.look(&mut Scan::new(true), Format::Csv).unwrap(), None);
    }
}
