//! Reading the segments of a journal that is being opened: an index of all that is sound, and a report of the rest.
//!
//! Every byte is read and every checksum held against it. Nothing is changed here but the torn tail of the newest
//! segment, which is cut off, unless somebody only looks.

use crate::codec;
use crate::frame::{self, Step, Walk};
use crate::journal::open::OpenError;
use crate::journal::recovery::{Finding, FindingKind};
use crate::segment::header::{self, Header};
use crate::segment::index::{Entry, Index};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A segment as its file shows it.
pub(crate) struct Recovered {
    pub(crate) index: Index,
    /// The length of the file, after its tail was cut.
    pub(crate) end: u64,
    pub(crate) header_sound: bool,
}

/// Goes through the segments in order.
pub(crate) struct Recoverer {
    tag: u16,
    buffer: Vec<u8>,
    /// The sequence that should come next.
    pub(crate) expected: u64,
    /// Whether damage was seen since the last sound record, so that missing sequences are no surprise.
    explained: bool,
    /// Records known to be lost since then.
    lost: u64,
    pub(crate) findings: Vec<Finding>,
    /// Whether nothing may be changed.
    only_looks: bool,
}

/// The file that is being read, and where the next one begins.
struct Place<'a> {
    path: &'a Path,
    next_first: Option<u64>,
}

impl Recoverer {
    pub(crate) fn new(tag: u16, first_sequence: u64) -> Self {
        Self {
            tag,
            buffer: Vec::new(),
            expected: first_sequence,
            explained: false,
            lost: 0,
            findings: Vec::new(),
            only_looks: false,
        }
    }

    /// The same, but nothing is changed.
    pub(crate) fn looking(tag: u16, first_sequence: u64) -> Self {
        Self { only_looks: true, ..Self::new(tag, first_sequence) }
    }

    /// Reads one segment. `next_first` is where the following one begins; the newest has none.
    pub(crate) fn read(&mut self, path: &Path, first: u64, next_first: Option<u64>) -> Result<Recovered, OpenError> {
        let place = Place { path, next_first };
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.clear();
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|source| place.failed(source))?;
        self.missing_before(&place, 0, first);
        let header_sound = self.check_header(&place, &bytes, first)?;
        let mut index = Index::new();
        let mut end = bytes.len() as u64;
        for step in Walk::new(&bytes, header::BYTES) {
            match step {
                Step::Sound { start, payload } => {
                    self.sound(&place, &bytes, start, payload, &mut index);
                }
                Step::Bad { bytes: bad, whole } if bad.end == bytes.len() && !whole => {
                    end = self.end_of(&place, &bytes, bad) as u64;
                }
                Step::Bad { bytes: bad, whole } => {
                    self.found(&place, &bad, FindingKind::BadFrame);
                    self.lost(u64::from(whole));
                }
            }
        }
        if next_first.is_none() {
            if end < bytes.len() as u64 && !self.only_looks {
                place.cut(end)?;
            }
            // Nothing follows that would tell the sequences of lost records. They must not be given out again.
            self.expected += self.lost;
        }
        self.buffer = bytes;
        Ok(Recovered { index, end, header_sound })
    }

    fn check_header(&mut self, place: &Place<'_>, bytes: &[u8], first: u64) -> Result<bool, OpenError> {
        let header = Header::parse(bytes);
        if let Some(Header { format, tag, .. }) = header {
            let file = place.path.to_owned();
            if format > header::FORMAT {
                return Err(OpenError::NewerFormat { file, format });
            }
            if tag != self.tag {
                return Err(OpenError::OtherJournal { file, tag });
            }
        }
        let sound = header.is_some_and(|header| header.first_sequence == first);
        if !sound {
            let unfinished = place.next_first.is_none() && bytes.len() < header::BYTES;
            let kind = if unfinished { FindingKind::TornTail } else { FindingKind::BadHeader };
            self.found(place, &(0..bytes.len().min(header::BYTES)), kind);
        }
        Ok(sound)
    }

    fn sound(&mut self, place: &Place<'_>, bytes: &[u8], start: usize, payload: Range<usize>, index: &mut Index) {
        let frame = start..payload.end;
        let Ok(raw) = codec::decode(&bytes[payload]) else {
            self.found(place, &frame, FindingKind::Unreadable);
            self.lost(1);
            return;
        };
        if place.next_first.is_some_and(|next_first| raw.sequence >= next_first) {
            self.found(place, &frame, FindingKind::Unanswered);
        } else if raw.sequence < self.expected {
            self.found(place, &frame, FindingKind::OutOfOrder);
        } else {
            self.missing_before(place, start, raw.sequence);
            (self.explained, self.lost) = (false, 0);
            self.expected = raw.sequence + 1;
            let (start, end) = (frame.start as u64, frame.end as u64);
            index.push(Entry { sequence: raw.sequence, time_us: raw.time_us, start, end });
        }
    }

    fn lost(&mut self, records: u64) {
        self.explained = true;
        self.lost += records;
    }

    fn missing_before(&mut self, place: &Place<'_>, offset: usize, sequence: u64) {
        if sequence > self.expected {
            if !self.explained {
                let kind = FindingKind::Gap { first: self.expected, last: sequence - 1 };
                self.found(place, &(offset..offset), kind);
            }
            self.expected = sequence;
        }
    }

    /// Where the content of a segment ends that has no sound frame from `bad.start` on. Zeros are what was allocated
    /// ahead; a frame that has its shape was there as a whole once, and its sequence was given out; of anything else
    /// only a part ever arrived, and nobody was answered on it.
    fn end_of(&mut self, place: &Place<'_>, bytes: &[u8], bad: Range<usize>) -> usize {
        let rest = &bytes[bad.clone()];
        let content = bad.start + without_zeros(rest).len();
        if content == bad.start {
            return bad.start;
        }
        let shape = frame::shape(bytes, bad.start).filter(|payload| payload.len() >= codec::BYTES_MIN);
        let frame_end = shape.map(|payload| payload.end).filter(|end| *end >= content);
        match frame_end {
            Some(end) => {
                self.found(place, &(bad.start..end), FindingKind::BadFrame);
                self.lost(1);
                end
            }
            None if place.next_first.is_some() => {
                self.found(place, &(bad.start..content), FindingKind::BadFrame);
                self.lost(0);
                bad.end
            }
            None => {
                self.found(place, &(bad.start..content), FindingKind::TornTail);
                bad.start
            }
        }
    }

    fn found(&mut self, place: &Place<'_>, bytes: &Range<usize>, kind: FindingKind) {
        let (offset, bytes) = (bytes.start as u64, bytes.len() as u64);
        self.findings.push(Finding { file: place.path.to_owned(), offset, bytes, kind });
    }
}

impl Place<'_> {
    /// Takes away what follows the content.
    fn cut(&self, end: u64) -> Result<(), OpenError> {
        let file = OpenOptions::new().write(true).open(self.path).map_err(|source| self.failed(source))?;
        file.set_len(end).and_then(|()| file.sync_all()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> OpenError {
        OpenError::Io { path: self.path.to_owned(), source }
    }
}

/// The tag in the first sound header among these files.
pub(crate) fn tag_of(paths: impl Iterator<Item = PathBuf>) -> Option<u16> {
    let header = |path: PathBuf| {
        let mut bytes = Vec::new();
        let file = File::open(path).ok()?;
        file.take(header::BYTES as u64).read_to_end(&mut bytes).ok()?;
        Header::parse(&bytes)
    };
    paths.filter_map(header).map(|header| header.tag).next()
}

/// The bytes without the zeros at their end, of which there may be millions.
fn without_zeros(mut bytes: &[u8]) -> &[u8] {
    const ZEROS: [u8; 4096] = [0; 4096];
    while let Some(rest) = bytes.strip_suffix(&ZEROS) {
        bytes = rest;
    }
    let last = bytes.iter().rposition(|byte| *byte != 0);
    bytes.get(..last.map_or(0, |last| last + 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_are_cut_and_no_others() {
        for zeros in [0, 1, 4095, 4096, 4097, 20_000] {
            for content in [&b""[..], b"a", b"\0a", b"a\0b"] {
                assert_eq!(without_zeros(&[content, &vec![0; zeros]].concat()), content, "{zeros}");
            }
        }
    }
}
