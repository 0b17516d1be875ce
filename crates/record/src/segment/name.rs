//! `00000000000000000001.seg`: the first sequence in 20 digits, so that names sort as their contents.

use std::path::{Path, PathBuf};

const DIGITS: usize = 20;
const ENDING: &str = ".seg";

pub(crate) fn path(directory: &Path, first_sequence: u64) -> PathBuf {
    directory.join(format!("{first_sequence:020}{ENDING}"))
}

/// The first sequence in a file's name; `None` for files that are no segments.
pub(crate) fn first_sequence(file_name: &str) -> Option<u64> {
    let digits = file_name.strip_suffix(ENDING)?;
    let plain = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_the_sequence() {
        for sequence in [1, 42, u64::MAX] {
            let path = path(Path::new("/x"), sequence);
            assert_eq!(first_sequence(path.file_name().unwrap().to_str().unwrap()), Some(sequence));
        }
    }

    #[test]
    fn other_files_are_no_segments() {
        for name in ["journal.json", "1.seg", "+0000000000000000001.seg", "99999999999999999999.seg", "é.seg"] {
            assert_eq!(first_sequence(name), None, "{name}");
        }
    }
}
