//! Sets of permissions of one API as bits. Permissions are numbered per API when a catalogue is first imported;
//! numbers are appended and never reused, so a set stays true when a catalogue grows.

use smallvec::SmallVec;

/// The number of a permission within its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionNumber(pub u16);

/// A set of permissions of one API.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct PermissionSet {
    /// Up to 256 permissions lie in the set itself: what a check looks at most is one memory access nearer.
    words: SmallVec<[u64; 4]>,
}

impl PermissionSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the set holds this permission.
    #[inline]
    pub fn contains(&self, number: PermissionNumber) -> bool {
        let place = usize::from(number.0);
        self.words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// Adds one permission.
    pub fn insert(&mut self, number: PermissionNumber) {
        let place = usize::from(number.0);
        if place / 64 >= self.words.len() {
            self.words.resize(place / 64 + 1, 0);
        }
        self.words[place / 64] |= 1 << (place % 64);
    }

    /// Adds everything of another set.
    pub fn extend(&mut self, other: &Self) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
    }

    /// Whether everything here is in the other set too.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.words.iter().enumerate().all(|(place, word)| word & !other.words.get(place).copied().unwrap_or(0) == 0)
    }

    /// What both sets hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.words.iter().zip(&other.words).map(|(mine, theirs)| mine & theirs).collect::<Vec<_>>().into()
    }

    /// What is here and not in the other set.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.words
            .iter()
            .enumerate()
            .map(|(place, word)| word & !other.words.get(place).copied().unwrap_or(0))
            .collect::<Vec<_>>()
            .into()
    }

    /// The set as words of 64 permissions each, the lowest numbers first; for those who store it.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The set with these words.
    #[inline]
    pub fn from_words(words: &[u64]) -> Self {
        Self { words: SmallVec::from_slice(words) }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many permissions are in it.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The numbers in it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = PermissionNumber> + '_ {
        (0_u16..).zip(self.words.iter()).flat_map(|(word_place, word)| {
            (0..64_u16).filter(move |bit| word >> bit & 1 == 1).map(move |bit| PermissionNumber(word_place * 64 + bit))
        })
    }
}

impl From<Vec<u64>> for PermissionSet {
    fn from(mut words: Vec<u64>) -> Self {
        while words.last() == Some(&0) {
            words.pop();
        }
        Self { words: words.into() }
    }
}

impl FromIterator<PermissionNumber> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = PermissionNumber>>(numbers: I) -> Self {
        let mut set = Self::new();
        for number in numbers {
            set.insert(number);
        }
        set
    }
}

impl std::fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(|number| number.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set_of(numbers: &BTreeSet<u16>) -> PermissionSet {
        numbers.iter().copied().map(PermissionNumber).collect()
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(a in proptest::collection::btree_set(0_u16..1100, 0..40),
                            b in proptest::collection::btree_set(0_u16..1100, 0..40)) {
            let (left, right) = (set_of(&a), set_of(&b));
            prop_assert_eq!(left.len(), a.len());
            prop_assert_eq!(left.iter().map(|n| n.0).collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(left.is_subset_of(&right), a.is_subset(&b));
            prop_assert_eq!(left.intersection(&right), set_of(&(&a & &b)));
            prop_assert_eq!(left.difference(&right), set_of(&(&a - &b)));
            prop_assert_eq!(&PermissionSet::from_words(left.words()), &left);
            let mut union = left.clone();
            union.extend(&right);
            prop_assert_eq!(union, set_of(&(&a | &b)));
        }
    }
}
