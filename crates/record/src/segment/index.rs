//! Where the frames of a segment lie, every 256th of them, and between which times. Made while frames are written, or
//! read at opening; about 32 bytes for 256 records, never stored.

use crate::segment::{Content, Outline, header};

const FRAMES_PER_BLOCK: u32 = 256;

/// A frame as the index sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) sequence: u64,
    pub(crate) time_us: i64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// Some neighbouring frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) first_sequence: u64,
    pub(crate) time_us_min: i64,
    pub(crate) time_us_max: i64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    start: u64,
    first_sequence: u64,
    time_us_min: i64,
    time_us_max: i64,
}

#[derive(Debug)]
pub(crate) struct Index {
    blocks: Vec<Block>,
    frames_in_last: u32,
    end: u64,
    records: u64,
    content: Option<Content>,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { blocks: Vec::new(), frames_in_last: 0, end: header::BYTES as u64, records: 0, content: None }
    }

    /// Frames come in the order of their sequence.
    pub(crate) fn push(&mut self, frame: Entry) {
        let Entry { sequence, time_us, start, end } = frame;
        let blocks = &mut self.blocks;
        match blocks.last_mut() {
            Some(block) if self.frames_in_last < FRAMES_PER_BLOCK => {
                block.time_us_min = block.time_us_min.min(time_us);
                block.time_us_max = block.time_us_max.max(time_us);
                self.frames_in_last += 1;
            }
            _ => {
                blocks.push(Block { start, first_sequence: sequence, time_us_min: time_us, time_us_max: time_us });
                self.frames_in_last = 1;
            }
        }
        let (time_us_min, time_us_max) = self
            .content
            .map_or((time_us, time_us), |content| (content.time_us_min.min(time_us), content.time_us_max.max(time_us)));
        self.content = Some(Content { last_sequence: sequence, time_us_min, time_us_max });
        self.end = end;
        self.records += 1;
    }

    pub(crate) fn outline(&self) -> Outline {
        Outline { end: self.end, blocks: self.blocks.len(), records: self.records, content: self.content }
    }

    pub(crate) fn span(&self, position: usize) -> Option<Span> {
        let Block { start, first_sequence, time_us_min, time_us_max } = *self.blocks.get(position)?;
        let end = self.blocks.get(position + 1).map_or(self.end, |next| next.start);
        Some(Span { start, end, first_sequence, time_us_min, time_us_max })
    }

    pub(crate) fn position_of(&self, sequence: u64) -> Option<usize> {
        self.blocks.partition_point(|block| block.first_sequence <= sequence).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(frames: u64) -> Index {
        let mut index = Index::new();
        for sequence in 1..=frames {
            let (start, time_us) = (24 + (sequence - 1) * 10, i64::try_from(sequence).unwrap());
            index.push(Entry { sequence, time_us, start, end: start + 10 });
        }
        index
    }

    #[test]
    fn an_empty_index_ends_after_the_header() {
        let outline = Index::new().outline();
        assert_eq!((outline.end, outline.blocks, outline.content), (24, 0, None));
        assert_eq!(Index::new().position_of(1), None);
    }

    #[test]
    fn spans_cover_the_frames_without_holes() {
        let index = index(600);
        let spans: Vec<Span> = (0..).map_while(|position| index.span(position)).collect();
        assert_eq!(spans.len(), 3);
        assert_eq!((spans[0].start, spans[2].end), (24, 24 + 6_000));
        assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((spans[1].first_sequence, spans[1].time_us_min, spans[1].time_us_max), (257, 257, 512));
    }

    #[test]
    fn finds_the_block_of_a_sequence() {
        let index = index(600);
        for (sequence, position) in [(0, None), (1, Some(0)), (256, Some(0)), (257, Some(1)), (9_999, Some(2))] {
            assert_eq!(index.position_of(sequence), position, "{sequence}");
        }
    }
}
