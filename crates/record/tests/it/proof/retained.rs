//! Days whose records were dropped: the chain goes on, and still shows what is missing of it.

use super::world::{DAY, World, public};
use crate::support::DAY_US;
use std::fs;
use tegata_record::proof::{Problem, Verified, Verifier};

fn check(world: &World, since_day: i64) -> (Vec<Problem>, Verified) {
    let mut problems = Vec::new();
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    let done =
        verifier.organization(Some("org_a"), &world.journal, Some(since_day), &mut |one| problems.push(one)).unwrap();
    (problems, done)
}

#[test]
fn a_chain_outlives_its_records() {
    let mut world = World::new();
    for _ in 0..5 {
        world.some_seconds("org_a", 10);
        world.next_day();
    }
    world.some_seconds("org_a", 10);
    world.journal.drop_before((DAY + 3) * DAY_US).unwrap();
    assert_eq!(world.signer().forget(Some("org_a"), DAY + 3).unwrap(), Some(6));
    assert!(
        !world.file("org_a", "2023-11-16.1.closed").exists() && world.file("org_a", "2023-11-17.1.closed").exists()
    );
    assert_eq!(world.start(), []);
    world.some_seconds("org_a", 10);
    let (problems, done) = check(&world, DAY + 3);
    assert_eq!((problems, done.trees, done.dropped_trees), (vec![], 3, 3));
    assert_eq!(world.check_node().0, []);

    // A dropped day's final checkpoint is still needed.
    let closings = world.file("org_a", "closings");
    let text = fs::read_to_string(&closings).unwrap();
    let ends: Vec<usize> = text.match_indices("\n\n").map(|(at, _)| at + 2).collect();
    fs::write(&closings, format!("{}{}", &text[..ends[1]], &text[ends[3]..])).unwrap();
    let (problems, _) = check(&world, DAY + 3);
    let [Problem::ChainBroken { first_number: 2, last_number: 2, after: Some(after), before, .. }] = &problems[..]
    else {
        panic!("{problems:?}");
    };
    assert_eq!((after.day, before.day), (DAY, DAY + 2));
    // And a day that should still be there cannot be passed off as dropped.
    world.journal.drop_before((DAY + 4) * DAY_US).unwrap();
    let (problems, _) = check(&world, DAY + 3);
    assert!(problems.iter().any(|one| matches!(one, Problem::NoRecords { tree, .. } if tree.day == DAY + 3)));
}

#[test]
fn a_process_may_end_between_forgetting_a_day_and_dropping_its_records() {
    let mut world = World::new();
    for _ in 0..4 {
        world.some_seconds("org_a", 10);
        world.next_day();
    }
    world.some_seconds("org_a", 10);
    let since = |world: &World| {
        let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
        verifier.first_day(Some("org_a")).unwrap().unwrap()
    };
    assert_eq!(since(&world), DAY);
    // Cut off after the first file.
    fs::remove_file(world.file("org_a", "2023-11-14.1.closed")).unwrap();
    assert_eq!(since(&world), DAY + 1);
    assert_eq!(check(&world, DAY + 1).0, []);
    // All is forgotten, and nothing dropped.
    assert_eq!(world.signer().forget(Some("org_a"), DAY + 2).unwrap(), Some(3));
    assert!(!world.file("org_a", "2023-11-14.1.blocks").exists());
    assert_eq!(since(&world), DAY + 2);
    let (problems, done) = check(&world, DAY + 2);
    assert_eq!((problems, done.trees, done.dropped_trees), (vec![], 5, 0));
    // Its records are still held against its final checkpoint.
    world.journal.drop_before((DAY + 2) * DAY_US).unwrap();
    let (problems, done) = check(&world, DAY + 2);
    assert_eq!((problems, done.trees, done.dropped_trees), (vec![], 3, 2));
    // A list of blocks that is missing from a day that was not forgotten shows.
    fs::remove_file(world.file("org_a", "2023-11-16.1.blocks")).unwrap();
    assert!(matches!(check(&world, DAY + 2).0[..], [Problem::BlocksChanged { .. }]));
    // While somebody copies, nothing is forgotten, and so nothing may be dropped.
    let _held = tegata_record::proof::hold(&world.proofs()).unwrap().unwrap();
    assert_eq!(world.signer().forget(Some("org_a"), DAY + 3).unwrap(), None);
}

#[test]
fn a_day_that_was_forgotten_does_not_begin_anew() {
    let mut world = World::new();
    world.start();
    let today = world.now_us / DAY_US;
    // Today's tree is read again after a start, from before the records of the day that is forgotten.
    world.append("org_a", 3);
    world.now_us -= 5 * DAY_US;
    world.append("org_a", 4);
    world.now_us += 5 * DAY_US;
    world.tick();
    world.now_us += 11 * 60_000_000;
    world.tick();
    assert_eq!(world.signer().forget(Some("org_a"), today).unwrap(), Some(2));
    world.stop();
    assert_eq!(world.start(), []);
    world.tick();
    assert_eq!(world.signer().open_days().into_iter().collect::<Vec<_>>(), [today]);
    assert_eq!(check(&world, today).0, []);
}
