use super::*;
use crate::codec;
use crate::testing::{full_record, record_parts, written};
use proptest::prelude::*;

/// The record as it is read back from a journal.
fn through_the_journal(row: &NewRecord<'_>, tag: u16, sequence: u64) -> (Vec<u8>, Record) {
    let mut payload = Vec::new();
    codec::encode(row, &mut payload);
    codec::set_sequence(&mut payload, sequence);
    let raw = codec::decode(&payload).unwrap();
    let view = raw.view(tag).unwrap();
    let mut bytes = Vec::new();
    encode(&view, &mut bytes);
    (bytes, view.to_record())
}

#[test]
fn the_bytes_are_what_the_format_says() {
    let row = NewRecord { alternative: Some(300), ..NewRecord::new(5, Decision::Allow, "granted") };
    let row = NewRecord { rule_version: 2, catalogue_version: 3, organization: Some("org_a"), ..row };
    let mut expected = vec![1, 0xbe, 0xef];
    expected.extend([0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 5, 1]);
    expected.extend([0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3]);
    expected.extend([0xad, 0x02]);
    expected.extend(b"\x06org_a");
    expected.extend([0; 6]);
    expected.extend(b"\x08granted");
    expected.extend([0; 8]);
    assert_eq!(through_the_journal(&row, 0xbeef, 42).0, expected);
}

#[test]
fn every_column_counts() {
    let record = written(&full_record());
    let before = leaf_bytes(&record);
    let alterations: [fn(&mut Record); 23] = [
        |record| record.sequence += 1,
        |record| record.time_us += 1,
        |record| record.api = Some("githuB".into()),
        |record| record.organization = None,
        |record| record.alternative = Some(0),
        |record| record.permission = Some(String::new()),
        |record| record.context_id = None,
        |record| record.level = None,
        |record| record.decision = Decision::Deny,
        |record| record.reason = String::new(),
        |record| record.credential = None,
        |record| record.kind = None,
        |record| record.principal = None,
        |record| record.acted_for = None,
        |record| record.method = None,
        |record| record.endpoint = None,
        |record| record.path = None,
        |record| record.address = None,
        |record| record.user_agent = None,
        |record| record.request_id = None,
        |record| record.rule_version += 1,
        |record| record.catalogue_version += 1,
        |record| record.count += 1,
    ];
    for (number, alter) in alterations.into_iter().enumerate() {
        let mut changed = record.clone();
        alter(&mut changed);
        assert_ne!(leaf_bytes(&changed), before, "alteration {number}");
    }
    let mut moved = record.clone();
    moved.id = RecordId::new(record.time_us, record.id.tag() + 1, record.sequence);
    assert_ne!(leaf_bytes(&moved), before);
}

proptest! {
    #[test]
    fn a_record_has_the_bytes_of_its_view(parts in record_parts(), tag: u16, sequence in 0..RecordId::SEQUENCE_MAX) {
        let (bytes, record) = through_the_journal(&parts.as_new(), tag, sequence);
        prop_assert_eq!(&leaf_bytes(&record), &bytes);
        prop_assert_eq!(decode(&bytes), Ok(record));
    }

    #[test]
    fn different_records_have_different_bytes(one in record_parts(), other in record_parts()) {
        let (one, other) = (written(&one.as_new()), written(&other.as_new()));
        prop_assert_eq!(one == other, leaf_bytes(&one) == leaf_bytes(&other));
    }

    #[test]
    fn any_bytes_are_refused_or_have_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(record) = decode(&bytes) {
            prop_assert_eq!(leaf_bytes(&record), bytes);
        }
    }

    #[test]
    fn changed_bytes_never_panic(parts in record_parts(), at: prop::sample::Index, value: u8, cut: prop::sample::Index) {
        let mut bytes = through_the_journal(&parts.as_new(), 7, 1).0;
        let (at, cut) = (at.index(bytes.len()), cut.index(bytes.len()));
        bytes[at] = value;
        if let Ok(record) = decode(&bytes) {
            prop_assert_eq!(leaf_bytes(&record), &bytes[..]);
        }
        prop_assert_eq!(decode(&bytes[..cut]).ok(), None);
    }
}
