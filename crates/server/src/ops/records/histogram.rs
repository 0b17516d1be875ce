//! Count access records by time and decision, for charts.

use super::filters::{Asked, Filters, refused, unreadable, with_filters};
use super::question::LogQuestion;
use super::span::{Division, Span};
use serde::Serialize;
use std::collections::HashMap;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use tegata_record::{AccessLog, Buckets, HistogramError};
use utoipa::ToSchema;

with_filters! {
    /// Which records, and how they are divided. Without `from` and `to`: the last 24 hours.
    #[schema(as = RecordHistogramParams)]
    pub struct HistogramParams {
        /// The width of a bucket: `90s`, `15m`, `1h` or `1d`. Without it, one that a chart can show.
        pub bucket: Option<String>,
        /// Where days begin, as a distance from UTC: `+09:00`. UTC, if it is left out.
        pub utc_offset: Option<String>,
    }
}

/// Counts by time, without gaps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordHistogram)]
pub struct HistogramView {
    /// Where the span begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// The width of a bucket in seconds.
    pub bucket_seconds: i64,
    /// How many records say `allow`.
    pub allowed: u64,
    /// How many say `deny`.
    pub denied: u64,
    /// The buckets in the order of time, empty ones as well. The first and the last reach beyond the span, which counts
    /// nothing there.
    pub items: Vec<BucketView>,
}

/// One bucket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordBucket)]
pub struct BucketView {
    /// Where it begins.
    pub start: String,
    /// How many records say `allow`.
    pub allowed: u64,
    /// How many say `deny`.
    pub denied: u64,
}

/// Count by time.
#[derive(Debug, Clone)]
pub struct RecordHistogram {
    /// The organization.
    pub org: String,
    /// Which, and how.
    pub params: HistogramParams,
    /// The moment of the question.
    pub now: Timestamp,
}

impl LogQuestion for RecordHistogram {
    const OPERATION: &'static Operation = operations::RECORD_HISTOGRAM;
    type Output = HistogramView;
    type Ready = (Span, Division);

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

    fn read(&self) -> Result<(Span, Division), Problem> {
        let params = &self.params;
        let span = Span::read(params.from.as_deref(), params.to.as_deref(), self.now)?;
        Ok((span, Division::read(params.bucket.as_deref(), params.utc_offset.as_deref(), span)?))
    }

    fn answer(log: &AccessLog, asked: &Asked, (span, division): (Span, Division)) -> Result<HistogramView, Problem> {
        let buckets = Buckets { origin_us: division.origin_us, width_us: division.width_us };
        let counted = log.histogram(&asked.query(), buckets).map_err(|error| match error {
            HistogramError::Read(error) => unreadable(&error),
            error => refused(Code::InvalidParameter, "bucket", &error.to_string()),
        })?;
        let counted: HashMap<i64, [u64; 2]> =
            counted.into_iter().map(|bucket| (bucket.start_us, [bucket.allowed, bucket.denied])).collect();
        let mut view = HistogramView {
            from: span.from.to_string(),
            to: span.to.to_string(),
            bucket_seconds: division.width_us / 1_000_000,
            allowed: 0,
            denied: 0,
            items: Vec::new(),
        };
        let mut start_us = division.start_us(span.from.as_micros());
        while start_us < span.to.as_micros() {
            let [allowed, denied] = counted.get(&start_us).copied().unwrap_or_default();
            view.allowed += allowed;
            view.denied += denied;
            view.items.push(BucketView { start: Timestamp::from_micros(start_us).to_string(), allowed, denied });
            start_us = start_us.saturating_add(division.width_us);
        }
        Ok(view)
    }
}
