//! Records for tests: one with every column, many alike, and any at all.

use crate::id::RecordId;
use crate::record::{Decision, NewRecord, Record, RecordView};
use proptest::prelude::*;

pub(crate) const T0: i64 = 1_700_000_000_123_456;

pub(crate) fn full_record() -> NewRecord<'static> {
    NewRecord {
        time_us: T0,
        api: Some("github"),
        organization: Some("org_a"),
        alternative: Some(1),
        permission: Some("issues:read"),
        context_id: Some("ctx_1"),
        level: Some("read"),
        decision: Decision::Allow,
        reason: "granted",
        credential: Some("tok_1"),
        kind: Some("personal_token"),
        principal: Some("usr_1"),
        acted_for: Some("usr_2"),
        method: Some("GET"),
        endpoint: Some("/repos/{owner}/{repo}/issues"),
        path: Some("/repos/octo/hello/issues"),
        address: Some("203.0.113.9"),
        user_agent: Some("curl/8"),
        request_id: Some("req-1"),
        rule_version: 1,
        catalogue_version: 12,
        count: 1,
    }
}

/// The record as the first of a journal.
pub(crate) fn written(row: &NewRecord<'_>) -> Record {
    RecordView { id: RecordId::new(row.time_us, 7, 1), sequence: 1, row: *row }.to_record()
}

/// What a generated record borrows from.
#[derive(Debug, Clone)]
pub(crate) struct RecordParts {
    time_us: i64,
    allow: bool,
    reason: String,
    alternative: Option<u16>,
    versions: (u32, u64),
    count: u64,
    texts: Vec<Option<String>>,
}

impl RecordParts {
    pub(crate) fn as_new(&self) -> NewRecord<'_> {
        let text = |at: usize| self.texts.get(at).and_then(Option::as_deref);
        NewRecord {
            time_us: self.time_us,
            api: text(0),
            organization: text(1),
            alternative: self.alternative,
            permission: text(2),
            context_id: text(3),
            level: text(4),
            decision: if self.allow { Decision::Allow } else { Decision::Deny },
            reason: &self.reason,
            credential: text(5),
            kind: text(6),
            principal: text(7),
            acted_for: text(8),
            method: text(9),
            endpoint: text(10),
            path: text(11),
            address: text(12),
            user_agent: text(13),
            request_id: text(14),
            rule_version: self.versions.0,
            catalogue_version: self.versions.1,
            count: self.count,
        }
    }
}

pub(crate) fn record_parts() -> impl Strategy<Value = RecordParts> {
    let text = prop::option::of(prop_oneof![4 => ".{0,40}", 1 => ".{100,300}"]);
    let count = prop_oneof![3 => Just(1_u64), 1 => any::<u64>()];
    let numbers = (any::<Option<u16>>(), any::<(u32, u64)>(), count);
    (any::<i64>(), any::<bool>(), ".{0,20}", numbers, prop::collection::vec(text, 15)).prop_map(
        |(time_us, allow, reason, (alternative, versions, count), texts)| RecordParts {
            time_us,
            allow,
            reason,
            alternative,
            versions,
            count,
            texts,
        },
    )
}
