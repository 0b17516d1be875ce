//! Counts by time and decision, for charts. A file that lies within one bucket is counted from what the manifest says
//! of it, and by whole hours from what it says of itself; of the others, two columns are read.

use crate::columns::hours::HOUR_US;
use crate::columns::predicate::{Predicate, Wanted};
use crate::columns::scan::FileScan;
use crate::columns::schema::Field;
use crate::columns::{Columns, ColumnsError, DataFile};
use crate::journal::ReadError;
use crate::log::AccessLog;
use crate::log::ask::wanted;
use crate::query::{Order, Query};
use crate::record::Decision;
use arrow::array::AsArray;
use arrow::datatypes::{TimestampMicrosecondType, UInt64Type};
use arrow::record_batch::RecordBatch;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;
use std::sync::Arc;

const WIDTH_US_MIN: i64 = 1_000_000;
const BUCKETS_MAX: usize = 10_000;

/// How time is divided: buckets of one width, one of which begins at the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// A moment at which a bucket begins, in microseconds since 1970: 0 for whole hours and days, UTC.
    pub origin_us: i64,
    /// The width in microseconds, at least a second.
    pub width_us: i64,
}

/// One bucket that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Where it begins, in microseconds since 1970.
    pub start_us: i64,
    /// How many checks in it were allowed.
    pub allowed: u64,
    /// How many were denied; a summary counts for all that it stands for.
    pub denied: u64,
}

/// Why there is no histogram.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    /// The buckets are narrower than a second.
    #[error("a bucket is at least {WIDTH_US_MIN} microseconds wide")]
    Narrow,
    /// There would be too many of them.
    #[error("there would be more than {BUCKETS_MAX} buckets; make them wider, or the time shorter")]
    TooMany,
    /// Records could not be read.
    #[error("records could not be read")]
    Read(#[from] ReadError),
}

/// Allowed and denied by the number of the bucket.
type Counts = BTreeMap<i64, [u64; 2]>;

impl Buckets {
    /// The number of the bucket that a time lies in.
    fn number(self, time_us: i64) -> i64 {
        let number = (i128::from(time_us) - i128::from(self.origin_us)).div_euclid(i128::from(self.width_us));
        i64::try_from(number).unwrap_or(i64::MAX)
    }

    fn are_whole_hours(self) -> bool {
        self.origin_us % HOUR_US == 0 && self.width_us % HOUR_US == 0
    }

    fn start_us(self, number: i64) -> i64 {
        self.origin_us.saturating_add(number.saturating_mul(self.width_us))
    }
}

impl AccessLog {
    /// How many checks the records that pass stand for, by time and decision; the buckets in the order of time.
    pub fn histogram(&self, query: &Query<'_>, buckets: Buckets) -> Result<Vec<Bucket>, HistogramError> {
        if buckets.width_us < WIDTH_US_MIN {
            return Err(HistogramError::Narrow);
        }
        let view = self.view()?;
        let wanted = wanted(query, None);
        let mut counts = Counts::new();
        let mut scan = self.tail(&view, &wanted, Order::OldestFirst);
        while let Some(record) = scan.next_view()? {
            let allowed = record.row.decision == Decision::Allow;
            let count = counts.entry(buckets.number(record.row.time_us)).or_default();
            let count = &mut count[usize::from(!allowed)];
            *count = count.saturating_add(record.row.count);
            within_bounds(&counts)?;
        }
        let files = Columns::select(&view.manifest, &wanted);
        let (columns, threads) = (Arc::clone(&self.columns), self.engine.threads());
        let in_columns = self.engine.run(async move {
            let tallies = stream::iter(files).map(|file| {
                let (columns, wanted) = (Arc::clone(&columns), wanted.clone());
                tokio::spawn(async move { tally_file(&columns, &file, wanted, buckets).await })
            });
            let mut tallies = tallies.buffer_unordered(threads);
            while let Some(tally) = tallies.next().await {
                for (number, [allowed, denied]) in tally.map_err(|_| ColumnsError::Interrupted)?? {
                    add(&mut counts, number, [allowed, denied]);
                }
                if within_bounds(&counts).is_err() {
                    break;
                }
            }
            Ok::<_, ColumnsError>(counts)
        });
        let counts = in_columns.map_err(ReadError::from)?.map_err(ReadError::from)?;
        within_bounds(&counts)?;
        let bucket = |(number, [allowed, denied]): (i64, [u64; 2])| Bucket {
            start_us: buckets.start_us(number),
            allowed,
            denied,
        };
        Ok(counts.into_iter().map(bucket).collect())
    }
}

fn within_bounds(counts: &Counts) -> Result<(), HistogramError> {
    if counts.len() > BUCKETS_MAX { Err(HistogramError::TooMany) } else { Ok(()) }
}

async fn tally_file(
    columns: &Columns,
    file: &Arc<DataFile>,
    wanted: Wanted,
    buckets: Buckets,
) -> Result<Counts, ColumnsError> {
    let mut counts = Counts::new();
    let (first, last) = (buckets.number(file.time_us_min), buckets.number(file.time_us_max));
    let times = (file.time_us_min, file.time_us_max);
    let sequences = (file.first_sequence, file.last_sequence);
    let predicate = Predicate::new(wanted.clone(), times, sequences, file.organization.as_deref());
    if predicate.fields().iter().all(|field| *field == Field::Decision) {
        let decision = predicate.wanted().filter.decision();
        let asked = |[allowed, denied]: [u64; 2]| match decision {
            None => [allowed, denied],
            Some(Decision::Allow) => [allowed, 0],
            Some(Decision::Deny) => [0, denied],
        };
        if first == last {
            add(&mut counts, first, asked([file.allowed, file.denied]));
            return Ok(counts);
        }
        if buckets.are_whole_hours()
            && let Some(hours) = columns.reader.open(file).await?.hours()
        {
            for (start_us, count) in hours.iter() {
                add(&mut counts, buckets.number(start_us), asked(count));
            }
            return Ok(counts);
        }
    }
    let mut scan = FileScan::start(&columns.reader, file, wanted, Order::OldestFirst).await?;
    while let Some(mut stream) = scan.group_stream(&[Field::Time, Field::Decision, Field::Count]).await? {
        while let Some(batch) = stream.try_next().await.map_err(|error| scan.failed(error))? {
            tally_batch(&batch, buckets, &mut counts);
        }
    }
    Ok(counts)
}

fn tally_batch(batch: &RecordBatch, buckets: Buckets, counts: &mut Counts) {
    let times = batch.column_by_name(Field::Time.name());
    let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let decisions = batch.column_by_name(Field::Decision.name()).and_then(|column| column.as_string_view_opt());
    let checks = batch.column_by_name(Field::Count.name()).and_then(|column| column.as_primitive_opt::<UInt64Type>());
    let (Some(times), Some(decisions), Some(checks)) = (times, decisions, checks) else {
        return;
    };
    // Neighbours mostly share a bucket.
    let (mut number, mut until_us, mut from_us) = (0, i64::MIN, i64::MAX);
    let mut count = [0; 2];
    for (row, (time_us, checks)) in times.values().iter().zip(checks.values()).enumerate() {
        if *time_us < from_us || *time_us >= until_us {
            add(counts, number, count);
            count = [0; 2];
            number = buckets.number(*time_us);
            from_us = buckets.start_us(number);
            until_us = from_us.saturating_add(buckets.width_us);
        }
        let count = &mut count[usize::from(decisions.value(row) != Decision::Allow.as_str())];
        *count = count.saturating_add(*checks);
    }
    add(counts, number, count);
}

fn add(counts: &mut Counts, number: i64, [allowed, denied]: [u64; 2]) {
    if allowed > 0 || denied > 0 {
        let count = counts.entry(number).or_default();
        count[0] = count[0].saturating_add(allowed);
        count[1] = count[1].saturating_add(denied);
    }
}
