//! A filter says the same of a record wherever it lies.

use super::*;
use crate::codec;
use crate::columns::batch::BatchBuilder;
use crate::query::{Query, Scope};
use crate::record::{Decision, NewRecord};
use proptest::prelude::*;

const TEXTS: [&str; 6] = ["", "a", "A", "ab", "é", "/a/b"];

fn text() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(&TEXTS[..]))
}

prop_compose! {
    fn row()(
        time_us in 0..4_i64,
        texts in prop::collection::vec(text(), 6),
        alternative in prop::option::of(0..2_u16),
        rule_version in 0..2_u32,
        catalogue_version in 0..2_u64,
        allow: bool,
    ) -> NewRecord<'static> {
        let decision = if allow { Decision::Allow } else { Decision::Deny };
        NewRecord {
            organization: texts[0], credential: texts[1], principal: texts[2], path: texts[3], user_agent: texts[4],
            address: texts[5], alternative, rule_version, catalogue_version,
            ..NewRecord::new(time_us, decision, "granted")
        }
    }
}

prop_compose! {
    fn query()(
        window in (prop::option::of(0..4_i64), prop::option::of(0..4_i64)),
        texts in prop::collection::vec(prop::option::weighted(0.2, prop::sample::select(&TEXTS[..])), 7),
        numbers in (prop::option::weighted(0.2, 0..2_u16), prop::option::weighted(0.2, 0..2_u32), prop::option::weighted(0.2, 0..2_u64)),
        decision in prop::option::weighted(0.2, prop::sample::select(vec![Decision::Allow, Decision::Deny])),
    ) -> Query<'static> {
        let scope = texts[0].map_or(Scope::Installation, Scope::Organization);
        Query {
            from_us: window.0, to_us: window.1, credential: texts[1], principal: texts[2], path_prefix: texts[3],
            user_agent: texts[4], address: texts[5], text: texts[6], alternative: numbers.0, rule_version: numbers.1,
            catalogue_version: numbers.2, decision, ..Query::new(scope)
        }
    }
}

proptest! {
    #[test]
    fn journal_and_columns_agree(rows in prop::collection::vec(row(), 1..12), query in query(), first in 1..12_u64) {
        let filter = Filter::new(&query);
        // A file holds one organization.
        let organization = rows[0].organization;
        let rows: Vec<NewRecord<'_>> = rows.into_iter().map(|row| NewRecord { organization, ..row }).collect();
        let mut builder = BatchBuilder::with_capacity(rows.len());
        let mut expected = Vec::new();
        for (row, sequence) in rows.iter().zip(1..) {
            let mut payload = Vec::new();
            codec::encode(row, &mut payload);
            codec::set_sequence(&mut payload, sequence);
            let raw = codec::decode(&payload).unwrap();
            builder.push(&raw.view(7).unwrap());
            expected.push(sequence >= first && filter.matches(&raw));
        }
        let batch = builder.finish().unwrap();
        let times = rows.iter().map(|row| row.time_us);
        let bounds = (times.clone().min().unwrap(), times.max().unwrap());
        let wanted = Wanted { filter, sequences: first..=u64::MAX };
        let sequences = (1, rows.len() as u64);
        let predicate = Predicate::new(wanted.clone(), bounds, sequences, organization);
        let hits = predicate.hits(&batch).unwrap();
        prop_assert_eq!(hits.values().iter().collect::<Vec<_>>(), expected.clone());
        prop_assert!(wanted.may_be_within(bounds, sequences) || !expected.contains(&true));
        if predicate.fields().is_empty() {
            prop_assert!(!expected.contains(&false), "nothing to look at, so everything is a hit");
        }
        let fields: Vec<usize> = predicate.fields().iter().map(|field| field.position()).collect();
        prop_assert_eq!(predicate.hits(&batch.project(&fields).unwrap()).unwrap(), hits);
    }
}
