//! The id of a record: `rec_` and a UUIDv7, which leads straight to the record's place in its journal.
//!
//! The UUID's 48-bit time is the record's milliseconds; in place of random bits it carries the journal's tag (16 bits)
//! and the sequence (58 bits), in this order, so that ids of one journal and one millisecond sort as they were written.

use crate::base32;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "rec_";
const CHARACTERS: usize = 26;
/// Bytes of an id's text.
pub const TEXT_BYTES: usize = PREFIX.len() + CHARACTERS;
const TIME_MS_MAX: u64 = (1 << 48) - 1;
const VERSION: u128 = 7;
const VARIANT: u128 = 0b10;

/// Names one record of one journal. Its text form is `rec_` and 26 characters of base32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(u128);

/// A text that is no record id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record id is `rec_` and 26 characters of lower-case base32")]
pub struct MalformedRecordId;

impl RecordId {
    /// The highest sequence that an id can carry.
    pub const SEQUENCE_MAX: u64 = (1 << 58) - 1;

    /// The id of the record with this time and sequence in the journal with this tag.
    pub(crate) fn new(time_us: i64, tag: u16, sequence: u64) -> Self {
        let milliseconds = u64::try_from(time_us.div_euclid(1_000)).unwrap_or(0).min(TIME_MS_MAX);
        let sequence = sequence & Self::SEQUENCE_MAX;
        let (tag_high, tag_low) = (u128::from(tag >> 4), u128::from(tag & 0xf));
        Self(
            u128::from(milliseconds) << 80
                | VERSION << 76
                | tag_high << 64
                | VARIANT << 62
                | tag_low << 58
                | u128::from(sequence),
        )
    }

    /// The record's sequence in its journal.
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 58 bits")]
    pub fn sequence(self) -> u64 {
        (self.0 as u64) & Self::SEQUENCE_MAX
    }

    /// The tag of the journal that wrote the record.
    #[expect(clippy::cast_possible_truncation, reason = "the masks leave 16 bits")]
    pub fn tag(self) -> u16 {
        (((self.0 >> 64) as u16) & 0xfff) << 4 | ((self.0 >> 58) as u16) & 0xf
    }

    /// The record's time in milliseconds since 1970.
    pub fn time_ms(self) -> u64 {
        (self.0 >> 80) as u64
    }

    /// The id as text, without memory of its own.
    pub fn text(self) -> [u8; TEXT_BYTES] {
        let mut text = [0; TEXT_BYTES];
        let (prefix, number) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        number.copy_from_slice(&base32::encode::<CHARACTERS>(self.0));
        text
    }

    /// The UUID as a number.
    pub fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for RecordId {
    type Err = MalformedRecordId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let characters = text.strip_prefix(PREFIX).ok_or(MalformedRecordId)?.as_bytes();
        if characters.len() != CHARACTERS {
            return Err(MalformedRecordId);
        }
        let number = base32::decode(characters).ok_or(MalformedRecordId)?;
        if (number >> 76) & 0xf != VERSION || (number >> 62) & 0b11 != VARIANT {
            return Err(MalformedRecordId);
        }
        Ok(Self(number))
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_as_a_uuid_v7() {
        let id = RecordId::new(1_700_000_000_123_456, 0xbeef, 42);
        assert_eq!(id.time_ms(), 1_700_000_000_123);
        assert_eq!((id.tag(), id.sequence()), (0xbeef, 42));
        let text = id.to_string();
        assert_eq!(text.len(), 30);
        assert!(text.starts_with("rec_01"), "{text}");
    }

    #[test]
    fn times_before_1970_count_as_1970() {
        assert_eq!(RecordId::new(-5, 1, 1).time_ms(), 0);
    }

    #[test]
    fn refuses_other_texts() {
        let good = RecordId::new(1_700_000_000_123_456, 0xbeef, 42).to_string();
        let wrong_version = format!("rec_{}", std::str::from_utf8(&base32::encode::<26>(4 << 76 | 2 << 62)).unwrap());
        for text in ["", "rec_", &good[4..], &good[..29], &good.to_uppercase(), &format!("{good}0"), &wrong_version] {
            assert_eq!(text.parse::<RecordId>(), Err(MalformedRecordId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parses_what_it_prints(time_us in any::<i64>(), tag: u16, sequence in 0..=RecordId::SEQUENCE_MAX) {
            let id = RecordId::new(time_us, tag, sequence);
            prop_assert_eq!(id.to_string().parse::<RecordId>(), Ok(id));
            prop_assert_eq!((id.tag(), id.sequence()), (tag, sequence));
        }

        #[test]
        fn prints_what_it_parses(text in "rec_[0-7][0-9a-z]{25}") {
            if let Ok(id) = text.parse::<RecordId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn sorts_as_written(time_us in 0..=i64::MAX / 2, tag: u16, sequence in 0..RecordId::SEQUENCE_MAX) {
            prop_assert!(RecordId::new(time_us, tag, sequence) < RecordId::new(time_us, tag, sequence + 1));
        }

        #[test]
        fn never_panics_on_any_text(text: String) {
            let _ = text.parse::<RecordId>();
        }
    }
}
