//! List access records of an organization, newest first.

use super::filters::{ask, refused, unreadable, with_filters};
use super::view::RecordView;
use crate::db::Tx;
use crate::ops::page::LIMIT_DEFAULT;
use crate::ops::{Act, Page, PageRequest, Query};
use std::sync::Arc;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_record::Cursor;

with_filters! {
    /// Which records.
    #[schema(as = RecordListParams)]
    pub struct ListParams {
        /// How many at most: 1 to 200, 50 if not said.
        #[schema(minimum = 1, maximum = 200)]
        pub limit: Option<i64>,
        /// Where to go on: the `next_cursor` of the page before.
        pub cursor: Option<String>,
    }
}

/// List the records.
#[derive(Debug, Clone)]
pub struct ListRecords {
    /// The organization.
    pub org: String,
    /// Which.
    pub params: ListParams,
}

impl Query for ListRecords {
    const OPERATION: &'static Operation = operations::RECORD_LIST;
    type Output = Page<RecordView>;

    async fn answer(&self, act: &mut Act<'_, Tx>) -> Result<Page<RecordView>, Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let page = PageRequest { limit: self.params.limit, cursor: None };
        let limit = usize::try_from(page.limit()?).unwrap_or(usize::try_from(LIMIT_DEFAULT).unwrap_or(1));
        let cursor = self.params.cursor.as_deref().map(read_cursor).transpose()?;
        let asked = ask(act, org, &self.params.filters()).await?;
        let journal = Arc::clone(act.app.verify.journal());
        let read = tokio::task::spawn_blocking(move || journal.page(&asked.query(), cursor, limit)).await;
        let read = read.map_err(|_| Problem::internal())?.map_err(|error| unreadable(&error))?;
        Ok(Page {
            items: read.records.into_iter().map(RecordView::from).collect(),
            next_cursor: read.next_cursor.map(|cursor| cursor.to_string()),
        })
    }
}

fn read_cursor(text: &str) -> Result<Cursor, Problem> {
    let message = "send back a `next_cursor` as it was given, or none to begin anew";
    text.parse().map_err(|_| refused(Code::MalformedCursor, "cursor", message))
}
