//! `tegata record export`: records as a file. It appears under its name when it is whole.

use crate::cli::call::Call;
use crate::cli::desk::Desk;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// How many records an export has, as the server says.
const COUNT_HEADER: &str = "tegata-record-count";

/// Where an export goes.
#[derive(Debug, Args)]
pub struct Target {
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The file; the standard output if left out, or `-`
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// How an export is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For spreadsheets: a line of names, then a record on each line.
    Csv,
    /// The exact texts: a JSON object on each line.
    #[default]
    Jsonl,
}

impl Target {
    /// Fetches and writes.
    pub async fn run(self, desk: &Desk, call: Call) -> Result<(), CliError> {
        let format = match self.format {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
        };
        let path = self.output.filter(|path| path != Path::new("-"));
        if let Some(path) = &path
            && !self.force
            && path.exists()
        {
            let detail = format!("{} exists already", path.display());
            return Err(CliError::new(Exit::Conflict, "duplicate", detail).hint("--force replaces it"));
        }
        let mut response = desk.client.open_answer(&call.ask("format", format.to_owned())).await?;
        let count = response.headers().get(COUNT_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
        let bar = if io::stderr().is_terminal() && !desk.output.json { bar(count) } else { ProgressBar::hidden() };
        let mut counter = Counter { csv: self.format == Format::Csv, ..Counter::default() };
        let mut sink = Sink::open(path.as_deref())?;
        let copied = async {
            let ended = |_| CliError::new(Exit::Unavailable, "unreachable", "the export ended early; begin it anew");
            while let Some(chunk) = response.chunk().await.map_err(ended)? {
                sink.write(&chunk)?;
                counter.see(&chunk);
                bar.set_position(counter.records());
            }
            Ok(())
        }
        .await;
        bar.finish_and_clear();
        match copied {
            Ok(()) => sink.finish()?,
            Err(error) => {
                sink.give_up();
                return Err(error);
            }
        }
        if path.is_some() {
            desk.output.remark(&format!("{} records", counter.records()));
        }
        Ok(())
    }
}

fn bar(count: Option<u64>) -> ProgressBar {
    let template = "{wide_bar} {human_pos}/{human_len} records  {elapsed}";
    match (count, ProgressStyle::with_template(template)) {
        (Some(count), Ok(style)) => ProgressBar::new(count).with_style(style),
        _ => ProgressBar::new_spinner(),
    }
}

/// Counts records while they pass by.
#[derive(Debug, Default)]
struct Counter {
    csv: bool,
    quoted: bool,
    lines: u64,
}

impl Counter {
    fn see(&mut self, chunk: &[u8]) {
        for byte in chunk {
            match byte {
                // A cell between quotes may hold the end of a line.
                b'"' if self.csv => self.quoted = !self.quoted,
                b'\n' if !self.quoted => self.lines += 1,
                _ => {}
            }
        }
    }

    fn records(&self) -> u64 {
        self.lines.saturating_sub(u64::from(self.csv))
    }
}

/// Where the bytes go.
enum Sink {
    Out,
    File { file: BufWriter<File>, beside: PathBuf, path: PathBuf },
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = path else { return Ok(Self::Out) };
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".part-{}", std::process::id()));
        let beside = PathBuf::from(beside);
        // Records say who did what: nobody else needs to read them.
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
        let file = BufWriter::new(file.map_err(|error| CliError::file(path, &error))?);
        Ok(Self::File { file, beside, path: path.to_owned() })
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
            Self::File { mut file, beside, path } => {
                let done = file.flush().and_then(|()| file.get_ref().sync_all());
                done.and_then(|()| std::fs::rename(&beside, &path)).map_err(|error| CliError::file(&path, &error))
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
    fn records_are_counted_across_chunks() {
        let mut csv = Counter { csv: true, ..Counter::default() };
        for chunk in ["id,agent\r\n1,\"two\nli", "nes\"\r\n2,plain\r\n"] {
            csv.see(chunk.as_bytes());
        }
        assert_eq!(csv.records(), 2);
        let mut lines = Counter::default();
        lines.see(b"{\"a\":\"\\\"\"}\n{}\n");
        assert_eq!(lines.records(), 2);
        assert_eq!(Counter { csv: true, ..Counter::default() }.records(), 0);
    }

    #[test]
    fn half_an_export_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records.csv");
        let mut sink = Sink::open(Some(&path)).unwrap();
        sink.write(b"half").unwrap();
        sink.give_up();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let mut sink = Sink::open(Some(&path)).unwrap();
        sink.write(b"whole").unwrap();
        sink.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }
}
