use super::*;
use crate::proof::checkpoint::{Link, log_name};
use crate::proof::note::{Seed, SigningKey};
use crate::proof::tree::root;
use crate::record::{Decision, NewRecord, RecordView};
use proptest::prelude::*;
use zeroize::Zeroizing;

fn key() -> SigningKey {
    SigningKey::new("tegata.example.com", &Seed::new(Zeroizing::new([7; 32]))).unwrap()
}

fn record(sequence: u64) -> Record {
    let row = NewRecord { organization: Some("org_a"), ..NewRecord::new(5, Decision::Allow, "granted") };
    RecordView { id: RecordId::new(5, 0xbeef, sequence), sequence, row }.to_record()
}

/// The proof for a record among three of a day, after the checkpoint was changed.
fn proof(change: impl FnOnce(&mut Checkpoint)) -> String {
    let leaves = [1, 2, 3].map(|sequence| leaf_hash(&leaf_bytes(&record(sequence))));
    let mut checkpoint = Checkpoint {
        log: log_name("tegata.example.com", 0xbeef),
        tree: TreeName { organization: Some("org_a".into()), day: 0, part: 1 },
        size: 3,
        root: root(&leaves),
        leaf_version: 1,
        first_sequence: 1,
        last_sequence: 3,
        previous: Link::START,
        is_final: false,
    };
    change(&mut checkpoint);
    let note = key().sign(&checkpoint.to_string());
    let mut path = PathBuilder::new(record(2).id);
    for sequence in 1..=3 {
        path.push(&record(sequence));
    }
    proof_text(&path.finish().unwrap(), &note)
}

fn verify(proof: &str) -> Result<Proven, ProofError> {
    verify_proof(proof, key().verifying_key())
}

#[test]
fn a_proof_shows_its_record() {
    let text = proof(|_| {});
    let proven = verify(&text).unwrap();
    assert_eq!((proven.record, proven.index, proven.checkpoint.size), (record(2), 1, 3));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[2], lines[5]), ("c2sp.org/tlog-proof@v1", "index 1", ""));
    assert_eq!(lines[6], "tegata.example.com/beef/org_a/1970-01-01/1");
}

#[test]
fn a_true_checkpoint_of_another_tree_shows_nothing() {
    type Alter = fn(&mut Checkpoint);
    let cases: [(Alter, ProofError); 7] = [
        (|one| one.tree.organization = Some("org_b".into()), ProofError::OtherTree),
        (|one| one.tree.organization = None, ProofError::OtherTree),
        (|one| one.tree.day = 1, ProofError::OtherTree),
        (|one| one.log = log_name("tegata.example.com", 0xbee0), ProofError::OtherTree),
        (|one| one.leaf_version = 3, ProofError::OtherTree),
        (|one| one.root = leaf_hash(b"other"), ProofError::NotIncluded),
        (|one| (one.size, one.last_sequence) = (2, 2), ProofError::NotIncluded),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        assert_eq!(verify(&proof(change)), Err(expected), "case {number}");
    }
}

#[test]
fn other_texts_are_refused() {
    let text = proof(|_| {});
    let extra = text.lines().nth(1).unwrap();
    let other_record = format!("extra {}", STANDARD.encode(leaf_bytes(&record(3))));
    for (from, to, expected) in [
        ("tlog-proof@v1", "tlog-proof@v2", ProofError::Malformed),
        ("index 1", "index 01", ProofError::Malformed),
        ("index 1", "index 0", ProofError::NotIncluded),
        (extra, &other_record, ProofError::NotIncluded),
        (extra, "extra AA==", ProofError::Record(LeafError::Version(0))),
        (extra, "extra", ProofError::Malformed),
        ("\n3\n", "\n4\n", ProofError::Note(NoteError::BadSignature)),
        ("— tegata", "— other", ProofError::Note(NoteError::Unsigned)),
    ] {
        assert_eq!(verify(&text.replacen(from, to, 1)), Err(expected), "{from} → {to}");
    }
    let note = key().sign("no checkpoint\n");
    let (head, _) = text.split_once("\n\n").unwrap();
    assert_eq!(verify(&format!("{head}\n\n{note}")), Err(ProofError::Checkpoint(MalformedCheckpoint)));
    assert_eq!(verify(&"x".repeat(PROOF_BYTES_MAX + 1)), Err(ProofError::Malformed));
}

#[test]
fn paths_lead_through_blocks() {
    for (count, wanted) in [(1, 0), (1_024, 5), (1_025, 1_024), (5_000, 2_047), (5_000, 4_999)] {
        let mut path = PathBuilder::new(record(wanted + 1).id);
        let mut leaves = Vec::new();
        for sequence in 1..=count {
            path.push(&record(sequence));
            leaves.push(leaf_hash(&leaf_bytes(&record(sequence))));
        }
        let found = path.finish().unwrap();
        assert_eq!(found.index, wanted);
        assert_eq!(found.path, inclusion(usize::try_from(wanted).unwrap(), &leaves).unwrap());
    }
}

proptest! {
    #[test]
    fn a_changed_byte_shows_nothing_else(at: prop::sample::Index, value in 1..=127_u8) {
        let text = proof(|_| {});
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(proven) = String::from_utf8(bytes).map_err(drop).and_then(|text| verify(&text).map_err(drop)) {
            prop_assert_eq!((proven.record, proven.index), (record(2), 1));
        }
    }

    #[test]
    fn never_panics_on_any_text(text in "(c2sp.org/tlog-proof@v1\n|extra |index |[0-9A-Za-z+/=]{0,9}|\n|— ){0,40}") {
        prop_assert!(verify(&text).is_err());
    }
}
