//! Round trips and hostile bytes.

use super::*;
use crate::testing::{RecordParts, full_record, record_parts};
use proptest::prelude::*;

fn encoded(record: &NewRecord<'_>, sequence: u64) -> Vec<u8> {
    let mut buffer = Vec::new();
    encode(record, &mut buffer);
    set_sequence(&mut buffer, sequence);
    buffer
}

fn kept<'a>(record: &NewRecord<'a>) -> NewRecord<'a> {
    let mut columns = record.columns();
    for (column, text) in Column::ALL.into_iter().zip(&mut columns) {
        *text = text.map(|text| column.keep(text));
    }
    NewRecord {
        alternative: record.alternative,
        rule_version: record.rule_version,
        catalogue_version: record.catalogue_version,
        count: record.count,
        ..NewRecord::from_columns(record.time_us, record.decision, &columns)
    }
}

#[test]
fn every_shorter_payload_is_refused() {
    let payload = encoded(&full_record(), 3);
    assert!(decode(&payload).is_ok());
    for length in 0..payload.len() {
        assert!(decode(&payload[..length]).is_err(), "{length}");
    }
}

#[test]
fn what_follows_a_payload_is_refused() {
    let mut payload = encoded(&full_record(), 3);
    payload.push(0);
    assert_eq!(decode(&payload), Err(DecodeError::Trailing));
}

#[test]
fn other_versions_and_decisions_are_refused() {
    let mut payload = encoded(&full_record(), 3);
    payload[0] = 3;
    assert_eq!(decode(&payload), Err(DecodeError::Version));
    payload[0] = ONE;
    payload[17] = 2;
    assert_eq!(decode(&payload), Err(DecodeError::Decision));
}

#[test]
fn only_a_record_of_many_checks_says_how_many() {
    let one = encoded(&full_record(), 3);
    let two = encoded(&NewRecord { count: 2, ..full_record() }, 3);
    assert_eq!((one[0], two[0], two.len()), (ONE, MANY, one.len() + 1));
    let at = one.iter().zip(&two).skip(1).position(|(one, two)| one != two).unwrap() + 1;
    let mut again = two.clone();
    again[at] = 1;
    assert_eq!(decode(&again), Err(DecodeError::Number), "a second spelling of one check");
    assert_eq!(decode(&two).unwrap().view(0).unwrap().row.count, 2);
}

#[test]
fn texts_that_are_not_utf8_are_refused_when_looked_at() {
    let mut payload = encoded(&full_record(), 3);
    let last = payload.len() - 1;
    payload[last] = 0xff;
    let raw = decode(&payload).unwrap();
    assert_eq!(raw.view(0), Err(DecodeError::Text));
}

#[test]
fn the_longest_record_fits() {
    let long = "x".repeat(10_000);
    let columns = [Some(long.as_str()); COUNT];
    let record = NewRecord {
        rule_version: u32::MAX,
        catalogue_version: u64::MAX,
        alternative: Some(u16::MAX),
        count: u64::MAX,
        ..NewRecord::from_columns(i64::MIN, Decision::Allow, &columns)
    };
    let payload = encoded(&record, u64::MAX);
    assert!(payload.len() <= BYTES_MAX);
    assert_eq!(decode(&payload).unwrap().view(0).unwrap().row, kept(&record));
}

proptest! {
    #[test]
    fn decodes_what_it_encodes(parts in record_parts(), sequence: u64, tag: u16) {
        let record = RecordParts::as_new(&parts);
        let payload = encoded(&record, sequence);
        prop_assert_eq!(time_us(&payload), record.time_us);
        let view = decode(&payload).unwrap().view(tag).unwrap();
        prop_assert_eq!(view.row, kept(&record));
        prop_assert_eq!(view.sequence, sequence);
        prop_assert_eq!(view.id, RecordId::new(record.time_us, tag, sequence));
    }

    #[test]
    fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(raw) = decode(&bytes) {
            let _ = raw.view(0);
        }
    }

    #[test]
    fn never_panics_on_a_changed_payload(parts in record_parts(), at: prop::sample::Index, to: u8) {
        let mut payload = encoded(&parts.as_new(), 1);
        let at = at.index(payload.len());
        payload[at] = to;
        if let Ok(raw) = decode(&payload) {
            let _ = raw.view(0);
        }
    }

    #[test]
    fn numbers_survive(number: u64) {
        let mut buffer = Vec::new();
        put_number(&mut buffer, number);
        let mut rest = Rest(&buffer);
        prop_assert_eq!(rest.number(), Ok(number));
        prop_assert!(rest.0.is_empty());
    }
}
