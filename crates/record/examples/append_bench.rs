//! How fast records are appended and found, and how many bytes each takes.
//!
//! `cargo run --release -p tegata-record --example append_bench -- [RECORDS] [DIRECTORY]`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tegata_record::{Decision, Flush, Journal, NewRecord, Options, Order, Query, Scope};

const CREDENTIALS: u64 = 10_000;
const T0: i64 = 1_790_000_000_000_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let records: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let home = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let home = home.join(format!("tegata-append-bench-{}", std::process::id()));
    let result = run(&home, records);
    std::fs::remove_dir_all(&home)?;
    result
}

fn run(home: &Path, records: u64) -> Outcome<()> {
    for (name, flush, share) in
        [("never", Flush::Never, 1), ("interval 100 ms", Flush::default(), 1), ("always", Flush::Always, 1_000)]
    {
        let journal = open(&home.join(name), flush)?;
        let count = records / share;
        let (done, taken) = timed(|| (0..count).try_for_each(|number| append(&journal, number)));
        done?;
        report(&format!("append, 1 thread, flush {name}"), count, taken);
    }
    for threads in [2, 8] {
        append_in_threads(&home.join(format!("threads-{threads}")), records, threads)?;
    }
    let journal = open(&home.join("batch"), Flush::default())?;
    let batch = vec![row(0, "0199f2c4-7d1e-7c3a-9b52-000000000000", "tok_01k5x3f7m9q2w4e6r8t0y00000"); 100];
    let (done, taken) = timed(|| (0..records / 100).try_for_each(|_| journal.append_batch(&batch).map(|_| ())));
    done?;
    report("append in batches of 100", records, taken);

    let (journal, taken) = timed(|| open(&home.join("never"), Flush::default()));
    let journal = journal?;
    report("open and check", records, taken);
    let stats = journal.stats();
    println!("{:>12} bytes a record", stats.bytes / stats.records.max(1));
    read(&journal, records)
}

fn open(directory: &Path, flush: Flush) -> Outcome<Journal> {
    let options = Options { flush, ..Options::default() };
    Ok(Journal::open(directory, options, 1)?.0)
}

fn append_in_threads(directory: &Path, records: u64, threads: u64) -> Outcome<()> {
    let journal = open(directory, Flush::default())?;
    let each = records / threads;
    let ((), taken) = timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..each).all(|number| append(&journal, number).is_ok()));
            }
        });
    });
    report(&format!("append, {threads} threads, flush interval 100 ms"), journal.last_sequence(), taken);
    Ok(())
}

fn read(journal: &Journal, records: u64) -> Outcome<()> {
    let own = Query::new(Scope::Organization("org_01k5x3f7m9q2w4e6r8t0y1v3b5"));
    let wanted = credential(77);
    let rare = Query { credential: Some(&wanted), ..own };
    for (what, query) in [("the newest page", own), ("a page of one credential in 10,000", rare)] {
        let (page, taken) = timed(|| journal.page(&query, None, 50));
        println!("{:>12} µs: {what} ({} records)", taken.as_micros(), page?.records.len());
    }
    let (found, taken) = timed(|| journal.count(&rare));
    report(&format!("scan with a filter that {} pass", found?), records, taken);
    let (found, taken) = timed(|| journal.stream(&own, Order::OldestFirst).count());
    report("stream everything", found as u64, taken);
    Ok(())
}

fn credential(number: u64) -> String {
    format!("tok_01k5x3f7m9q2w4e6r8t0y{:05}", number % CREDENTIALS)
}

fn append(journal: &Journal, number: u64) -> Outcome<()> {
    let (credential, request_id) = (credential(number), format!("0199f2c4-7d1e-7c3a-9b52-{number:012x}"));
    journal.append(&row(number, &request_id, &credential))?;
    Ok(())
}

fn row<'a>(number: u64, request_id: &'a str, credential: &'a str) -> NewRecord<'a> {
    let allowed = !number.is_multiple_of(20);
    let (decision, reason) =
        if allowed { (Decision::Allow, "granted") } else { (Decision::Deny, "insufficient_scope") };
    NewRecord {
        api: Some("github"),
        organization: Some("org_01k5x3f7m9q2w4e6r8t0y1v3b5"),
        alternative: Some(0),
        permission: Some("issues:read"),
        context_id: Some("ctx_01k5x3f7m9q2w4e6r8t0y1v3b5"),
        level: Some("read"),
        credential: Some(credential),
        kind: Some("personal_token"),
        principal: Some("usr_01k5x3f7m9q2w4e6r8t0y1v3b5"),
        method: Some("GET"),
        endpoint: Some("/repos/{owner}/{repo}/issues"),
        path: Some("/repos/octo/hello/issues"),
        address: Some("203.0.113.9"),
        user_agent: Some("octokit-rest.js/22.0.0"),
        request_id: Some(request_id),
        rule_version: 1,
        catalogue_version: 12,
        ..NewRecord::new(T0 + number.cast_signed() * 100, decision, reason)
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn report(what: &str, records: u64, taken: Duration) {
    let rate = u128::from(records) * 1_000_000 / taken.as_micros().max(1);
    println!("{rate:>12} records/s: {what} ({records} in {} ms)", taken.as_millis());
}
