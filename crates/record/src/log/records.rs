//! A stream of records out of journal and columns.

use crate::columns::merge::Merge;
use crate::engine::Engine;
use crate::journal::{ReadError, Scan};
use crate::log::View;
use crate::query::Order;
use crate::record::Record;
use std::collections::VecDeque;
use std::sync::Arc;

const RECORDS_PER_STEP: usize = 4 << 10;

/// Records one by one. Ends after an error.
#[derive(Debug)]
pub struct Records {
    engine: Arc<Engine>,
    order: Order,
    journal: Option<Box<Scan>>,
    columns: Option<Box<Merge>>,
    ready: VecDeque<Record>,
    failed: Option<ReadError>,
    /// What is read stays there while it is held.
    _view: Option<View>,
}

impl Records {
    pub(crate) fn new(engine: Arc<Engine>, order: Order, journal: Scan, columns: Merge, view: View) -> Self {
        let (journal, columns) = (Some(Box::new(journal)), Some(Box::new(columns)));
        Self { engine, order, journal, columns, ready: VecDeque::new(), failed: None, _view: Some(view) }
    }

    /// A stream that yields an error and ends.
    pub(crate) fn failed(engine: Arc<Engine>, error: ReadError) -> Self {
        let (order, ready) = (Order::OldestFirst, VecDeque::new());
        Self { engine, order, journal: None, columns: None, ready, failed: Some(error), _view: None }
    }

    fn next_of_journal(&mut self) -> Result<Option<Record>, ReadError> {
        let Some(scan) = &mut self.journal else {
            return Ok(None);
        };
        let next = scan.next_view()?.map(|view| view.to_record());
        if next.is_none() {
            self.journal = None;
        }
        Ok(next)
    }

    fn next_of_columns(&mut self) -> Result<Option<Record>, ReadError> {
        if self.ready.is_empty()
            && let Some(mut merge) = self.columns.take()
        {
            let (merge, records) = self.engine.run(async move {
                let records = merge.next(RECORDS_PER_STEP).await;
                (merge, records)
            })?;
            self.ready = records?.into();
            if !self.ready.is_empty() {
                self.columns = Some(merge);
            }
        }
        Ok(self.ready.pop_front())
    }

    fn step(&mut self) -> Result<Option<Record>, ReadError> {
        // What is in columns is older than all that is in the journal.
        let first = match self.order {
            Order::NewestFirst => self.next_of_journal()?,
            Order::OldestFirst => self.next_of_columns()?,
        };
        match (first, self.order) {
            (Some(record), _) => Ok(Some(record)),
            (None, Order::NewestFirst) => self.next_of_columns(),
            (None, Order::OldestFirst) => self.next_of_journal(),
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        let next = self.step();
        if next.is_err() {
            (self.journal, self.columns) = (None, None);
            self.ready.clear();
        }
        next.transpose()
    }
}
