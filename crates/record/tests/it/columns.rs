//! Records on their way from the journal into columns: every question has the same answer before, meanwhile and after.

use crate::support::{ALL, DAY_US, T0, TAG, directory, record};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tegata_record::{
    AccessLog, ColumnsCopied, ColumnsError, ColumnsOptions, Cursor, Decision, Faults, Flush, Keep, Location, NewRecord,
    OpenError, Options, Order, Query, Record, Retention, Scope, copy_columns,
};

const NOW: i64 = T0 + 100 * DAY_US;

pub fn options() -> Options {
    let columns_options = ColumnsOptions { grace_us: 0, group_rows: 5, ..ColumnsOptions::default() };
    Options { flush: Flush::Never, segment_bytes: 4_000, columns_options, ..Options::default() }
}

pub fn open(directory: &Path, options: Options) -> AccessLog {
    let (log, recovery) = AccessLog::open(directory, options, TAG).unwrap();
    assert_eq!(recovery.findings, []);
    log
}

/// Records of three organizations and of nobody, over some days, with many texts.
pub fn fill(log: &AccessLog, from: i64, to: i64) {
    for number in from..to {
        let organization = ["org_a", "org_b", "org/../c", ""][usize::try_from(number % 4).unwrap()];
        let (credential, path) = (format!("tok_{}", number % 7), format!("/repos/Octo/{number}"));
        let (principal, request) = (format!("usr_{}", number % 3), format!("req-{number}"));
        let row = NewRecord {
            organization: Some(organization).filter(|id| !id.is_empty()),
            credential: Some(&credential),
            principal: Some(&principal),
            path: Some(&path),
            request_id: Some(&request),
            user_agent: Some("curl/8"),
            alternative: (number % 5 == 0).then_some(2),
            address: Some("203.0.113.9"),
            endpoint: Some("/repos/{owner}/{repo}"),
            permission: Some("issues:read"),
            decision: if number % 6 == 0 { Decision::Deny } else { Decision::Allow },
            reason: if number % 6 == 0 { "revoked" } else { "granted" },
            ..record(T0 + number * DAY_US / 50)
        };
        log.append(&row).unwrap();
    }
}

fn settle_all(log: &AccessLog) {
    log.close_segment().unwrap();
    log.settle(NOW).unwrap();
}

pub fn all(log: &AccessLog) -> Vec<Record> {
    stream(log, &Query::new(ALL), Order::OldestFirst)
}

fn stream(log: &AccessLog, query: &Query<'_>, order: Order) -> Vec<Record> {
    log.stream(query, order).map(Result::unwrap).collect()
}

fn sequences(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.sequence).collect()
}

fn queries() -> Vec<Query<'static>> {
    let own = Query::new(Scope::Organization("org_a"));
    vec![
        Query::new(ALL),
        own,
        Query::new(Scope::Organization("org/../c")),
        Query::new(Scope::Organization("nobody")),
        Query::new(Scope::Organization("")),
        Query { credential: Some("tok_3"), ..own },
        Query { credential: Some("tok_9"), ..own },
        Query { request_id: Some("req-41"), ..Query::new(ALL) },
        Query { from_us: Some(T0 + DAY_US), to_us: Some(T0 + 2 * DAY_US), ..own },
        Query { decision: Some(Decision::Deny), ..own },
        Query { text: Some("OCTO/10"), ..Query::new(ALL) },
        Query { text: Some("sr_2"), ..own },
        Query { alternative: Some(2), path_prefix: Some("/repos/Octo/1"), ..Query::new(ALL) },
        Query { after_sequence: Some(55), reason: Some("granted"), ..Query::new(ALL) },
        Query { rule_version: Some(1), catalogue_version: Some(3), ..own },
        Query { rule_version: Some(2), ..own },
    ]
}

fn pages(log: &AccessLog, query: &Query<'_>, limit: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = log.page(query, cursor, limit).unwrap();
        assert!(page.records.len() <= limit);
        records.extend(page.records);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return records,
        }
    }
}

type Answers = Vec<(Vec<Record>, Vec<Record>, Vec<Record>, u64)>;

fn answers(log: &AccessLog) -> Answers {
    let answer = |query: &Query<'_>| {
        let (oldest, newest) = (stream(log, query, Order::OldestFirst), stream(log, query, Order::NewestFirst));
        (oldest, newest, pages(log, query, 7), log.count(query).unwrap())
    };
    queries().iter().map(answer).collect()
}

#[test]
fn every_question_has_the_same_answer_wherever_records_lie() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 200);
    let in_journal = answers(&log);
    assert_eq!(in_journal[0].3, 200);
    assert!(in_journal.iter().all(|(oldest, newest, pages, count)| {
        let reversed: Vec<&Record> = newest.iter().rev().collect();
        oldest.iter().collect::<Vec<_>>() == reversed && pages == newest && *count == oldest.len() as u64
    }));

    let settled = log.settle(T0).unwrap();
    assert!(settled.records > 0 && settled.records < 200, "the newest segment stays: {settled:?}");
    assert!(answers(&log) == in_journal, "partly settled");

    settle_all(&log);
    assert_eq!((log.column_stats().records, log.column_stats().settled_sequence), (200, 200));
    assert!(answers(&log) == in_journal, "settled");
    assert_eq!(log.stats().records, 200);

    let again = log.settle(NOW).unwrap();
    assert_eq!((again.records, again.files), (0, 0), "there is nothing left to do: {again:?}");
    drop(log);
    let log = open(directory.path(), options());
    assert!(answers(&log) == in_journal, "opened again");
    let next = log.append(&record(T0)).unwrap();
    assert_eq!(next.sequence(), 201, "sequences go on");
}

#[test]
fn files_lie_by_organization_and_day_and_small_ones_become_one() {
    let directory = directory();
    let log = open(directory.path(), options());
    for round in 0..4 {
        fill(&log, round * 50, (round + 1) * 50 - 10);
        settle_all(&log);
    }
    let folder = directory.path().join("columns");
    let of_a = fs::read_dir(folder.join("org=org_a")).unwrap().count();
    assert_eq!(of_a, 5, "a folder for each day, the first of which has two hours");
    let names: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.contains(&"org=_none".to_owned()) && names.contains(&"manifest.json".to_owned()), "{names:?}");
    let stats = log.column_stats();
    let day = |record: &Record| (record.organization.clone(), record.time_us.div_euclid(DAY_US));
    let days: HashSet<_> = all(&log).iter().map(day).collect();
    assert_eq!((stats.files, stats.records), (days.len(), 160), "one file for each organization and day: {stats:?}");
    let last = log.settle(NOW).unwrap();
    assert_eq!(last.compacted, 0);
    let on_disk: usize = names
        .iter()
        .filter(|name| name.starts_with("org="))
        .flat_map(|name| fs::read_dir(folder.join(name)).unwrap())
        .map(|day| fs::read_dir(day.unwrap().path()).unwrap().count())
        .sum();
    assert_eq!(on_disk, days.len(), "what was joined has been removed");
}

#[test]
fn records_are_found_by_their_ids_and_only_by_those_who_may_see_them() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 60);
    let records = all(&log);
    settle_all(&log);
    fill(&log, 60, 62);
    for record in records.iter().chain(&all(&log)) {
        assert_eq!(log.get(&record.id, ALL).unwrap().as_ref(), Some(record));
        let own = record.organization.as_deref();
        for id in ["org_a", "org_b", "org/../c", ""] {
            let found = log.get(&record.id, Scope::Organization(id)).unwrap();
            assert_eq!(found.is_some(), own == Some(id), "{id}: {record:?}");
        }
    }
    let wrong_time = "rec_01hf7yat00z7qr0000000000z1".parse();
    assert!(wrong_time.is_err() || log.get(&wrong_time.unwrap(), ALL).unwrap().is_none());
}

/// Ends a round after each of its steps in turn, as if the process had died there.
#[test]
fn wherever_a_round_ends_nothing_is_lost_and_nothing_is_there_twice() {
    let mut steps = 0;
    loop {
        let directory = directory();
        let faults = Faults::none();
        let log = open(directory.path(), Options { faults: Some(faults.clone()), ..options() });
        fill_two(&log, 0, 10);
        settle_all(&log);
        fill_two(&log, 10, 30);
        let expected = all(&log);
        log.close_segment().unwrap();
        faults.leave_steps(steps);
        let ended = log.settle(NOW);
        faults.leave_steps(u64::MAX);
        if ended.is_err() {
            assert!(all(&log) == expected, "asked again after {steps} steps");
        }
        drop(log);
        let log = open(directory.path(), options());
        assert!(all(&log) == expected, "opened again after {steps} steps");
        fill_two(&log, 30, 35);
        settle_all(&log);
        log.settle(NOW).unwrap();
        assert_eq!(sequences(&all(&log)), (1..=35).collect::<Vec<u64>>(), "{steps} steps");
        assert_eq!(log.column_stats().records, 35);
        assert_eq!(files_on_disk(directory.path()), log.column_stats().files, "leftovers after {steps} steps");
        assert_eq!(log.stats().segments, 1);
        if ended.is_ok() {
            assert!(steps > 15, "a round has more steps than {steps}");
            return;
        }
        steps += 1;
    }
}

/// Records of two organizations on one day, small and many enough for several segments.
fn fill_two(log: &AccessLog, from: i64, to: i64) {
    let text = "x".repeat(400);
    for number in from..to {
        let organization = Some(if number % 2 == 0 { "org_a" } else { "org_b" });
        log.append(&NewRecord { organization, endpoint: Some(&text), ..record(T0 + number) }).unwrap();
    }
}

fn files_on_disk(directory: &Path) -> usize {
    let children = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let organizations = children(&directory.join("columns")).into_iter().filter(|path| path.is_dir());
    organizations.flat_map(|path| children(&path)).map(|path| children(&path).len()).sum()
}

#[test]
fn a_place_that_errs_is_told_of_and_tried_again() {
    let directory = directory();
    let faults = Faults::none();
    let log = open(directory.path(), Options { faults: Some(faults.clone()), ..options() });
    fill(&log, 0, 60);
    log.close_segment().unwrap();
    faults.leave_steps(0);
    for _ in 0..3 {
        assert!(matches!(log.settle(NOW), Err(ColumnsError::Store { .. })));
    }
    log.append(&record(T0)).unwrap();
    faults.leave_steps(u64::MAX);
    assert_eq!(all(&log).len(), 61);
    assert_eq!(log.settle(NOW).unwrap().records, 61);
}

#[test]
fn a_bucket_that_does_not_answer_keeps_nobody_from_appending() {
    let directory = directory();
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let bucket = Location::Bucket {
        url: "s3://records/tegata".to_owned(),
        options: vec![
            option("aws_endpoint", "http://127.0.0.1:9"),
            option("aws_allow_http", "true"),
            option("aws_access_key_id", "id"),
            option("aws_secret_access_key", "key"),
            option("aws_region", "nowhere"),
        ],
    };
    let log = open(directory.path(), Options { columns: Some(bucket), ..options() });
    fill(&log, 0, 5);
    assert!(matches!(log.settle(NOW), Err(ColumnsError::Store { .. })));
    assert!(log.page(&Query::new(ALL), None, 5).is_err(), "nobody knows what is in the bucket");
    assert_eq!(log.last_sequence(), 5);
}

#[test]
fn days_go_by_the_measure_of_each_organization() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 200);
    settle_all(&log);
    // The four days, the last of which ends 96 days before now.
    let organizations = HashMap::from([("org_b".to_owned(), Keep::Hold), ("org/../c".to_owned(), Keep::Days(98))]);
    let retention = Retention { otherwise: Keep::Days(180), organizations };
    let dropped = log.retain(&retention, NOW).unwrap();
    let left = |id: &str| log.count(&Query::new(Scope::Organization(id))).unwrap();
    assert_eq!((left("org_a"), left("org_b")), (50, 50));
    assert!(left("org/../c") < 50 && left("org/../c") > 0, "{}", left("org/../c"));
    assert_eq!(dropped.records, 50 - left("org/../c"));
    let retention = Retention { otherwise: Keep::Days(10), ..retention };
    log.retain(&retention, NOW).unwrap();
    assert_eq!((left("org_a"), left("org_b")), (0, 50));
    log.settle(NOW).unwrap();
    assert_eq!(files_on_disk(directory.path()), log.column_stats().files);
    drop(log);
    let log = open(directory.path(), options());
    assert_eq!(log.append(&record(NOW)).unwrap().sequence(), 201, "what was dropped is not numbered again");
    assert_eq!(log.drop_before(T0 + 2 * DAY_US).unwrap().segments, 2, "two days of org_b");
}

#[test]
fn a_reader_goes_on_with_what_it_began_with() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 60);
    let mut in_journal = log.stream(&Query::new(ALL), Order::OldestFirst);
    in_journal.next().unwrap().unwrap();
    settle_all(&log);
    fill(&log, 60, 100);
    let mut in_columns = log.stream(&Query::new(ALL), Order::NewestFirst);
    in_columns.next().unwrap().unwrap();
    settle_all(&log);
    log.drop_before(i64::MAX).unwrap();
    log.settle(NOW).unwrap();
    assert_eq!(in_journal.map(Result::unwrap).count(), 59);
    assert_eq!(in_columns.map(Result::unwrap).count(), 99);
    assert_eq!(all(&log), []);
    log.settle(NOW).unwrap();
    assert_eq!(files_on_disk(directory.path()), 0, "now nobody holds them");
}

#[test]
fn nothing_is_missed_or_seen_twice_while_records_move() {
    let directory = directory();
    let log = open(directory.path(), Options { segment_bytes: 20_000, ..options() });
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            fill(&log, 0, 3_000);
            stop.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                log.close_segment().unwrap();
                log.settle(NOW).unwrap();
            }
        });
        scope.spawn(|| {
            let mut least = 0;
            while !stop.load(Ordering::SeqCst) {
                let seen = sequences(&all(&log));
                assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
                assert!(seen.len() >= least);
                least = seen.len();
                assert!(log.count(&Query::new(ALL)).unwrap() >= least as u64);
            }
        });
    });
    assert_eq!(all(&log).len(), 3_000);
}

#[test]
fn a_copy_is_a_log_of_its_own() {
    let (directory, copy) = (directory(), directory());
    let log = open(directory.path(), options());
    fill(&log, 0, 60);
    settle_all(&log);
    fill(&log, 60, 70);
    assert_eq!(log.snapshot(&copy.path().join("copy")).unwrap(), 70);
    let opened = open(&copy.path().join("copy"), options());
    assert!(all(&opened) == all(&log));
    assert_eq!(opened.append(&record(T0)).unwrap().sequence(), 71);
}

#[test]
fn a_copy_from_outside_is_whole_while_records_move() {
    let directory = directory();
    let options = || {
        let columns_options = ColumnsOptions { grace_us: DAY_US, ..ColumnsOptions::default() };
        Options { columns_options, ..options() }
    };
    let log = open(directory.path(), options());
    for round in 0..6 {
        fill(&log, round * 50, round * 50 + 30);
        settle_all(&log);
        fill(&log, round * 50 + 30, (round + 1) * 50);
        let copy = crate::support::directory();
        for segment in crate::support::segments(directory.path()) {
            fs::copy(&segment, copy.path().join(segment.file_name().unwrap())).unwrap();
        }
        if round % 2 == 0 {
            settle_all(&log);
        }
        let mut told = Vec::new();
        let copied = copy_columns(directory.path(), None, copy.path(), |done, all| told.push((done, all))).unwrap();
        assert_eq!(told.last(), Some(&(copied.bytes, copied.bytes)));
        let (opened, _) = AccessLog::open(copy.path(), options(), TAG).unwrap();
        assert_eq!(opened.column_stats().records, copied.records);
        assert!(all(&opened) == all(&log), "round {round}");
    }
    let empty = crate::support::directory();
    assert_eq!(copy_columns(empty.path(), None, empty.path(), |_, _| ()).unwrap(), ColumnsCopied::default());
}

#[test]
fn columns_of_another_journal_are_refused() {
    let (directory, other) = (directory(), directory());
    let columns = Some(Location::Folder(directory.path().join("columns")));
    let log = open(directory.path(), options());
    fill(&log, 0, 10);
    settle_all(&log);
    drop(log);
    let opened = AccessLog::open(other.path(), Options { columns, ..options() }, TAG ^ 1);
    assert!(matches!(opened, Err(OpenError::Columns(ColumnsError::OtherJournal { .. }))));
    for damage in [&b"{"[..], b"{\"format\":3,\"version\":1,\"tag\":48879,\"settled\":0,\"files\":[]}"] {
        fs::write(directory.path().join("columns/manifest.json"), damage).unwrap();
        let opened = AccessLog::open(directory.path(), options(), TAG);
        assert!(matches!(opened, Err(OpenError::Columns(ColumnsError::Manifest { .. }))));
    }
    fs::remove_file(directory.path().join("columns/manifest.json")).unwrap();
    let opened = AccessLog::open(directory.path(), options(), TAG);
    assert!(matches!(opened, Err(OpenError::Columns(ColumnsError::Manifest { .. }))), "files without their manifest");
}

#[test]
fn damage_to_a_segment_is_told_and_costs_no_sound_record() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 10);
    log.close_segment().unwrap();
    let segment = crate::support::segments(directory.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let settled = log.settle(NOW).unwrap();
    assert_eq!((settled.records, settled.unreadable), (9, 1));
    assert_eq!(sequences(&all(&log)), (2..=10).collect::<Vec<u64>>());
    drop(log);
    assert_eq!(sequences(&all(&open(directory.path(), options()))), (2..=10).collect::<Vec<u64>>());
}

#[test]
fn a_journal_that_lost_its_newest_segments_numbers_nothing_twice() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 30);
    settle_all(&log);
    drop(log);
    for segment in crate::support::segments(directory.path()) {
        fs::remove_file(segment).unwrap();
    }
    let log = open(directory.path(), options());
    assert_eq!(log.append(&record(T0)).unwrap().sequence(), 31);
    assert_eq!(sequences(&all(&log)), (1..=31).collect::<Vec<u64>>());
}

#[test]
fn a_damaged_file_is_an_error_and_nothing_worse() {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 10);
    settle_all(&log);
    drop(log);
    let mut path = directory.path().join("columns/org=org_a");
    for _ in 0..2 {
        path = fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
    }
    let whole = fs::read(&path).unwrap();
    let own = Query::new(Scope::Organization("org_a"));
    for at in (0..whole.len()).step_by(37) {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        fs::write(&path, &changed).unwrap();
        let log = open(directory.path(), options());
        // A flipped byte may be in a text, which is the subject of proofs; it must not bring anything down.
        let _ = log.page(&own, None, 10);
        assert_eq!(log.count(&Query::new(Scope::Organization("org_b"))).unwrap(), 3);
    }
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let log = open(directory.path(), options());
        assert!(log.page(&own, None, 10).is_err(), "{length}");
        let mut stream = log.stream(&own, Order::OldestFirst);
        assert!(stream.next().unwrap().is_err());
        assert!(stream.next().is_none());
    }
}
