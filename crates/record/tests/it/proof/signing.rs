//! What is signed when, and what it says.

use super::world::{DAY, MIDNIGHT, MINUTE_US, World, key, public, row};
use crate::support::{DAY_US, T0};
use std::fs;
use std::time::Duration;
use tegata_record::proof::{Checkpoint, Signer, SignerError, SignerFinding, Ticked, Verified, Verifier};
use tegata_record::{Faults, Flush, Options};

fn notes(world: &World, organization: &str, name: &str) -> Vec<Checkpoint> {
    let text = fs::read_to_string(world.file(organization, name)).unwrap();
    let pieces: Vec<&str> = text.split("\n\n").filter(|piece| !piece.is_empty()).collect();
    pieces
        .chunks(2)
        .map(|pair| Checkpoint::parse(public().open(&format!("{}\n\n{}\n", pair[0], pair[1])).unwrap()).unwrap())
        .collect()
}

#[test]
fn a_tick_signs_what_is_new_and_nothing_otherwise() {
    let mut world = World::new();
    assert_eq!(world.tick(), Ticked::default());
    world.append("org_a", 3);
    world.append("org_b", 2);
    assert_eq!(world.tick(), Ticked { records: 5, checkpoints: 2, ..Ticked::default() });
    assert_eq!(world.tick(), Ticked::default());
    world.append("org_a", 1);
    assert_eq!(world.tick(), Ticked { records: 1, checkpoints: 1, ..Ticked::default() });
    let notes = notes(&world, "org_a", "2023-11-14.1.open");
    let said: Vec<_> = notes.iter().map(|note| (note.size, note.first_sequence, note.last_sequence)).collect();
    assert_eq!(said, [(3, 1, 3), (4, 1, 6)]);
    assert_eq!(notes[0].log, "tegata.example.com/beef");
    let verified = world.is_clean("org_a");
    assert_eq!(verified, Verified { trees: 1, records: 4, signed_through: 6, ..Verified::default() });
}

#[test]
fn what_is_not_signed_yet_is_counted_only() {
    let mut world = World::new();
    world.append("org_a", 3);
    world.tick();
    world.append("org_a", 2);
    assert_eq!(world.is_clean("org_a").unsigned, 2);
}

#[test]
fn days_are_closed_into_a_chain() {
    let mut world = World::new();
    for _ in 0..3 {
        world.some_seconds("org_a", 5);
        let before = world.now_us;
        world.now_us = (before.div_euclid(DAY_US) + 1) * DAY_US + 9 * MINUTE_US;
        assert_eq!(world.tick().closed, 0);
        world.now_us += MINUTE_US;
        assert_eq!(world.tick().closed, 1);
    }
    let closings = notes(&world, "org_a", "closings");
    assert_eq!(closings.len(), 3);
    for (number, pair) in closings.windows(2).enumerate() {
        assert!(pair[0].is_final);
        assert_eq!(pair[1].previous, pair[0].link());
        assert_eq!(pair[1].previous.number, number as u64 + 1);
        assert_eq!(pair[1].tree.day, pair[0].tree.day + 1);
    }
    assert_eq!(world.is_clean("org_a").trees, 3);
    assert!(!world.file("org_a", "2023-11-14.1.open").exists());
    assert_eq!(world.check_node().1.closings, 3);
}

#[test]
fn records_without_an_organization_have_their_own_trees() {
    let mut world = World::new();
    world.journal.append(&row(None, world.now_us)).unwrap();
    world.append("-", 1);
    world.tick();
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    assert_eq!(verifier.organizations().unwrap(), [Some("-".into()), None]);
    let done = verifier.organization(None, &world.records(), None, &mut |problem| panic!("{problem}")).unwrap();
    assert_eq!(done.records, 1);
}

#[test]
fn an_organization_may_have_any_id() {
    let mut world = World::new();
    let long = "é".repeat(64);
    let names = ["", "../../x", "a/b\n\n— x", "org=a", "%2D", &long];
    for _ in 0..2 {
        for name in names {
            world.append(name, 3);
        }
        world.tick();
        world.next_day();
        assert_eq!(world.start(), []);
    }
    let found = Verifier::open(&world.proofs(), &public()).unwrap().organizations().unwrap();
    assert_eq!(found.len(), names.len());
    for name in names {
        assert!(found.contains(&Some(name.into())), "{name}");
        assert_eq!(world.is_clean(name).trees, 2);
    }
    assert_eq!(fs::read_dir(world.proofs()).unwrap().count(), names.len() + 3);
}

#[test]
fn another_part_is_made_again_without_the_records_of_the_first() {
    let mut world = World::new();
    world.now_us = MIDNIGHT + MINUTE_US;
    // A record of today keeps its tree open, so that everything behind it is read again after a start.
    world.journal.append(&row(None, world.now_us)).unwrap();
    world.journal.append(&row(None, MIDNIGHT - 1)).unwrap();
    world.tick();
    world.now_us += 11 * MINUTE_US;
    assert_eq!(world.tick().closed, 1, "yesterday, with its one record");
    world.journal.append(&row(None, MIDNIGHT - 2)).unwrap();
    world.tick();
    for _ in 0..2 {
        assert_eq!(world.start(), [], "the second part of yesterday has one record, not two");
    }
    world.now_us += 11 * MINUTE_US;
    assert_eq!(world.tick().closed, 1);
}

#[test]
fn late_records_make_another_part() {
    let mut world = World::new();
    world.some_seconds("org_a", 5);
    world.next_day();
    world.append("org_a", 5);
    world.journal.append(&row(Some("org_a"), MIDNIGHT - 1)).unwrap();
    world.tick();
    world.journal.append(&row(Some("org_a"), MIDNIGHT - 2)).unwrap();
    world.tick();
    let late = notes(&world, "org_a", "2023-11-14.2.open");
    assert_eq!(late.last().map(|note| (note.size, note.first_sequence, note.last_sequence)), Some((2, 106, 107)));
    assert_eq!(world.is_clean("org_a").trees, 3);
    world.now_us += 11 * MINUTE_US;
    assert_eq!(world.tick().closed, 1);
    world.start();
    world.journal.append(&row(Some("org_a"), MIDNIGHT - 3)).unwrap();
    world.tick();
    assert!(world.file("org_a", "2023-11-14.3.open").exists());
    assert_eq!(world.is_clean("org_a").trees, 4);
}

#[test]
fn an_old_log_is_signed_from_its_beginning() {
    let mut world = World::new();
    let today = world.now_us;
    for day in (0..5).rev() {
        world.now_us = today - day * DAY_US;
        world.append("org_a", 7);
        world.append("org_b", 7);
    }
    assert_eq!(world.tick().records, 70);
    world.now_us += 11 * MINUTE_US;
    assert_eq!(world.tick().closed, 8);
    assert_eq!(world.is_clean("org_b").trees, 5);
}

#[test]
fn nothing_of_one_organization_lies_with_another() {
    let mut world = World::new();
    world.some_seconds("org_a", 3);
    world.some_seconds("org_b", 3);
    world.next_day();
    world.some_seconds("org_b", 3);
    for entry in fs::read_dir(world.proofs().join("org=org_b")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("org_a") && !text.contains("closings"), "{text}");
    }
    // And that directory alone is enough for the organization.
    fs::remove_dir_all(world.proofs().join("org=org_a")).unwrap();
    fs::remove_dir_all(world.proofs().join("node")).unwrap();
    let (problems, verified) = world.check("org_b", &world.records());
    assert_eq!((problems, verified.trees), (vec![], 2));
}

#[test]
fn many_checkpoints_are_thinned() {
    let mut world = World::new();
    for _ in 0..3_000 {
        world.append("org_a", 2);
        world.tick();
    }
    let size = fs::metadata(world.file("org_a", "2023-11-14.1.open")).unwrap().len();
    assert!(size <= 256 << 10, "{size}");
    assert_eq!(world.is_clean("org_a").records, 6_000);
    assert_eq!(world.start(), []);
    world.next_day();
    let kept = notes(&world, "org_a", "2023-11-14.1.closed");
    let sizes: Vec<u64> = kept.iter().map(|note| note.size).collect();
    assert_eq!(sizes, [2, 1_024, 2_048, 3_072, 4_096, 5_120, 5_998, 6_000, 6_000]);
    assert_eq!(world.is_clean("org_a").records, 6_000);
}

#[test]
fn a_full_disk_delays_signing_only() {
    let mut world = World::new();
    world.stop();
    let faults = Faults::none();
    let proofs = world.proofs();
    let open = |world: &World| {
        Signer::open(&proofs, key(), &world.journal, world.now_us, Some(std::sync::Arc::clone(&faults))).unwrap().0
    };
    let mut signer = open(&world);
    world.append("org_a", 3_000);
    let now_us = world.now_us;
    for room in [0, 10, 100, 300] {
        faults.leave_room(room);
        assert!(matches!(signer.tick(&world.journal, now_us), Err(SignerError::Store(_))), "{room}");
    }
    faults.leave_room(u64::MAX);
    assert_eq!(signer.tick(&world.journal, now_us).unwrap().findings, []);
    world.is_clean("org_a");
    for room in (0..1_400).step_by(100) {
        faults.leave_room(room);
        let _ = signer.tick(&world.journal, MIDNIGHT + 11 * MINUTE_US);
    }
    faults.leave_room(u64::MAX);
    assert_eq!(signer.tick(&world.journal, MIDNIGHT + 11 * MINUTE_US).unwrap().findings, []);
    assert_eq!(notes(&world, "org_a", "closings").len(), 1);
    world.is_clean("org_a");
    drop(signer);
    assert_eq!(world.start(), []);
}

/// What the loss of power could still take back is not signed, or the log would contradict what was signed.
#[test]
fn only_what_is_on_disk_is_signed() {
    let home = crate::support::directory();
    let hourly = Options { flush: Flush::Interval(Duration::from_hours(1)), ..Options::default() };
    let (journal, _) = crate::support::open(&home.path().join("journal"), hourly);
    let mut signer = Signer::open(&home.path().join("proofs"), key(), &journal, T0, None).unwrap().0;
    journal.flush().unwrap();
    journal.append(&row(Some("org_a"), T0)).unwrap();
    assert_eq!(signer.tick(&journal, T0).unwrap(), Ticked::default());
    journal.flush().unwrap();
    assert_eq!(signer.tick(&journal, T0).unwrap().records, 1);
}

#[test]
fn one_signs_at_a_time_and_with_one_key() {
    let mut world = World::new();
    let open = |world: &World, key| Signer::open(&world.proofs(), key, &world.journal, world.now_us, None);
    assert!(matches!(open(&world, key()), Err(SignerError::InUse { .. })));
    world.append("org_a", 1);
    world.tick();
    world.stop();
    let seed = tegata_record::proof::Seed::new(zeroize::Zeroizing::new([8; 32]));
    let other = tegata_record::proof::SigningKey::new("tegata.example.com", &seed).unwrap();
    assert!(matches!(open(&world, other), Err(SignerError::OtherKey { .. })));
}

#[test]
fn missing_sequences_are_reported_when_they_are_met() {
    let mut world = World::new();
    world.append("org_a", 300);
    world.stop();
    // A frame in the middle is damaged while the journal is open.
    let segment = crate::support::segments(&world.proofs().with_file_name("journal")).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    // Behind the frames is room that was allocated ahead.
    let middle = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    world.start();
    let findings = world.tick_with_findings().findings;
    let [SignerFinding::Gap { first_sequence, last_sequence }] = findings[..] else {
        panic!("{findings:?}");
    };
    assert!(first_sequence == last_sequence && (100..200).contains(&first_sequence), "{first_sequence}");
    let (problems, _) = world.check("org_a", &world.records());
    assert_eq!(problems, []);
    let gaps = world.check_node().0;
    assert_eq!(gaps, [tegata_record::proof::Problem::Gap { first_sequence, last_sequence }]);
}

#[test]
fn a_signer_may_have_a_thread_of_its_own() {
    const fn is_send<T: Send + Sync>() {}
    is_send::<Signer>();
    is_send::<Verifier>();
}

#[test]
fn the_day_of_the_clock_is_the_day_of_the_tree() {
    assert_eq!(DAY, 19_675);
}

#[test]
fn days_are_open_until_their_trees_are_closed() {
    let mut world = World::new();
    world.start();
    let open = |world: &mut World| world.signer().open_days().into_iter().collect::<Vec<_>>();
    assert!(open(&mut world).is_empty());
    world.append("org_a", 10);
    world.append("org_b", 10);
    world.tick();
    let day = world.now_us / DAY_US;
    assert_eq!(open(&mut world), [day]);
    world.next_day();
    assert!(open(&mut world).is_empty());
    world.append("org_b", 5);
    world.tick();
    assert_eq!(open(&mut world), [day + 1]);
    // After a start the open tree is read again, and is no less open.
    world.stop();
    assert_eq!(world.start(), []);
    assert_eq!(open(&mut world), [day + 1]);
    world.tick();
    // Records with an old time open an old day again, until it is closed.
    world.now_us -= 100 * DAY_US;
    world.append("org_a", 3);
    world.now_us += 100 * DAY_US;
    world.tick();
    assert_eq!(open(&mut world), [day - 99, day + 1]);
    world.now_us += 11 * MINUTE_US;
    world.tick();
    assert_eq!(open(&mut world), [day + 1]);
}
