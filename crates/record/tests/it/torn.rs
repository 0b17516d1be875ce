//! The end of the newest segment after a death in the middle of a write.

use crate::support::{directory, fill, open, open_clean, options, segments, sequences, small};
use std::fs::{self, OpenOptions};
use std::io::Write;
use tegata_record::FindingKind;

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
            assert_eq!(finding.offset + finding.bytes, length as u64);
        }
        fill(&journal, 2);
        drop(journal);
        let journal = open_clean(directory.path(), options());
        assert_eq!(sequences(&journal), (1..=sound as u64 + 2).collect::<Vec<_>>(), "{length}");
    }
}

#[test]
fn zeros_after_the_end_are_a_torn_tail() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 3);
    drop(journal);
    let path = segments(directory.path()).remove(0);
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&[0; 4_096]).unwrap();
    let (journal, recovery) = open(directory.path(), options());
    assert_eq!(recovery.findings[0].kind, FindingKind::TornTail);
    assert_eq!((recovery.findings.len(), recovery.findings[0].bytes), (1, 4_096));
    fill(&journal, 1);
    assert_eq!(sequences(&journal), [1, 2, 3, 4]);
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
