//! The parameters that a path gave: parts of its decoded text, kept as places in it. Up to eight need no memory of
//! their own.

use std::borrow::Cow;

const INLINE: usize = 8;

/// The parameters of one matched path, numbered from the left.
#[derive(Debug, Clone)]
pub struct Params<'p> {
    text: Cow<'p, str>,
    spans: Spans,
}

/// Places in a text. A canonical path has at most 4096 bytes, so 16 bits hold a place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans {
    inline: [(u16, u16); INLINE],
    more: Vec<(u16, u16)>,
    length: usize,
}

impl Spans {
    pub(crate) fn push(&mut self, start: usize, end: usize) {
        // Places beyond 65,535 do not occur; should one, its text is empty and names nothing.
        let span = u16::try_from(start).ok().zip(u16::try_from(end).ok()).unwrap_or_default();
        match self.inline.get_mut(self.length) {
            Some(place) => *place = span,
            None => self.more.push(span),
        }
        self.length += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        self.more.truncate(self.length.saturating_sub(INLINE));
    }

    fn get(&self, number: usize) -> Option<(usize, usize)> {
        if number >= self.length {
            return None;
        }
        let span = match number.checked_sub(INLINE) {
            None => self.inline.get(number),
            Some(number) => self.more.get(number),
        };
        span.map(|(start, end)| (usize::from(*start), usize::from(*end)))
    }
}

impl<'p> Params<'p> {
    pub(crate) fn new(text: Cow<'p, str>, spans: Spans) -> Self {
        Self { text, spans }
    }

    /// The decoded text of a parameter; empty for a number that the path does not have.
    pub fn get(&self, number: u8) -> &str {
        self.spans.get(usize::from(number)).and_then(|(start, end)| self.text.get(start..end)).unwrap_or_default()
    }

    /// Where a parameter stands in the path.
    pub(crate) fn span(&self, number: u8) -> Option<(usize, usize)> {
        self.spans.get(usize::from(number))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the path had none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole path, decoded and without its query.
    pub fn path(&self) -> &str {
        &self.text
    }
}
