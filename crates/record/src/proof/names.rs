//! How trees are named: in checkpoints, and as files.
//!
//! ```text
//! <log>/<journal tag>/<organization>/<day>/<part>     the origin of a checkpoint
//! <log>/<journal tag>/closings                         the origin of a checkpoint of the node
//! ```
//!
//! `log` is the name of the signing key. An organization's id is percent-encoded outside of `A–Z a–z 0–9 _ -`; `-`
//! alone stands for records without an organization. A day is `2026-11-22`, UTC.

use crate::proof::tree::sha256;
use jiff::civil::{Date, date};
use std::fmt::{self, Write};

/// The longest text that is used as it is in the name of a directory.
const DIRECTORY_BYTES_MAX: usize = 200;

/// Which tree of a journal: the records of one organization (or of none) and one day (UTC, counted from 1970).
///
/// A day has one part. Records that were written after it was closed, with times of that day, make another part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeName {
    /// The organization's id; `None` for records without one.
    pub organization: Option<Box<str>>,
    /// The day, counted from 1970.
    pub day: i64,
    /// 1, 2, 3 …
    pub part: u32,
}

impl TreeName {
    /// `<organization>/<day>/<part>`
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('/');
        let [Some(organization), Some(day), Some(part), None] =
            [fields.next(), fields.next(), fields.next(), fields.next()]
        else {
            return None;
        };
        let part = part.parse().ok().filter(|part| *part > 0)?;
        let name = Self { organization: decode_organization(organization)?, day: parse_day(day)?, part };
        // One spelling, that of the day and the number included.
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for TreeName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = encode_organization(self.organization.as_deref());
        write!(out, "{organization}/{}/{}", Day(self.day), self.part)
    }
}

/// A day as `2026-11-22`, and beyond the calendar as `d` and its number.
pub(crate) struct Day(pub(crate) i64);

const EPOCH: Date = date(1970, 1, 1);

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = i32::try_from(self.0).ok().and_then(|days| {
            let span = jiff::Span::new().try_days(days).ok()?;
            EPOCH.checked_add(span).ok().filter(|day| day.year() >= 0)
        });
        match day {
            Some(day) => write!(out, "{day}"),
            None => write!(out, "d{}", self.0),
        }
    }
}

/// The reverse of [`Day`]; takes other spellings, too.
pub(crate) fn parse_day(text: &str) -> Option<i64> {
    if let Some(number) = text.strip_prefix('d') {
        return number.parse().ok();
    }
    let day: Date = text.parse().ok()?;
    EPOCH.until(day).ok().map(|span| i64::from(span.get_days()))
}

/// One spelling for each organization, without `/`, `.`, spaces and `+`; never empty.
pub(crate) fn encode_organization(organization: Option<&str>) -> String {
    match organization {
        None => "-".to_owned(),
        Some("") => "%".to_owned(),
        Some("-") => "%2D".to_owned(),
        Some(id) => {
            let mut text = String::with_capacity(id.len());
            for byte in id.bytes() {
                if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
                    text.push(char::from(byte));
                } else {
                    // Writing to a string does not fail.
                    let _ = write!(text, "%{byte:02X}");
                }
            }
            text
        }
    }
}

/// `Some(None)` for records without an organization, `None` for a text that names none.
#[expect(clippy::option_option, reason = "the outer one is the error")]
pub(crate) fn decode_organization(text: &str) -> Option<Option<Box<str>>> {
    let organization = match text {
        "-" => None,
        "%" => Some(String::new()),
        _ => {
            let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
            while let Some((first, after)) = rest.split_first() {
                rest = after;
                if *first != b'%' {
                    bytes.push(*first);
                    continue;
                }
                let (digits, after) = rest.split_first_chunk::<2>()?;
                rest = after;
                bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
            }
            Some(String::from_utf8(bytes).ok()?)
        }
    };
    let organization = organization.map(String::into_boxed_str);
    (encode_organization(organization.as_deref()) == text).then_some(organization)
}

/// The directory of an organization's checkpoints.
pub(crate) fn directory(organization: Option<&str>) -> String {
    let text = encode_organization(organization);
    if text.len() <= DIRECTORY_BYTES_MAX {
        return format!("org={text}");
    }
    let mut name = "org=%%".to_owned();
    for byte in sha256(text.as_bytes()).0 {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(organization: Option<&str>, day: i64, part: u32) -> TreeName {
        TreeName { organization: organization.map(Into::into), day, part }
    }

    #[test]
    fn names_read_as_documented() {
        assert_eq!(name(Some("org_a"), 20_779, 1).to_string(), "org_a/2026-11-22/1");
        assert_eq!(name(None, 0, 2).to_string(), "-/1970-01-01/2");
        assert_eq!(name(Some("-"), -1, 1).to_string(), "%2D/1969-12-31/1");
        assert_eq!(name(Some("a/b é."), i64::MIN, 1).to_string(), "a%2Fb%20%C3%A9%2E/d-9223372036854775808/1");
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "org_a",
            "org_a/2026-11-22",
            "org_a/2026-11-22/0",
            "org_a/2026-11-22/01",
            "org_a/2026-11-22/+1",
            "org_a/2026-11-22/1/",
            "org_a/20261122/1",
            "org_a/d20779/1",
            "org_a/2026-02-30/1",
            "/2026-11-22/1",
            "a%2fb/2026-11-22/1",
            "%61/2026-11-22/1",
            "%2/2026-11-22/1",
            "a.b/2026-11-22/1",
            "%FF/2026-11-22/1",
        ] {
            assert_eq!(TreeName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn directories_fit_into_a_file_system() {
        assert_eq!(directory(Some("org_a")), "org=org_a");
        let (one, other) = ("é".repeat(64), "è".repeat(64));
        assert!(directory(Some(&one)).len() < 255);
        assert_ne!(directory(Some(&one)), directory(Some(&other)));
    }

    proptest! {
        #[test]
        fn parses_what_it_prints(organization in prop::option::of(".{0,20}"), day: i64, part in 1..u32::MAX) {
            for day in [day, day % 100_000] {
                let name = name(organization.as_deref(), day, part);
                prop_assert_eq!(TreeName::parse(&name.to_string()), Some(name));
            }
        }

        #[test]
        fn never_panics_on_any_text(text in "[-%d/0-9A-Fa-f._é]{0,40}") {
            if let Some(name) = TreeName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
