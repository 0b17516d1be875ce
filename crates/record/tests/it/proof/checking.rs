//! Tampering of every kind, and what the verifier says of it.

use super::world::{Broken, DAY, Kept, World, check, copy_directory, public, row};
use crate::support::{self, DAY_US, TAG};
use std::fs;
use std::path::Path;
use tegata_record::Journal;
use tegata_record::proof::{BadNote, Change, Problem, TreeName, Verified, Verifier, VerifyError};

const RECORDS: u64 = 6_000;

/// Two closed days of 6,000 records in two organizations by turns, and one that is open.
fn three_days() -> World {
    let mut world = World::new();
    for day in 0..3 {
        for _ in 0..20 {
            world.append("org_a", 300);
            world.append("org_b", 1);
            world.tick();
        }
        if day < 2 {
            world.next_day();
        }
    }
    world.is_clean("org_a");
    world
}

fn tree(day: i64, part: u32) -> TreeName {
    TreeName { organization: Some("org_a".into()), day, part }
}

fn records(day: i64, first_sequence: u64, last_sequence: u64, change: Change) -> Problem {
    Problem::Records { tree: tree(day, 1), first_sequence, last_sequence, change }
}

/// The sequence of the nth record of the organization; one of another comes after every 300.
fn nth(number: u64) -> u64 {
    number + (number - 1) / 300
}

/// The stretch of the block with this record, on a day that begins with the record after `before`.
fn block(day: i64, before: u64, number: u64, change: Change) -> Problem {
    let block = (number - before - 1) / 1_024;
    let last = (before + (block + 1) * 1_024).min(before + RECORDS);
    let first = if block == 0 { nth(before + 1) } else { nth(before + block * 1_024) + 1 };
    records(day, first, nth(last), change)
}

#[test]
fn an_altered_record_is_named_to_its_block() {
    let world = three_days();
    let all: &[u64] = &[1, 700, 1_024, 1_025, 6_000];
    for (day, before, numbers) in [(DAY, 0, all), (DAY + 1, RECORDS, &[3_000]), (DAY + 2, 2 * RECORDS, &[700, 5_999])] {
        for number in numbers.iter().copied() {
            let mut kept = world.records();
            let sequence = nth(before + number);
            kept.at(sequence).path.as_mut().unwrap().replace_range(1..2, "R");
            let (problems, verified) = world.check("org_a", &kept);
            let is_in_open_tail = day == DAY + 2 && number > 5_120;
            if is_in_open_tail {
                // The list of blocks says nothing of the end of an open tree, the checkpoints do.
                let [Problem::Records { first_sequence, last_sequence, change: Change::Altered, .. }] = problems[..]
                else {
                    panic!("{problems:?}");
                };
                assert!((first_sequence..=last_sequence).contains(&sequence) && last_sequence - first_sequence <= 301);
            } else {
                assert_eq!(problems, [block(day, before, before + number, Change::Altered)], "{day} {number}");
            }
            assert_eq!((verified.records, verified.problems), (3 * RECORDS, 1));
        }
    }
}

#[test]
fn every_altered_block_is_named() {
    let world = three_days();
    let mut kept = world.records();
    for number in [10, 11, 2_000, 2_001, 5_990] {
        kept.at(nth(number)).reason = "revoked".into();
    }
    let (problems, _) = world.check("org_a", &kept);
    let expected = [10, 2_000, 5_990].map(|number| block(DAY, 0, number, Change::Altered));
    assert_eq!(problems, expected);
}

#[test]
fn a_missing_record_is_named() {
    let world = three_days();
    for number in [1, 700, 1_024, 1_025, 6_000] {
        let mut kept = world.records();
        let position = kept.position(nth(number));
        kept.0.remove(position);
        let (problems, _) = world.check("org_a", &kept);
        assert_eq!(problems, [block(DAY, 0, number, Change::Missing(1))], "{number}");
    }
    let mut kept = world.records();
    kept.0.retain(|record| !(nth(3_000)..nth(3_010)).contains(&record.sequence));
    assert_eq!(world.check("org_a", &kept).0, [block(DAY, 0, 3_000, Change::Missing(10))]);
}

#[test]
fn an_added_record_is_named() {
    let world = three_days();
    let mut kept = world.records();
    // The number of a record of the other organization is the only one that is free between two of this one.
    let position = kept.position(nth(900) + 1);
    let mut added = kept.at(nth(5)).clone();
    added.sequence = nth(900) + 1;
    kept.0.insert(position, added.clone());
    let (problems, _) = world.check("org_a", &kept);
    let misplaced = Problem::Misplaced { organization: Some("org_a".into()), day: DAY, sequence: added.sequence };
    assert_eq!(problems, [misplaced, block(DAY, 0, 901, Change::Added(1))]);

    // The same record once more.
    let mut kept = world.records();
    let position = kept.position(nth(2_000));
    kept.0.insert(position, kept.0[position].clone());
    let (problems, _) = world.check("org_a", &kept);
    let twice = Problem::Moved { organization: Some("org_a".into()), day: DAY, sequence: nth(2_000) };
    assert_eq!(problems, [twice, block(DAY, 0, 2_000, Change::Added(1))]);
}

#[test]
fn records_that_were_written_into_a_closed_day_are_named() {
    let world = three_days();
    let mut kept = world.records();
    // After the last of its day, where only the other organization has a number.
    let mut added = kept.at(nth(RECORDS)).clone();
    added.sequence += 1;
    let position = kept.position(added.sequence);
    kept.0.insert(position, added.clone());
    let (problems, _) = world.check("org_a", &kept);
    let sequence = added.sequence;
    let organization = || Some("org_a".into());
    let misplaced = Problem::Misplaced { organization: organization(), day: DAY, sequence };
    let unsigned = Problem::Unsigned {
        organization: organization(),
        day: DAY,
        records: 1,
        first_sequence: sequence,
        last_sequence: sequence,
    };
    assert_eq!(problems, [misplaced, unsigned]);
}

#[test]
fn two_records_that_changed_places_are_named() {
    let world = three_days();
    let [one, other] = [nth(700), nth(4_000)];
    let organization = || Some("org_a".into());

    // In the order of their file.
    let mut kept = world.records();
    let (at, elsewhere) = (kept.position(one), kept.position(other));
    kept.0.swap(at, elsewhere);
    let (problems, _) = world.check("org_a", &kept);
    assert_eq!(problems[0], Problem::Moved { organization: organization(), day: DAY, sequence: one + 1 });
    let is_records = |problem: &Problem| matches!(problem, Problem::Records { .. });
    assert!(problems.iter().any(is_records), "{problems:?}");

    // Neighbours.
    let mut kept = world.records();
    kept.0.swap(at, at + 1);
    let (problems, _) = world.check("org_a", &kept);
    let moved = Problem::Moved { organization: organization(), day: DAY, sequence: one };
    assert_eq!(problems, [moved, block(DAY, 0, 700, Change::Altered)]);

    // What they say, each with the other's number and id.
    let mut kept = world.records();
    let (first, second) = (kept.at(one).clone(), kept.at(other).clone());
    (kept.at(one).path, kept.at(one).time_us) = (second.path, second.time_us);
    (kept.at(other).path, kept.at(other).time_us) = (first.path, first.time_us);
    let (problems, _) = world.check("org_a", &kept);
    let blocks = [block(DAY, 0, 700, Change::Altered), block(DAY, 0, 4_000, Change::Altered)];
    assert_eq!(problems[problems.len() - 2..], blocks);
}

#[test]
fn a_deleted_day_is_named() {
    let world = three_days();
    let mut kept = world.records();
    kept.0.retain(|record| record.time_us.div_euclid(DAY_US) != DAY + 1);
    let (problems, _) = world.check("org_a", &kept);
    let gone = Problem::NoRecords {
        tree: tree(DAY + 1, 1),
        signed: RECORDS,
        first_sequence: nth(RECORDS + 1),
        last_sequence: nth(2 * RECORDS),
    };
    assert_eq!(problems, [gone]);
}

#[test]
fn days_that_retention_dropped_still_check() {
    let world = three_days();
    let mut kept = world.records();
    kept.0.retain(|record| record.time_us.div_euclid(DAY_US) > DAY);
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    let mut problems = Vec::new();
    let mut since = |day| {
        let done = verifier.organization(Some("org_a"), &kept, Some(day), &mut |one| problems.push(one)).unwrap();
        (done.trees, done.dropped_trees, done.problems)
    };
    assert_eq!(since(DAY + 1), (2, 1, 0));
    assert_eq!(since(DAY), (3, 0, 1));
}

/// What the verifier says after a change of files.
fn after(world: &World, change: impl FnOnce(&Path)) -> (Vec<Problem>, Vec<Problem>) {
    let home = support::directory();
    let copy = home.path().join("proofs");
    copy_directory(&world.proofs(), &copy);
    change(&copy);
    let mut problems = check(&copy, "org_a", &world.records()).0;
    let mut of_the_node = Vec::new();
    let verifier = Verifier::open(&copy, &public()).unwrap();
    verifier.node(Some(&world.journal), &mut |problem| of_the_node.push(problem)).unwrap();
    for problem in problems.iter_mut().chain(&mut of_the_node) {
        if let Problem::Note { file, .. }
        | Problem::Unfinished { file }
        | Problem::FileMissing { file }
        | Problem::BlocksChanged { file } = problem
        {
            *file = file.strip_prefix(&copy).unwrap().to_owned();
        }
    }
    (problems, of_the_node)
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    fs::write(path, change(fs::read_to_string(path).unwrap())).unwrap();
}

#[test]
fn a_deleted_final_checkpoint_breaks_the_chain() {
    let world = three_days();
    let (problems, of_the_node) = after(&world, |proofs| {
        edit(&proofs.join("org=org_a/closings"), |text| {
            let (second, _) = text.match_indices("\n\n").nth(1).unwrap();
            text[second + 2..].to_owned()
        });
    });
    let broken = |first_number, last_number, after, before| Problem::ChainBroken {
        organization: Some("org_a".into()),
        first_number,
        last_number,
        after,
        before,
    };
    assert_eq!(problems, [broken(1, 1, None, tree(DAY, 1))]);
    let missing = |first_number, last_number| Problem::ClosingsMissing {
        organization: Some("org_a".into()),
        first_number,
        last_number,
    };
    assert_eq!(of_the_node, [missing(1, 1)]);

    // With all else of that day gone, too, the chain still names what is missing.
    let (problems, _) = after(&world, |proofs| {
        edit(&proofs.join("org=org_a/closings"), |text| {
            let (second, _) = text.match_indices("\n\n").nth(1).unwrap();
            text[second + 2..].to_owned()
        });
        fs::remove_file(proofs.join("org=org_a/2023-11-14.1.closed")).unwrap();
    });
    assert_eq!(problems[0], broken(1, 1, None, tree(DAY + 1, 1)));
    assert!(matches!(problems[1], Problem::Unsigned { day: DAY, records: RECORDS, .. }), "{problems:?}");

    let (problems, of_the_node) = after(&world, |proofs| {
        fs::remove_file(proofs.join("org=org_a/closings")).unwrap();
        fs::remove_file(proofs.join("org=org_a/2023-11-15.1.closed")).unwrap();
    });
    assert!(problems.contains(&broken(2, 2, None, tree(DAY + 2, 1))), "{problems:?}");
    assert_eq!(of_the_node, [missing(1, 2)]);
}

#[test]
fn edited_and_cut_checkpoints_are_named() {
    let world = three_days();
    let closings = Path::new("org=org_a/closings");
    let (problems, _) = after(&world, |proofs| {
        edit(&proofs.join(closings), |text| text.replacen("\n6000\n", "\n5999\n", 1));
    });
    let bad = Problem::Note { file: closings.into(), number: 1, why: BadNote::BadSignature };
    assert_eq!(problems[0], bad);
    assert!(matches!(problems[1], Problem::ChainBroken { first_number: 1, last_number: 1, .. }), "{problems:?}");

    let (problems, of_the_node) = after(&world, |proofs| {
        edit(&proofs.join(closings), |text| text[..text.len() - 30].to_owned());
    });
    assert_eq!(problems[0], Problem::Unfinished { file: closings.into() });
    assert!(matches!(problems[1], Problem::ChainBroken { first_number: 2, last_number: 2, .. }), "{problems:?}");
    assert!(matches!(of_the_node[..], [Problem::ClosingsMissing { first_number: 2, last_number: 2, .. }]));

    let open = Path::new("org=org_a/2023-11-16.1.open");
    let (problems, of_the_node) = after(&world, |proofs| {
        edit(&proofs.join(open), |text| text[..text.match_indices("\n\n").nth(9).unwrap().0 + 2].to_owned());
    });
    // The node knows that all records were in trees.
    let [Problem::Unsigned { records: 4_500, .. }] = problems[..] else { panic!("{problems:?}") };
    assert_eq!(of_the_node, [Problem::OpenTreesChanged { signed: 2, found: 2 }]);

    let (problems, of_the_node) = after(&world, |proofs| {
        fs::remove_file(proofs.join(open)).unwrap();
    });
    let [Problem::Unsigned { records: RECORDS, .. }] = problems[..] else { panic!("{problems:?}") };
    assert_eq!(of_the_node, [Problem::OpenTreesChanged { signed: 2, found: 1 }]);
}

#[test]
fn files_of_another_tree_do_not_stand_in() {
    let world = three_days();
    let (one, other) = ("org=org_a/2023-11-14.1.closed", "org=org_a/2023-11-15.1.closed");
    let (problems, _) = after(&world, |proofs| {
        fs::copy(proofs.join(other), proofs.join(one)).unwrap();
    });
    let elsewhere = |problem: &&Problem| matches!(problem, Problem::Note { why: BadNote::Elsewhere, .. });
    assert_eq!(problems.iter().filter(elsewhere).count(), problems.len() - 1);
    assert!(problems.len() > 1 && problems.contains(&Problem::FileMissing { file: one.into() }), "{problems:?}");

    let (problems, _) = after(&world, |proofs| fs::remove_file(proofs.join(one)).unwrap());
    assert_eq!(problems, [Problem::FileMissing { file: one.into() }]);
}

#[test]
fn a_changed_list_of_blocks_is_named_and_not_needed() {
    let world = three_days();
    let blocks = Path::new("org=org_a/2023-11-14.1.blocks");
    let spoil = |proofs: &Path| edit(&proofs.join(blocks), |text| text.replacen("1027 ", "1026 ", 1));
    let (problems, _) = after(&world, spoil);
    assert_eq!(problems, [Problem::BlocksChanged { file: blocks.into() }]);

    let home = support::directory();
    let copy = home.path().join("proofs");
    copy_directory(&world.proofs(), &copy);
    fs::remove_file(copy.join(blocks)).unwrap();
    let mut kept = world.records();
    kept.at(nth(700)).path = None;
    let (problems, _) = check(&copy, "org_a", &kept);
    assert_eq!(problems, [records(DAY, nth(300) + 1, nth(1_200), Change::Altered)]);
}

#[test]
fn a_removed_organization_shows_to_the_node() {
    let world = three_days();
    let (problems, of_the_node) = after(&world, |proofs| fs::remove_dir_all(proofs.join("org=org_b")).unwrap());
    assert_eq!(problems, []);
    let gone = Problem::ClosingsMissing { organization: Some("org_b".into()), first_number: 1, last_number: 2 };
    assert_eq!(of_the_node, [gone, Problem::OpenTreesChanged { signed: 2, found: 1 }]);

    let (_, of_the_node) = after(&world, |proofs| {
        fs::remove_dir_all(proofs.join("org=org_b")).unwrap();
        edit(&proofs.join("node/entries"), |text| {
            text.split_inclusive('\n').filter(|line| !line.contains("org_b")).collect()
        });
    });
    assert!(of_the_node.contains(&Problem::EntriesChanged { signed: 4, found: 2 }), "{of_the_node:?}");
}

/// The journal's own files: a flipped byte costs a record there, and that record is named.
#[test]
fn a_flipped_byte_in_a_segment_is_named() {
    let world = three_days();
    let home = support::directory();
    let copy = home.path().join("journal");
    world.journal.snapshot(&copy).unwrap();
    let segment = support::segments(&copy).remove(1);
    let mut bytes = fs::read(&segment).unwrap();
    // Not in the middle: that is where a record of the other organization lies.
    let third = bytes.len() / 3;
    bytes[third] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let (journal, recovery) = Journal::open(&copy, support::options(), TAG).unwrap();
    assert_eq!(recovery.records, world.journal.stats().records - 1);
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    let mut problems = Vec::new();
    verifier.organization(Some("org_a"), &journal, None, &mut |problem| problems.push(problem)).unwrap();
    let [Problem::Records { first_sequence, last_sequence, change: Change::Missing(1), .. }] = problems[..] else {
        panic!("{problems:?}");
    };
    problems.clear();
    verifier.node(Some(&journal), &mut |problem| problems.push(problem)).unwrap();
    let [Problem::Gap { first_sequence: gap, last_sequence: gap_end }] = problems[..] else {
        panic!("{problems:?}");
    };
    assert!(gap == gap_end && (first_sequence..=last_sequence).contains(&gap), "{gap}");
}

/// Whoever has the key writes another log from the beginning and signs it. Only what was handed out before shows it.
#[test]
fn a_log_that_was_rewritten_and_signed_again_contradicts_what_was_kept() {
    let world = three_days();
    let kept = fs::read_to_string(world.file("org_a", "closings")).unwrap();
    let newest = fs::read_to_string(world.file("org_a", "2023-11-16.1.open")).unwrap();
    let mut records = world.records();
    records.at(nth(700)).path = None;
    let mut other = World::new();
    other.stop();
    other.journal = super::world::rewritten(&other.proofs().with_file_name("other"), &records.0);
    other.now_us = world.now_us;
    assert_eq!(other.start(), []);
    other.tick();
    other.now_us += 11 * super::world::MINUTE_US;
    other.tick();
    other.is_clean("org_a");
    let mut verifier = Verifier::open(&other.proofs(), &public()).unwrap();
    assert_eq!(verifier.remember(&format!("{kept}{newest}")), 22);
    assert_eq!(verifier.remember("nothing\n\n— x AAAAAAA=\n"), 0);
    let mut problems = Vec::new();
    verifier.organization(Some("org_a"), &other.records(), None, &mut |problem| problems.push(problem)).unwrap();
    assert!(problems.contains(&Problem::Contradiction { tree: tree(DAY, 1), size: RECORDS }), "{problems:?}");
    assert!(problems.iter().any(|problem| matches!(problem, Problem::ChainBroken { .. })), "{problems:?}");
}

#[test]
fn a_day_that_cannot_be_read_does_not_hide_the_others() {
    let world = three_days();
    let mut kept = world.records();
    kept.at(nth(2 * RECORDS + 1)).path = None;
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    let mut problems = Vec::new();
    let broken = Broken(kept, nth(700));
    let done = verifier.organization(Some("org_a"), &broken, None, &mut |problem| problems.push(problem)).unwrap();
    let unreadable = Problem::Unreadable {
        organization: Some("org_a".into()),
        day: DAY,
        after_sequence: nth(699),
        error: "broken".into(),
    };
    assert_eq!(problems, [unreadable, block(DAY + 2, 2 * RECORDS, 2 * RECORDS + 1, Change::Altered)]);
    assert_eq!((done.trees, done.records), (2, 2 * RECORDS + 699));
}

#[test]
fn nothing_checks_with_another_key() {
    let world = three_days();
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    assert!(matches!(Verifier::open(&world.proofs(), &other), Err(VerifyError::NothingSigned { .. })));
}

#[test]
fn an_organization_without_records_has_nothing_to_check() {
    let mut world = World::new();
    world.journal.append(&row(Some("org_a"), world.now_us)).unwrap();
    world.tick();
    let (problems, verified) = world.check("org_z", &Kept(Vec::new()));
    assert_eq!((problems, verified), (vec![], Verified { signed_through: 1, ..Verified::default() }));
}
