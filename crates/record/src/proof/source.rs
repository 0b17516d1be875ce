//! Where records come from. Signing and checking read them through these two traits, whatever keeps them.

use crate::filter::Filter;
use crate::journal::Journal;
use crate::journal::scan::Scan;
use crate::query::{Order, Query, Scope};
use crate::record::{Record, RecordView};
use crate::time::{self, DAY_US};
use std::collections::BTreeSet;
use std::error::Error;

/// Why records could not be read, as their store says it.
pub type SourceError = Box<dyn Error + Send + Sync>;

/// A journal as the signer sees it: what was appended, in the order of its sequences.
pub trait Source {
    /// The tag of the journal.
    fn tag(&self) -> u16;

    /// The newest sequence that may be signed: no failure that the store survives takes it or one before it back.
    fn settled(&self) -> u64;

    /// Shows each record with a sequence above `after` and up to `last`, in order.
    fn visit(&self, after: u64, last: u64, each: &mut dyn FnMut(&RecordView<'_>)) -> Result<(), SourceError>;
}

/// The records of an organization and day, one by one in the order of their sequences.
pub type DayRecords<'a> = Box<dyn Iterator<Item = Result<Record, SourceError>> + 'a>;

/// A store as a verifier sees it: days of an organization.
pub trait Days {
    /// The days (UTC, counted from 1970) of which there are records, in any order.
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError>;

    /// The records of a day.
    fn records(&self, organization: Option<&str>, day: i64) -> Result<DayRecords<'_>, SourceError>;
}

impl Source for Journal {
    fn tag(&self) -> u16 {
        self.shared.tag
    }

    fn settled(&self) -> u64 {
        self.settled_sequence()
    }

    fn visit(&self, after: u64, last: u64, each: &mut dyn FnMut(&RecordView<'_>)) -> Result<(), SourceError> {
        let everything = Filter::scope_only(Scope::Installation);
        let scan = Scan::new(&self.shared, everything, Order::OldestFirst, after, Some(last.saturating_add(1)));
        Ok(scan.each(each)?)
    }
}

impl Days for Journal {
    fn days(&self, organization: Option<&str>) -> Result<Vec<i64>, SourceError> {
        let own = Filter::scope_only(scope(organization));
        let mut days = BTreeSet::new();
        Scan::new(&self.shared, own, Order::OldestFirst, 0, None).each(|view| {
            if view.row.organization == organization {
                days.insert(time::day(view.row.time_us));
            }
        })?;
        Ok(days.into_iter().collect())
    }

    fn records(&self, organization: Option<&str>, day: i64) -> Result<DayRecords<'_>, SourceError> {
        let from_us = day.checked_mul(DAY_US);
        let to_us = day.checked_add(1).and_then(|day| day.checked_mul(DAY_US));
        let query = Query { from_us, to_us, ..Query::new(scope(organization)) };
        let organization = organization.map(str::to_owned);
        let records = self.stream(&query, Order::OldestFirst).map(|record| record.map_err(SourceError::from));
        Ok(Box::new(records.filter(move |record| match record {
            Ok(record) => record.organization == organization && time::day(record.time_us) == day,
            Err(_) => true,
        })))
    }
}

fn scope(organization: Option<&str>) -> Scope<'_> {
    organization.map_or(Scope::Installation, Scope::Organization)
}
