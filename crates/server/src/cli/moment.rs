//! Spans and moments as people write them: `90d`, `12h`, `2026-12-31`, `2026-12-31T18:00:00Z`.

use std::time::Duration;
use tegata_core::time::Timestamp;

/// Reads a span: a whole number and `s`, `m`, `h`, `d` or `w`.
pub fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and a unit: 30s, 15m, 12h, 90d, 2w".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let total = count.checked_mul(seconds).filter(|total| *total <= 100 * 366 * 86_400);
    total.map(Duration::from_secs).ok_or_else(|| "this is longer than a century".to_owned())
}

/// A moment, absolute or counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(Timestamp),
    /// This far from now.
    Span(Duration),
}

impl Moment {
    /// The moment, where spans lead into the future: the end of a token.
    pub fn ahead(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Span(span) => now.plus(span),
        }
    }

    /// The moment, where spans lead into the past: the beginning of a search.
    pub fn ago(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Span(span) => now.minus(span),
        }
    }
}

/// Reads a moment: a span, a date (its beginning, UTC), or RFC 3339.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(span) = span(text) {
        return Ok(Moment::Span(span));
    }
    let whole = if is_date(text) { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole
        .parse()
        .map(Moment::At)
        .map_err(|_| "write a span (90d, 12h), a date (2026-12-31) or a moment (2026-12-31T18:00:00Z)".to_owned())
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span("90d"), Ok(Duration::from_hours(90 * 24)));
        assert_eq!(span("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(span("0s"), Ok(Duration::ZERO));
        for wrong in ["", "d", "90", "-1d", "+1d", "1.5h", "1 d", "90日", "99999999999999999999d", "99999w"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_absolute_or_counted_from_now() {
        let now: Timestamp = "2026-11-21T09:30:00Z".parse().unwrap();
        let ahead = |text: &str| moment(text).map(|moment| moment.ahead(now).to_string());
        assert_eq!(ahead("2026-12-31"), Ok("2026-12-31T00:00:00Z".to_owned()));
        assert_eq!(ahead("2026-12-31T18:00:00+09:00"), Ok("2026-12-31T09:00:00Z".to_owned()));
        assert_eq!(ahead("10d"), Ok("2026-12-01T09:30:00Z".to_owned()));
        assert_eq!(moment("1d").unwrap().ago(now).to_string(), "2026-11-20T09:30:00Z");
        assert!(moment("tomorrow").is_err() && moment("2026-13-01").is_err());
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,24}") {
            let _ = moment(&text);
        }
    }
}
