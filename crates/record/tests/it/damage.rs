//! Flipped bits, missing and foreign files: found, named, and the rest kept.

use crate::support::{ALL, T0, TAG, directory, fill, open, open_clean, options, record, segments, sequences, small};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use tegata_record::{FindingKind, Journal, OpenError, Query};

const ROWS: u64 = 5;

/// Flips one bit, opens, and hands over what is left; then everything is put back.
fn with_flipped(directory: &Path, path: &Path, at: usize, check: impl Fn(&Journal, &tegata_record::Recovery)) {
    let whole = fs::read(path).unwrap();
    let mut changed = whole.clone();
    changed[at] ^= 1 << (at % 8);
    fs::write(path, &changed).unwrap();
    let (journal, recovery) = open(directory, options());
    check(&journal, &recovery);
    drop(journal);
    fs::write(path, &whole).unwrap();
    for path in segments(directory) {
        if fs::metadata(&path).unwrap().len() == 24 {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_flipped_bit_in_the_newest_segment_is_found_and_costs_one_record() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 5);
    drop(journal);
    let path = segments(directory.path()).remove(0);
    let length = fs::metadata(&path).unwrap().len();
    let frame = (length - 24) / ROWS;
    for at in 0..length {
        with_flipped(directory.path(), &path, usize::try_from(at).unwrap(), |journal, recovery| {
            let lost = if at < 24 { None } else { Some((at - 24) / frame + 1) };
            let start = lost.map_or(0, |lost| 24 + (lost - 1) * frame);
            assert_eq!(recovery.findings.len(), 1, "byte {at}: {:?}", recovery.findings);
            let finding = &recovery.findings[0];
            assert_eq!((&finding.file, finding.offset), (&path, start), "byte {at}");
            let expected: Vec<u64> = (1..=ROWS).filter(|sequence| Some(*sequence) != lost).collect();
            assert_eq!(sequences(journal), expected, "byte {at}");
        });
    }
}

#[test]
fn a_flipped_bit_in_an_older_segment_is_found_and_costs_one_record() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 60);
    drop(journal);
    let paths = segments(directory.path());
    let path = &paths[1];
    for at in (0..fs::metadata(path).unwrap().len()).step_by(3) {
        with_flipped(directory.path(), path, usize::try_from(at).unwrap(), |journal, recovery| {
            assert_eq!(recovery.findings.len(), 1, "byte {at}: {:?}", recovery.findings);
            let finding = &recovery.findings[0];
            let kind = if at < 24 { FindingKind::BadHeader } else { FindingKind::BadFrame };
            assert_eq!((&finding.file, finding.kind), (path, kind));
            assert!((finding.offset..finding.offset + finding.bytes).contains(&at));
            assert_eq!(sequences(journal).len(), if at < 24 { 60 } else { 59 });
            assert_eq!(recovery.last_sequence, 60);
        });
    }
}

#[test]
fn the_sequence_of_a_damaged_last_record_is_not_given_out_again() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 5);
    drop(journal);
    let path = segments(directory.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let (journal, recovery) = open(directory.path(), options());
    assert_eq!(recovery.findings[0].kind, FindingKind::BadFrame);
    assert_eq!(journal.append(&record(T0)).unwrap().sequence(), 6);
    assert_eq!(sequences(&journal), [1, 2, 3, 4, 6]);
    drop(journal);
    let (journal, recovery) = open(directory.path(), options());
    assert_eq!(recovery.findings.len(), 1, "the damage stays and is told again");
    assert_eq!(sequences(&journal), [1, 2, 3, 4, 6]);
}

#[test]
fn damage_that_comes_while_open_is_passed_over_and_counted() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 1_000);
    let path = segments(directory.path()).remove(0);
    let middle = journal.stats().bytes / 2;
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, middle).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], middle).unwrap();
    assert_eq!(sequences(&journal).len(), 999);
    assert_eq!(journal.page(&Query::new(ALL), None, 1_000).unwrap().records.len(), 999);
    assert_eq!(journal.stats().damage_met, 2);
}

#[test]
fn a_missing_segment_shows_as_a_gap() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 60);
    drop(journal);
    let paths = segments(directory.path());
    let first = |at: usize| paths[at].file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap();
    fs::remove_file(&paths[1]).unwrap();
    let (_journal, recovery) = open(directory.path(), small());
    assert_eq!(recovery.findings.len(), 1);
    let expected = FindingKind::Gap { first: first(1), last: first(2) - 1 };
    assert_eq!((recovery.findings[0].kind, &recovery.findings[0].file), (expected, &paths[2]));
    assert!(recovery.findings[0].to_string().contains("are missing"));
}

#[test]
fn two_swapped_rows_are_noticed() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 5);
    drop(journal);
    let path = segments(directory.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let frame = (bytes.len() - 24) / 5;
    let (left, right) = bytes[24 + frame..].split_at_mut(frame);
    left.swap_with_slice(&mut right[..frame]);
    fs::write(&path, bytes).unwrap();
    let (_journal, recovery) = open(directory.path(), options());
    let kinds: Vec<FindingKind> = recovery.findings.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::Gap { first: 2, last: 2 }, FindingKind::OutOfOrder]);
}

#[test]
fn lost_meta_is_read_from_the_segments() {
    for text in [None, Some("{"), Some("")] {
        let directory = directory();
        fill(&open_clean(directory.path(), small()), 40);
        let meta = directory.path().join("journal.json");
        fs::remove_file(&meta).unwrap();
        if let Some(text) = text {
            fs::write(&meta, text).unwrap();
        }
        let (journal, recovery) = Journal::open(directory.path(), small(), 1).unwrap();
        assert_eq!(journal.tag(), TAG);
        assert!(!recovery.created);
        assert_eq!(recovery.findings[0].kind, FindingKind::MetaRestored);
        drop(journal);
        open_clean(directory.path(), small());
    }
}

#[test]
fn segments_of_other_journals_and_newer_formats_are_refused() {
    let (mine, other) = (directory(), directory());
    fill(&open_clean(mine.path(), options()), 3);
    fill(&Journal::open(other.path(), options(), 1).unwrap().0, 3);
    let name = "00000000000000000001.seg";
    fs::copy(other.path().join(name), mine.path().join(name)).unwrap();
    let refused = Journal::open(mine.path(), options(), TAG);
    assert!(matches!(refused, Err(OpenError::OtherJournal { tag: 1, .. })));
    fs::write(mine.path().join("journal.json"), "{\"format\":2,\"tag\":1}").unwrap();
    let refused = Journal::open(mine.path(), options(), TAG);
    assert!(matches!(refused, Err(OpenError::NewerFormat { format: 2, .. })));
}

#[test]
fn other_files_are_left_alone() {
    let directory = directory();
    fs::write(directory.path().join("notes.txt"), "mine").unwrap();
    fill(&open_clean(directory.path(), options()), 3);
    open_clean(directory.path(), options());
    assert_eq!(fs::read(directory.path().join("notes.txt")).unwrap(), b"mine");
}
