//! The first bytes of a segment: what kind of file this is, of which journal, and where it begins.
//!
//! ```text
//! "tgtarec\n" · format u16 · tag u16 · first sequence u64 · CRC-32 u32 of all before
//! ```

use std::ops::Range;

const MAGIC: &[u8; 8] = b"tgtarec\n";
const CHECKED: Range<usize> = 0..20;

/// The format that this version writes, and the highest that it reads.
pub(crate) const FORMAT: u16 = 1;
/// The length of a header.
pub(crate) const BYTES: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format: u16,
    pub(crate) tag: u16,
    pub(crate) first_sequence: u64,
}

impl Header {
    pub(crate) fn new(tag: u16, first_sequence: u64) -> Self {
        Self { format: FORMAT, tag, first_sequence }
    }

    pub(crate) fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&self.format.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.tag.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first_sequence.to_le_bytes());
        let checksum = crc32fast::hash(&bytes[CHECKED]);
        bytes[20..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header at the beginning of `bytes`; `None` if it is damaged or none at all.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let checked = bytes.get(CHECKED)?;
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (format, rest) = rest.split_first_chunk()?;
        let (tag, rest) = rest.split_first_chunk()?;
        let (first_sequence, rest) = rest.split_first_chunk()?;
        let checksum = u32::from_le_bytes(*rest.first_chunk()?);
        (magic == MAGIC && checksum == crc32fast::hash(checked)).then_some(Self {
            format: u16::from_le_bytes(*format),
            tag: u16::from_le_bytes(*tag),
            first_sequence: u64::from_le_bytes(*first_sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parses_what_it_writes(tag: u16, first_sequence: u64) {
            let header = Header::new(tag, first_sequence);
            prop_assert_eq!(Header::parse(&header.to_bytes()), Some(header));
        }

        #[test]
        fn notices_any_change(tag: u16, first_sequence: u64, at in 0..BYTES, bit in 0..8_u8) {
            let mut bytes = Header::new(tag, first_sequence).to_bytes();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Header::parse(&bytes), None);
        }

        #[test]
        fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Header::parse(&bytes);
        }
    }
}
