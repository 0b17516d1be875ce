//! A batch: records that follow each other in the log, written for their receiver. The same records give the same bytes,
//! and the same id.

use super::settings::{Format, Settings, Syslog, Target};
use crate::db::streams::Stream;
use crate::send::syslog::{Entry, Header};
use serde_json::json;
use std::fmt::Write as _;
use tegata_core::time::Timestamp;
use tegata_record::export::{COLUMNS, ocsf_event};
use tegata_record::{AccessLog, Decision, Order, Query, ReadError, Record, RecordId};

/// Most records of a batch.
const RECORDS_MAX: usize = 500;
/// A batch that has so many bytes takes no further record.
const BYTES_ENOUGH: usize = 512 << 10;

/// Records that follow each other in the log, written for their receiver.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// How many.
    pub(super) records: u64,
    /// The first of them.
    first: Option<RecordId>,
    /// The last, and the time of its check.
    pub(super) last: Option<(RecordId, Timestamp)>,
    /// Every record up to this sequence is in the batch, or is none of the stream's.
    pub(super) through: u64,
    /// Records that are told to be missed.
    pub(super) missed: u64,
    /// The records, one after the other.
    bytes: Vec<u8>,
}

/// What a receiver is told beside the records.
pub(super) struct Reader<'a> {
    pub(super) stream: &'a Stream,
    pub(super) settings: &'a Settings,
    pub(super) header: &'a Header,
}

impl Reader<'_> {
    /// Reads what follows the stream's position, up to `newest`. With `until`, exactly what was read before. Blocks.
    pub(super) fn read(&self, log: &AccessLog, newest: u64, until: Option<u64>) -> Result<Batch, ReadError> {
        let position = self.stream.progress.position;
        let query = Query {
            after_sequence: Some(position),
            from_us: self.stream.from.map(Timestamp::as_micros),
            ..self.settings.asked.query()
        };
        let end = until.unwrap_or(newest);
        let mut batch = Batch { through: end.max(position), missed: self.stream.missed, ..Batch::default() };
        let time = batch.missed.checked_sub(1).map(|_| self.stream.from.unwrap_or(self.stream.created_at));
        if let (Some(time), Target::Syslog { syslog, .. }) = (time, &self.settings.target) {
            self.missed_message(syslog, time, batch.missed, &mut batch.bytes);
        }
        for record in log.stream(&query, Order::OldestFirst) {
            let record = record?;
            if record.sequence > end {
                break;
            }
            self.write(&record, &mut batch.bytes);
            batch.records += 1;
            batch.first.get_or_insert(record.id);
            batch.last = Some((record.id, Timestamp::from_micros(record.time_us)));
            let is_full = batch.records >= RECORDS_MAX as u64 || batch.bytes.len() >= BYTES_ENOUGH;
            if is_full && until.is_none() {
                batch.through = record.sequence;
                break;
            }
        }
        Ok(batch)
    }

    fn write(&self, record: &Record, out: &mut Vec<u8>) {
        match &self.settings.target {
            Target::Webhook { .. } => {
                if !out.is_empty() {
                    out.push(b',');
                }
                out.extend_from_slice(self.json(record).as_bytes());
            }
            Target::Syslog { syslog, .. } => self.message(syslog, record, out),
        }
    }

    fn json(&self, record: &Record) -> String {
        let text = match self.settings.format {
            Format::Ocsf => serde_json::to_string(&ocsf_event(record)),
            Format::Json | Format::Structured => serde_json::to_string(record),
        };
        text.unwrap_or_default()
    }

    fn message(&self, syslog: &Syslog, record: &Record, out: &mut Vec<u8>) {
        let severity =
            if record.decision == Decision::Allow { syslog.severity_allowed } else { syslog.severity_denied };
        let time = time_text(record.time_us);
        let entry = Entry { severity, time: &time, kind: "access", data: None, text: "" };
        if self.settings.format == Format::Structured {
            let id = data_id(syslog);
            let parameters = parameters(record);
            let text = [record.decision.as_str(), record.reason.as_str()].join(" ");
            self.header.write(&Entry { data: Some((&id, &parameters)), text: &text, ..entry }, out);
        } else {
            self.header.write(&Entry { text: &ascii(&self.json(record)), ..entry }, out);
        }
    }

    fn missed_message(&self, syslog: &Syslog, time: Timestamp, missed: u64, out: &mut Vec<u8>) {
        let (id, time) = (data_id(syslog), time_text(time.as_micros()));
        let parameters = [("missed", missed.to_string())];
        let text = format!("{missed} records were dropped before they could be delivered");
        let severity = syslog.severity_denied;
        self.header
            .write(&Entry { severity, time: &time, kind: "missed", data: Some((&id, &parameters)), text: &text }, out);
    }
}

impl Batch {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0 && self.missed == 0
    }

    /// What names the batch: the stream, its pass, and the first and last sequence. Receivers know by it what they have had.
    pub(super) fn id(&self, stream: &Stream) -> String {
        let sequence = |id: Option<RecordId>| id.map_or(self.through, RecordId::sequence);
        let (first, last) = (sequence(self.first), sequence(self.last.map(|(id, _)| id)));
        let mut id = format!("{}-{}-{first}-{last}", stream.id, stream.pass);
        if self.missed > 0 {
            let _ = write!(id, "-missed-{}", self.missed);
        }
        id
    }

    /// The body of a webhook.
    pub(super) fn body(self, stream: &Stream, format: Format) -> Vec<u8> {
        let time = self.last.map_or(stream.created_at, |(_, time)| time);
        let head = json!({
            "type": "records.delivered",
            "timestamp": time.to_string(),
            "data": {
                "organization": stream.org.to_string(),
                "stream": stream.id.to_string(),
                "format": if format == Format::Ocsf { "ocsf" } else { "json" },
                "missed": self.missed,
                "count": self.records,
                "first": self.first.map(|id| id.to_string()),
                "last": self.last.map(|(id, _)| id.to_string()),
            },
        });
        // Records are JSON already, and stand at the end of the innermost object.
        let mut body = head.to_string().into_bytes();
        body.truncate(body.len().saturating_sub(2));
        body.reserve(self.bytes.len() + 32);
        body.extend_from_slice(b",\"records\":[");
        body.extend_from_slice(&self.bytes);
        body.extend_from_slice(b"]}}");
        body
    }

    /// The messages of syslog.
    pub(super) fn messages(self) -> Vec<u8> {
        self.bytes
    }
}

/// The id of the structured data (RFC 5424 §6.3.2).
pub(super) fn data_id(syslog: &Syslog) -> String {
    format!("tegata@{}", syslog.enterprise_number)
}

/// A time with six digits after the second.
pub(super) fn time_text(time_us: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(time_us).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

/// What a record says, by the names of its columns; nothing of what it does not say.
fn parameters(record: &Record) -> Vec<(&'static str, String)> {
    let value = serde_json::to_value(record).unwrap_or_default();
    let column = |name: &'static str| match value.get(name)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some((name, text.clone())),
        other => Some((name, other.to_string())),
    };
    COLUMNS.into_iter().filter_map(column).collect()
}

/// JSON without a letter beyond ASCII (RFC 8259 §7): then it needs no mark that says what it is encoded in, which
/// RFC 5424 would have in front of it and RFC 8259 would not.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn json_in_ascii_reads_as_the_same(text in "\\PC{0,40}") {
            let written = ascii(&json!({ "text": text }).to_string());
            proptest::prop_assert!(written.is_ascii());
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            proptest::prop_assert_eq!(read["text"].as_str(), Some(text.as_str()));
        }
    }
}
