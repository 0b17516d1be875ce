//! CSV (RFC 4180) with a line of names.
//!
//! Spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, a tab, a carriage return or a line feed as a formula,
//! and much in a record is chosen by strangers. Such a cell gets an apostrophe before it, which spreadsheets take as
//! "this is text". Whoever needs the exact bytes exports JSON Lines. An unknown value is an empty cell.

use crate::export::{COLUMNS, ExportError, Progress};
use crate::journal::ReadError;
use crate::record::Record;
use crate::time::Rfc3339;
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes the records as CSV and returns how many there were. `on_progress` hears the count now and then, and at the
/// end.
pub fn csv<W: Write>(
    writer: W,
    records: impl IntoIterator<Item = Result<Record, ReadError>>,
    on_progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let mut out = csv::Writer::from_writer(writer);
    let progress = Progress::new(on_progress);
    out.write_record(COLUMNS).map_err(|error| progress.failed(error.into()))?;
    write_rows(out, records, progress)
}

/// The same without the line of names, to go on with a file that was begun.
pub fn csv_rows<W: Write>(
    writer: W,
    records: impl IntoIterator<Item = Result<Record, ReadError>>,
    on_progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    write_rows(csv::Writer::from_writer(writer), records, Progress::new(on_progress))
}

fn write_rows<W: Write>(
    mut out: csv::Writer<W>,
    records: impl IntoIterator<Item = Result<Record, ReadError>>,
    mut progress: Progress<impl FnMut(u64)>,
) -> Result<u64, ExportError> {
    for record in records {
        write_row(&mut out, &record?).map_err(|error| progress.failed(error))?;
        progress.one_more();
    }
    out.flush().map_err(|error| progress.failed(error))?;
    Ok(progress.finish())
}

/// In the order of [`COLUMNS`].
fn write_row<W: Write>(out: &mut csv::Writer<W>, record: &Record) -> io::Result<()> {
    let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or("")).into_owned();
    out.write_record([
        record.id.to_string(),
        Rfc3339(record.time_us).to_string(),
        record.sequence.to_string(),
        text(&record.api),
        text(&record.organization),
        record.alternative.map(|index| index.to_string()).unwrap_or_default(),
        text(&record.permission),
        text(&record.context_id),
        text(&record.level),
        record.decision.to_string(),
        harmless(&record.reason).into_owned(),
        text(&record.credential),
        text(&record.kind),
        text(&record.principal),
        text(&record.acted_for),
        text(&record.method),
        text(&record.endpoint),
        text(&record.path),
        text(&record.address),
        text(&record.user_agent),
        text(&record.request_id),
        record.rule_version.to_string(),
        record.catalogue_version.to_string(),
        record.count.to_string(),
    ])
    .map_err(io::Error::from)
}

fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Decision, NewRecord};
    use crate::testing::{full_record, written};

    fn exported(row: &NewRecord<'_>) -> Vec<Vec<String>> {
        let record = written(row);
        let mut out = Vec::new();
        assert_eq!(csv(&mut out, [Ok(record)], |_| ()).unwrap(), 1);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*out);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn cells_stand_under_their_names() {
        let rows = exported(&full_record());
        assert_eq!(rows[0], COLUMNS);
        let json = serde_json::to_value(written(&full_record())).unwrap();
        for (name, cell) in rows[0].iter().zip(&rows[1]) {
            let expected = json[name].as_str().map_or_else(|| json[name].to_string(), str::to_owned);
            assert_eq!(cell, &expected, "{name}");
        }
    }

    #[test]
    fn formulas_are_made_harmless() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n"] {
            let text = format!("{start}cmd|'/c calc'!A0");
            let rows = exported(&NewRecord { user_agent: Some(&text), request_id: Some(&text), ..full_record() });
            let at = COLUMNS.iter().position(|name| *name == "user_agent").unwrap();
            assert_eq!(rows[1][at], format!("'{text}"));
            assert_eq!(rows[1][at + 1], format!("'{text}"));
        }
    }

    #[test]
    fn what_is_not_known_is_empty() {
        let rows = exported(&NewRecord::new(0, Decision::Deny, "unknown"));
        assert_eq!(rows[1].iter().filter(|cell| cell.is_empty()).count(), 16);
        assert_eq!(rows[1][1], "1970-01-01T00:00:00.000000Z");
    }
}
