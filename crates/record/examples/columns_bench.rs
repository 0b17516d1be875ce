//! How many bytes a record takes in columns, and how long questions take.
//!
//! `cargo run --release -p tegata-record --example columns_bench -- [RECORDS] [DIRECTORY]`

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tegata_record::{AccessLog, Buckets, Decision, Flush, NewRecord, Options, Order, Query, Scope, SqlLimits, TopOf};

const DAYS: i64 = 30;
const DAY_US: i64 = 86_400_000_000;
const T0: i64 = 1_790_035_200_000_000;
const CREDENTIALS: u64 = 10_000;
/// A credential with one record, whose name sorts among those of the others.
const RARE: &str = "tok_01k5x3f7m9q2w4e6r8t0y0000x";
const BATCH: usize = 1_000;
const ORGANIZATION: &str = "org_01k5x3f7m9q2w4e6r8t0y00001";
const ENDPOINTS: [(&str, &str, &str); 12] = [
    ("GET", "/repos/{owner}/{repo}/issues", "issues:read"),
    ("POST", "/repos/{owner}/{repo}/issues", "issues:write"),
    ("GET", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:read"),
    ("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:write"),
    ("GET", "/repos/{owner}/{repo}/pulls", "pull_requests:read"),
    ("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", "pull_requests:read"),
    ("GET", "/repos/{owner}/{repo}/contents/{path}", "contents:read"),
    ("PUT", "/repos/{owner}/{repo}/contents/{path}", "contents:write"),
    ("GET", "/repos/{owner}/{repo}/actions/runs", "actions:read"),
    ("GET", "/repos/{owner}/{repo}/commits/{ref}/status", "statuses:read"),
    ("GET", "/orgs/{org}/members", "members:read"),
    ("GET", "/repos/{owner}/{repo}", "metadata:read"),
];
const AGENTS: [&str; 5] =
    ["curl/8.14.1", "python-requests/2.32.5", "Go-http-client/2.0", "octokit-rest.js/22.0.0", "tegata-cli/0.1.0"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let records: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let home = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let home = home.join(format!("tegata-columns-bench-{}", std::process::id()));
    let result = run(&home, records);
    if std::env::var_os("KEEP").is_none() {
        std::fs::remove_dir_all(&home)?;
    }
    result
}

fn run(home: &Path, records: u64) -> Outcome<()> {
    let options = Options { flush: Flush::Never, ..Options::default() };
    let log = AccessLog::open(home, options, 1)?.0;
    let (filled, taken) = timed(|| fill(&log, records));
    filled?;
    report("append in batches of 1,000", records, taken);
    println!("{:>12.1} bytes a record in the journal", each(log.stats().bytes, records));
    let (settled, taken) = timed(|| log.close_segment().and_then(|()| log.settle(T0 + DAYS * DAY_US)));
    report("settle", records, taken);
    let settled = settled?;
    println!("{:>12} files written, {} of them joined", settled.files, settled.compacted);
    println!(
        "{:>12.1} bytes a record in columns, {} files",
        each(log.column_stats().bytes, records),
        log.column_stats().files
    );
    ask(&log)
}

fn ask(log: &AccessLog) -> Outcome<()> {
    let own = Query::new(Scope::Organization(ORGANIZATION));
    let newest = log.page(&own, None, 50)?.records;
    let (Some(first), Some(last)) = (newest.first(), log.stream(&own, Order::OldestFirst).next().transpose()?) else {
        return Ok(());
    };
    let credential = first.credential.clone().unwrap_or_default();
    let one = Query { credential: Some(&credential), ..own };
    let rare = Query { credential: Some(RARE), ..own };
    let (hours, days) = (Buckets { origin_us: 0, width_us: DAY_US / 24 }, Buckets { origin_us: 0, width_us: DAY_US });
    let denied = Query { decision: Some(Decision::Deny), ..own };
    let limits = SqlLimits::default();
    let sql = "SELECT principal, count(*) AS n FROM records WHERE decision = 'deny' GROUP BY principal ORDER BY n DESC LIMIT 5";
    for round in ["cold", "warm"] {
        ask_for(round, "page of 50, newest", || Ok(log.page(&own, None, 50)?.records.len()))?;
        ask_for(round, "page of 50, one credential", || Ok(log.page(&one, None, 50)?.records.len()))?;
        ask_for(round, "page of 50, a credential with one record", || Ok(log.page(&rare, None, 50)?.records.len()))?;
        ask_for(round, "page of 50, one that never was", || {
            Ok(log.page(&Query { credential: Some("tok_01k5x3f7m9q2w4e6r8t0y0000y"), ..own }, None, 50)?.records.len())
        })?;
        ask_for(round, "page of 50, free text", || {
            Ok(log.page(&Query { text: Some("/Repo_77/"), ..own }, None, 50)?.records.len())
        })?;
        ask_for(round, "request by its id", || {
            Ok(log.page(&Query { request_id: last.request_id.as_deref(), ..own }, None, 50)?.records.len())
        })?;
        ask_for(round, "record by its id", || Ok(usize::from(log.get(&last.id, own.scope)?.is_some())))?;
        ask_for(round, "count of one credential", || Ok(usize::try_from(log.count(&one)?)?))?;
        ask_for(round, "histogram, 30 days by the day", || Ok(log.histogram(&own, days)?.len()))?;
        ask_for(round, "histogram, 30 days by the hour", || Ok(log.histogram(&own, hours)?.len()))?;
        ask_for(round, "histogram of what was denied, by the hour", || Ok(log.histogram(&denied, hours)?.len()))?;
        ask_for(round, "top ten credentials", || Ok(log.top(&own, TopOf::Credential, 10)?.len()))?;
        ask_for(round, "top ten endpoints", || Ok(log.top(&own, TopOf::Endpoint, 10)?.len()))?;
        ask_for(round, "SQL: who was denied most", || Ok(log.sql(ORGANIZATION, sql, &limits)?.rows.len()))?;
    }
    ask_for("once", "stream of everything", || Ok(log.stream(&own, Order::OldestFirst).map_while(Result::ok).count()))
}

fn ask_for(round: &str, name: &str, ask: impl FnOnce() -> Outcome<usize>) -> Outcome<()> {
    let (answer, taken) = timed(ask);
    println!("{round:<5} {name:<45} {:>9.2} ms  ({})", taken.as_secs_f64() * 1e3, answer?);
    Ok(())
}

/// Some numbers that look random and are the same each time (`splitmix64`).
fn random(seed: u64) -> u64 {
    let mut value = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

struct Texts {
    credential: String,
    principal: String,
    context: String,
    path: String,
    address: String,
    request_id: String,
}

fn texts(number: u64, records: u64) -> Texts {
    // A few credentials make most of the calls.
    let who = (random(number) % CREDENTIALS) * (random(number ^ 1) % CREDENTIALS) / CREDENTIALS;
    let (repository, item) = (random(who) % 500, random(number ^ 2) % 5_000);
    let endpoint = endpoint(number).1;
    let path = endpoint
        .replace("{owner}", &format!("owner-{}", repository % 40))
        .replace("{repo}", &format!("Repo_{repository}"))
        .replace("{issue_number}", &item.to_string())
        .replace("{pull_number}", &item.to_string())
        .replace("{path}", "src/lib.rs")
        .replace("{ref}", "main")
        .replace("{org}", "acme");
    let rare = number == records / 2;
    Texts {
        credential: if rare { RARE.to_owned() } else { format!("tok_01k5x3f7m9q2w4e6r8t0y{who:05}") },
        principal: format!("usr_01k5x3f7m9q2w4e6r8t0y{:05}", who / 3),
        context: format!("ctx_01k5x3f7m9q2w4e6r8t0y{repository:05}"),
        path,
        address: format!("198.51.{}.{}", random(who) >> 56, random(who ^ 9) >> 56),
        request_id: format!("{:016x}{:016x}", random(4 * number + 1), random(4 * number + 3)),
    }
}

fn endpoint(number: u64) -> (&'static str, &'static str, &'static str) {
    let at = random(number ^ 3) % 144;
    // The first are asked for more often than the last.
    ENDPOINTS[usize::try_from(at.isqrt()).map_or(0, |at| ENDPOINTS.len() - 1 - at)]
}

fn fill(log: &AccessLog, records: u64) -> Outcome<()> {
    let step = DAYS * DAY_US / i64::try_from(records.max(1))?;
    let numbers: Vec<u64> = (0..records).collect();
    for numbers in numbers.chunks(BATCH) {
        let made: Vec<Texts> = numbers.iter().map(|number| texts(*number, records)).collect();
        let rows = numbers.iter().zip(&made).map(|(number, texts)| {
            let (method, endpoint, permission) = endpoint(*number);
            let jitter = i64::try_from(random(number ^ 4) % 1_000).unwrap_or(0);
            let time_us = T0 + i64::try_from(*number).unwrap_or(0) * step + jitter;
            let deny = random(number ^ 7).is_multiple_of(50);
            let decision = if deny { Decision::Deny } else { Decision::Allow };
            NewRecord {
                api: Some("github"),
                organization: Some(ORGANIZATION),
                alternative: Some(0),
                permission: Some(permission),
                context_id: Some(&texts.context),
                level: Some(if method == "GET" { "read" } else { "write" }),
                credential: Some(&texts.credential),
                kind: Some("personal_token"),
                principal: Some(&texts.principal),
                method: Some(method),
                endpoint: Some(endpoint),
                path: Some(&texts.path),
                address: Some(&texts.address),
                user_agent: AGENTS
                    .get(usize::try_from(random(texts.credential.len() as u64 ^ number) % 5).unwrap_or(0))
                    .copied(),
                request_id: Some(&texts.request_id),
                rule_version: 1,
                catalogue_version: 12,
                ..NewRecord::new(time_us, decision, if deny { "permission_missing" } else { "granted" })
            }
        });
        log.append_batch(&rows.collect::<Vec<_>>())?;
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn each(bytes: u64, records: u64) -> f64 {
    bytes as f64 / records.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn report(name: &str, records: u64, taken: Duration) {
    println!("{:>12.0} records a second: {name}", records as f64 / taken.as_secs_f64());
}
