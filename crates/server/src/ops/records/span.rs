//! The time that a summary is about, and how it is divided.

use super::filters::{Filters, moment, refused};
use std::time::Duration;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::{Timestamp, days};

/// How far back a summary looks if its beginning is not named.
const SPAN: Duration = days(1);
/// No chart needs more.
const BUCKETS_MAX: i64 = 10_000;
/// As many as a chart shows well; the width is chosen by this if it is not named.
const BUCKETS_WELL: i64 = 120;
const SECOND_US: i64 = 1_000_000;
/// Widths to choose from, in seconds.
const WIDTHS: [i64; 8] = [1, 10, 60, 300, 900, 3_600, 21_600, 86_400];

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends; not in it.
    pub to: Timestamp,
}

impl Span {
    /// Reads `from` and `to`: without an end it ends now, without a beginning it is a day.
    pub fn read(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Self, Problem> {
        // What happens in this microsecond is part of it.
        let to = moment("to", to)?.unwrap_or_else(|| now.plus(Duration::from_micros(1)));
        let from = moment("from", from)?.unwrap_or_else(|| to.minus(SPAN));
        if from >= to {
            return Err(refused(Code::InvalidParameter, "from", "it has to be before `to`"));
        }
        Ok(Self { from, to })
    }

    /// The same as filters.
    pub fn narrow(self, filters: Filters) -> Filters {
        Filters { from: Some(self.from.to_string()), to: Some(self.to.to_string()), ..filters }
    }
}

/// How a span is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// The width of a bucket in microseconds.
    pub width_us: i64,
    /// Where one of them begins.
    pub origin_us: i64,
}

impl Division {
    /// Reads a width (`90s`, `15m`, `1h`, `1d`; chosen, if there is none) and where a day begins (`+09:00`).
    pub fn read(bucket: Option<&str>, utc_offset: Option<&str>, span: Span) -> Result<Self, Problem> {
        let span_us = span.to.as_micros().saturating_sub(span.from.as_micros());
        let width_us = if let Some(text) = bucket {
            let why = "write a width as `90s`, `15m`, `1h` or `1d`";
            width(text).ok_or_else(|| refused(Code::InvalidParameter, "bucket", why))?
        } else {
            let seconds = WIDTHS.iter().find(|width| span_us / (**width * SECOND_US) < BUCKETS_WELL);
            seconds.copied().unwrap_or(86_400) * SECOND_US
        };
        if span_us / width_us >= BUCKETS_MAX {
            let why = format!("this would be more than {BUCKETS_MAX} buckets; make them wider, or the time shorter");
            return Err(refused(Code::InvalidParameter, "bucket", &why));
        }
        let offset_us = match utc_offset {
            None => 0,
            Some(text) => offset(text).ok_or_else(|| {
                refused(Code::InvalidParameter, "utc_offset", "write hours and minutes as `+09:00` or `-03:30`")
            })?,
        };
        Ok(Self { width_us, origin_us: -offset_us })
    }

    /// Where the bucket begins that a time is in.
    pub fn start_us(self, time_us: i64) -> i64 {
        let since = time_us.saturating_sub(self.origin_us);
        time_us.saturating_sub(since.rem_euclid(self.width_us))
    }
}

fn width(text: &str) -> Option<i64> {
    let unit = match text.bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        _ => return None,
    };
    let number: i64 = text.get(..text.len() - 1)?.parse().ok().filter(|number| (1..=366 * 86_400).contains(number))?;
    number.checked_mul(unit)?.checked_mul(SECOND_US)
}

/// Hours and minutes east of Greenwich, in microseconds.
fn offset(text: &str) -> Option<i64> {
    // A plus in a query is read as a space.
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+" | " ", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str, most: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| digits && *number <= most)
    };
    Some(sign * (two(hours, 14)? * 3_600 + two(minutes, 59)? * 60) * SECOND_US)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_span_ends_now_and_lasts_a_day_if_nothing_is_said() {
        let now = at("2026-11-22T12:00:00Z");
        let span = Span::read(None, None, now).unwrap();
        assert_eq!(span.to.as_micros(), now.as_micros() + 1);
        assert_eq!(span.to.as_micros() - span.from.as_micros(), 86_400 * SECOND_US);
        let backwards = Span::read(Some("2026-11-22T12:00:00Z"), Some("2026-11-21T12:00:00Z"), now);
        assert_eq!(backwards.unwrap_err().errors[0].field, "from");
    }

    #[test]
    fn a_width_is_chosen_that_a_chart_can_show() {
        let now = at("2026-11-22T12:00:00Z");
        for (days_ago, width_s) in [(1, 900), (7, 21_600), (29, 21_600), (30, 86_400), (365, 86_400)] {
            let span = Span { from: now.minus(days(days_ago)), to: now };
            assert_eq!(Division::read(None, None, span).unwrap().width_us, width_s * SECOND_US, "{days_ago}");
        }
    }

    #[test]
    fn days_begin_where_one_lives() {
        let span = Span { from: at("2026-11-01T00:00:00Z"), to: at("2026-11-22T00:00:00Z") };
        let tokyo = Division::read(Some("1d"), Some("+09:00"), span).unwrap();
        let midnight = at("2026-11-21T15:00:00Z").as_micros();
        assert_eq!(tokyo.start_us(at("2026-11-22T03:00:00Z").as_micros()), midnight);
        for wrong in ["9", "+9:00", "+15:00", "+09:60", "09:00", "+0900", ""] {
            assert!(Division::read(Some("1d"), Some(wrong), span).is_err(), "{wrong}");
        }
        for wrong in ["", "d", "0s", "-1d", "1w", "1.5h", "99999999999999999999d"] {
            assert!(Division::read(Some(wrong), None, span).is_err(), "{wrong}");
        }
        assert!(Division::read(Some("1s"), None, span).is_err(), "too many buckets");
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_panics(bucket in ".{0,12}", offset in ".{0,12}") {
            let span = Span { from: Timestamp::from_micros(0), to: Timestamp::from_micros(i64::MAX) };
            let _ = Division::read(Some(&bucket), Some(&offset), span);
        }
    }
}
