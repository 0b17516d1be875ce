//! The end of the newest segment after a death in the middle of a write.

use crate::support::{directory, fill, open, open_clean, options, segments, sequences, small};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use tegata_record::{FindingKind, Options, Writing};

#[test]
fn a_tail_torn_anywhere_is_cut_and_the_rest_kept() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 6);
    drop(journal);
    let path = segments(directory.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let frame = (whole.len() - 24) / 6;
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (journal, recovery) = open(directory.path(), options());
        let sound = length.saturating_sub(24) / frame;
        assert_eq!(recovery.records, sound as u64, "{length}");
        assert_eq!(recovery.last_sequence, sound as u64);
        let torn = length < 24 || (length - 24) % frame != 0;
        assert_eq!(recovery.findings.len(), usize::from(torn), "{length}");
        for finding in &recovery.findings {
            assert_eq!((finding.kind, &finding.file), (FindingKind::TornTail, &path));
            // Zeros at the end of what is torn look like room that was allocated ahead.
            let end = usize::try_from(finding.offset + finding.bytes).unwrap();
            assert!(whole[end..length].iter().all(|byte| *byte == 0), "{length}");
        }
        fill(&journal, 2);
        drop(journal);
        let journal = open_clean(directory.path(), options());
        assert_eq!(sequences(&journal), (1..=sound as u64 + 2).collect::<Vec<_>>(), "{length}");
    }
}

#[test]
fn zeros_after_the_end_are_room_that_was_allocated_ahead() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 3);
    drop(journal);
    let path = segments(directory.path()).remove(0);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&[0; 4_096]).unwrap();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 1);
    assert_eq!(sequences(&journal), [1, 2, 3, 4]);
}

/// The files of a journal as they are while it is open, which is how a killed process leaves them.
fn killed(from: &Path) -> tempfile::TempDir {
    let to = directory();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
    to
}

#[test]
fn nothing_is_lost_or_found_after_a_kill() {
    for writing in [Writing::Mapped, Writing::Calls] {
        let directory = directory();
        let options = || Options { writing, ..options() };
        let journal = open_clean(directory.path(), options());
        fill(&journal, 30);
        let left = killed(directory.path());
        let journal = open_clean(left.path(), options());
        fill(&journal, 1);
        assert_eq!(sequences(&journal), (1..=31).collect::<Vec<_>>(), "{writing:?}");
    }
}

/// A frame is copied into mapped memory with its mark last, so that this is what a kill within the copy leaves.
#[test]
fn a_copy_that_was_cut_short_is_a_torn_tail_and_costs_no_sequence() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 3);
    let end = usize::try_from(journal.stats().bytes).unwrap();
    let frame = (end - 24) / 3;
    for copied in 1..=frame {
        let left = killed(directory.path());
        let path = segments(left.path()).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        bytes[end - frame] = 0;
        bytes[end - frame + copied..].fill(0);
        fs::write(&path, bytes).unwrap();
        let (journal, recovery) = open(left.path(), options());
        assert!(recovery.findings.iter().all(|finding| finding.kind == FindingKind::TornTail), "{copied}");
        fill(&journal, 1);
        assert_eq!(sequences(&journal), [1, 2, 3], "{copied}");
        drop(journal);
        open_clean(left.path(), options());
    }
}

#[test]
fn after_a_kill_a_damaged_last_record_is_told_from_a_torn_one() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 3);
    let end = usize::try_from(journal.stats().bytes).unwrap();
    for (damage, kind, next) in [
        // A byte of the last frame is another: it was there, and its sequence was given out.
        (0x01_u8, FindingKind::BadFrame, 4),
        // It never was there as a whole.
        (0x00, FindingKind::TornTail, 3),
    ] {
        let left = killed(directory.path());
        let path = segments(left.path()).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        let frame = (end - 24) / 3;
        match damage {
            0 => bytes[end - frame + 1..].fill(0),
            damage => bytes[end - frame / 2] ^= damage,
        }
        fs::write(&path, bytes).unwrap();
        let (journal, recovery) = open(left.path(), options());
        assert_eq!(recovery.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [kind]);
        fill(&journal, 1);
        assert_eq!(sequences(&journal), [1, 2, next]);
    }
}

#[test]
fn a_new_segment_without_its_header_is_begun_again() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 40);
    drop(journal);
    for header in [0, 10, 23] {
        let next = sequences(&open_clean(directory.path(), small())).len() + 1;
        fs::write(directory.path().join(format!("{next:020}.seg")), vec![7; header]).unwrap();
        let (journal, recovery) = open(directory.path(), small());
        assert_eq!(recovery.findings.len(), 1);
        assert_eq!(recovery.findings[0].kind, FindingKind::TornTail);
        fill(&journal, 3);
        assert_eq!(sequences(&journal).len(), next + 2);
    }
}
