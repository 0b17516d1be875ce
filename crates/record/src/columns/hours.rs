//! Counts by the hour, kept with each file in its own metadata, so that a chart of a month reads no rows.
//!
//! `484000:12:1,484001:7:0`: the hour since 1970 (UTC), how many checks of it were allowed, and how many
//! denied.

use crate::record::Decision;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The name of the entry in a file's metadata.
pub(crate) const KEY: &str = "tegata.hours";
/// An hour in microseconds.
pub(crate) const HOUR_US: i64 = 3_600_000_000;

/// Allowed and denied by the hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hours(BTreeMap<i64, [u64; 2]>);

impl Hours {
    pub(crate) fn add(&mut self, time_us: i64, decision: Decision, checks: u64) {
        let count = self.0.entry(time_us.div_euclid(HOUR_US)).or_default();
        let count = &mut count[usize::from(decision == Decision::Deny)];
        *count = count.saturating_add(checks);
    }

    /// The beginning of each hour in microseconds, its allowed and its denied.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, [u64; 2])> {
        self.0.iter().map(|(hour, counts)| (hour.saturating_mul(HOUR_US), *counts))
    }

    /// Allowed and denied of all hours.
    pub(crate) fn total(&self) -> [u64; 2] {
        self.0.values().fold([0; 2], |[allowed, denied], count| {
            [allowed.saturating_add(count[0]), denied.saturating_add(count[1])]
        })
    }

    pub(crate) fn to_text(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (hour, [allowed, denied])| {
            let comma = if text.is_empty() { "" } else { "," };
            // Writing to a text cannot fail.
            let _ = write!(text, "{comma}{hour}:{allowed}:{denied}");
            text
        })
    }

    /// `None` if the text is another's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let entry = |entry: &str| {
            let mut parts = entry.split(':');
            let (hour, allowed, denied) = (parts.next()?, parts.next()?, parts.next()?);
            Some((hour.parse().ok()?, [allowed.parse::<u64>().ok()?, denied.parse::<u64>().ok()?]))
        };
        text.split(',').map(entry).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_writes(times in prop::collection::vec((any::<i64>(), any::<bool>(), 1..9_u64), 1..50)) {
            let mut hours = Hours::default();
            for (time_us, allow, checks) in &times {
                hours.add(*time_us, if *allow { Decision::Allow } else { Decision::Deny }, *checks);
            }
            let of = |wanted| times.iter().filter(|(_, allow, _)| *allow == wanted).map(|(_, _, checks)| checks).sum::<u64>();
            prop_assert_eq!(hours.total(), [of(true), of(false)]);
            prop_assert_eq!(Hours::parse(&hours.to_text()), Some(hours));
        }

        #[test]
        fn never_panics_on_any_text(text: String) {
            let _ = Hours::parse(&text);
        }
    }
}
