//! A journal in a directory that goes away, and records to put into it.

use std::fs;
use std::path::{Path, PathBuf};
use tegata_record::{Decision, Flush, Journal, NewRecord, Options, Order, Query, Record, Recovery, Scope};
use tempfile::TempDir;

pub const TAG: u16 = 0xbeef;
pub const T0: i64 = 1_700_000_000_000_000;
pub const DAY_US: i64 = 86_400_000_000;
pub const ALL: Scope<'static> = Scope::Installation;

pub fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn options() -> Options {
    Options { flush: Flush::Never, ..Options::default() }
}

/// Small segments, so that there are many.
pub fn small() -> Options {
    Options { segment_bytes: 2_000, ..options() }
}

pub fn open(directory: &Path, options: Options) -> (Journal, Recovery) {
    Journal::open(directory, options, TAG).unwrap()
}

/// A journal that opens without a finding.
pub fn open_clean(directory: &Path, options: Options) -> Journal {
    let (journal, recovery) = open(directory, options);
    assert_eq!(recovery.findings, []);
    journal
}

pub fn record(time_us: i64) -> NewRecord<'static> {
    NewRecord {
        organization: Some("org_a"),
        credential: Some("tok_1"),
        method: Some("GET"),
        path: Some("/repos/octo/hello/issues"),
        rule_version: 1,
        catalogue_version: 3,
        ..NewRecord::new(time_us, Decision::Allow, "granted")
    }
}

/// Records a microsecond apart, from `T0` on.
pub fn fill(journal: &Journal, records: i64) {
    let before = i64::try_from(journal.last_sequence()).unwrap();
    for number in before..before + records {
        journal.append(&record(T0 + number)).unwrap();
    }
}

pub fn read_all(journal: &Journal) -> Vec<Record> {
    journal.stream(&Query::new(ALL), Order::OldestFirst).map(Result::unwrap).collect()
}

pub fn sequences(journal: &Journal) -> Vec<u64> {
    read_all(journal).iter().map(|record| record.sequence).collect()
}

pub fn segments(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "seg")).collect();
    paths.sort();
    paths
}
