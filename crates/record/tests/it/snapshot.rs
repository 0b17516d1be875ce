//! Copies made while appends go on.

use crate::support::{T0, TAG, directory, fill, open_clean, options, record, sequences, small};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tegata_record::SnapshotError;

#[test]
fn a_copy_opens_as_a_journal_of_its_own() {
    let (directory, elsewhere) = (directory(), directory());
    let journal = open_clean(directory.path(), small());
    fill(&journal, 70);
    let copy = elsewhere.path().join("deep/copy");
    assert_eq!(journal.snapshot(&copy).unwrap(), 70);
    fill(&journal, 5);
    let copied = open_clean(&copy, small());
    assert_eq!((copied.tag(), sequences(&copied)), (TAG, (1..=70).collect::<Vec<_>>()));
    assert_eq!(copied.append(&record(T0)).unwrap().sequence(), 71);
}

#[test]
fn a_copy_of_nothing_is_an_empty_journal() {
    let (directory, elsewhere) = (directory(), directory());
    let journal = open_clean(directory.path(), options());
    assert_eq!(journal.snapshot(elsewhere.path()).unwrap(), 0);
    assert!(sequences(&open_clean(elsewhere.path(), options())).is_empty());
}

#[test]
fn a_copy_is_never_mixed_with_something_else() {
    let (directory, elsewhere) = (directory(), directory());
    let journal = open_clean(directory.path(), options());
    journal.snapshot(elsewhere.path()).unwrap();
    assert!(matches!(journal.snapshot(elsewhere.path()), Err(SnapshotError::NotEmpty { .. })));
}

#[test]
fn copies_are_consistent_while_appends_go_on() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) && journal.last_sequence() < 4_000 {
                fill(&journal, 1);
            }
        });
        for _ in 0..5 {
            let elsewhere = crate::support::directory();
            let last = journal.snapshot(elsewhere.path()).unwrap();
            let copied = open_clean(elsewhere.path(), small());
            assert_eq!(sequences(&copied), (1..=last).collect::<Vec<_>>());
        }
        done.store(true, Ordering::SeqCst);
    });
}
