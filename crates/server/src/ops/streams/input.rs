//! What people say of a stream, checked.

use crate::ops::Act;
use crate::ops::act::Reading;
use crate::ops::records::filters::ask;
use crate::send::{Destination, Scheme, SendError};
use crate::streams::settings::{Format, Settings, StreamFilter, Syslog, Target};
use tegata_core::ids::OrgId;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use tegata_record::RecordId;

/// Longest text of a filter, in characters.
const FILTER_MAX_CHARS: usize = 500;

/// What was said.
pub(super) struct Said {
    /// The kind.
    pub(super) kind: String,
    /// Where to.
    pub(super) url: String,
    /// How records are written; as is usual for the kind where nothing is said.
    pub(super) format: Option<Format>,
    /// Which.
    pub(super) filter: StreamFilter,
    /// How syslog messages look.
    pub(super) syslog: Option<Syslog>,
}

/// Reads it.
pub(super) async fn read<T: Reading>(act: &mut Act<'_, T>, org: OrgId, said: Said) -> Result<Settings, Problem> {
    let (schemes, usual) = match said.kind.as_str() {
        "webhook" => (Target::WEBHOOK, Format::Json),
        "syslog" => (Target::SYSLOG, Format::Structured),
        _ => return Err(Problem::field("kind", "write `webhook` or `syslog`")),
    };
    check_url(act, &said.url, schemes)?;
    let format = said.format.unwrap_or(usual);
    let target = if said.kind == "syslog" {
        let syslog = said.syslog.unwrap_or_default();
        check_syslog(&syslog)?;
        Target::Syslog { url: said.url, syslog }
    } else {
        if said.syslog.is_some() {
            return Err(Problem::field("syslog", "a webhook sends no syslog messages; leave it out"));
        }
        if format == Format::Structured {
            return Err(Problem::field("format", "a webhook's records are written as `json` or `ocsf`"));
        }
        Target::Webhook { url: said.url }
    };
    check_filter(&said.filter)?;
    let asked = ask(act, org, &said.filter.filters()).await.map_err(in_filter)?;
    Ok(Settings { target, format, filter: said.filter, asked })
}

/// Whether this installation sends there.
pub(in crate::ops) fn check_url<T: Reading>(act: &Act<'_, T>, url: &str, schemes: &[Scheme]) -> Result<(), Problem> {
    let there = Destination::read(url, schemes).map_err(|error| Problem::field("url", error))?;
    act.app.streams.sender.may_send(&there).map_err(|error| {
        let why = match error {
            SendError::Insecure => {
                "this installation sends nothing unencrypted; use https:// or tls://, or ask its operator for \
                 `--stream-insecure`"
            }
            _ => {
                "this installation sends to public addresses only; ask its operator to allow the network with \
                 `--stream-allow`"
            }
        };
        Problem::field("url", why)
    })
}

fn check_syslog(syslog: &Syslog) -> Result<(), Problem> {
    let bounded = [
        ("syslog.facility", syslog.facility, 23),
        ("syslog.severity_allowed", syslog.severity_allowed, 7),
        ("syslog.severity_denied", syslog.severity_denied, 7),
    ];
    for (field, value, most) in bounded {
        if value > most {
            return Err(Problem::field(field, format!("write a number from 0 to {most}")));
        }
    }
    if syslog.enterprise_number == 0 {
        return Err(Problem::field("syslog.enterprise_number", "write the number that IANA gave to your organization"));
    }
    Ok(())
}

fn check_filter(filter: &StreamFilter) -> Result<(), Problem> {
    let texts = serde_json::to_value(filter).unwrap_or_default();
    for (name, value) in texts.as_object().into_iter().flatten() {
        if value.as_str().is_some_and(|text| text.chars().count() > FILTER_MAX_CHARS) {
            let message = format!("a text to filter by has at most {FILTER_MAX_CHARS} characters");
            return Err(Problem::field(format!("filter.{name}"), message));
        }
    }
    Ok(())
}

/// A filter of a question, told as a field of a body.
fn in_filter(problem: Problem) -> Problem {
    match problem.errors.first() {
        Some(error) if matches!(problem.code, Code::InvalidParameter | Code::Invalid) => {
            Problem::field(format!("filter.{}", error.field), &error.message)
        }
        _ => problem,
    }
}

/// Where a stream begins: the position before it, and the moment from which on records count.
pub(super) fn beginning<T>(act: &Act<'_, T>, text: &str) -> Result<(u64, Option<Timestamp>), Problem> {
    if let Ok(record) = text.parse::<RecordId>() {
        let log = act.app.verify.journal();
        if record.tag() != log.tag() || record.sequence() > log.last_sequence() {
            return Err(Problem::field("from", "this access log has no such record"));
        }
        return Ok((record.sequence().saturating_sub(1), None));
    }
    let message = "write a moment (RFC 3339, in UTC) or the id of an access record (`rec_…`)";
    let moment: Timestamp = text.parse().map_err(|_| Problem::field("from", message))?;
    if moment > act.now {
        return Err(Problem::field("from", "this moment is yet to come"));
    }
    Ok((0, Some(moment)))
}
