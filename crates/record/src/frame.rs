//! A payload on disk: a mark, its length, a checksum, then itself; and the walk over many of them.
//!
//! ```text
//! 0xFF · length u16 · CRC-32 u32 (of length and payload) · payload
//! ```
//!
//! The mark is a byte that no UTF-8 text contains. All that strangers can bring into a record is text, so nobody can
//! plant a false frame inside a true one for a reader to find when it looks for its way after damage.
//!
//! Knows where a frame begins and ends; of the payload it knows only where the sequence goes.

use crate::codec;
use std::ops::Range;

const MARK: u8 = 0xff;
const LENGTH_AT: usize = 1;
const CHECKSUM_AT: usize = 3;
const HEADER_BYTES: usize = 7;

/// Appends a frame to `buffer` whose payload `fill` appends. It is not sound before [`seal`].
pub(crate) fn append(buffer: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[MARK, 0, 0, 0, 0, 0, 0]);
    fill(buffer);
    let length = u16::try_from(buffer.len() - start - HEADER_BYTES).unwrap_or(u16::MAX);
    buffer[start + LENGTH_AT..start + CHECKSUM_AT].copy_from_slice(&length.to_le_bytes());
}

/// Gives the frame that begins at `start` its sequence and its checksum. Returns where it ends.
pub(crate) fn seal(buffer: &mut [u8], start: usize, sequence: u64) -> Option<usize> {
    let payload = payload_range(buffer, start)?;
    codec::set_sequence(&mut buffer[payload.clone()], sequence);
    let checksum = checksum(&buffer[start..payload.end]);
    buffer[start + CHECKSUM_AT..start + HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Some(payload.end)
}

/// The frames in `buffer` that [`append`] made: where each begins, and its payload.
pub(crate) fn each(buffer: &[u8]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (start, payload) = (at, payload_range(buffer, at)?);
        at = payload.end;
        Some((start, payload))
    })
}

/// What a walk comes upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A frame whose checksum holds.
    Sound { start: usize, payload: Range<usize> },
    /// Bytes that are no sound frame, up to the next one or to the end. `whole` if they have the shape of one frame.
    Bad { bytes: Range<usize>, whole: bool },
}

/// Walks over the frames in `bytes` from `at` on. Together the steps cover every byte once.
pub(crate) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let start = self.at;
        if let Some(payload) = sound(self.bytes, start) {
            self.at = payload.end;
            return Some(Step::Sound { start, payload });
        }
        let (end, whole) = end_of_bad(self.bytes, start);
        self.at = end;
        Some(Step::Bad { bytes: start..end, whole })
    }
}

/// Where the bad bytes from `start` on end: at the next mark that begins a sound frame. Their own length is not
/// believed, it might lead past sound frames; it only tells whether they have the shape of one.
fn end_of_bad(bytes: &[u8], start: usize) -> (usize, bool) {
    let rest = bytes.get(start + 1..).unwrap_or_default();
    let next = memchr::memchr_iter(MARK, rest).map(|at| start + 1 + at).find(|at| sound(bytes, *at).is_some());
    let end = next.unwrap_or(bytes.len());
    (end, payload_range(bytes, start).is_some_and(|payload| payload.end == end))
}

/// The payload of what has the shape of a frame at `start`, sound or not.
pub(crate) fn shape(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    payload_range(bytes, start)
}

fn payload_range(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let header: &[u8; HEADER_BYTES] = bytes.get(start..)?.first_chunk()?;
    let length = usize::from(u16::from_le_bytes([header[LENGTH_AT], header[LENGTH_AT + 1]]));
    let payload = start + HEADER_BYTES..start + HEADER_BYTES + length;
    let possible = header[0] == MARK && length <= codec::BYTES_MAX && payload.end <= bytes.len();
    possible.then_some(payload)
}

fn sound(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let payload = payload_range(bytes, start)?;
    let frame = &bytes[start..payload.end];
    let stored = frame.get(CHECKSUM_AT..)?.first_chunk()?;
    (u32::from_le_bytes(*stored) == checksum(frame)).then_some(payload)
}

fn checksum(frame: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[LENGTH_AT..CHECKSUM_AT]);
    hasher.update(&frame[HEADER_BYTES..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::NewRecord;
    use crate::testing::full_record;
    use proptest::prelude::*;

    fn frames(count: u64) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for sequence in 1..=count {
            let start = bytes.len();
            append(&mut bytes, |buffer| codec::encode(&full_record(), buffer));
            seal(&mut bytes, start, sequence).unwrap();
            starts.push(start);
        }
        (bytes, starts)
    }

    fn sound_sequences(bytes: &[u8]) -> Vec<u64> {
        let sound = |step| match step {
            Step::Sound { payload, .. } => codec::decode(&bytes[payload]).ok().map(|raw| raw.sequence),
            Step::Bad { .. } => None,
        };
        Walk::new(bytes, 0).filter_map(sound).collect()
    }

    #[test]
    fn walks_over_what_was_sealed() {
        let (bytes, _) = frames(5);
        assert_eq!(sound_sequences(&bytes), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn any_flipped_bit_costs_one_frame() {
        let (bytes, starts) = frames(4);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let lost = starts.partition_point(|start| *start <= at) as u64;
                let expected: Vec<u64> = (1..=4).filter(|sequence| *sequence != lost).collect();
                assert_eq!(sound_sequences(&changed), expected, "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_frame_inside_a_text_is_not_found() {
        let (inner, _) = frames(1);
        let planted = String::from_utf8_lossy(&inner).into_owned();
        let record = NewRecord { path: Some(&planted), ..full_record() };
        let mut bytes = Vec::new();
        append(&mut bytes, |buffer| codec::encode(&record, buffer));
        seal(&mut bytes, 0, 1).unwrap();
        bytes[1] ^= 0x40;
        assert_eq!(sound_sequences(&bytes), Vec::<u64>::new());
    }

    proptest! {
        #[test]
        fn covers_any_bytes_without_panicking(bytes in prop::collection::vec(prop_oneof![Just(0xff_u8), any::<u8>()], 0..400)) {
            let mut at = 0;
            for step in Walk::new(&bytes, 0) {
                let (start, end) = match step {
                    Step::Sound { start, payload } => (start, payload.end),
                    Step::Bad { bytes, .. } => (bytes.start, bytes.end),
                };
                prop_assert_eq!(start, at);
                prop_assert!(end > start);
                at = end;
            }
            prop_assert_eq!(at, bytes.len());
        }
    }
}
