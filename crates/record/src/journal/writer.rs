//! The one place that appends to a segment and begins new ones. Everything here happens under the writer's lock.
//!
//! A frame is published after all its bytes are with the kernel. When a write fails, what arrived of it is taken back;
//! when even that fails, the segment is left for good and the next append begins a new one, whose name tells recovery
//! that everything from there on in the old file was never answered for.

use crate::codec;
use crate::files::{self, AppendFile};
use crate::frame;
use crate::id::RecordId;
use crate::journal::append::AppendError;
use crate::journal::flush::Flush;
use crate::journal::shared::Shared;
use crate::journal::tail::Tail;
use crate::segment::header;
use crate::segment::index::{Entry, Index};
use crate::segment::{self, Segment, name};
use crate::time;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A disk that has so much room takes records again.
const ROOM_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Writer {
    tail: Tail,
    segment: Arc<Segment>,
    next_sequence: u64,
    /// The newest day in the segment; `None` while it is empty.
    newest_day: Option<i64>,
    must_roll: bool,
    /// Why the newest append was refused; `None` if it was not.
    refused: Option<AppendError>,
    /// Files that were left before they were flushed.
    unflushed: Vec<Arc<AppendFile>>,
}

/// What has to be flushed, and up to which sequence everything is on disk afterwards.
pub(crate) struct Unflushed {
    pub(crate) files: Vec<Arc<AppendFile>>,
    pub(crate) up_to: u64,
}

impl Writer {
    /// Goes on at the end of a segment.
    pub(crate) fn new(tail: Tail, segment: Arc<Segment>, next_sequence: u64) -> Self {
        let newest_day = segment.outline().content.map(|content| time::day(content.time_us_max));
        Self { tail, segment, next_sequence, newest_day, must_roll: false, refused: None, unflushed: Vec::new() }
    }

    pub(crate) fn last_sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    /// Numbers, writes and publishes frames. Returns the sequence of the first.
    pub(crate) fn append(&mut self, shared: &Shared, frames: &mut [u8]) -> Result<u64, AppendError> {
        let appended = self.try_append(shared, frames);
        if appended.is_err() || self.refused.is_some() {
            self.refused = appended.as_ref().err().cloned();
        }
        appended
    }

    /// Why the newest append was refused, if it was and nothing has gone better since.
    pub(crate) fn refused(&self) -> Option<&AppendError> {
        self.refused.as_ref()
    }

    /// After a refusal: does what an append would, without a record. If that goes well, the refusal is forgotten.
    pub(crate) fn try_again(&mut self, shared: &Shared) -> Result<(), AppendError> {
        let tried = if self.must_roll { self.roll(shared) } else { Ok(()) };
        let tried = tried.and_then(|()| {
            self.tail.make_room(ROOM_BYTES).map_err(|source| {
                self.must_roll |= self.tail.cut().is_err();
                AppendError::Write { file: self.segment.path.clone(), source: Arc::new(source) }
            })
        });
        self.refused = tried.as_ref().err().cloned();
        tried
    }

    fn try_append(&mut self, shared: &Shared, frames: &mut [u8]) -> Result<u64, AppendError> {
        let first_day = frame::each(frames).next().map(|(_, payload)| time::day(codec::time_us(&frames[payload])));
        if self.wants_new_segment(shared, frames.len() as u64, first_day) {
            self.roll(shared)?;
        }
        let first = self.next_sequence;
        let (mut at, mut next) = (0, first);
        while let Some(end) = frame::seal(frames, at, next) {
            (at, next) = (end, next + 1);
        }
        if next > RecordId::SEQUENCE_MAX {
            return Err(AppendError::Exhausted);
        }
        let start = self.tail.end();
        if let Err(source) = self.tail.append(frames) {
            self.must_roll |= self.tail.cut().is_err();
            return Err(AppendError::Write { file: self.segment.path.clone(), source: Arc::new(source) });
        }
        self.publish(first, start, frames);
        self.next_sequence = next;
        Ok(first)
    }

    fn publish(&mut self, first: u64, end_before: u64, frames: &[u8]) {
        let mut newest_day = self.newest_day;
        self.segment.publish(frame::each(frames).zip(first..).map(|((start, payload), sequence)| {
            let end = end_before + payload.end as u64;
            let time_us = codec::time_us(&frames[payload]);
            newest_day = newest_day.max(Some(time::day(time_us)));
            Entry { sequence, time_us, start: end_before + start as u64, end }
        }));
        self.newest_day = newest_day;
    }

    /// A new day begins a new segment. A late record of the day before does not: two threads around midnight would
    /// begin one file for each record.
    fn wants_new_segment(&self, shared: &Shared, bytes: u64, day: Option<i64>) -> bool {
        let full = self.newest_day.is_some() && self.tail.end() + bytes > shared.segment_bytes;
        let next_day = self.newest_day.is_some() && day > self.newest_day;
        self.must_roll || full || next_day
    }

    /// Begins a new segment.
    pub(crate) fn roll(&mut self, shared: &Shared) -> Result<(), AppendError> {
        let path = name::path(&shared.directory, self.next_sequence);
        let replaces_empty = self.segment.first_sequence == self.next_sequence;
        let file = match create(shared, &path, self.next_sequence) {
            Ok(file) => file,
            Err(source) => {
                // A file left here would later look like the end of the one before it. An empty segment's own file
                // stays: its name may be all that tells the sequence.
                self.must_roll |= replaces_empty || fs::remove_file(&path).is_err();
                return Err(AppendError::Roll { file: path, source: Arc::new(source) });
            }
        };
        let segment = Arc::new(Segment::new(path, self.next_sequence, Index::new()));
        shared.change_segments(|segments| {
            if replaces_empty {
                segments.pop();
            }
            segments.push(Arc::clone(&segment));
        });
        let tail = Tail::new(file, header::BYTES as u64, shared.writing);
        let mut before = std::mem::replace(&mut self.tail, tail);
        // Where this fails, recovery passes over what was allocated ahead.
        let _ = before.cut();
        if shared.flush != Flush::Never {
            self.unflushed.push(Arc::clone(before.file()));
        }
        self.segment = segment;
        self.newest_day = None;
        self.must_roll = false;
        Ok(())
    }

    /// Begins a new segment after `sequence`, if the next record would not come after it. What lies between was written
    /// once and is known elsewhere; this journal lost it with the power.
    pub(crate) fn go_on_after(&mut self, shared: &Shared, sequence: u64) -> Result<(), AppendError> {
        if self.next_sequence > sequence {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.next_sequence, sequence.saturating_add(1));
        self.roll(shared).inspect_err(|_| self.next_sequence = before)
    }

    /// All that may not be on disk yet. Files that were left are handed out once.
    pub(crate) fn take_unflushed(&mut self) -> Unflushed {
        let mut files = std::mem::take(&mut self.unflushed);
        files.push(Arc::clone(self.tail.file()));
        Unflushed { files, up_to: self.last_sequence() }
    }

    /// Leaves the file as long as what was appended to it.
    pub(crate) fn close(&mut self) {
        // Where this fails, recovery passes over what was allocated ahead.
        let _ = self.tail.cut();
    }

    /// After a failed flush nobody knows what the kernel still holds of the file, so nothing is added to it.
    pub(crate) fn leave_segment(&mut self) {
        self.must_roll = true;
    }
}

/// Makes the file of a new segment, with its header and its name on disk where that is asked for.
fn create(shared: &Shared, path: &Path, first_sequence: u64) -> io::Result<AppendFile> {
    let file = segment::create_file(path, shared.tag, first_sequence, shared.faults.clone())?;
    if shared.flush != Flush::Never {
        files::sync_directory(&shared.directory)?;
    }
    Ok(file)
}
