//! Segments in which text and parameters stand together: `member:{id}`, `{from}...{to}`.

use super::PARAMETERS_MAX;

/// Text mixed with parameters: one more text than parameters; only the outer texts may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed {
    pub(super) texts: Box<[Box<str>]>,
}

/// How a segment fits a mixed template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It does not.
    No,
    /// In exactly one way.
    Once,
    /// In several ways; which one the API would choose is not ours to guess.
    Ambiguous,
}

impl Mixed {
    /// The order in which patterns are tried at one place: more literal text first, then the longer beginning, then
    /// the alphabet.
    pub fn rank(&self) -> (std::cmp::Reverse<usize>, std::cmp::Reverse<usize>, &[Box<str>]) {
        let literal = self.texts.iter().map(|text| text.len()).sum();
        (std::cmp::Reverse(literal), std::cmp::Reverse(self.texts[0].len()), &self.texts)
    }

    /// Fits a segment, and names the parts that the parameters take. Every parameter takes at least one letter.
    ///
    /// The leftmost and the rightmost way to cut are found one after the other; if they are the same, there is no
    /// third. This takes time in proportion to the segment, whatever it holds.
    pub fn fit(&self, segment: &str, mut take: impl FnMut(usize, usize)) -> Fit {
        let [first, between @ .., last] = &*self.texts else {
            return Fit::No;
        };
        let Some(middle) = segment.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
            return Fit::No;
        };
        let (start, middle) = (first.len(), middle.as_bytes());
        let mut cuts = [0_usize; PARAMETERS_MAX];
        let mut from = 0;
        for (cut, text) in cuts.iter_mut().zip(between) {
            let Some(place) = middle.get(from + 1..).and_then(|rest| find(rest, text.as_bytes())) else {
                return Fit::No;
            };
            *cut = from + 1 + place;
            from = *cut + text.len();
        }
        if from >= middle.len() {
            return Fit::No;
        }
        let mut from = 0;
        for (cut, text) in cuts.iter().zip(between) {
            take(start + from, start + cut);
            from = cut + text.len();
        }
        take(start + from, start + middle.len());
        let mut until = middle.len();
        for (cut, text) in cuts.iter().zip(between).rev() {
            match find_last(&middle[..until - 1], text.as_bytes()) {
                Some(place) if place == *cut => until = place,
                _ => return Fit::Ambiguous,
            }
        }
        Fit::Once
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

fn find_last(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).rposition(|window| window == word)
}
