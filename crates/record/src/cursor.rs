//! How far a listing has come, as opaque text: the sequence of the last record shown, with a checksum.
//!
//! A cursor says nothing about who may see what; the query that it is used with does.

use crate::base32;
use std::fmt;
use std::str::FromStr;

const CHARACTERS: usize = 16;

/// A place in a listing. Stays where it is while new records arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    sequence: u64,
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a listing of records gave out")]
pub struct MalformedCursor;

impl Cursor {
    pub(crate) fn new(sequence: u64) -> Self {
        Self { sequence }
    }

    /// The sequence of the last record shown.
    pub(crate) fn sequence(self) -> u64 {
        self.sequence
    }
}

fn check(sequence: u64) -> u16 {
    let checksum = crc32fast::hash(&sequence.to_le_bytes()).to_le_bytes();
    u16::from_le_bytes([checksum[0], checksum[1]])
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from(self.sequence) << 16 | u128::from(check(self.sequence));
        let characters = base32::encode::<CHARACTERS>(number);
        characters.iter().try_for_each(|character| fmt::Write::write_char(out, char::from(*character)))
    }
}

impl FromStr for Cursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != CHARACTERS {
            return Err(MalformedCursor);
        }
        let number = base32::decode(text.as_bytes()).ok_or(MalformedCursor)?;
        let sequence = u64::try_from(number >> 16).map_err(|_| MalformedCursor)?;
        let sound = number & 0xffff == u128::from(check(sequence));
        if sound { Ok(Self { sequence }) } else { Err(MalformedCursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_changed_character_is_noticed() {
        let text = Cursor::new(123_456).to_string();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(String::from_utf8(changed).unwrap().parse::<Cursor>(), Err(MalformedCursor));
        }
    }

    #[test]
    fn other_texts_are_malformed() {
        for text in ["", "1", "null", "0123456789abcdefg", "😀😀😀😀"] {
            assert_eq!(text.parse::<Cursor>(), Err(MalformedCursor), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parses_what_it_prints(sequence: u64) {
            let cursor = Cursor::new(sequence);
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn never_panics_on_any_text(text: String) {
            let _ = text.parse::<Cursor>();
        }
    }
}
