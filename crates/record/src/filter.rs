//! A query made ready to be held against rows that are still bytes, and to pass over blocks that cannot contain any.
//!
//! The scope becomes a test like any other and is the first of them, so that no path through this file leaves it out.

use crate::codec::RawRecord;
use crate::column::Column;
use crate::query::{Query, Scope};
use crate::record::Decision;

#[derive(Debug, Clone)]
pub(crate) struct Filter {
    from_us: i64,
    to_us: Option<i64>,
    decision: Option<Decision>,
    numbers: [Option<u64>; Number::ALL.len()],
    tests: Vec<(Column, Test)>,
    text: Option<FreeText>,
}

/// What a text has to be.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Equal(Box<str>),
    Prefix(Box<str>),
}

/// A column that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Alternative,
    RuleVersion,
    CatalogueVersion,
}

impl Number {
    pub(crate) const ALL: [Self; 3] = [Self::Alternative, Self::RuleVersion, Self::CatalogueVersion];
}

/// A text that is looked for anywhere within others, small and capital letters of ASCII alike.
#[derive(Debug, Clone)]
pub(crate) struct FreeText(Box<[u8]>);

impl FreeText {
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        text.windows(self.0.len()).any(|part| part.eq_ignore_ascii_case(&self.0))
    }
}

impl Filter {
    pub(crate) fn new(query: &Query<'_>) -> Self {
        let mut tests = scope_tests(query.scope);
        let equal = [
            (Column::Credential, query.credential),
            (Column::RequestId, query.request_id),
            (Column::Principal, query.principal),
            (Column::ActedFor, query.acted_for),
            (Column::Address, query.address),
            (Column::Permission, query.permission),
            (Column::ContextId, query.context_id),
            (Column::Endpoint, query.endpoint),
            (Column::Reason, query.reason),
            (Column::Api, query.api),
            (Column::Kind, query.kind),
            (Column::Level, query.level),
            (Column::Method, query.method),
            (Column::UserAgent, query.user_agent),
        ];
        for (column, text) in equal {
            // What was cut when it was written is found by its whole text, too.
            tests.extend(text.map(|text| (column, Test::Equal(column.keep(text).into()))));
        }
        let prefix = query.path_prefix.filter(|prefix| !prefix.is_empty());
        tests.extend(prefix.map(|prefix| (Column::Path, Test::Prefix(Column::Path.keep(prefix).into()))));
        let text = query.text.filter(|text| !text.is_empty());
        Self {
            from_us: query.from_us.unwrap_or(i64::MIN),
            to_us: query.to_us,
            decision: query.decision,
            numbers: [query.alternative.map(u64::from), query.rule_version.map(u64::from), query.catalogue_version],
            tests,
            text: text.map(|text| FreeText(text.as_bytes().into())),
        }
    }

    /// The filter that leaves only the scope.
    pub(crate) fn scope_only(scope: Scope<'_>) -> Self {
        let numbers = [None; Number::ALL.len()];
        Self { from_us: i64::MIN, to_us: None, decision: None, numbers, tests: scope_tests(scope), text: None }
    }

    /// Whether rows between these two times can pass.
    pub(crate) fn may_match(&self, time_us_min: i64, time_us_max: i64) -> bool {
        time_us_max >= self.from_us && self.to_us.is_none_or(|to_us| time_us_min < to_us)
    }

    pub(crate) fn matches(&self, row: &RawRecord<'_>) -> bool {
        self.may_match(row.time_us, row.time_us)
            && self.decision.is_none_or(|decision| decision == row.decision)
            && self.numbers().all(|(number, wanted)| row.number(number) == Some(wanted))
            && self.tests.iter().all(|(column, test)| row.column(*column).is_some_and(|text| test.passes(text)))
            && self.text.as_ref().is_none_or(|text| {
                let within = |column| row.column(column).is_some_and(|value| text.is_in(value));
                within(Column::Path) || within(Column::Principal)
            })
    }

    pub(crate) fn passes_time(&self, time_us: i64) -> bool {
        self.may_match(time_us, time_us)
    }

    /// Narrows the times that pass.
    pub(crate) fn narrow(&mut self, from_us: Option<i64>, to_us: Option<i64>) {
        self.from_us = from_us.map_or(self.from_us, |from_us| from_us.max(self.from_us));
        self.to_us = to_us.map(|to_us| self.to_us.map_or(to_us, |own| own.min(to_us))).or(self.to_us);
    }

    /// Adds a test that a text has to pass, too.
    pub(crate) fn require(&mut self, column: Column, text: &str) {
        self.tests.push((column, Test::Equal(text.into())));
    }

    /// The organization whose records alone can pass, if it is one.
    pub(crate) fn organization(&self) -> Option<&str> {
        self.tests.iter().find_map(|(column, test)| match test {
            Test::Equal(id) if *column == Column::Organization => Some(&**id),
            _ => None,
        })
    }

    pub(crate) fn decision(&self) -> Option<Decision> {
        self.decision
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = (Number, u64)> {
        Number::ALL.into_iter().zip(self.numbers).filter_map(|(number, wanted)| Some((number, wanted?)))
    }

    pub(crate) fn tests(&self) -> &[(Column, Test)] {
        &self.tests
    }

    pub(crate) fn text(&self) -> Option<&FreeText> {
        self.text.as_ref()
    }
}

fn scope_tests(scope: Scope<'_>) -> Vec<(Column, Test)> {
    match scope {
        // Not cut to the column's limit: two organizations must never look alike.
        Scope::Organization(id) => vec![(Column::Organization, Test::Equal(id.into()))],
        Scope::Installation => Vec::new(),
    }
}

impl Test {
    pub(crate) fn passes(&self, text: &[u8]) -> bool {
        match self {
            Self::Equal(wanted) => text == wanted.as_bytes(),
            Self::Prefix(wanted) => text.starts_with(wanted.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;
    use crate::record::NewRecord;
    use crate::testing::{T0, full_record};

    fn passes(query: &Query<'_>, record: &NewRecord<'_>) -> bool {
        let mut payload = Vec::new();
        codec::encode(record, &mut payload);
        Filter::new(query).matches(&codec::decode(&payload).unwrap())
    }

    const ALL: Scope<'_> = Scope::Installation;

    #[test]
    fn an_organization_sees_its_own_rows_only() {
        let own = Query::new(Scope::Organization("org_a"));
        assert!(passes(&own, &full_record()));
        for organization in [None, Some(""), Some("org_"), Some("org_ab"), Some("ORG_A")] {
            let record = NewRecord { organization, ..full_record() };
            assert!(!passes(&own, &record), "{organization:?}");
            assert!(passes(&Query::new(ALL), &record));
        }
        assert!(!passes(&Query::new(Scope::Organization("")), &NewRecord { organization: None, ..full_record() }));
    }

    type Set = fn(&mut Query<'static>, &'static str);

    #[test]
    fn every_text_filter_filters() {
        let cases: [(Set, &str, &str); 21] = [
            (|query, text| query.api = Some(text), "github", "space"),
            (|query, text| query.credential = Some(text), "tok_1", "tok_2"),
            (|query, text| query.kind = Some(text), "personal_token", "access_key"),
            (|query, text| query.principal = Some(text), "usr_1", "usr_2"),
            (|query, text| query.acted_for = Some(text), "usr_2", "usr_1"),
            (|query, text| query.permission = Some(text), "issues:read", "issues"),
            (|query, text| query.context_id = Some(text), "ctx_1", "ctx_"),
            (|query, text| query.level = Some(text), "read", "write"),
            (|query, text| query.reason = Some(text), "granted", "revoked"),
            (|query, text| query.method = Some(text), "GET", "POST"),
            (|query, text| query.path_prefix = Some(text), "/repos/octo", "/repos/x"),
            (|query, text| query.endpoint = Some(text), "/repos/{owner}/{repo}/issues", "/"),
            (|query, text| query.address = Some(text), "203.0.113.9", "203.0.113.99"),
            (|query, text| query.request_id = Some(text), "req-1", "req-11"),
            (|query, text| query.decision = Decision::parse(text), "allow", "deny"),
            (|query, text| query.user_agent = Some(text), "curl/8", "curl"),
            (|query, text| query.text = Some(text), "HELLO", "hello!"),
            (|query, text| query.text = Some(text), "sr_1", "tok_1"),
            (|query, text| query.alternative = text.parse().ok(), "1", "0"),
            (|query, text| query.rule_version = text.parse().ok(), "1", "2"),
            (|query, text| query.catalogue_version = text.parse().ok(), "12", "1"),
        ];
        for (set, here, elsewhere) in cases {
            let mut query = Query::new(ALL);
            set(&mut query, here);
            assert!(passes(&query, &full_record()), "{here}");
            set(&mut query, elsewhere);
            assert!(!passes(&query, &full_record()), "{elsewhere}");
        }
    }

    #[test]
    fn a_window_begins_with_its_first_moment_and_ends_before_its_last() {
        let window = |from_us, to_us| Query { from_us, to_us, ..Query::new(ALL) };
        for (from_us, to_us, expected) in
            [(Some(T0), None, true), (Some(T0 + 1), None, false), (None, Some(T0 + 1), true), (None, Some(T0), false)]
        {
            assert_eq!(passes(&window(from_us, to_us), &full_record()), expected);
        }
    }

    #[test]
    fn what_was_cut_is_found_by_its_whole_text() {
        let long = "r".repeat(500);
        let record = NewRecord { request_id: Some(&long), ..full_record() };
        assert!(passes(&Query { request_id: Some(&long), ..Query::new(ALL) }, &record));
    }

    #[test]
    fn an_empty_prefix_filters_nothing() {
        let record = NewRecord { path: None, ..full_record() };
        assert!(passes(&Query { path_prefix: Some(""), ..Query::new(ALL) }, &record));
    }

    #[test]
    fn blocks_outside_the_window_are_passed_over() {
        let filter = Filter::new(&Query { from_us: Some(10), to_us: Some(20), ..Query::new(ALL) });
        assert!(filter.may_match(0, 10) && filter.may_match(19, 30) && filter.may_match(0, 30));
        assert!(!filter.may_match(0, 9) && !filter.may_match(20, 30));
    }
}
