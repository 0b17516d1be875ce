//! Microseconds since 1970 as text and as days. Reads no clock.

use jiff::Timestamp;
use serde::Serializer;
use std::fmt;

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// The UTC day of a time, counted from 1970.
pub(crate) fn day(time_us: i64) -> i64 {
    time_us.div_euclid(DAY_US)
}

/// Prints as RFC 3339 in UTC with six digits after the second.
pub(crate) struct Rfc3339(pub(crate) i64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let timestamp = Timestamp::from_microsecond(self.0).unwrap_or(nearest);
        write!(out, "{timestamp:.6}")
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
pub(crate) fn serialize<S: Serializer>(time_us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Rfc3339(*time_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_microseconds_always() {
        assert_eq!(Rfc3339(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Rfc3339(1_700_000_000_120_000).to_string(), "2023-11-14T22:13:20.120000Z");
        assert_eq!(Rfc3339(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn times_beyond_the_calendar_print_its_end() {
        assert!(Rfc3339(i64::MAX).to_string().starts_with("9999-"));
        assert!(Rfc3339(i64::MIN).to_string().starts_with('-'));
    }

    #[test]
    fn days_begin_at_midnight_utc() {
        assert_eq!((day(-1), day(0), day(DAY_US - 1), day(DAY_US)), (-1, 0, 0, 1));
    }
}
