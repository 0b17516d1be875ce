//! Proofs of single records, as they are handed out.

use super::world::{World, check, public, rewritten};
use crate::support;
use tegata_record::Record;
use tegata_record::proof::{ProveError, Verifier, verify_proof};

fn prove(world: &World, record: &Record, organization: Option<&str>) -> Result<String, ProveError> {
    let verifier = Verifier::open(&world.proofs(), &public()).unwrap();
    verifier.prove(&record.id, organization, &world.journal)
}

/// A closed day with a late record, and an open one, in two organizations.
fn world() -> World {
    let mut world = World::new();
    world.some_seconds("org_a", 100);
    world.some_seconds("org_b", 2);
    let evening = world.now_us;
    world.next_day();
    world.some_seconds("org_a", 10);
    world.journal.append(&super::world::row(Some("org_a"), evening)).unwrap();
    world.tick();
    world
}

#[test]
fn every_record_has_its_proof() {
    let world = world();
    let records = world.records();
    for record in records.0.iter().step_by(211).chain(records.0.last()) {
        let text = prove(&world, record, record.organization.as_deref()).unwrap();
        let proven = verify_proof(&text, &public()).unwrap();
        assert_eq!(proven.record, *record);
        let other = if record.organization.as_deref() == Some("org_a") { "org_b" } else { "org_a" };
        assert!(!text.contains(other));
    }
}

#[test]
fn records_that_are_not_there_have_none() {
    let mut world = world();
    let records = world.records();
    let first = &records.0[0];
    assert!(matches!(prove(&world, first, Some("org_b")), Err(ProveError::NotFound(id)) if id == first.id));
    assert!(matches!(prove(&world, first, None), Err(ProveError::NotFound(_))));
    world.append("org_a", 1);
    let newest = world.records().0.pop().unwrap();
    assert!(matches!(prove(&world, &newest, Some("org_a")), Err(ProveError::NotSigned(_))));
    world.tick();
    assert!(prove(&world, &newest, Some("org_a")).is_ok());
}

#[test]
fn changed_records_have_none() {
    let mut world = world();
    let mut records = world.records();
    records.at(500).path = None;
    world.journal = rewritten(&world.proofs().with_file_name("other"), &records.0);
    for sequence in [1, 500, 501] {
        let record = records.at(sequence).clone();
        assert!(matches!(prove(&world, &record, Some("org_a")), Err(ProveError::Changed(_))), "{sequence}");
    }
    assert_eq!(check(&world.proofs(), "org_a", &records).0.len(), 1);
    assert_eq!(support::read_all(&world.journal).len(), records.0.len());
}
