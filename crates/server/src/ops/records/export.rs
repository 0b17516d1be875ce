//! Export access records of an organization as CSV or JSON Lines, in the order in which they were written. The right
//! to it is asked for, and recorded, before the first byte; the records then flow without a transaction being open.

use super::chunks::{self, Chunk};
use super::filters::{Asked, ask, refused, unreadable, with_filters};
use crate::app::App;
use crate::db::Tx;
use crate::ops::{Act, Caller, Query, frame};
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_record::export::{ExportError, csv, jsonl};
use tegata_record::{AccessLog, Order, Records};
use tokio::sync::mpsc;

with_filters! {
    /// Which records, and how.
    #[schema(as = RecordExportParams)]
    pub struct ExportParams {
        /// `csv` (for spreadsheets: cells that would be formulas get an apostrophe) or `jsonl` (the exact texts).
        pub format: Option<String>,
    }
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a line of names.
    Csv,
    /// A record on each line, as the API shows it.
    JsonLines,
}

impl Format {
    fn read(text: Option<&str>) -> Result<Self, Problem> {
        match text {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") | None => Ok(Self::JsonLines),
            Some(_) => Err(refused(Code::InvalidParameter, "format", "write `csv` or `jsonl`")),
        }
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// What stands behind the dot in a file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
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
        Format::read(self.params.format.as_deref())?;
        let asked = ask(act, org.id, &self.params.filters()).await?;
        Ok(Authorized { key: org.key, asked })
    }
}

/// Begins an export: asks for the right, counts, and lets the records flow.
pub async fn begin(app: &Arc<App>, caller: &Caller, org: &str, params: &ExportParams) -> Result<Export, Problem> {
    let reply = frame::query(app, caller, &AuthorizeExport { org, params }).await?;
    let format = Format::read(params.format.as_deref())?;
    let Authorized { key, asked } = serde_json::from_value(reply.body).map_err(|_| Problem::internal())?;
    let journal = Arc::clone(app.verify.journal());
    let opened = tokio::task::spawn_blocking(move || open(&journal, &asked)).await;
    let (count, records) = opened.map_err(|_| Problem::internal())??;
    let (writer, chunks) = chunks::channel();
    tokio::task::spawn_blocking(move || write(format, writer, records));
    let day: String = app.clock.now().to_string().chars().take(10).collect();
    let file_name = format!("records-{key}-{day}.{}", format.extension());
    Ok(Export { format, count, file_name, chunks })
}

fn open(journal: &AccessLog, asked: &Asked) -> Result<(u64, Records), Problem> {
    // The stream ends with the newest record of this moment; the count may see a few that came since.
    let records = journal.stream(&asked.query(), Order::OldestFirst);
    let count = journal.count(&asked.query()).map_err(|error| unreadable(&error))?;
    Ok((count, records))
}

fn write(format: Format, mut writer: chunks::ChunkWriter, records: Records) {
    let written = match format {
        Format::Csv => csv(&mut writer, records, |_| ()),
        Format::JsonLines => jsonl(&mut writer, records, |_| ()),
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
