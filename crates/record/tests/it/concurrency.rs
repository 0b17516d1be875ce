//! Many threads append while others read.

use crate::support::{ALL, T0, directory, open_clean, options, record, sequences};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tegata_record::{Cursor, Flush, Journal, NewRecord, Options, Order, Query};

const THREADS: usize = 8;
const EACH: usize = 1_500;

fn append(journal: &Journal, thread: usize) -> Vec<u64> {
    let mut sequences = Vec::new();
    for number in 0..EACH {
        let request_id = format!("{thread}-{number}");
        let row = NewRecord { request_id: Some(&request_id), ..record(T0) };
        if number % 10 == 0 {
            sequences.extend(journal.append_batch(&[row]).unwrap().iter().map(|id| id.sequence()));
        } else {
            sequences.push(journal.append(&row).unwrap().sequence());
        }
    }
    assert!(sequences.is_sorted(), "one thread's records are in its order");
    sequences
}

/// Pages through a moving journal: neighbours without holes, from the newest to the first.
fn page_through(journal: &Journal) {
    let mut cursor: Option<Cursor> = None;
    let mut expected = None;
    loop {
        let page = journal.page(&Query::new(ALL), cursor, 500).unwrap();
        for record in &page.records {
            assert!(expected.is_none_or(|expected| expected == record.sequence));
            assert!(record.request_id.is_some());
            expected = Some(record.sequence - 1);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            assert!(expected.is_none_or(|expected| expected == 0));
            return;
        }
    }
}

fn race(options: Options) {
    let directory = directory();
    let journal = open_clean(directory.path(), options.clone());
    let done = AtomicBool::new(false);
    let given: Vec<u64> = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                page_through(&journal);
            }
            page_through(&journal);
        });
        let journal = &journal;
        let writers: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || append(journal, thread))).collect();
        let given = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
        given
    });
    let total = THREADS * EACH;
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), total);
    drop(journal);
    let journal = open_clean(directory.path(), options);
    assert_eq!(sequences(&journal), (1..=total as u64).collect::<Vec<_>>());
    let records = journal.stream(&Query::new(ALL), Order::OldestFirst);
    let names: HashSet<String> = records.filter_map(|record| record.unwrap().request_id).collect();
    assert_eq!(names.len(), total, "each record once");
}

#[test]
fn each_record_once_while_a_reader_pages() {
    race(Options { segment_bytes: 100_000, ..options() });
}

#[test]
fn each_record_once_while_flushing_in_the_background() {
    let flush = Flush::Interval(Duration::from_millis(1));
    race(Options { segment_bytes: 100_000, flush, ..Options::default() });
}

#[test]
fn waiting_appenders_share_a_flush() {
    let directory = directory();
    let journal = open_clean(directory.path(), Options { flush: Flush::Always, ..options() });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..50 {
                    let id = journal.append(&record(T0)).unwrap();
                    assert!(journal.stats().flushed_sequence >= id.sequence());
                }
            });
        }
    });
    assert_eq!(sequences(&journal).len(), THREADS * 50);
}
