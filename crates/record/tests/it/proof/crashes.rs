//! A signer that ends at any moment, and what it does with what it finds when it begins again.

use super::world::{DAY, MINUTE_US, World, copy_directory, rewritten};
use std::fs;
use tegata_record::proof::{Change, Problem, SignerFinding, TreeName};

fn tree(organization: &str, day: i64, part: u32) -> TreeName {
    TreeName { organization: Some(organization.into()), day, part }
}

#[test]
fn a_start_goes_on_where_the_last_one_ended() {
    let mut world = World::new();
    for _ in 0..4 {
        world.some_seconds("org_a", 77);
        world.some_seconds("org_b", 1);
        assert_eq!(world.start(), []);
    }
    let verified = world.is_clean("org_a");
    assert_eq!((verified.trees, verified.records), (1, 4 * 20 * 77));
    world.next_day();
    assert_eq!(world.start(), []);
    world.some_seconds("org_a", 3);
    assert_eq!(world.is_clean("org_a").trees, 2);
}

#[test]
fn records_that_were_not_signed_when_it_ended_are_signed_after() {
    let mut world = World::new();
    world.some_seconds("org_a", 10);
    world.append("org_a", 5);
    world.append("org_c", 5);
    assert_eq!(world.start(), []);
    assert_eq!(world.tick().records, 10);
    assert_eq!((world.is_clean("org_a").unsigned, world.is_clean("org_c").records), (0, 5));
}

#[test]
fn every_file_may_end_anywhere_after_a_crash() {
    let mut world = World::new();
    world.some_seconds("org_a", 100);
    world.next_day();
    world.some_seconds("org_a", 100);
    world.stop();
    for (name, is_note) in [
        ("org=org_a/2023-11-15.1.open", true),
        ("org=org_a/closings", true),
        ("org=org_a/2023-11-15.1.blocks", false),
        ("node/entries", true),
        ("node/checkpoints", true),
    ] {
        let path = world.proofs().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..], b"5 unfinish"].concat()).unwrap();
        let findings = world.start();
        let expected = SignerFinding::Unfinished { file: path.clone() };
        assert_eq!(findings, if is_note { vec![expected] } else { vec![] }, "{name}");
        assert!(!is_note || fs::read(&path).unwrap() == whole);
        world.append("org_a", 1);
        world.tick();
        world.is_clean("org_a");
        world.stop();
    }
}

/// A crash after each write of a tick that closes a day: later files are as they were before.
#[test]
fn a_crash_within_a_closing_is_made_up_for() {
    let mut world = World::new();
    for organization in ["org_a", "org_b"] {
        world.some_seconds(organization, 70);
    }
    world.stop();
    let before = world.proofs().with_file_name("before");
    copy_directory(&world.proofs(), &before);
    world.start();
    world.next_day();
    world.stop();
    let after = world.proofs().with_file_name("after");
    copy_directory(&world.proofs(), &after);
    let steps = [
        "org=org_a/2023-11-14.1.blocks",
        "org=org_a/closings",
        "org=org_a/2023-11-14.1.closed",
        "org=org_a/2023-11-14.1.open",
        "org=org_b/2023-11-14.1.blocks",
        "org=org_b/closings",
        "org=org_b/2023-11-14.1.closed",
        "org=org_b/2023-11-14.1.open",
        "node/entries",
    ];
    for done in 0..=steps.len() {
        fs::remove_dir_all(world.proofs()).unwrap();
        copy_directory(&before, &world.proofs());
        for step in &steps[..done] {
            let (from, to) = (after.join(step), world.proofs().join(step));
            let _ = if from.exists() { fs::copy(from, to).map(drop) } else { fs::remove_file(to) };
        }
        assert_eq!(world.start(), [], "after {done}");
        world.tick();
        world.now_us += 11 * MINUTE_US;
        world.tick();
        world.stop();
        assert_eq!(world.is_clean("org_a").trees, 1, "after {done}");
        let (problems, _) = world.check("org_b", &world.records());
        assert_eq!(problems, [], "after {done}");
        assert_eq!(world.check_node().1.closings, 2, "after {done}");
    }
}

#[test]
fn altered_records_are_found_and_never_signed_again() {
    let mut world = World::new();
    world.some_seconds("org_a", 300);
    world.some_seconds("org_b", 3);
    world.stop();
    let mut records = world.records();
    records.at(2_500).path = Some("/somewhere/else".into());
    world.journal = rewritten(&world.proofs().with_file_name("other"), &records.0);
    let altered = SignerFinding::Altered {
        tree: tree("org_a", DAY, 1),
        first_sequence: 2_049,
        last_sequence: 3_072,
        signed: 6_000,
        found: 6_000,
    };
    assert_eq!(world.start(), [altered]);
    world.append("org_a", 5);
    assert_eq!(world.tick().checkpoints, 2);
    assert_eq!(world.start(), []);
    world.some_seconds("org_a", 5);
    let change = Problem::Records {
        tree: tree("org_a", DAY, 1),
        first_sequence: 2_049,
        last_sequence: 3_072,
        change: Change::Altered,
    };
    let (problems, verified) = world.check("org_a", &world.records());
    assert_eq!((problems, verified.unsigned), (vec![change], 0));
    world.is_clean("org_b");
}

#[test]
fn a_missing_record_is_found_at_the_start() {
    let mut world = World::new();
    world.some_seconds("org_a", 300);
    world.stop();
    let mut records = world.records();
    records.0.truncate(5_900);
    world.journal = rewritten(&world.proofs().with_file_name("other"), &records.0);
    let lost = SignerFinding::Lost { signed_through: 6_000, last_sequence: 5_900 };
    let altered = SignerFinding::Altered {
        tree: tree("org_a", DAY, 1),
        first_sequence: 5_121,
        last_sequence: 6_000,
        signed: 6_000,
        found: 5_900,
    };
    assert_eq!(world.start(), [lost, altered]);
}

#[test]
fn removed_or_restored_proofs_are_found_at_the_start() {
    let mut world = World::new();
    world.some_seconds("org_a", 3);
    world.some_seconds("org_b", 3);
    world.next_day();
    world.some_seconds("org_a", 3);
    world.stop();
    let saved = world.proofs().with_file_name("saved");
    copy_directory(&world.proofs(), &saved);
    let mut restart = |change: &dyn Fn(&World)| {
        fs::remove_dir_all(world.proofs()).unwrap();
        copy_directory(&saved, &world.proofs());
        change(&world);
        let findings = world.start();
        world.append("org_a", 1);
        world.tick();
        world.stop();
        findings
    };
    assert_eq!(restart(&|_| {}), []);

    let gone = SignerFinding::ClosingsChanged { organization: Some("org_b".into()), known: 1 };
    assert_eq!(restart(&|world| fs::remove_dir_all(world.proofs().join("org=org_b")).unwrap()), [gone]);

    let gone = SignerFinding::ClosingsChanged { organization: Some("org_a".into()), known: 1 };
    assert_eq!(restart(&|world| fs::remove_file(world.file("org_a", "closings")).unwrap()), [gone]);

    let shortened = restart(&|world| {
        let file = world.file("org_a", "2023-11-15.1.open");
        let text = fs::read_to_string(&file).unwrap();
        let cut = text.match_indices("\n\n").nth(9).unwrap().0 + 2;
        fs::write(&file, &text[..cut]).unwrap();
    });
    assert_eq!(shortened, [SignerFinding::OpenTreesChanged]);

    let edited = restart(&|world| {
        let file = world.proofs().join("node/entries");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    });
    assert!(edited.contains(&SignerFinding::EntriesChanged { signed: 2, found: 1 }), "{edited:?}");
}
