//! The real program as a process: `tegata init`, `tegata serve`, and its death.

use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tegata::app::Clock;
use tegata::authn::key_file;
use tegata_record::proof::{CLOSE_AFTER_US, Signer};
use tegata_record::{AccessLog, Decision, FindingKind, NewRecord, Options, Query, Scope};

/// The first administrator.
pub const EMAIL: &str = "root@example.com";
pub const PASSWORD: &str = "correct horse battery staple";

/// How long a start may take; on PostgreSQL it waits until the lease of the dead has run out.
const START: Duration = Duration::from_mins(1);

/// The API of records of past days, and the organization that nobody else has anything to do with.
pub const PAST: &str = "past";
/// How many there are of a day.
const PAST_A_DAY: usize = 200;
const DAY_US: i64 = 86_400_000_000;

/// A server at work.
pub struct Program {
    child: Child,
    pub base: String,
}

fn data(directory: &Path) -> PathBuf {
    directory.join("data")
}

fn tegata_program() -> std::ffi::OsString {
    std::env::var_os("TEGATA_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_tegata").into())
}

fn tegata(directory: &Path, database: &str, command: &str) -> Command {
    let log = std::fs::File::options().create(true).append(true).open(directory.join("log")).unwrap();
    let mut program = Command::new(tegata_program());
    program.arg(command).arg("--data-dir").arg(data(directory)).args(["--database", database]);
    program.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    program
}

fn log_of(directory: &Path) -> String {
    let log = std::fs::read_to_string(directory.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Makes the first administrator.
pub fn initialize(directory: &Path, database: &str) {
    let mut program = tegata(directory, database, "init");
    program.args(["--non-interactive", "--email", EMAIL, "--name", "Root", "--password-env", "TEGATA_TEST_PASSWORD"]);
    let status = program.env("TEGATA_TEST_PASSWORD", PASSWORD).status().unwrap();
    assert!(status.success(), "tegata init: {status}\n{}", log_of(directory));
}

impl Program {
    /// Starts it and waits until it is ready. Records are kept for so many days.
    pub async fn start(directory: &Path, database: &str, days: u32) -> Self {
        let began = Instant::now();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = tegata(directory, database, "serve")
            .args(["--listen", &address.to_string()])
            // At once, so that kills fall into it, too.
            .args(["--record-settle-after", "0s"])
            .args(["--record-days", &days.to_string()])
            .spawn()
            .unwrap();
        let base = format!("http://{address}");
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("tegata serve ended: {status}\n{}", log_of(directory));
            }
            assert!(began.elapsed() < START, "tegata serve is not ready\n{}", log_of(directory));
            if reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status() == 200) {
                return Self { child, base };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "it lived until now");
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that was killed is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens a copy of the access log as the next start will. Tells whether its last write was torn, and how many records of
/// past days there are; anything else that is not as it should be fails.
pub async fn sound_log(directory: &Path) -> (usize, u64) {
    let (from, to) = (data(directory).join("records"), directory.join("copy"));
    tokio::task::spawn_blocking(move || {
        let _ = std::fs::remove_dir_all(&to);
        copy(&from, &to);
        let (log, recovery) = AccessLog::open(&to, Options::default(), 0).unwrap();
        assert!(!recovery.created && log.stats().records > 0, "{recovery:?}");
        let torn = recovery.findings.iter().filter(|finding| finding.kind == FindingKind::TornTail).count();
        assert_eq!(torn, recovery.findings.len(), "{:?}", recovery.findings);
        assert!(torn <= 1);
        let past = log.count(&Query::new(Scope::Organization(PAST))).unwrap();
        (torn, past)
    })
    .await
    .unwrap()
}

/// Puts records of past days into a log that was never used, as a server that lived then would have left them: signed, each
/// day by a tree that is closed. Returns how many.
pub async fn put_past(directory: &Path, days: RangeInclusive<u32>) -> u64 {
    let records = data(directory).join("records");
    let keys = key_file::read(&data(directory).join("keys")).unwrap();
    let key = keys.signing.expect("the key file has a key that signs").key().unwrap();
    tokio::task::spawn_blocking(move || {
        let (log, _) = AccessLog::open(&records, Options::default(), 0).unwrap();
        let now_us = Clock::System.now().as_micros();
        for days_ago in days.rev() {
            let past = NewRecord {
                api: Some(PAST),
                organization: Some(PAST),
                ..NewRecord::new(now_us - i64::from(days_ago) * DAY_US, Decision::Allow, "granted")
            };
            log.append_batch(&vec![past; PAST_A_DAY]).unwrap();
        }
        log.flush().unwrap();
        let (mut signer, findings) = Signer::open(&records.join("proof"), key, &log, now_us, None).unwrap();
        assert_eq!(findings, []);
        signer.tick(&log, now_us).unwrap();
        let ticked = signer.tick(&log, now_us + CLOSE_AFTER_US).unwrap();
        assert!(ticked.closed > 0 && !ticked.is_behind, "{ticked:?}");
        log.last_sequence()
    })
    .await
    .unwrap()
}

/// `tegata record verify` on the data directory as the dead server left it. Tells whether anything was signed yet; what is
/// not as it was signed fails, and so does a log about which nothing is signed any more.
pub fn proven_log(directory: &Path, database: &str, was_signed: bool) -> usize {
    let program = tegata_program();
    let mut verify = Command::new(program);
    verify.args(["record", "verify", "--data-dir"]).arg(data(directory)).args(["--database", database]);
    let done = verify.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    if !was_signed && said.contains("is signed with this key") {
        return 0;
    }
    assert!(done.status.success(), "tegata record verify: {}\n{said}", done.status);
    1
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, path) = entry.map(|entry| (to.join(entry.file_name()), entry.path())).unwrap();
        if path.is_dir() {
            copy(&path, &entry);
        } else {
            std::fs::copy(&path, &entry).unwrap();
        }
    }
}

/// Somewhere from 0 up to a number of milliseconds.
pub fn random_millis(most: u64) -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes) % most
}

/// A fresh, empty database on the PostgreSQL server for tests.
pub async fn fresh_postgres() -> String {
    let base = std::env::var("TEGATA_TEST_POSTGRES")
        .expect("TEGATA_TEST_POSTGRES names a PostgreSQL server for tests; scripts/test starts one and sets it");
    let name = format!("kill_{}", std::process::id());
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&base).await.expect("the PostgreSQL server for tests answers");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    let (server, _) = base.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}
