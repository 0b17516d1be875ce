//! Whatever happens in whatever order, the log checks.

use super::world::{World, public, row};
use crate::support::DAY_US;
use proptest::prelude::*;
use tegata_record::proof::{SignerFinding, Verifier, verify_proof};

#[derive(Debug, Clone)]
enum Step {
    /// Records of an organization, so many, with times this far back.
    Append(Option<&'static str>, i64, i64),
    Tick,
    Restart,
    /// A call after whose first bytes written, so many, nothing more reaches the disk; then a new start.
    Crash(u64),
    /// Time passes, in minutes.
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let organization = prop_oneof![Just(None), Just(Some("org_a")), Just(Some("org_b")), Just(Some("-"))];
    let back = prop_oneof![3 => Just(0), 1 => 0..2 * DAY_US];
    let step = prop_oneof![
        5 => (organization, prop_oneof![4 => 1..50_i64, 1 => 900..2_200_i64], back)
            .prop_map(|(organization, count, back)| Step::Append(organization, count, back)),
        4 => Just(Step::Tick),
        1 => Just(Step::Restart),
        3 => (0..3_000_u64).prop_map(Step::Crash),
        2 => (1..1_500_i64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_was_signed_checks(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Append(organization, count, back) => {
                    for number in 0..count {
                        world.journal.append(&row(organization, world.now_us - back + number)).unwrap();
                    }
                }
                Step::Tick => drop(world.tick()),
                Step::Restart => prop_assert_eq!(world.start(), []),
                Step::Crash(room) => {
                    world.faults.fail_cuts(true);
                    world.faults.leave_room(room);
                    let (journal, now_us) = (&world.journal, world.now_us);
                    let _ = world.signer.as_mut().unwrap().tick(journal, now_us);
                    world.faults.fail_cuts(false);
                    world.faults.leave_room(u64::MAX);
                    let mut findings = world.start();
                    findings.retain(|finding| !matches!(finding, SignerFinding::Unfinished { .. }));
                    prop_assert_eq!(findings, []);
                }
                Step::Wait(minutes) => world.now_us += minutes * super::world::MINUTE_US,
            }
        }
        world.tick();
        let records = world.records();
        let verifier = Verifier::open(&world.proofs(), &public());
        prop_assert_eq!(verifier.is_err(), records.0.is_empty());
        let Ok(verifier) = verifier else { return Ok(()) };
        let mut checked = 0;
        let mut problems = Vec::new();
        for organization in verifier.organizations().unwrap() {
            let done =
                verifier.organization(organization.as_deref(), &records, None, &mut |one| problems.push(one)).unwrap();
            prop_assert_eq!(done.unsigned, 0);
            checked += done.records;
        }
        verifier.node(Some(&world.journal), &mut |one| problems.push(one)).unwrap();
        prop_assert_eq!((problems, checked), (vec![], records.0.len() as u64));
        let some = &records.0[records.0.len() / 2];
        let proof = verifier.prove(&some.id, some.organization.as_deref(), &records).unwrap();
        prop_assert_eq!(&verify_proof(&proof, &public()).unwrap().record, some);
    }
}
