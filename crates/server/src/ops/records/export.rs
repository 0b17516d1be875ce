//! Export access records of an organization, in the order in which they were written. The right to it is asked for, and
//! recorded, before the first byte; the records then flow without a transaction being open. What was cut off is gone on
//! with after the last record that arrived.

use super::chunks::{self, Chunk};
use super::filters::{Asked, ask, refused, sequence_of, unreadable, with_filters};
use crate::app::App;
use crate::db::Tx;
use crate::ops::{Act, Caller, Query, frame};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_record::export::{ExportError, csv, csv_rows, jsonl, ocsf, parquet};
use tegata_record::{AccessLog, Order, Records};
use tokio::sync::mpsc;

with_filters! {
    /// Which records, and how.
    #[schema(as = RecordExportParams)]
    pub struct ExportParams {
        /// `csv` (for spreadsheets: cells that would be formulas get an apostrophe), `jsonl` (the exact texts),
        /// `parquet`, or `ocsf` (class 6003, API Activity, as JSON Lines). `jsonl`, if it is left out.
        pub format: Option<String>,
        /// Only records after the one with this id: to go on with an export that was cut off. Not for `parquet`. The
        /// first line of `csv`, with the names, is then left out.
        pub after: Option<String>,
    }
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a line of names.
    Csv,
    /// A record on each line, as the API shows it.
    JsonLines,
    /// One Apache Parquet file.
    Parquet,
    /// An event of OCSF on each line.
    Ocsf,
}

impl Format {
    fn read(text: Option<&str>) -> Result<Self, Problem> {
        match text {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") | None => Ok(Self::JsonLines),
            Some("parquet") => Ok(Self::Parquet),
            Some("ocsf") => Ok(Self::Ocsf),
            Some(_) => Err(refused(Code::InvalidParameter, "format", "write `csv`, `jsonl`, `parquet` or `ocsf`")),
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines | Self::Ocsf => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// What stands behind the dot in a file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
            Self::Ocsf => "ocsf.jsonl",
        }
    }
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    /// How it is written.
    pub format: Format,
    /// How many records it has.
    pub count: u64,
    /// What it may be called.
    pub file_name: String,
    /// Its bytes.
    pub chunks: mpsc::Receiver<Chunk>,
}

/// The right to an export.
struct AuthorizeExport<'a> {
    org: &'a str,
    params: &'a ExportParams,
}

/// What may be exported.
#[derive(Serialize, Deserialize)]
struct Authorized {
    key: String,
    asked: Asked,
}

impl Query for AuthorizeExport<'_> {
    const OPERATION: &'static Operation = operations::RECORD_EXPORT;
    type Output = Authorized;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Authorized, Problem> {
        let org = act.require(Self::OPERATION, self.org).await?.org;
        // Before the filters, so that a refused format is refused to those only who may ask at all.
        after(self.params)?;
        let asked = ask(act, org.id, &self.params.filters()).await?;
        Ok(Authorized { key: org.key, asked })
    }
}

/// Begins an export: asks for the right, counts, and lets the records flow.
pub async fn begin(app: &Arc<App>, caller: &Caller, org: &str, params: &ExportParams) -> Result<Export, Problem> {
    let reply = frame::query(app, caller, &AuthorizeExport { org, params }).await?;
    let (format, after) = after(params)?;
    let Authorized { key, asked } = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
    let journal = Arc::clone(app.verify.journal());
    let opened = tokio::task::spawn_blocking(move || open(&journal, &asked, after)).await;
    let (count, records) = opened.map_err(|_| Problem::internal())??;
    let (writer, chunks) = chunks::channel();
    tokio::task::spawn_blocking(move || write(format, after.is_some(), writer, records));
    let day: String = app.clock.now().to_string().chars().take(10).collect();
    let file_name = format!("records-{key}-{day}.{}", format.extension());
    Ok(Export { format, count, file_name, chunks })
}

/// The format, and the sequence after which to go on.
fn after(params: &ExportParams) -> Result<(Format, Option<u64>), Problem> {
    let format = Format::read(params.format.as_deref())?;
    let after = sequence_of(params.after.as_deref())?;
    if after.is_some() && format == Format::Parquet {
        let why = "a Parquet file is whole or nothing; begin it anew, or choose another format";
        return Err(refused(Code::InvalidParameter, "after", why));
    }
    Ok((format, after))
}

fn open(journal: &AccessLog, asked: &Asked, after: Option<u64>) -> Result<(u64, Records), Problem> {
    let query = tegata_record::Query { after_sequence: after, ..asked.query() };
    // The stream ends with the newest record of this moment; the count may see a few that came since.
    let records = journal.stream(&query, Order::OldestFirst);
    let count = journal.count(&query).map_err(|error| unreadable(&error))?;
    Ok((count, records))
}

fn write(format: Format, goes_on: bool, mut writer: chunks::ChunkWriter, records: Records) {
    let written = match format {
        Format::Csv if goes_on => csv_rows(&mut writer, records, |_| ()),
        Format::Csv => csv(&mut writer, records, |_| ()),
        Format::JsonLines => jsonl(&mut writer, records, |_| ()),
        Format::Parquet => parquet(&mut writer, records, |_| ()),
        Format::Ocsf => ocsf(&mut writer, records, |_| ()),
    };
    writer.finish(match written {
        Ok(_) => Ok(()),
        Err(ExportError::Write { source, .. }) => Err(source),
        Err(ExportError::Read(error)) => {
            unreadable(&error);
            Err(io::Error::other("the access log could not be read"))
        }
    });
}
