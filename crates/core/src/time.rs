//! Moments as the rules and the storage know them: whole microseconds since 1970, UTC. RFC 3339 at the doors only.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a moment: write RFC 3339 in UTC, such as 2026-11-21T09:30:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// The last moment that can be written: 9999-12-30.
    pub const MAX: Self = Self(253_402_207_200_000_000);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since 1970; held within the years 1970 to 9999.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < 0 {
            Self::EPOCH
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, for ids.
    pub const fn as_millis(self) -> u64 {
        (self.0 / 1000).cast_unsigned()
    }

    /// This much later, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This much earlier, at least [`Timestamp::EPOCH`].
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self::from_micros(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Whole days as a span.
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

/// A moment as RFC 3339 in UTC, without memory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeText {
    bytes: [u8; Self::BYTES],
    length: usize,
}

impl TimeText {
    /// `2026-11-21T09:30:00.123456Z`.
    const BYTES: usize = 27;
    /// Where the point stands, or the `Z` in its place.
    const POINT: usize = 19;

    /// The text itself.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// Year, month and day of a day counted from 1970-01-01, none before it (the proleptic Gregorian calendar of RFC 3339
/// §5.6): with years that begin in March, a leap day is the last of its year and months follow from days by a formula.
const fn calendar(day: u64) -> (u64, u64, u64) {
    const DAYS_FROM_YEAR_0: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let day = day + DAYS_FROM_YEAR_0;
    let (cycle, day) = (day / DAYS_OF_400_YEARS, day % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let next_year = if month <= 2 { 1 } else { 0 };
    (cycle * 400 + year + next_year, month, day_of_month)
}

/// Writes a number with leading zeros.
fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
    }
}

impl Timestamp {
    /// The moment as text, with as many digits after the point as it needs; for answers, of which there are many.
    pub fn text(self) -> TimeText {
        let micros = self.0.cast_unsigned();
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let (day, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = calendar(day);
        let mut bytes = *b"0000-00-00T00:00:00.000000Z";
        let parts = [year, month, day, second / 3_600, second / 60 % 60, second % 60, fraction];
        for (place, number) in [0..4, 5..7, 8..10, 11..13, 14..16, 17..19, 20..26].into_iter().zip(parts) {
            if let Some(place) = bytes.get_mut(place) {
                digits(place, number);
            }
        }
        let mut length = TimeText::BYTES;
        if fraction == 0 {
            length = TimeText::POINT + 1;
        } else {
            while bytes.get(length - 2) == Some(&b'0') {
                length -= 1;
            }
        }
        if let Some(end) = bytes.get_mut(length - 1) {
            *end = b'Z';
        }
        TimeText { bytes, length }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| TimestampError)?;
        let micros = moment.as_microsecond();
        if !(0..=Self::MAX.0).contains(&micros) {
            return Err(TimestampError);
        }
        Ok(Self(micros))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text().as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prints_what_it_reads(micros in 0..Timestamp::MAX.0) {
            let moment = Timestamp::from_micros(micros);
            prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }

        #[test]
        fn is_written_as_the_library_of_times_writes_it(micros in 0..Timestamp::MAX.0, coarse in 0_u32..7) {
            let micros = micros - micros % 10_i64.pow(coarse);
            let expected = jiff::Timestamp::from_microsecond(micros).unwrap().to_string();
            prop_assert_eq!(Timestamp::from_micros(micros).to_string(), expected);
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<Timestamp>();
        }
    }

    #[test]
    fn days_around_leap_days_are_right() {
        for day in 0..jiff::Timestamp::from_microsecond(Timestamp::MAX.0).unwrap().as_second() / 86_400 {
            if day % 1_461 < 3 || day % 36_524 < 3 || day % 146_097 < 3 || day % 97 == 0 {
                let moment = jiff::Timestamp::from_second(day * 86_400 + 86_399).unwrap();
                assert_eq!(Timestamp::from_micros(moment.as_microsecond()).to_string(), moment.to_string());
            }
        }
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn moments_outside_the_calendar_are_refused() {
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
        assert!("tomorrow".parse::<Timestamp>().is_err());
        assert_eq!(Timestamp::MAX.plus(days(1)), Timestamp::MAX);
    }
}
