//! JSON Lines: each record as the API shows it, on a line of its own.

use crate::export::{ExportError, Progress};
use crate::journal::ReadError;
use crate::record::Record;
use std::io::{BufWriter, Write};

/// Writes the records as JSON Lines and returns how many there were. `on_progress` hears the count now and then, and
/// at the end.
pub fn jsonl<W: Write>(
    writer: W,
    records: impl IntoIterator<Item = Result<Record, ReadError>>,
    on_progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    let mut out = BufWriter::new(writer);
    let mut progress = Progress::new(on_progress);
    for record in records {
        serde_json::to_writer(&mut out, &record?).map_err(|error| progress.failed(error.into()))?;
        out.write_all(b"\n").map_err(|error| progress.failed(error))?;
        progress.one_more();
    }
    out.flush().map_err(|error| progress.failed(error))?;
    Ok(progress.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::NewRecord;
    use crate::testing::{full_record, written};

    #[test]
    fn a_line_is_a_record_whatever_it_contains() {
        let row = NewRecord { user_agent: Some("two\nlines \"quoted\""), ..full_record() };
        let record = written(&row);
        let mut out = Vec::new();
        let mut last_report = 0;
        let written = jsonl(&mut out, [Ok(record.clone()), Ok(record)], |records| {
            last_report = records;
        })
        .unwrap();
        assert_eq!((written, last_report), (2, 2));
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["user_agent"], "two\nlines \"quoted\"");
        assert_eq!(lines[0]["time"], "2023-11-14T22:13:20.123456Z");
    }
}
