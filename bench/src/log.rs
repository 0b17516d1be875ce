//! The access log: bytes of a record, how fast records come in and leave the journal, how long questions take; and the
//! same in SQLite with three indexes, in the same run.

mod rows;
mod sqlite;

use crate::report::{Figure, short};
use crate::{Fallible, Scale, machine};
use rows::{BEGIN_US, DAY_US, DAYS, Maker, ORGANIZATION};
use sqlite::Sqlite;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tegata_record::{AccessLog, Buckets, Flush, Options, Query, Scope, SqlLimits, TopOf};

const RECORDS: u64 = 100_000_000;
const RECORDS_QUICK: u64 = 1_000_000;
/// Records of one append: those of a batch of checks.
const BATCH: u64 = 1_000;
/// Credentials that are asked about, one after the other.
const ASKED: u64 = 9;
/// The environment variable for another number of records.
const RECORDS_VARIABLE: &str = "TEGATA_BENCH_RECORDS";

/// The one for how many of them SQLite gets, which takes five times the room: the first ones, all if not said.
const SQLITE_VARIABLE: &str = "TEGATA_BENCH_SQLITE_RECORDS";

/// Measures. Data lies in the directory for temporary files: some 70 GB for 100 million records.
pub fn run(scale: Scale) -> Fallible<Vec<Figure>> {
    let records = number_in(RECORDS_VARIABLE)?.unwrap_or(if scale.quick { RECORDS_QUICK } else { RECORDS });
    let in_sqlite = number_in(SQLITE_VARIABLE)?.unwrap_or(records).min(records);
    let directory = tempfile::tempdir()?;
    let size = short(records);
    eprintln!("log: {size} records; load average {}", machine::load_average());
    let mut figures = Vec::new();
    let maker = Maker::new(records, true)?;
    let log = filled(&directory.path().join("log"), &maker, &size, Some(&mut figures))?;
    // As many, up to where more of them change nothing: what each file has once weighs on few records.
    let plain = Maker::new(records.min(RECORDS / 10), false)?;
    let without = filled(&directory.path().join("plain"), &plain, &size, None)?;
    figures.push(bytes(format!("log.bytes.{size}"), log.column_stats().bytes, records));
    figures.push(bytes(format!("log.bytes.no_request_id.{size}"), without.column_stats().bytes, plain.records()));
    drop(without);
    ask(&log, &size, &short(in_sqlite), &mut figures)?;
    drop(log);
    // What follows takes longest.
    for figure in &figures {
        eprintln!("log: {figure:?}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(beside(&directory.path().join("records.db"), &maker, in_sqlite, &mut figures))?;
    Ok(figures)
}

fn number_in(variable: &str) -> Fallible<Option<u64>> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    Ok(Some(text.parse().map_err(|_| format!("{variable}: `{text}` is no number"))?))
}

fn bytes(name: String, bytes: u64, records: u64) -> Figure {
    Figure::new(name, "bytes/record", vec![each(bytes, records)]).target("<= 30")
}

/// A log with all records in columns. They leave the journal on another thread, while others come in.
fn filled(place: &Path, maker: &Maker, size: &str, figures: Option<&mut Vec<Figure>>) -> Fallible<AccessLog> {
    let options = Options { flush: Flush::Interval(Duration::from_millis(100)), ..Options::default() };
    let log = Arc::new(AccessLog::open(place, options, 1)?.0);
    let now_us = BEGIN_US + DAYS * DAY_US;
    let (mut appending, mut journal_bytes) = (Duration::ZERO, None);
    let mut progress = Progress::new("records in the log", maker.records());
    let done = std::sync::atomic::AtomicBool::new(false);
    let settled: Result<(), String> = std::thread::scope(|scope| {
        let settling = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                log.settle(now_us).map_err(|error| error.to_string())?;
                std::thread::sleep(Duration::from_millis(100));
            }
            log.close_segment().and_then(|()| log.settle(now_us)).map(drop).map_err(|error| error.to_string())
        });
        let appended = (|| {
            let mut first = 0;
            while first < maker.records() {
                let next = (first + BATCH).min(maker.records());
                let rows: Vec<rows::Row> = (first..next).map(|number| maker.row(number)).collect();
                let records: Vec<_> = rows.iter().map(|row| maker.record(row)).collect();
                let began = Instant::now();
                log.append_batch(&records).map_err(|error| error.to_string())?;
                appending += began.elapsed();
                first = next;
                if first == 100 * BATCH {
                    journal_bytes = Some(each(log.stats().bytes, first));
                }
                progress.at(first);
            }
            Ok::<_, String>(())
        })();
        done.store(true, std::sync::atomic::Ordering::Release);
        let settled = settling.join().map_err(|_| "the thread that settles has ended".to_owned())?;
        appended.and(settled)
    });
    settled?;
    if let Some(figures) = figures {
        let rate = per_second(maker.records(), appending);
        figures.push(Figure::new(format!("log.append.{size}"), "records/s", vec![rate]));
        figures
            .extend(journal_bytes.map(|bytes| Figure::new(format!("log.journal.{size}"), "bytes/record", vec![bytes])));
    }
    Arc::into_inner(log).ok_or_else(|| "the log is still in use".into())
}

fn ask(log: &AccessLog, size: &str, in_sqlite: &str, figures: &mut Vec<Figure>) -> Fallible<()> {
    let own = Query::new(Scope::Organization(ORGANIZATION));
    let hours = Buckets { origin_us: 0, width_us: DAY_US / 24 };
    let middle_us = BEGIN_US + DAYS / 2 * DAY_US;
    let day = Query { from_us: Some(middle_us), to_us: Some(middle_us + DAY_US), ..own };
    let sql = format!(
        "SELECT principal, count(*) AS n FROM records WHERE time >= to_timestamp_micros({middle_us})
         AND time < to_timestamp_micros({}) AND decision = 'deny' GROUP BY principal ORDER BY n DESC LIMIT 5",
        middle_us + DAY_US
    );
    let mut page = Vec::new();
    for asked in 0..=ASKED {
        let credential = rows::credential(asked);
        let query = Query { credential: Some(&credential), ..own };
        let (found, taken) = timed(|| log.page(&query, None, 50));
        if found?.records.is_empty() {
            return Err(format!("{credential} has no records").into());
        }
        // The first one only warms up.
        page.extend((asked > 0).then_some(taken));
    }
    figures.push(
        Figure::new(format!("log.page.{size}"), "ms", page)
            .target("<= 200")
            .reference(format!("sqlite.page.{in_sqlite}")),
    );
    let mut rounds = |name: &str, target: Option<&'static str>, ask: &dyn Fn() -> Fallible<usize>| -> Fallible<()> {
        let mut taken = Vec::new();
        for round in 0..4 {
            let (found, ms) = timed(ask);
            if found? == 0 {
                return Err(format!("{name}: nothing was found").into());
            }
            taken.extend((round > 0).then_some(ms));
        }
        let figure = Figure::new(format!("log.{name}.{size}"), "ms", taken);
        figures.push(match target {
            Some(target) => figure.target(target).reference(format!("sqlite.{name}.{in_sqlite}")),
            None => figure,
        });
        Ok(())
    };
    rounds("histogram", Some("<= 1000"), &|| Ok(log.histogram(&own, hours)?.len()))?;
    rounds("top_of_a_day", None, &|| Ok(log.top(&day, TopOf::Credential, 10)?.len()))?;
    rounds("sql_of_a_day", None, &|| Ok(log.sql(ORGANIZATION, &sql, &SqlLimits::default())?.rows.len()))
}

async fn beside(path: &Path, maker: &Maker, records: u64, figures: &mut Vec<Figure>) -> Fallible<()> {
    let size = short(records);
    let mut progress = Progress::new("records in SQLite", records);
    let mut sqlite = Sqlite::fill(path, maker, records, |at| progress.at(at)).await?;
    let bytes = each(sqlite.bytes(), records);
    figures.push(Figure::new(format!("sqlite.bytes.{size}"), "bytes/record", vec![bytes]));
    let (mut page, mut histogram) = (Vec::new(), Vec::new());
    for asked in 0..=ASKED {
        let credential = rows::credential(asked);
        let began = Instant::now();
        if sqlite.page(&credential).await? == 0 {
            return Err(format!("SQLite knows nothing of {credential}").into());
        }
        page.extend((asked > 0).then_some(ms(began)));
    }
    for _ in 0..3 {
        let began = Instant::now();
        if sqlite.histogram().await? == 0 {
            return Err("SQLite counted nothing".into());
        }
        histogram.push(ms(began));
    }
    figures.push(Figure::new(format!("sqlite.page.{size}"), "ms", page));
    figures.push(Figure::new(format!("sqlite.histogram.{size}"), "ms", histogram));
    Ok(())
}

/// Says now and then how far it has come.
struct Progress {
    what: &'static str,
    all: u64,
    said: Instant,
}

impl Progress {
    fn new(what: &'static str, all: u64) -> Self {
        Self { what, all, said: Instant::now() }
    }

    fn at(&mut self, count: u64) {
        if self.said.elapsed() > Duration::from_secs(10) {
            eprintln!("log: {count} of {} {}", self.all, self.what);
            self.said = Instant::now();
        }
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let result = work();
    (result, ms(began))
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn each(bytes: u64, records: u64) -> f64 {
    bytes as f64 / records.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn per_second(count: u64, taken: Duration) -> f64 {
    count as f64 / taken.as_secs_f64()
}
