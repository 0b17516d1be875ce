//! Any one change, anywhere: it shows, and where.

use super::world::{Kept, World, public};
use crate::support::{self, DAY_US};
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tegata_record::proof::{Problem, Verifier};
use tempfile::TempDir;

/// Proofs and records of two organizations and three days, one of them with a second part, made once.
struct Log {
    files: Vec<(PathBuf, Vec<u8>)>,
    records: Kept,
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let mut world = World::new();
    world.some_seconds("org_a", 120);
    let evening = world.now_us;
    for _ in 0..2 {
        world.next_day();
        world.some_seconds("org_a", 60);
        world.some_seconds("org_b", 3);
    }
    world.journal.append(&super::world::row(Some("org_a"), evening)).unwrap();
    world.tick();
    world.is_clean("org_a");
    let mut paths = Vec::new();
    files(&world.proofs(), &mut paths);
    let file = |path: PathBuf| (path.strip_prefix(world.proofs()).unwrap().to_owned(), fs::read(&path).unwrap());
    Log { files: paths.into_iter().map(file).collect(), records: world.records() }
});

/// A copy of the proofs, with one file otherwise; without it, if there is nothing in its place.
fn copy(of: usize, otherwise: Option<&[u8]>) -> TempDir {
    let home = support::directory();
    for (number, (path, bytes)) in LOG.files.iter().enumerate() {
        let content = if number == of { otherwise } else { Some(&bytes[..]) };
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
    }
    home
}

fn problems(proofs: &Path, records: &Kept) -> Vec<Problem> {
    let mut problems = Vec::new();
    let verifier = Verifier::open(proofs, &public()).unwrap();
    for organization in ["org_a", "org_b"] {
        verifier.organization(Some(organization), records, None, &mut |problem| problems.push(problem)).unwrap();
    }
    verifier.node(None, &mut |problem| problems.push(problem)).unwrap();
    problems
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else if entry.metadata().unwrap().len() > 0 {
            found.push(entry.path());
        }
    }
    found.sort();
}

/// Whether one of the problems is about this sequence.
fn is_named(problems: &[Problem], sequence: u64) -> bool {
    problems.iter().any(|problem| match problem {
        Problem::Records { first_sequence, last_sequence, .. }
        | Problem::NoRecords { first_sequence, last_sequence, .. }
        | Problem::Unsigned { first_sequence, last_sequence, .. } => {
            (first_sequence..=last_sequence).contains(&&sequence)
        }
        _ => false,
    })
}

#[test]
fn what_was_not_tampered_with_is_clean() {
    assert_eq!(problems(copy(usize::MAX, None).path(), &LOG.records), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_flipped_bit_of_any_file_shows(file: Index, at: Index, bit in 0..8_u8) {
        let file = file.index(LOG.files.len());
        let (path, bytes) = &LOG.files[file];
        let (mut bytes, at) = (bytes.clone(), at.index(bytes.len()));
        bytes[at] ^= 1 << bit;
        prop_assert_ne!(problems(copy(file, Some(&bytes)).path(), &LOG.records), [], "{} {}", path.display(), at);
    }

    #[test]
    fn a_removed_or_cut_file_shows(file: Index, cut: Option<Index>) {
        let file = file.index(LOG.files.len());
        let (path, bytes) = &LOG.files[file];
        let home = copy(file, cut.map(|cut| &bytes[..cut.index(bytes.len())]));
        // The node's newest checkpoints are nowhere else: without them the log is a true one of an earlier moment.
        let is_of_the_node = path.ends_with("node/checkpoints");
        prop_assert!(is_of_the_node || !problems(home.path(), &LOG.records).is_empty(), "{}", path.display());
    }

    #[test]
    fn any_changed_record_is_named(record: Index, other: Index, what in 0..6) {
        let (home, mut records) = (copy(usize::MAX, None), LOG.records.clone());
        let (at, elsewhere) = (record.index(records.0.len()), other.index(records.0.len()));
        let sequence = records.0[at].sequence;
        match what {
            0 => drop(records.0.remove(at)),
            1 => records.0[at].reason.push('d'),
            2 => records.0[at].request_id = Some(String::new()),
            3 => records.0[at].decision = tegata_record::Decision::Deny,
            4 => records.0.insert(at, records.0[at].clone()),
            _ => {
                let (one, two) = (records.0[at].clone(), records.0[elsewhere].clone());
                prop_assume!(one.organization == two.organization && one.time_us != two.time_us);
                records.0[at].time_us = two.time_us;
                records.0[elsewhere].time_us = one.time_us;
                // In a tree that is still open, what comes after the first change may not be told from it.
                let last = LOG.records.0.iter().map(|record| record.time_us).max().unwrap();
                let is_open = one.time_us.max(two.time_us) / DAY_US == last / DAY_US;
                let problems = problems(home.path(), &records);
                let (is_one, is_two) = (is_named(&problems, sequence), is_named(&problems, two.sequence));
                prop_assert!((is_one && is_two) || (is_open && (is_one || is_two)), "{problems:?}");
                return Ok(());
            }
        }
        let problems = problems(home.path(), &records);
        prop_assert!(is_named(&problems, sequence), "{what} {sequence} {problems:?}");
    }
}
