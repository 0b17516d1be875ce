//! Sequences, ids, batches, segments, the lock.

use crate::support::{
    ALL, DAY_US, T0, TAG, directory, fill, open, open_clean, options, record, segments, sequences, small,
};
use std::time::Duration;
use tegata_record::{Decision, Flush, Journal, NewRecord, OpenError, Options};

#[test]
fn a_new_journal_is_empty_and_says_so() {
    let directory = directory();
    let (journal, recovery) = open(directory.path(), options());
    assert!(recovery.created);
    assert_eq!((recovery.records, recovery.last_sequence), (0, 0));
    assert_eq!((journal.last_sequence(), journal.tag()), (0, TAG));
    assert!(sequences(&journal).is_empty());
}

#[test]
fn the_sequence_goes_on_after_reopening() {
    let directory = directory();
    for round in 0..4 {
        let (journal, recovery) = Journal::open(directory.path(), small(), 0x1111 * round).unwrap();
        assert_eq!(recovery.created, round == 0);
        assert_eq!(recovery.findings, []);
        assert_eq!(recovery.last_sequence, u64::from(round) * 25);
        assert_eq!(journal.tag(), 0, "the first tag stays");
        fill(&journal, 25);
    }
    let journal = open_clean(directory.path(), small());
    assert_eq!(sequences(&journal), (1..=100).collect::<Vec<_>>());
}

#[test]
fn ids_carry_time_tag_and_sequence() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    let id = journal.append(&record(T0 + 1_234)).unwrap();
    assert_eq!((id.time_ms(), id.tag(), id.sequence()), (1_700_000_000_001, TAG, 1));
}

#[test]
fn a_batch_gets_neighbouring_sequences() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 3);
    let batch: Vec<NewRecord<'_>> = (0..500).map(|number| record(T0 + number)).collect();
    let ids = journal.append_batch(&batch).unwrap();
    assert_eq!(ids.iter().map(|id| id.sequence()).collect::<Vec<_>>(), (4..=503).collect::<Vec<_>>());
    assert_eq!(journal.append_batch(&[]).unwrap(), []);
    for id in &ids {
        assert_eq!(journal.get(id, ALL).unwrap().unwrap().id, *id);
    }
    drop(journal);
    assert_eq!(sequences(&open_clean(directory.path(), small())), (1..=503).collect::<Vec<_>>());
}

#[test]
fn segments_end_at_a_size() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 200);
    let paths = segments(directory.path());
    assert!(paths.len() > 5);
    assert!(paths.iter().all(|path| path.metadata().unwrap().len() <= 2_000));
    assert_eq!(journal.stats().segments, paths.len());
    assert_eq!(journal.stats().records, 200);
}

#[test]
fn segments_end_with_the_day_but_late_records_do_not_end_them() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    let midnight = T0 - T0 % DAY_US + DAY_US;
    for time_us in [midnight - 2, midnight, midnight - 1, midnight + 1, midnight + DAY_US] {
        journal.append(&record(time_us)).unwrap();
    }
    drop(journal);
    let journal = open_clean(directory.path(), options());
    assert_eq!(segments(directory.path()).len(), 3);
    journal.append(&record(midnight + 2 * DAY_US)).unwrap();
    assert_eq!(segments(directory.path()).len(), 4, "the day is known after reopening");
    assert_eq!(sequences(&journal), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn one_journal_has_one_writer() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    let second = Journal::open(directory.path(), options(), TAG);
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    drop(journal);
    open_clean(directory.path(), options());
}

#[test]
fn texts_are_cut_and_paths_lose_their_query() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    let long = "ü".repeat(5_000);
    let id = journal
        .append(&NewRecord {
            path: Some("/search?q=secret#x"),
            user_agent: Some(&long),
            request_id: Some(&long),
            endpoint: Some(&long),
            ..NewRecord::new(T0, Decision::Deny, &long)
        })
        .unwrap();
    let stored = journal.get(&id, ALL).unwrap().unwrap();
    assert_eq!(stored.path.as_deref(), Some("/search"));
    assert_eq!(stored.user_agent.unwrap().len(), 256);
    assert_eq!(stored.request_id.unwrap().len(), 128);
    assert_eq!(stored.reason.len(), 64);
}

#[test]
fn every_flush_setting_keeps_records() {
    for flush in [Flush::Always, Flush::Interval(Duration::from_millis(1)), Flush::Never] {
        let directory = directory();
        let options = Options { segment_bytes: 1_000, flush, ..Options::default() };
        let journal = open_clean(directory.path(), options.clone());
        fill(&journal, 30);
        if flush == Flush::Always {
            assert_eq!(journal.stats().flushed_sequence, 30);
        }
        journal.flush().unwrap();
        assert_eq!(journal.stats().flushed_sequence, 30);
        drop(journal);
        assert_eq!(sequences(&open_clean(directory.path(), options)).len(), 30);
    }
}

#[test]
fn the_background_flush_comes_by_itself() {
    let directory = directory();
    let flush = Flush::Interval(Duration::from_millis(2));
    let journal = open_clean(directory.path(), Options { flush, ..options() });
    fill(&journal, 10);
    for _ in 0..5_000 {
        if journal.stats().flushed_sequence == 10 {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("not flushed");
}
