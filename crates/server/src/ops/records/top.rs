//! Show which credentials, people, endpoints … come up most often in the access log.

use super::filters::{Asked, Filters, refused, unreadable, with_filters};
use super::question::LogQuestion;
use super::span::Span;
use serde::Serialize;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use tegata_record::{AccessLog, TopEntry, TopError, TopOf};
use utoipa::ToSchema;

const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 200;

with_filters! {
    /// Which records, and what is counted. Without `from` and `to`: the last 24 hours.
    #[schema(as = RecordTopParams)]
    pub struct TopParams {
        /// What is counted: `credential`, `principal`, `permission`, `endpoint`, `reason` or `address`.
        #[schema(value_type = TopBy, required = true)]
        pub by: Option<String>,
        /// How many at most: 1 to 200, 10 if not said.
        #[schema(minimum = 1, maximum = 200)]
        pub limit: Option<usize>,
    }
}

/// What can be counted by.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(rename_all = "snake_case", as = RecordTopBy)]
pub enum TopBy {
    /// The credentials that were shown.
    Credential,
    /// Those who called.
    Principal,
    /// The permissions that decided.
    Permission,
    /// The endpoints that were called.
    Endpoint,
    /// Why.
    Reason,
    /// Where calls came from.
    Address,
}

/// What comes up most often.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordTop)]
pub struct TopView {
    /// What was counted.
    pub by: String,
    /// Where the span begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// The values, the most frequent first.
    pub items: Vec<TopEntryView>,
}

/// One value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordTopEntry)]
pub struct TopEntryView {
    /// The value; none for records that have none.
    pub value: Option<String>,
    /// How many records say `allow`.
    pub allowed: u64,
    /// How many say `deny`.
    pub denied: u64,
}

impl From<TopEntry> for TopEntryView {
    fn from(entry: TopEntry) -> Self {
        Self { value: entry.value, allowed: entry.allowed, denied: entry.denied }
    }
}

impl TopBy {
    const ALL: [Self; 6] =
        [Self::Credential, Self::Principal, Self::Permission, Self::Endpoint, Self::Reason, Self::Address];

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == text)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Principal => "principal",
            Self::Permission => "permission",
            Self::Endpoint => "endpoint",
            Self::Reason => "reason",
            Self::Address => "address",
        }
    }

    const fn column(self) -> TopOf {
        match self {
            Self::Credential => TopOf::Credential,
            Self::Principal => TopOf::Principal,
            Self::Permission => TopOf::Permission,
            Self::Endpoint => TopOf::Endpoint,
            Self::Reason => TopOf::Reason,
            Self::Address => TopOf::Address,
        }
    }
}

/// Show what comes up most often.
#[derive(Debug, Clone)]
pub struct TopRecords {
    /// The organization.
    pub org: String,
    /// Which, and of what.
    pub params: TopParams,
    /// The moment of the question.
    pub now: Timestamp,
}

/// The question, made ready.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    span: Span,
    by: TopBy,
    limit: usize,
}

impl LogQuestion for TopRecords {
    const OPERATION: &'static Operation = operations::RECORD_TOP;
    type Output = TopView;
    type Ready = Ready;

    fn org(&self) -> &str {
        &self.org
    }

    fn filters(&self) -> Filters {
        let filters = self.params.filters();
        match Span::read(filters.from.as_deref(), filters.to.as_deref(), self.now) {
            Ok(span) => span.narrow(filters),
            Err(_) => filters,
        }
    }

    fn read(&self) -> Result<Ready, Problem> {
        let params = &self.params;
        let span = Span::read(params.from.as_deref(), params.to.as_deref(), self.now)?;
        let by = params.by.as_deref().and_then(TopBy::read).ok_or_else(|| {
            let names = "write `credential`, `principal`, `permission`, `endpoint`, `reason` or `address`";
            refused(Code::InvalidParameter, "by", names)
        })?;
        let limit = params.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(refused(Code::InvalidParameter, "limit", &format!("write 1 to {LIMIT_MAX}")));
        }
        Ok(Ready { span, by, limit })
    }

    fn answer(log: &AccessLog, asked: &Asked, ready: Ready) -> Result<TopView, Problem> {
        let entries = log.top(&asked.query(), ready.by.column(), ready.limit).map_err(|error| match error {
            TopError::Read(error) => unreadable(&error),
            error @ TopError::TooMany => refused(Code::InvalidParameter, "from", &error.to_string()),
        })?;
        Ok(TopView {
            by: ready.by.as_str().to_owned(),
            from: ready.span.from.to_string(),
            to: ready.span.to.to_string(),
            items: entries.into_iter().map(TopEntryView::from).collect(),
        })
    }
}
