//! The log as a whole: journal and columns together make the trees that were signed, before, meanwhile and after records
//! move; and whatever is done to the files shows.

use super::world::{DAY, key, public};
use crate::support::{DAY_US, T0, TAG, directory, segments};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tegata_record::proof::{Change, Problem, Signer, SignerFinding, Source, Verified, Verifier};
use tegata_record::{
    AccessLog, ColumnsOptions, Decision, FileProblem, Flush, LogReader, NewRecord, Options, copy_columns,
};
use tempfile::TempDir;

const ORGANIZATIONS: [Option<&str>; 4] = [Some("org_a"), Some("org_b"), Some("org/../c"), None];
/// From one record to the next.
const STEP_US: i64 = DAY_US / 400;

fn options() -> Options {
    let columns_options = ColumnsOptions { grace_us: 0, group_rows: 50, ..ColumnsOptions::default() };
    Options { flush: Flush::Never, segment_bytes: 12_000, columns_options, ..Options::default() }
}

struct World {
    home: TempDir,
    log: AccessLog,
    signer: Option<Signer>,
    now_us: i64,
}

impl World {
    fn new() -> Self {
        let home = directory();
        let (log, _) = AccessLog::open(&home.path().join("log"), options(), TAG).unwrap();
        let mut world = Self { home, log, signer: None, now_us: T0 };
        assert_eq!(world.start(), []);
        world
    }

    fn directory(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn proofs(&self) -> PathBuf {
        self.directory().join("proof")
    }

    /// Ends the signer and begins again with what is on disk.
    fn start(&mut self) -> Vec<SignerFinding> {
        self.signer = None;
        let (signer, findings) = Signer::open(&self.proofs(), key(), &self.log, self.now_us, None).unwrap();
        self.signer = Some(signer);
        findings
    }

    fn tick(&mut self) {
        self.now_us += 1;
        let ticked = self.signer.as_mut().unwrap().tick(&self.log, self.now_us).unwrap();
        assert_eq!((ticked.findings, ticked.is_behind), (vec![], false));
    }

    /// So many records of all organizations, signed ten at a time.
    fn fill(&mut self, records: usize) {
        for number in 0..records {
            self.now_us += STEP_US;
            let request = format!("req-{}", self.log.last_sequence());
            let row = NewRecord {
                organization: ORGANIZATIONS[number % ORGANIZATIONS.len()],
                credential: Some("tok_1"),
                request_id: Some(&request),
                path: Some("/repos/octo/hello"),
                alternative: (number % 5 == 0).then_some(2),
                address: Some("203.0.113.9"),
                ..NewRecord::new(self.now_us, if number % 6 == 0 { Decision::Deny } else { Decision::Allow }, "granted")
            };
            self.log.append(&row).unwrap();
            if number % 10 == 9 {
                self.tick();
            }
        }
        self.tick();
    }

    fn settle(&self) {
        self.log.settle(self.now_us).unwrap();
    }

    fn settle_all(&self) {
        self.log.close_segment().unwrap();
        self.settle();
        assert_eq!(self.log.column_stats().settled_sequence, self.log.last_sequence());
    }
}

/// A log of four days in columns, and a copy of it that can be tampered with.
fn settled() -> (World, TempDir) {
    let mut world = World::new();
    world.fill(1_600);
    world.settle_all();
    // What was joined is removed by the next round.
    world.now_us += 1;
    world.settle();
    let copy = directory();
    super::world::copy_directory(&world.directory(), copy.path());
    (world, copy)
}

fn check(directory: &Path) -> (Vec<Problem>, Vec<FileProblem>, Verified) {
    let reader = LogReader::open(directory, None).unwrap();
    let verifier = Verifier::open(&directory.join("proof"), &public()).unwrap();
    let (mut problems, mut files, mut sum) = (Vec::new(), Vec::new(), Verified::default());
    for organization in ORGANIZATIONS {
        let done = verifier.organization(organization, &reader, None, &mut |problem| problems.push(problem)).unwrap();
        sum.records += done.records;
        sum.trees += done.trees;
        sum.unsigned += done.unsigned;
    }
    verifier.node(None, &mut |problem| problems.push(problem)).unwrap();
    reader.check_files(&mut |_| {}, &mut |problem| files.push(problem)).unwrap();
    (problems, files, sum)
}

#[track_caller]
fn is_clean(directory: &Path) -> Verified {
    let (problems, files, verified) = check(directory);
    assert_eq!((problems, files), (vec![], vec![]));
    verified
}

/// The files of an organization, by day.
fn files_of(directory: &Path, organization: &str) -> Vec<PathBuf> {
    let days = fs::read_dir(directory.join("columns").join(format!("org={organization}"))).unwrap();
    let mut files: Vec<PathBuf> =
        days.flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap().map(|file| file.unwrap().path())).collect();
    files.sort();
    files
}

#[test]
fn trees_are_the_same_before_while_and_after_records_move() {
    let mut world = World::new();
    for _ in 0..4 {
        world.fill(200);
        assert_eq!(is_clean(&world.directory()).records, world.log.last_sequence());
        assert_eq!(world.start(), []);
        world.settle();
        is_clean(&world.directory());
        // The open trees are made again out of columns and journal.
        assert_eq!(world.start(), []);
    }
    world.fill(10);
    world.settle_all();
    let verified = is_clean(&world.directory());
    assert_eq!((verified.records, verified.unsigned), (810, 0));
    assert_eq!(world.start(), []);
    assert_eq!(segments(&world.directory()).len(), 1);
}

#[test]
fn the_log_shows_every_record_once_and_in_order() {
    let mut world = World::new();
    world.fill(380);
    world.settle();
    world.fill(20);
    let settled = world.log.column_stats().settled_sequence;
    assert!((1..400).contains(&settled));
    let visit = |after, last| {
        let mut seen = Vec::new();
        world.log.visit(after, last, &mut |view| seen.push(view.sequence)).unwrap();
        seen
    };
    assert_eq!(visit(0, u64::MAX), (1..=400).collect::<Vec<_>>());
    assert_eq!(visit(settled - 3, settled + 3), (settled - 2..=settled + 3).collect::<Vec<_>>());
    assert_eq!((visit(5, 9), visit(400, 500), visit(9, 9)), (vec![6, 7, 8, 9], vec![], vec![]));
    assert_eq!((Source::tag(&world.log), world.log.settled()), (TAG, 400));
}

#[test]
fn what_was_signed_is_on_disk_before() {
    let home = directory();
    let options = Options { flush: Flush::Interval(std::time::Duration::from_hours(1)), ..options() };
    let (log, _) = AccessLog::open(home.path(), options, TAG).unwrap();
    log.append(&NewRecord::new(T0, Decision::Allow, "granted")).unwrap();
    assert_eq!(log.settled(), 0);
    log.flush().unwrap();
    assert_eq!(log.settled(), 1);
}

#[test]
fn a_record_is_proven_out_of_columns() {
    let (world, _copy) = settled();
    let record = world.log.page(&tegata_record::Query::new(tegata_record::Scope::Organization("org_a")), None, 10_000);
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    for record in record.unwrap().records.iter().step_by(40) {
        let proof = verifier.prove(&record.id, Some("org_a"), &world.log).unwrap();
        assert_eq!(&tegata_record::proof::verify_proof(&proof, &public()).unwrap().record, record);
    }
}

#[test]
fn a_copy_taken_meanwhile_is_clean() {
    let (mut world, _) = settled();
    world.fill(50);
    let copy = directory();
    super::world::copy_directory(&world.proofs(), &copy.path().join("proof"));
    world.fill(30);
    for path in segments(&world.directory()).into_iter().chain([world.directory().join("journal.json")]) {
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy_columns(&world.directory(), None, copy.path(), |_, _| {}).unwrap();
    assert_eq!(is_clean(copy.path()).unsigned, 30);
}

#[test]
fn nothing_is_written_by_whoever_looks() {
    let (_world, copy) = settled();
    let mut names: Vec<_> = fs::read_dir(copy.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let newest = segments(copy.path()).pop().unwrap();
    let mut bytes = fs::read(&newest).unwrap();
    bytes.extend([1; 7]);
    fs::write(&newest, &bytes).unwrap();
    is_clean(copy.path());
    assert_eq!(fs::read(&newest).unwrap(), bytes);
    let mut after: Vec<_> = fs::read_dir(copy.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    after.sort();
    assert_eq!(after, names);
}

#[test]
fn a_removed_file_is_named() {
    let (_world, copy) = settled();
    let file = files_of(copy.path(), "org_a").remove(1);
    fs::remove_file(&file).unwrap();
    let (problems, files, _) = check(copy.path());
    let unreadable = |problem: &Problem| {
        matches!(problem, Problem::Unreadable { organization, day, .. }
            if organization.as_deref() == Some("org_a") && *day == DAY + 1)
    };
    assert!(problems.iter().any(unreadable), "{problems:?}");
    let [FileProblem::Unreadable { path, .. }] = files.as_slice() else { panic!("{files:?}") };
    assert!(file.ends_with(path));

    // The same, and the manifest says nothing of it.
    edit_manifest(copy.path(), |files| files.retain(|listed| !file.ends_with(listed["path"].as_str().unwrap())));
    let (problems, files, _) = check(copy.path());
    assert_eq!(files, []);
    let missing = |problem: &Problem| matches!(problem, Problem::NoRecords { tree, .. } if tree.day == DAY + 1);
    assert!(problems.iter().any(missing), "{problems:?}");
}

fn edit_manifest(directory: &Path, edit: impl FnOnce(&mut Vec<serde_json::Value>)) {
    let path = directory.join("columns/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(manifest["files"].as_array_mut().unwrap());
    fs::write(path, manifest.to_string()).unwrap();
}

#[test]
fn any_flipped_byte_of_a_file_is_named() {
    let (_world, copy) = settled();
    let file = files_of(copy.path(), "org_a").remove(1);
    let bytes = fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 8) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fs::write(&file, &changed).unwrap();
        let (_, files, _) = check(copy.path());
        assert!(matches!(&files[..], [FileProblem::Changed { path }] if file.ends_with(path)), "{at}: {files:?}");
    }
}

#[test]
fn a_manifest_that_says_something_else_is_noticed() {
    let (_world, copy) = settled();
    for (name, change) in [("rows", 1), ("allowed", 1), ("time_us_min", 5), ("last_sequence", 9)] {
        let mut before = serde_json::Value::Null;
        edit_manifest(copy.path(), |files| {
            before = files[2][name].clone();
            files[2][name] = (before.as_i64().unwrap() + change).into();
        });
        let (_, files, _) = check(copy.path());
        assert!(matches!(&files[..], [FileProblem::Outline { .. }]), "{name}: {files:?}");
        edit_manifest(copy.path(), |files| files[2][name] = before);
    }
    is_clean(copy.path());
}

/// The log of a world whose records of an organization and day are otherwise: written anew, with a manifest that fits.
fn rewritten(change: impl Fn(&mut Vec<tegata_record::Record>)) -> (TempDir, Vec<Problem>) {
    let (world, copy) = settled();
    let query = tegata_record::Query::new(tegata_record::Scope::Installation);
    let mut records: Vec<_> = world.log.stream(&query, tegata_record::Order::OldestFirst).map(Result::unwrap).collect();
    change(&mut records);
    // A journal without the gap, so that sequences are as they were: holes are filled by another organization.
    let other = directory();
    let (log, _) = AccessLog::open(other.path(), options(), TAG).unwrap();
    for record in &records {
        log.append(&record.view().row).unwrap();
    }
    log.close_segment().unwrap();
    log.settle(world.now_us).unwrap();
    drop(log);
    fs::remove_dir_all(copy.path().join("columns")).unwrap();
    super::world::copy_directory(&other.path().join("columns"), &copy.path().join("columns"));
    let (problems, files, _) = check(copy.path());
    assert_eq!(files, [], "whoever tampered made the manifest fit");
    (copy, problems)
}

fn named(problems: &[Problem], sequence: u64) -> bool {
    problems.iter().any(|problem| match problem {
        Problem::Records { first_sequence, last_sequence, .. } => {
            (*first_sequence..=*last_sequence).contains(&sequence)
        }
        _ => false,
    })
}

#[test]
fn changed_and_swapped_rows_are_named_though_every_file_was_written_anew() {
    let (_copy, problems) = rewritten(|records| records[500].reason.push('d'));
    assert!(named(&problems, 501), "{problems:?}");
    let (_copy, problems) = rewritten(|records| {
        let request = records[800].request_id.clone();
        records[800].request_id = std::mem::replace(&mut records[804].request_id, request);
    });
    assert!(named(&problems, 801) && named(&problems, 805), "{problems:?}");
}

#[test]
fn a_deleted_row_is_named_though_every_file_was_written_anew() {
    // The row goes to another organization, whose log shows it as well.
    let (_copy, problems) = rewritten(|records| records[400].organization = Some("org_b".to_owned()));
    let missing = |problem: &Problem| match problem {
        Problem::Records { tree, first_sequence, last_sequence, change: Change::Missing(1) } => {
            tree.organization.as_deref() == Some("org_a") && (*first_sequence..=*last_sequence).contains(&401)
        }
        _ => false,
    };
    assert!(problems.iter().any(missing), "{problems:?}");
}

#[test]
fn what_is_not_signed_yet_is_not_dropped() {
    let mut world = World::new();
    world.fill(800);
    world.settle();
    world.log.drop_only(0, BTreeSet::new());
    assert_eq!(world.log.drop_before(i64::MAX).unwrap().records, 0);
    world.log.drop_only(500, BTreeSet::new());
    let dropped = world.log.drop_before(i64::MAX).unwrap();
    assert!((1..=500).contains(&dropped.records), "{dropped:?}");
    let first = |log: &AccessLog| {
        let mut first = None;
        log.visit(500, u64::MAX, &mut |view| first = first.or(Some(view.sequence))).unwrap();
        first
    };
    assert_eq!(first(&world.log), Some(501));
    world.log.drop_only(u64::MAX, BTreeSet::new());
    world.log.drop_before(i64::MAX).unwrap();
    assert_eq!(first(&world.log), None);
}

#[test]
fn whoever_copies_keeps_the_signer_waiting() {
    let mut world = World::new();
    world.fill(10);
    let through = |world: &World| world.signer.as_ref().unwrap().stats().through;
    let held = tegata_record::proof::hold(&world.proofs()).unwrap().unwrap();
    world.fill(10);
    assert_eq!(through(&world), 10);
    drop(held);
    world.tick();
    assert_eq!(through(&world), 20);
}

#[test]
fn the_newest_checkpoints_are_those_of_the_open_trees_and_the_last_day() {
    let (world, _copy) = settled();
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    let newest = verifier.newest(Some("org_a")).unwrap();
    let last = newest.last().unwrap();
    assert!(newest[0].checkpoint.is_final && !last.checkpoint.is_final);
    assert_eq!(last.checkpoint.tree.day, world.now_us.div_euclid(DAY_US));
    assert_eq!(public().open(&last.note).unwrap(), last.checkpoint.to_string());
    assert_eq!(verifier.first_day(Some("org_a")).unwrap(), Some(DAY));
    assert_eq!((verifier.newest(Some("nobody")).unwrap(), verifier.first_day(Some("nobody")).unwrap()), (vec![], None));
}
