//! What proof costs: per record while it is signed, when a signer starts again, when a log is checked, and in bytes.
//! Times are those of the processor, so that other work on the machine counts little.
//!
//! `cargo run --release -p tegata-record --example proof_bench -- [RECORDS] [DIRECTORY]`

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tegata_record::proof::{Problem, Seed, Signer, SigningKey, Source, Verifier, verify_proof};
use tegata_record::{Decision, Flush, Journal, NewRecord, Options, Order, Query, Scope};
use zeroize::Zeroizing;

const ORGANIZATIONS: [&str; 4] = ["org_01k5x3f7m9q2w4e6r8t0y0000a", "org_01k5x3f7m9q2w4e6r8t0y0000b", "org_c", "org_d"];
const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;
/// A midnight.
const T0: i64 = 20_717 * DAY_US;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let records: i64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let home = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let home = home.join(format!("tegata-proof-bench-{}", std::process::id()));
    let result = run(&home, records);
    fs::remove_dir_all(&home)?;
    result
}

fn run(home: &Path, records: i64) -> Outcome<()> {
    let options = Options { flush: Flush::Never, ..Options::default() };
    let (journal, _) = Journal::open(&home.join("journal"), options, 1)?;
    let proofs = home.join("proofs");
    let mut signer = Signer::open(&proofs, key()?, &journal, T0, None)?.0;
    let per_second = (records / 80_000).max(1);
    let (mut signing, mut done, mut now_us, mut ticks) = (Duration::ZERO, 0, T0, 0);
    while done < records {
        for number in done..(done + per_second).min(records) {
            append(&journal, number, now_us)?;
        }
        done += per_second;
        now_us += SECOND_US;
        let (ticked, taken) = timed(|| signer.tick(&journal, now_us));
        ticked?;
        signing += taken;
        ticks += 1;
    }
    println!("{ticks} seconds of {per_second} records in {} organizations", ORGANIZATIONS.len());
    report("a tick each second, per record", records, signing);
    report("a tick each second, per tick", ticks, signing);
    println!("{:>12} bytes of proofs while the day is open", bytes(&proofs)?);
    signer.tick(&journal, T0 + 2 * DAY_US)?;
    println!("{:>12} bytes of proofs after it was closed", bytes(&proofs)?);
    drop(signer);

    let other = home.join("other");
    let mut signer = Signer::open(&other, key()?, &journal, T0, None)?.0;
    let (result, taken) = timed(|| -> Outcome<()> {
        while signer.tick(&journal, now_us)?.is_behind {}
        Ok(())
    });
    result?;
    report("all in ticks as large as may be, per record", records, taken);
    let signer_key = signer.verifying_key().clone();
    drop(signer);
    let again = key()?;
    let (opened, taken) = timed(|| Signer::open(&other, again, &journal, now_us, None));
    opened?;
    report("a start on an open day, per record", records, taken);
    let (visited, taken) = timed(|| journal.visit(0, journal.settled(), &mut |_| {}));
    visited.map_err(|error| error.to_string())?;
    report("reading alone, per record", records, taken);

    let verifier = Verifier::open(&proofs, &signer_key)?;
    let mut problems = 0;
    let (result, taken) = timed(|| -> Outcome<u64> {
        let mut checked = 0;
        for organization in ORGANIZATIONS {
            let mut count = |_: Problem| problems += 1;
            checked += verifier.organization(Some(organization), &journal, None, &mut count)?.records;
        }
        Ok(checked)
    });
    report("checking offline, per record", i64::try_from(result?)?, taken);
    println!("{problems:>12} problems");
    let newest = journal.stream(&Query::new(Scope::Organization(ORGANIZATIONS[0])), Order::NewestFirst).next();
    let id = newest.ok_or("no record")??.id;
    let (proof, taken) = timed(|| verifier.prove(&id, Some(ORGANIZATIONS[0]), &journal));
    let proof = proof?;
    report("a proof", 1, taken);
    println!("{:>12} bytes", proof.len());
    let (proven, taken) = timed(|| (0..1_000).try_for_each(|_| verify_proof(&proof, &signer_key).map(drop)));
    proven?;
    report("checking it", 1_000, taken);
    many_organizations(home)
}

/// One record each second for each of many organizations: the most signatures for the fewest records.
fn many_organizations(home: &Path) -> Outcome<()> {
    const SECONDS: i64 = 20;
    const MANY: i64 = 1_000;
    let options = Options { flush: Flush::Never, ..Options::default() };
    let (journal, _) = Journal::open(&home.join("journal-of-many"), options, 1)?;
    let mut signer = Signer::open(&home.join("proofs-of-many"), key()?, &journal, T0, None)?.0;
    let mut signing = Duration::ZERO;
    for second in 0..SECONDS {
        for organization in 0..MANY {
            let name = format!("org_{organization:026}");
            let now_us = T0 + second * SECOND_US;
            journal.append(&NewRecord {
                organization: Some(&name),
                ..NewRecord::new(now_us, Decision::Allow, "granted")
            })?;
        }
        let (ticked, taken) = timed(|| signer.tick(&journal, T0 + second * SECOND_US));
        ticked?;
        signing += taken;
    }
    report("a tick with one record in each of 1,000 organizations, per organization", SECONDS * MANY, signing);
    Ok(())
}

fn key() -> Outcome<SigningKey> {
    Ok(SigningKey::new("tegata.example.com", &Seed::new(Zeroizing::new([7; 32])))?)
}

fn append(journal: &Journal, number: i64, now_us: i64) -> Outcome<()> {
    let organization = usize::try_from(number)? % ORGANIZATIONS.len();
    let request = format!("0199f2c4-7d1e-7c3a-9b52-{number:012}");
    journal.append(&NewRecord {
        api: Some("github"),
        organization: ORGANIZATIONS.get(organization).copied(),
        permission: Some("issues:read"),
        context_id: Some("ctx_01k5x3f7m9q2w4e6r8t0y00000"),
        level: Some("read"),
        credential: Some("tok_01k5x3f7m9q2w4e6r8t0y00000"),
        kind: Some("personal_token"),
        principal: Some("usr_01k5x3f7m9q2w4e6r8t0y00000"),
        method: Some("GET"),
        endpoint: Some("/repos/{owner}/{repo}/issues"),
        path: Some("/repos/octo/hello/issues"),
        address: Some("203.0.113.9"),
        user_agent: Some("octokit/4.2.0"),
        request_id: Some(&request),
        rule_version: 1,
        catalogue_version: 12,
        ..NewRecord::new(now_us, Decision::Allow, "granted")
    })?;
    Ok(())
}

fn bytes(directory: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

/// How long this thread had the processor, where the kernel tells; otherwise the time that passed.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (before, start) = (on_processor(), Instant::now());
    let result = work();
    let passed = start.elapsed();
    (result, on_processor().zip(before).map_or(passed, |(after, before)| after.saturating_sub(before)))
}

fn on_processor() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn report(what: &str, count: i64, taken: Duration) {
    println!("{:>12} ns {what}", taken.as_nanos() / u128::try_from(count.max(1)).unwrap_or(1));
}
