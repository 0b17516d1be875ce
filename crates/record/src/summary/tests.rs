//! Counting, and what is left of it when a process ends without a word.

use crate::journal::{Flush, Options, Writing};
use crate::log::{AccessLog, Buckets};
use crate::query::{Order, Query, Scope};
use crate::question::TopOf;
use crate::record::{Decision, NewRecord, Record};
use std::path::Path;

const T0: i64 = 1_700_000_000_000_000;

fn open(directory: &Path) -> AccessLog {
    AccessLog::open(directory, Options::default(), 7).unwrap().0
}

fn denied(number: i64, address: &'static str) -> NewRecord<'static> {
    NewRecord {
        api: Some("github"),
        organization: Some("org_a"),
        address: Some(address),
        path: Some("/repos"),
        request_id: Some("one of many"),
        ..NewRecord::new(T0 + number, Decision::Deny, "unknown")
    }
}

fn all(log: &AccessLog) -> Vec<Record> {
    log.stream(&Query::new(Scope::Installation), Order::OldestFirst).map(Result::unwrap).collect()
}

fn counts(log: &AccessLog) -> Vec<u64> {
    all(log).iter().map(|record| record.count).collect()
}

/// As a process that is killed leaves it: what the kernel has, and no more.
fn killed(log: &AccessLog, directory: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    assert!(log.last_sequence() < u64::MAX, "the log is alive until here");
    copy
}

#[test]
fn many_denials_become_one_record_and_questions_count_them_all() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    log.append(&denied(0, "203.0.113.9")).unwrap();
    for number in 1..=500 {
        assert!(log.sum_up(&denied(number, "203.0.113.9")));
    }
    assert!(log.sum_up(&NewRecord { reason: "malformed", ..denied(3, "203.0.113.9") }));
    assert_eq!((log.checks_summed_up(), counts(&log)), (501, vec![1]));
    assert_eq!(log.settle_summaries(T0 + 1).unwrap(), 0, "none is old enough");
    assert_eq!(log.settle_summaries(T0 + 4).unwrap(), 2);
    assert_eq!((log.checks_summed_up(), counts(&log)), (0, vec![1, 500, 1]));
    let record = &all(&log)[1];
    let said = (record.time_us, record.organization.as_deref(), record.address.as_deref(), record.path.as_deref());
    assert_eq!(said, (T0 + 500, Some("org_a"), Some("203.0.113.9"), None));

    let query = Query::new(Scope::Installation);
    let day = Buckets { origin_us: 0, width_us: 86_400_000_000 };
    let narrow = Buckets { origin_us: 0, width_us: 1_800_000_000 };
    for settled in [false, true] {
        for buckets in [day, narrow] {
            let bars = log.histogram(&query, buckets).unwrap();
            assert_eq!(bars.iter().map(|bar| (bar.allowed, bar.denied)).collect::<Vec<_>>(), [(0, 502)], "{settled}");
        }
        let top = log.top(&query, TopOf::Reason, 10).unwrap();
        let top: Vec<_> = top.iter().map(|entry| (entry.value.as_deref(), entry.allowed, entry.denied)).collect();
        assert_eq!(top, [(Some("unknown"), 0, 501), (Some("malformed"), 0, 1)]);
        assert_eq!(log.count(&query).unwrap(), 3, "records");
        log.close_segment().unwrap();
        log.settle(T0).unwrap();
        assert_eq!(counts(&log), [1, 500, 1]);
    }
}

#[test]
fn what_was_counted_survives_the_process_at_every_step() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    for number in 0..9 {
        assert!(log.sum_up(&denied(number, "203.0.113.9")));
    }
    assert!(log.sum_up(&denied(5, "203.0.113.10")));
    let before = killed(&log, directory.path());
    // Between the record and the end of the count: the count is put back as it was.
    let ledger = std::fs::read(directory.path().join(super::NAME)).unwrap();
    log.settle_summaries(i64::MAX).unwrap();
    let between = killed(&log, directory.path());
    std::fs::write(between.path().join(super::NAME), &ledger).unwrap();
    let after = killed(&log, directory.path());
    for copy in [&before, &between, &after] {
        for _ in 0..2 {
            let log = open(copy.path());
            let mut found: Vec<_> = all(&log).iter().map(|one| (one.count, one.time_us, one.address.clone())).collect();
            found.sort();
            let ip = |text: &str| Some(text.to_owned());
            assert_eq!(found, [(1, T0 + 5, ip("203.0.113.10")), (9, T0 + 8, ip("203.0.113.9"))]);
            assert_eq!(log.checks_summed_up(), 0);
        }
    }
}

#[test]
fn a_count_that_was_begun_again_is_not_taken_for_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    for round in 0..3 {
        for _ in 0..4 {
            assert!(log.sum_up(&denied(round, "203.0.113.9")));
        }
        if round < 2 {
            log.settle_summaries(i64::MAX).unwrap();
        }
    }
    let copy = killed(&log, directory.path());
    assert_eq!(counts(&open(copy.path())), [4, 4, 4]);
}

#[test]
fn places_are_bounded_and_nothing_is_lost_when_they_run_out() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let mut written = 0;
    for number in 0..1_000_u32 {
        let address = std::net::Ipv4Addr::from(number).to_string();
        let record = NewRecord { address: Some(&address), ..denied(i64::from(number), "") };
        assert!(log.sum_up(&record), "addresses share a place when there are too many");
    }
    // Without places for what shares nothing, records are written.
    for number in 0..100 {
        let api = format!("api-{number}");
        let record = NewRecord { api: Some(&api), address: None, ..denied(number, "") };
        if !log.sum_up(&record) {
            log.append(&record).unwrap();
            written += 1;
        }
    }
    assert_eq!(written, 100 - 31);
    log.settle_summaries(i64::MAX).unwrap();
    assert_eq!(counts(&log).iter().sum::<u64>(), 1_100);
    assert!(log.sum_up(&denied(0, "203.0.113.9")), "there is room again");
    let shared = all(&log).into_iter().find(|record| record.count > 1).unwrap();
    assert_eq!((shared.count, shared.address), (1_000 - 96, None));
}

#[test]
fn a_full_disk_keeps_the_count() {
    let directory = tempfile::tempdir().unwrap();
    let disk = crate::files::Faults::none();
    let options = Options { faults: Some(disk.clone()), ..Options::default() };
    let (log, _) = AccessLog::open(directory.path(), options, 7).unwrap();
    assert!(log.sum_up(&denied(0, "203.0.113.9")));
    disk.leave_room(0);
    assert!(log.settle_summaries(i64::MAX).is_err());
    assert!(log.sum_up(&denied(1, "203.0.113.9")));
    disk.leave_room(u64::MAX);
    assert_eq!(log.settle_summaries(i64::MAX).unwrap(), 1);
    assert_eq!(counts(&log), [2]);
}

#[test]
fn calls_do_as_well_and_a_journal_that_always_flushes_has_no_summaries() {
    let directory = tempfile::tempdir().unwrap();
    let calls = Options { writing: Writing::Calls, ..Options::default() };
    let (log, _) = AccessLog::open(directory.path(), calls, 7).unwrap();
    assert!(log.sum_up(&denied(0, "203.0.113.9")) && log.sum_up(&denied(1, "203.0.113.9")));
    let copy = killed(&log, directory.path());
    let always = Options { flush: Flush::Always, ..Options::default() };
    let (log, _) = AccessLog::open(copy.path(), always, 7).unwrap();
    assert_eq!(counts(&log), [2], "what was left is written");
    assert!(!log.sum_up(&denied(0, "203.0.113.9")));
}

#[test]
fn any_bytes_in_the_file_are_passed_over() {
    for byte in [0, 1, 0x7f, 0xff] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(super::NAME), vec![byte; 100_000]).unwrap();
        let log = open(directory.path());
        assert_eq!(counts(&log), [0_u64; 0]);
        assert!(log.sum_up(&denied(0, "203.0.113.9")));
    }
    // A bit that flipped in a place costs that place only.
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    assert!(log.sum_up(&denied(0, "203.0.113.9")) && log.sum_up(&denied(0, "203.0.113.10")));
    let copy = killed(&log, directory.path());
    let path = copy.path().join(super::NAME);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(counts(&open(copy.path())), [1]);
}
