//! Which sequences were seen, in any order: what is left out of them was left out of the log.

use crate::proof::verify::problem::Problem;
use std::collections::BTreeMap;

const WORDS: usize = 1 << 10;
/// Sequences of a page.
const PAGE: u64 = 64 * WORDS as u64;
/// No more gaps are reported.
const GAPS_MAX: usize = 1_000;

/// The sequences of all records of a journal. A bit for each.
#[derive(Debug, Default)]
pub struct Sequences {
    pages: BTreeMap<u64, Box<[u64]>>,
}

impl Sequences {
    /// A record has this sequence.
    pub fn see(&mut self, sequence: u64) {
        let page = self.pages.entry(sequence / PAGE).or_insert_with(|| vec![0; WORDS].into_boxed_slice());
        let at = sequence % PAGE;
        if let Some(word) = usize::try_from(at / 64).ok().and_then(|at| page.get_mut(at)) {
            *word |= 1 << (at % 64);
        }
    }

    /// Reports the sequences from `first` up to `last` that were not seen.
    pub fn gaps(&self, first: u64, last: u64, report: &mut dyn FnMut(Problem)) {
        let (mut begun, mut reported) = (None, 0);
        let mut at = first;
        while at <= last && reported < GAPS_MAX {
            let word = self.word(at);
            // Most words are full, and are passed over at once.
            if begun.is_none() && at.is_multiple_of(64) && word == u64::MAX && at <= u64::MAX - 64 {
                at += 64;
                continue;
            }
            let is_seen = word & (1 << (at % 64)) != 0;
            match (begun, is_seen) {
                (None, false) => begun = Some(at),
                (Some(first_sequence), true) => {
                    report(Problem::Gap { first_sequence, last_sequence: at - 1 });
                    reported += 1;
                    begun = None;
                }
                _ => {}
            }
            let Some(next) = at.checked_add(1) else { break };
            at = next;
        }
        if let Some(first_sequence) = begun.filter(|_| reported < GAPS_MAX) {
            report(Problem::Gap { first_sequence, last_sequence: last });
        }
    }

    /// The lowest sequence that was seen.
    pub fn first(&self) -> Option<u64> {
        let (page, words) = self.pages.first_key_value()?;
        let at = words.iter().position(|word| *word != 0)?;
        let bit = words.get(at).map_or(0, |word| word.trailing_zeros());
        Some(page * PAGE + at as u64 * 64 + u64::from(bit))
    }

    fn word(&self, sequence: u64) -> u64 {
        let at = usize::try_from(sequence % PAGE / 64).unwrap_or(usize::MAX);
        self.pages.get(&(sequence / PAGE)).and_then(|page| page.get(at)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gaps(sequences: &Sequences, first: u64, last: u64) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        sequences.gaps(first, last, &mut |problem| match problem {
            Problem::Gap { first_sequence, last_sequence } => found.push((first_sequence, last_sequence)),
            other => panic!("{other}"),
        });
        found
    }

    #[test]
    fn what_was_not_seen_is_a_gap() {
        let mut sequences = Sequences::default();
        (100..200_000).filter(|sequence| ![150, 151, 70_000].contains(sequence)).for_each(|one| sequences.see(one));
        assert_eq!(sequences.first(), Some(100));
        assert_eq!(gaps(&sequences, 100, 199_999), [(150, 151), (70_000, 70_000)]);
        assert_eq!(gaps(&sequences, 98, 200_001), [(98, 99), (150, 151), (70_000, 70_000), (200_000, 200_001)]);
        assert_eq!(gaps(&Sequences::default(), 1, 0), []);
    }

    proptest! {
        #[test]
        fn gaps_are_those_of_a_plain_set(seen in prop::collection::btree_set(0..300_u64, 0..200)) {
            let mut sequences = Sequences::default();
            for one in &seen {
                sequences.see(*one);
            }
            let missing: Vec<u64> = (5..=290).filter(|one| !seen.contains(one)).collect();
            let expected: Vec<(u64, u64)> =
                missing.chunk_by(|one, next| one + 1 == *next).map(|run| (run[0], run[run.len() - 1])).collect();
            prop_assert_eq!(gaps(&sequences, 5, 290), expected);
        }
    }
}
