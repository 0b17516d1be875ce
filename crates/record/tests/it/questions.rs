//! Counts by time and by value.

use crate::columns::{all, fill, open, options};
use crate::support::{ALL, DAY_US, T0, directory};
use std::collections::BTreeMap;
use tegata_record::{AccessLog, Bucket, Buckets, Decision, HistogramError, Query, Record, Scope, TopEntry, TopOf};

const NOW: i64 = T0 + 10 * DAY_US;

/// The log with its records in the journal, half and half, and in columns.
fn everywhere(test: impl Fn(&AccessLog)) {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 150);
    test(&log);
    log.settle(T0).unwrap();
    test(&log);
    log.close_segment().unwrap();
    log.settle(NOW).unwrap();
    test(&log);
}

fn expected(records: &[Record], width_us: i64) -> Vec<Bucket> {
    let mut counts: BTreeMap<i64, [u64; 2]> = BTreeMap::new();
    for record in records {
        let start = record.time_us.div_euclid(width_us) * width_us;
        counts.entry(start).or_default()[usize::from(record.decision == Decision::Deny)] += 1;
    }
    counts.into_iter().map(|(start_us, [allowed, denied])| Bucket { start_us, allowed, denied }).collect()
}

#[test]
fn a_histogram_counts_every_record_once() {
    everywhere(|log| {
        for width_us in [60_000_000, 3_600_000_000, DAY_US, 7 * DAY_US] {
            let buckets = Buckets { origin_us: 0, width_us };
            for query in [
                Query::new(ALL),
                Query::new(Scope::Organization("org_b")),
                Query { credential: Some("tok_2"), ..Query::new(ALL) },
                Query { decision: Some(Decision::Deny), ..Query::new(Scope::Organization("org_a")) },
                Query { decision: Some(Decision::Allow), ..Query::new(ALL) },
                Query {
                    from_us: Some(T0 + DAY_US / 3),
                    to_us: Some(T0 + DAY_US),
                    ..Query::new(Scope::Organization("org_a"))
                },
            ] {
                let records: Vec<Record> =
                    log.stream(&query, tegata_record::Order::OldestFirst).map(Result::unwrap).collect();
                assert_eq!(log.histogram(&query, buckets).unwrap(), expected(&records, width_us), "{query:?}");
            }
        }
    });
}

#[test]
fn a_histogram_has_bounds() {
    everywhere(|log| {
        let narrow = Buckets { origin_us: 0, width_us: 999_999 };
        assert!(matches!(log.histogram(&Query::new(ALL), narrow), Err(HistogramError::Narrow)));
        let far = Buckets { origin_us: i64::MIN, width_us: i64::MAX };
        assert_eq!(log.histogram(&Query::new(ALL), far).unwrap().iter().map(|bucket| bucket.allowed).sum::<u64>(), 125);
    });
}

#[test]
fn the_most_frequent_come_first() {
    everywhere(|log| {
        let top = log.top(&Query::new(ALL), TopOf::Principal, 2).unwrap();
        let entry = |value: &str, allowed, denied| TopEntry { value: Some(value.to_owned()), allowed, denied };
        assert_eq!(top, [entry("usr_0", 25, 25), entry("usr_1", 50, 0)]);
        let own = Query { decision: Some(Decision::Deny), ..Query::new(Scope::Organization("org_a")) };
        assert_eq!(log.top(&own, TopOf::Reason, 9).unwrap(), [entry("revoked", 0, 13)]);
        assert_eq!(log.top(&Query::new(Scope::Organization("none")), TopOf::Address, 9).unwrap(), []);
        for of in [TopOf::Credential, TopOf::Permission, TopOf::Endpoint, TopOf::Address] {
            let sum: u64 = log.top(&Query::new(ALL), of, 9).unwrap().iter().map(|top| top.allowed + top.denied).sum();
            assert_eq!(sum, all(log).len() as u64, "{of:?}");
        }
    });
}
