//! Files of signed notes: one after the other, an empty line after each.
//!
//! A file only grows at its end, or is replaced as a whole by a thinner one. What a crash leaves unfinished at its end
//! is told from what was changed.

use std::ops::Range;

const SIGNATURE: &[u8] = "— ".as_bytes();

/// Where the notes of a file lie, and where the last whole one ends with its empty line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Notes {
    pub(crate) notes: Vec<Range<usize>>,
    pub(crate) end: usize,
}

/// Finds the notes in a file. Whatever is between them comes out as a note that will not hold.
pub(crate) fn split(bytes: &[u8]) -> Notes {
    let (mut notes, mut at, mut end) = (Vec::new(), 0, 0);
    let mut text_start = None;
    while let Some(length) = find_empty_line(bytes.get(at..).unwrap_or_default()) {
        let (start, stop) = (at, at + length + 1);
        at = stop + 1;
        if bytes.get(start..stop).is_some_and(|piece| piece.starts_with(SIGNATURE)) {
            notes.push(text_start.take().unwrap_or(start)..stop);
            end = at;
        } else if let Some(lonely) = text_start.replace(start) {
            notes.push(lonely..start.saturating_sub(1));
            end = start;
        }
    }
    Notes { notes, end }
}

fn find_empty_line(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == b"\n\n")
}

/// Which of the sizes to keep so that there are few: the newest two, and the first in each of at most 256 stretches of
/// equal length. The lengths are 1,024 and its doubles, so that what was kept once is kept again for as long as possible.
pub(crate) fn kept(sizes: &[u64]) -> Vec<bool> {
    const STRETCHES_MAX: u64 = 256;
    let newest = sizes.last().copied().unwrap_or(0);
    let mut length = 1_024;
    while newest / length >= STRETCHES_MAX {
        length *= 2;
    }
    let mut before = None;
    let newest_two = sizes.len().saturating_sub(2);
    let keep = |(position, size): (usize, &u64)| {
        let stretch = size / length;
        let first = before.is_none_or(|before| stretch > before);
        before = before.max(Some(stretch));
        first || position >= newest_two
    };
    sizes.iter().enumerate().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &[u8]) -> (Vec<&str>, usize) {
        let Notes { notes, end } = split(bytes);
        (notes.into_iter().map(|note| str::from_utf8(&bytes[note]).unwrap()).collect(), end)
    }

    #[test]
    fn notes_are_found_one_by_one() {
        let file = "a\nb\n\n— x 1\n\nc\n\n— x 2\n— y 3\n\n";
        assert_eq!(texts(file.as_bytes()), (vec!["a\nb\n\n— x 1\n", "c\n\n— x 2\n— y 3\n"], file.len()));
        assert_eq!(texts(b""), (vec![], 0));
    }

    #[test]
    fn an_unfinished_end_is_no_note() {
        let whole = "a\n\n— x 1\n\n";
        let file = format!("{whole}b\nb\n\n— x 2\n\n");
        for cut in whole.len()..file.len() {
            let (notes, end) = split(&file.as_bytes()[..cut]).into_parts();
            assert_eq!((notes, end), (1, whole.len()), "{cut}");
        }
    }

    impl Notes {
        fn into_parts(self) -> (usize, usize) {
            (self.notes.len(), self.end)
        }
    }

    #[test]
    fn strays_are_not_passed_over() {
        assert_eq!(texts("a\n\nb\n\n— x 1\n\n".as_bytes()).0, ["a\n", "b\n\n— x 1\n"]);
        assert_eq!(texts("— x 1\n\n— x 2\n\n".as_bytes()).0, ["— x 1\n", "— x 2\n"]);
    }

    #[test]
    fn few_are_kept_of_many() {
        let sizes: Vec<u64> = (1..=86_400).collect();
        let keep = kept(&sizes);
        let left: Vec<u64> = sizes.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(size, _)| *size).collect();
        assert_eq!(left[..3], [1, 1_024, 2_048]);
        assert_eq!(left[left.len() - 2..], [86_399, 86_400]);
        assert_eq!(left.len(), 1 + 84 + 2);
        let many: Vec<u64> = (1..=86_400).map(|second| second * 10_000).collect();
        assert!(kept(&many).iter().filter(|keep| **keep).count() <= 258);
        assert_eq!(kept(&[]), Vec::<bool>::new());
    }

    proptest! {
        #[test]
        fn thinning_twice_is_thinning_once(mut sizes in prop::collection::vec(0..10_000_000_u64, 0..500)) {
            sizes.sort_unstable();
            let thin = |sizes: &[u64]| -> Vec<u64> {
                sizes.iter().zip(kept(sizes)).filter(|(_, keep)| *keep).map(|(size, _)| *size).collect()
            };
            let once = thin(&sizes);
            prop_assert_eq!(thin(&once), once);
        }

        #[test]
        fn never_panics_on_any_bytes(text in "(\n|— |a){0,60}") {
            let Notes { notes, end } = split(text.as_bytes());
            prop_assert!(end <= text.len() && notes.iter().all(|note| note.end <= end));
        }
    }
}
