//! Going through the segments block by block, in either direction, with a filter.
//!
//! A scan sees what was published when it began and nothing later. It reads through handles of its own; a segment
//! that retention removes meanwhile is passed over. Damage is passed over and counted.

use crate::codec::{self, RawRecord};
use crate::filter::Filter;
use crate::frame::{Step, Walk};
use crate::journal::shared::{Segments, Shared};
use crate::query::Order;
use crate::record::RecordView;
use crate::segment::Segment;
use crate::segment::index::Span;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A segment could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read {path}", path = path.display())]
pub struct ReadError {
    /// The segment.
    pub path: PathBuf,
    /// What the kernel said.
    pub source: io::Error,
}

#[derive(Debug)]
pub(crate) struct Scan {
    tag: u16,
    damage_met: Arc<AtomicU64>,
    /// Whether a segment that is not there any more is an error, and not something that retention removed.
    is_strict: bool,
    filter: Filter,
    order: Order,
    /// The first sequence that may be seen.
    first: u64,
    /// The last sequence that may be seen.
    last: u64,
    segments: Segments,
    /// Positions of the segments not yet entered.
    ahead: Range<usize>,
    current: Option<Current>,
    block: Vec<u8>,
    /// Payloads in `block` that passed the filter, the next one last.
    hits: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Current {
    segment: Arc<Segment>,
    file: File,
    blocks: Range<usize>,
}

impl Scan {
    /// A scan over the sequences above `after` and below `before`.
    pub(crate) fn new(shared: &Arc<Shared>, filter: Filter, order: Order, after: u64, before: Option<u64>) -> Self {
        Self::over(shared, shared.segments(), filter, order, after, before)
    }

    /// The same over segments that were taken before.
    pub(crate) fn over(
        shared: &Shared,
        segments: Segments,
        filter: Filter,
        order: Order,
        after: u64,
        before: Option<u64>,
    ) -> Self {
        let damage_met = Arc::clone(&shared.damage_met);
        Self::of(
            shared.tag,
            damage_met,
            segments,
            filter,
            order,
            after..=before.map_or(u64::MAX, |before| before.saturating_sub(1)),
        )
    }

    /// The same without a journal that is open: the sequences above the start of `sequences` up to its end.
    pub(crate) fn of(
        tag: u16,
        damage_met: Arc<AtomicU64>,
        segments: Segments,
        filter: Filter,
        order: Order,
        sequences: RangeInclusive<u64>,
    ) -> Self {
        let newest = segments.last().map_or(0, |segment| {
            segment.outline().content.map_or(segment.first_sequence - 1, |content| content.last_sequence)
        });
        let last = newest.min(*sequences.end());
        let first = sequences.start().saturating_add(1);
        let start = segments.partition_point(|segment| segment.first_sequence <= first).saturating_sub(1);
        let end = segments.partition_point(|segment| segment.first_sequence <= last);
        Self {
            tag,
            damage_met,
            is_strict: false,
            filter,
            order,
            first,
            last,
            ahead: start..end.max(start),
            segments,
            current: None,
            block: Vec::new(),
            hits: Vec::new(),
        }
    }

    /// The same, but a segment that is not there any more is an error.
    pub(crate) fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// How many more records there are.
    pub(crate) fn count(mut self) -> Result<u64, ReadError> {
        let mut count = self.hits.len() as u64;
        while self.next_block()? {
            count += self.hits.len() as u64;
        }
        Ok(count)
    }

    /// Shows all records one by one.
    pub(crate) fn each(mut self, mut see: impl FnMut(&RecordView<'_>)) -> Result<(), ReadError> {
        while self.next_block()? {
            while let Some(payload) = self.hits.pop() {
                match codec::decode(&self.block[payload]).and_then(|raw| raw.view(self.tag)) {
                    Ok(view) => see(&view),
                    Err(_) => self.met_damage(),
                }
            }
        }
        Ok(())
    }

    /// The next record. After an error there is none.
    pub(crate) fn next_view(&mut self) -> Result<Option<RecordView<'_>>, ReadError> {
        Ok(self.next_payload()?.map(|(_, view)| view))
    }

    /// The next record and its bytes. After an error there is none.
    pub(crate) fn next_payload(&mut self) -> Result<Option<(&[u8], RecordView<'_>)>, ReadError> {
        let payload = loop {
            if let Some(payload) = self.hits.pop() {
                if codec::decode(&self.block[payload.clone()]).is_ok_and(|raw| raw.view(self.tag).is_ok()) {
                    break payload;
                }
                self.met_damage();
            } else if !self.next_block()? {
                return Ok(None);
            }
        };
        let bytes = &self.block[payload];
        let view = codec::decode(bytes).and_then(|raw| raw.view(self.tag));
        Ok(view.ok().map(|view| (bytes, view)))
    }

    /// Loads the next block that can contain anything and finds its hits. `false` at the end.
    fn next_block(&mut self) -> Result<bool, ReadError> {
        loop {
            let Some(current) = &mut self.current else {
                if !self.next_segment()? {
                    return Ok(false);
                }
                continue;
            };
            let Some(position) = step(&mut current.blocks, self.order) else {
                self.current = None;
                continue;
            };
            let span = current.segment.block(position);
            let Some(span) = span.filter(|span| self.filter.may_match(span.time_us_min, span.time_us_max)) else {
                continue;
            };
            if let Err(source) = load(&mut current.file, span, &mut self.block) {
                let path = current.segment.path.clone();
                self.stop();
                return Err(ReadError { path, source });
            }
            self.find_hits(span.first_sequence);
            return Ok(true);
        }
    }

    fn next_segment(&mut self) -> Result<bool, ReadError> {
        while let Some(position) = step(&mut self.ahead, self.order) {
            let segment = Arc::clone(&self.segments[position]);
            let content = segment.outline().content;
            if !content.is_some_and(|content| self.filter.may_match(content.time_us_min, content.time_us_max)) {
                continue;
            }
            match File::open(&segment.path) {
                Ok(file) => {
                    let blocks = segment.blocks_between(self.first, self.last);
                    self.current = Some(Current { segment, file, blocks });
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_strict => {}
                Err(source) => {
                    self.stop();
                    return Err(ReadError { path: segment.path.clone(), source });
                }
            }
        }
        Ok(false)
    }

    fn find_hits(&mut self, first_in_block: u64) {
        self.hits.clear();
        let mut least = first_in_block;
        let mut damage = false;
        for step in Walk::new(&self.block, 0) {
            let Step::Sound { payload, .. } = step else {
                damage = true;
                continue;
            };
            match codec::decode(&self.block[payload.clone()]) {
                Ok(raw) if raw.sequence >= least => {
                    least = raw.sequence.saturating_add(1);
                    if self.wants(&raw) {
                        self.hits.push(payload);
                    }
                }
                _ => damage = true,
            }
        }
        if self.order == Order::OldestFirst {
            self.hits.reverse();
        }
        if damage {
            self.met_damage();
        }
    }

    fn wants(&self, raw: &RawRecord<'_>) -> bool {
        (self.first..=self.last).contains(&raw.sequence) && self.filter.matches(raw)
    }

    fn met_damage(&self) {
        self.damage_met.fetch_add(1, Ordering::Relaxed);
    }

    fn stop(&mut self) {
        self.current = None;
        self.ahead = 0..0;
        self.hits.clear();
    }
}

fn step(positions: &mut Range<usize>, order: Order) -> Option<usize> {
    match order {
        Order::OldestFirst => positions.next(),
        Order::NewestFirst => positions.next_back(),
    }
}

fn load(file: &mut File, span: Span, block: &mut Vec<u8>) -> io::Result<()> {
    let bytes = usize::try_from(span.end - span.start).map_err(io::Error::other)?;
    file.seek(SeekFrom::Start(span.start))?;
    block.resize(bytes, 0);
    file.read_exact(block)
}
