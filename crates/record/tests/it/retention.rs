//! Dropping by whole files.

use crate::support::{ALL, DAY_US, T0, directory, open_clean, options, record, segments, sequences};
use tegata_record::{Dropped, Journal, Order, Query};

fn five_days(journal: &Journal) {
    for number in 0..50 {
        journal.append(&record(T0 + number / 10 * DAY_US + number)).unwrap();
    }
}

#[test]
fn old_days_go_and_the_rest_stays() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    five_days(&journal);
    assert_eq!(journal.drop_before(T0).unwrap(), Dropped::default());
    let dropped = journal.drop_before(T0 + 2 * DAY_US).unwrap();
    assert_eq!((dropped.segments, dropped.records), (2, 20));
    assert_eq!(sequences(&journal), (21..=50).collect::<Vec<_>>());
    assert_eq!(segments(directory.path()).len(), 3);
    drop(journal);
    let journal = open_clean(directory.path(), options());
    assert_eq!(sequences(&journal), (21..=50).collect::<Vec<_>>());
    assert_eq!(journal.append(&record(T0 + 4 * DAY_US)).unwrap().sequence(), 51);
}

#[test]
fn when_all_is_old_the_sequence_is_kept() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    five_days(&journal);
    assert_eq!(journal.drop_before(i64::MAX).unwrap().records, 50);
    assert_eq!(journal.drop_before(i64::MAX).unwrap(), Dropped::default());
    assert!(sequences(&journal).is_empty());
    assert_eq!(journal.last_sequence(), 50);
    drop(journal);
    let journal = open_clean(directory.path(), options());
    assert_eq!(journal.append(&record(T0)).unwrap().sequence(), 51);
}

#[test]
fn readers_outlive_what_they_read() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    five_days(&journal);
    let mut stream = journal.stream(&Query::new(ALL), Order::OldestFirst);
    assert_eq!(stream.next().unwrap().unwrap().sequence, 1);
    journal.drop_before(T0 + 3 * DAY_US).unwrap();
    let rest: Vec<u64> = stream.map(|record| record.unwrap().sequence).collect();
    assert_eq!(rest, (2..=10).chain(31..=50).collect::<Vec<_>>());
}

#[test]
fn a_record_that_was_dropped_is_no_longer_found() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    let id = journal.append(&record(T0)).unwrap();
    journal.append(&record(T0 + DAY_US)).unwrap();
    journal.drop_before(T0 + DAY_US).unwrap();
    assert_eq!(journal.get(&id, ALL).unwrap(), None);
}
