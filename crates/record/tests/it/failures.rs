//! A disk that is full or fails: appends are refused, nothing is left half, and all is well when the disk is.

use crate::support::{T0, directory, fill, open, open_clean, options, record, segments, sequences, small};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tegata_record::{AppendError, Batch, Faults, FindingKind, Flush, Journal, Options, Writing};

fn faulty(options: &Options) -> (Arc<Faults>, Options) {
    let faults = Faults::none();
    (faults.clone(), Options { faults: Some(faults), ..options.clone() })
}

fn refused(journal: &Journal) -> bool {
    matches!(journal.append(&record(T0)), Err(AppendError::Write { .. }))
}

#[test]
fn a_full_disk_refuses_and_recovers_without_a_trace() {
    let directory = directory();
    let (faults, options) = faulty(&options());
    let journal = open_clean(directory.path(), options.clone());
    fill(&journal, 5);
    for room in 0..60 {
        faults.leave_room(room);
        assert!(refused(&journal), "{room}");
    }
    assert_eq!(journal.stats().append_failures, 60);
    faults.leave_room(u64::MAX);
    fill(&journal, 5);
    drop(journal);
    assert_eq!(sequences(&open_clean(directory.path(), options)), (1..=10).collect::<Vec<_>>());
}

#[test]
fn a_batch_is_written_whole_or_not_at_all() {
    let directory = directory();
    let (faults, options) = faulty(&options());
    let journal = open_clean(directory.path(), options.clone());
    faults.leave_room(250);
    assert!(journal.append_batch(&[record(T0); 10]).is_err());
    faults.leave_room(u64::MAX);
    assert!(sequences(&journal).is_empty());
    assert_eq!(journal.append_batch(&[record(T0); 10]).unwrap()[0].sequence(), 1);
    drop(journal);
    open_clean(directory.path(), options);
}

#[test]
fn what_could_not_be_taken_back_is_left_behind() {
    for (before, room) in [(3, 250), (0, 250), (3, 20), (0, 20), (0, 0)] {
        let directory = directory();
        let (faults, options) = faulty(&options());
        let journal = open_clean(directory.path(), options.clone());
        fill(&journal, before);
        faults.leave_room(room);
        faults.fail_cuts(true);
        assert!(journal.append_batch(&[record(T0 + 999); 10]).is_err());
        faults.leave_room(u64::MAX);
        fill(&journal, 4);
        let expected: Vec<u64> = (1..=before.unsigned_abs() + 4).collect();
        assert_eq!(sequences(&journal), expected);
        drop(journal);
        let (journal, recovery) = open(directory.path(), options);
        assert_eq!(sequences(&journal), expected, "{before} {room}: {:?}", recovery.findings);
        let allowed = [FindingKind::Unanswered, FindingKind::BadFrame];
        assert!(recovery.findings.iter().all(|finding| allowed.contains(&finding.kind)));
    }
}

#[test]
fn a_segment_that_cannot_begin_refuses_the_append() {
    let directory = directory();
    let (faults, options) = faulty(&small());
    let journal = open_clean(directory.path(), options.clone());
    while segments(directory.path()).len() < 3 {
        fill(&journal, 1);
    }
    let last = journal.last_sequence();
    while segments(directory.path()).len() < 4 {
        faults.leave_room(u64::MAX);
        fill(&journal, 1);
        faults.leave_room(10);
        let refused = journal.append(&record(T0));
        assert!(matches!(refused, Err(AppendError::Write { .. } | AppendError::Roll { .. })));
    }
    faults.leave_room(u64::MAX);
    fill(&journal, 5);
    assert!(journal.last_sequence() > last + 5);
    let written = journal.last_sequence();
    drop(journal);
    assert_eq!(sequences(&open_clean(directory.path(), options)), (1..=written).collect::<Vec<_>>());
}

#[test]
fn a_failed_flush_refuses_and_moves_to_a_new_segment() {
    let directory = directory();
    let (faults, options) = faulty(&Options { flush: Flush::Always, ..options() });
    let journal = open_clean(directory.path(), options.clone());
    fill(&journal, 2);
    faults.fail_flushes(true);
    assert!(matches!(journal.append(&record(T0)), Err(AppendError::Flush { .. })));
    assert_eq!(journal.stats().flush_failures, 1);
    faults.fail_flushes(false);
    journal.append(&record(T0)).unwrap();
    assert_eq!(segments(directory.path()).len(), 2);
    drop(journal);
    assert_eq!(sequences(&open_clean(directory.path(), options)), [1, 2, 3, 4]);
}

#[test]
fn trouble_is_told_and_ends_without_a_record() {
    for (writing, room) in [(Writing::Mapped, 0), (Writing::Calls, 0), (Writing::Mapped, 50), (Writing::Calls, 50)] {
        let directory = directory();
        let (faults, options) = faulty(&Options { writing, ..options() });
        let journal = open_clean(directory.path(), options.clone());
        fill(&journal, 3);
        assert!(journal.trouble().is_none() && journal.try_again().is_ok());
        faults.leave_room(room);
        assert!(refused(&journal));
        let told = journal.trouble();
        assert!(
            matches!(&told, Some(AppendError::Write { source, .. }) if source.kind() == ErrorKind::StorageFull),
            "{told:?}"
        );
        assert!(journal.try_again().is_err() && journal.trouble().is_some(), "the disk is as full as before");
        faults.leave_room(u64::MAX);
        assert!(journal.try_again().is_ok() && journal.trouble().is_none(), "nobody appended anything");
        fill(&journal, 3);
        drop(journal);
        assert_eq!(sequences(&open_clean(directory.path(), options)), (1..=6).collect::<Vec<_>>());
    }
}

#[test]
fn an_append_that_succeeds_ends_trouble() {
    let directory = directory();
    let (faults, options) = faulty(&options());
    let journal = open_clean(directory.path(), options);
    faults.leave_room(0);
    assert!(refused(&journal) && journal.trouble().is_some());
    faults.leave_room(u64::MAX);
    fill(&journal, 1);
    assert!(journal.trouble().is_none());
}

#[test]
fn a_flush_that_fails_is_trouble_until_one_succeeds() {
    let directory = directory();
    let (faults, options) = faulty(&Options { flush: Flush::Always, ..options() });
    let journal = open_clean(directory.path(), options.clone());
    faults.fail_flushes(true);
    assert!(journal.append(&record(T0)).is_err());
    assert!(matches!(journal.trouble(), Some(AppendError::Flush { .. })));
    assert!(journal.try_again().is_err() && journal.trouble().is_some());
    faults.fail_flushes(false);
    assert!(journal.try_again().is_ok() && journal.trouble().is_none());
    journal.append(&record(T0)).unwrap();
    drop(journal);
    assert_eq!(sequences(&open_clean(directory.path(), options)), [1, 2]);
}

/// How long one flush takes.
const SLOW: Duration = Duration::from_millis(200);

#[test]
fn a_slow_disk_keeps_nobody_waiting_who_does_not_wait_for_it() {
    let directory = directory();
    let (faults, options) = faulty(&Options { flush: Flush::Interval(Duration::from_millis(1)), ..options() });
    let journal = open_clean(directory.path(), options);
    faults.slow_flushes(SLOW);
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    while began.elapsed() < 4 * SLOW {
        let before = Instant::now();
        fill(&journal, 1);
        longest = longest.max(before.elapsed());
    }
    // Flushes were under way all the time.
    assert!(longest < SLOW / 2, "an append took {longest:?}");
    assert!(journal.stats().flushed_sequence < journal.last_sequence());
}

#[test]
fn on_a_slow_disk_those_who_wait_share_flushes() {
    let directory = directory();
    let (faults, options) = faulty(&Options { flush: Flush::Always, ..options() });
    let journal = open_clean(directory.path(), options);
    faults.slow_flushes(SLOW);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let id = journal.append(&record(T0)).unwrap();
                    assert!(id.sequence() <= journal.stats().flushed_sequence, "it is on disk when it is answered");
                }
            });
        }
    });
    // Each waits for the flush that is under way and then for its own.
    assert!(began.elapsed() >= 3 * SLOW, "nobody is answered before the disk");
    assert!(began.elapsed() < 12 * SLOW, "48 appends took {:?}", began.elapsed());
}

/// A batch of one record.
fn batch() -> Batch {
    let mut batch = Batch::default();
    batch.push(&record(T0));
    batch
}

#[test]
fn futures_of_one_thread_share_flushes() {
    let directory = directory();
    let (faults, options) = faulty(&Options { flush: Flush::Always, ..options() });
    let journal = Arc::new(open_clean(directory.path(), options));
    faults.slow_flushes(SLOW);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let journal = Arc::clone(&journal);
            waiting.spawn(async move {
                let last = journal.append_prepared(&mut batch()).unwrap().last().unwrap().sequence();
                journal.on_disk(last).await.unwrap();
                assert!(journal.stats().flushed_sequence >= last);
            });
        }
        waiting.join_all().await;
    });
    let took = began.elapsed();
    assert!(took >= SLOW && took < 8 * SLOW, "64 waited for {took:?}");
}

#[test]
fn whoever_waits_for_a_flush_that_fails_is_told() {
    let directory = directory();
    let (faults, options) = faulty(&Options { flush: Flush::Always, ..options() });
    let journal = open_clean(directory.path(), options);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let wait = || {
        let last = journal.append_prepared(&mut batch()).unwrap().last().unwrap().sequence();
        runtime.block_on(journal.on_disk(last))
    };
    wait().unwrap();
    faults.fail_flushes(true);
    assert!(matches!(wait(), Err(AppendError::Flush { .. })));
    assert!(journal.trouble().is_some());
    faults.fail_flushes(false);
    wait().unwrap();
    assert!(journal.trouble().is_none());
}

#[test]
fn nobody_waits_where_nothing_is_always_flushed() {
    for flush in [Flush::Never, Flush::Interval(Duration::from_hours(1))] {
        let directory = directory();
        let journal = open_clean(directory.path(), Options { flush, ..options() });
        assert!(!journal.always_flushes());
        let last = journal.append_prepared(&mut batch()).unwrap().last().unwrap().sequence();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(journal.on_disk(last)).unwrap();
    }
}
