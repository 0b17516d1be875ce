//! Pages, cursors, scopes, streams, counts, ids.

use crate::support::{ALL, DAY_US, T0, directory, fill, open_clean, options, record, sequences, small};
use tegata_record::{Cursor, Decision, Journal, NewRecord, Order, Page, Query, RecordId, Scope};

/// Row `number` belongs to `org_a`, `org_b` or nobody, in turns, and to one of 10 credentials.
fn mixed(journal: &Journal, rows: i64) {
    for number in 0..rows {
        let credential = format!("tok_{}", number % 10);
        let organization = [Some("org_a"), Some("org_b"), None][usize::try_from(number % 3).unwrap()];
        let decision = if number % 2 == 0 { Decision::Allow } else { Decision::Deny };
        let row = NewRecord { organization, credential: Some(&credential), decision, ..record(T0 + number) };
        journal.append(&row).unwrap();
    }
}

fn pages(journal: &Journal, query: &Query<'_>, limit: usize) -> Vec<Page> {
    let mut pages = vec![journal.page(query, None, limit).unwrap()];
    while let Some(cursor) = pages.last().unwrap().next_cursor {
        pages.push(journal.page(query, Some(cursor), limit).unwrap());
    }
    pages
}

fn shown(pages: &[Page]) -> Vec<u64> {
    pages.iter().flat_map(|page| page.records.iter().map(|record| record.sequence)).collect()
}

#[test]
fn pages_show_everything_once_newest_first() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    mixed(&journal, 1_000);
    let expected: Vec<u64> = (1..=1_000).rev().collect();
    for limit in [1, 7, 256, 999, 1_000, 5_000] {
        let pages = pages(&journal, &Query::new(ALL), limit);
        assert_eq!(shown(&pages), expected, "{limit}");
        assert_eq!(pages.len(), 1_000_usize.div_ceil(limit), "no empty page at the end");
    }
}

#[test]
fn cursors_stand_still_while_records_arrive() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, 100);
    let first = journal.page(&Query::new(ALL), None, 10).unwrap();
    fill(&journal, 50);
    let cursor: Cursor = first.next_cursor.unwrap().to_string().parse().unwrap();
    let second = journal.page(&Query::new(ALL), Some(cursor), 10).unwrap();
    assert_eq!(shown(&[first, second]), (81..=100).rev().collect::<Vec<_>>());
}

#[test]
fn a_page_of_an_organization_shows_only_its_own() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    mixed(&journal, 300);
    for (organization, remainder) in [("org_a", 1), ("org_b", 2)] {
        let query = Query::new(Scope::Organization(organization));
        let shown = shown(&pages(&journal, &query, 7));
        assert_eq!(shown, (1..=300).rev().filter(|sequence| sequence % 3 == remainder).collect::<Vec<_>>());
        assert_eq!(journal.count(&query).unwrap(), 100);
    }
    for stranger in ["org_c", "", "org"] {
        let query = Query::new(Scope::Organization(stranger));
        assert_eq!(journal.count(&query).unwrap(), 0);
        assert_eq!(journal.stream(&query, Order::OldestFirst).count(), 0);
        assert_eq!(journal.page(&query, None, 10).unwrap(), Page { records: vec![], next_cursor: None });
    }
}

#[test]
fn filters_work_together() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    mixed(&journal, 3_000);
    let query = Query {
        credential: Some("tok_4"),
        decision: Some(Decision::Allow),
        from_us: Some(T0 + 1_000),
        to_us: Some(T0 + 2_000),
        ..Query::new(Scope::Organization("org_b"))
    };
    let expected: Vec<u64> = (1_000..2_000_u64)
        .filter(|number| number % 3 == 1 && number % 10 == 4 && number % 2 == 0)
        .map(|number| number + 1)
        .collect();
    let streamed: Vec<u64> =
        journal.stream(&query, Order::OldestFirst).map(|record| record.unwrap().sequence).collect();
    assert_eq!(streamed, expected);
    assert_eq!(journal.count(&query).unwrap(), expected.len() as u64);
    assert_eq!(shown(&pages(&journal, &query, 3)), expected.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn streams_go_both_ways_and_go_on() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 700);
    let query = Query { after_sequence: Some(300), ..Query::new(ALL) };
    let seen = |order| journal.stream(&query, order).map(|record| record.unwrap().sequence).collect::<Vec<_>>();
    assert_eq!(seen(Order::OldestFirst), (301..=700).collect::<Vec<_>>());
    assert_eq!(seen(Order::NewestFirst), (301..=700).rev().collect::<Vec<_>>());
    let query = Query { after_sequence: Some(u64::MAX), ..query };
    assert_eq!(journal.count(&query).unwrap(), 0);
}

#[test]
fn a_stream_ends_where_the_journal_ended_when_it_began() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    fill(&journal, 20);
    let stream = journal.stream(&Query::new(ALL), Order::OldestFirst);
    fill(&journal, 500);
    assert_eq!(stream.count(), 20);
}

#[test]
fn an_id_leads_to_its_record_within_the_scope() {
    let directory = directory();
    let journal = open_clean(directory.path(), small());
    mixed(&journal, 1_000);
    let records = journal.page(&Query::new(ALL), None, 1_000).unwrap().records;
    for record in records {
        assert_eq!(journal.get(&record.id, ALL).unwrap().as_ref(), Some(&record));
        let own = journal.get(&record.id, Scope::Organization("org_a")).unwrap();
        assert_eq!(own.is_some(), record.organization.as_deref() == Some("org_a"));
    }
}

#[test]
fn ids_that_nobody_gave_out_lead_nowhere() {
    let (mine, other) = (directory(), directory());
    let journal = open_clean(mine.path(), options());
    fill(&journal, 10);
    let elsewhere = Journal::open(other.path(), options(), 1).unwrap().0;
    let other_journal = elsewhere.append(&record(T0)).unwrap();
    assert_eq!(journal.get(&other_journal, ALL).unwrap(), None);
    let again = directory();
    let other_time = open_clean(again.path(), options()).append(&record(T0 + DAY_US)).unwrap();
    assert_eq!(journal.get(&other_time, ALL).unwrap(), None);
    let unwritten = elsewhere_with_same_tag(11);
    assert_eq!(journal.get(&unwritten, ALL).unwrap(), None);
}

/// An id with a sequence that another journal of the same tag has reached.
fn elsewhere_with_same_tag(sequence: i64) -> RecordId {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    fill(&journal, sequence - 1);
    journal.append(&record(T0)).unwrap()
}

#[test]
fn an_empty_journal_answers_everything() {
    let directory = directory();
    let journal = open_clean(directory.path(), options());
    assert!(sequences(&journal).is_empty());
    assert_eq!(journal.page(&Query::new(ALL), None, 10).unwrap().records, []);
    assert_eq!(journal.count(&Query::new(ALL)).unwrap(), 0);
}
