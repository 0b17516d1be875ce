//! `kill -9` of the real program, again and again, while it makes, stops and checks tokens. After each death: no
//! acknowledged change is lost, no answered check is without its record or has two, nothing that was revoked is allowed,
//! the access log has lost at most what nobody was answered for, and it is as it was signed. A flood of junk beside it is
//! counted to the last of them. In each life the oldest of many past days is given up, so that kills fall into
//! retention, too.
//!
//! `TEGATA_KILLS` says how often on each database; twice if not said. PostgreSQL is found by `TEGATA_TEST_POSTGRES`.
//! `TEGATA_BIN` names another program than the one that was built with this test.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod client;
mod ledger;
mod program;

use client::Client;
use ledger::{Counts, Ledger};
use program::Program;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The API that is checked.
const CATALOGUE: &str = r#"
api: town
title: {en: Town}
permissions:
  - {name: "doors:read", level: read}
endpoints:
  - {method: GET, path: "/doors", any_of: [["doors:read"]]}
"#;

/// Where everything happens.
const ORG: &str = "/v1/orgs/default";
/// Live tokens that are kept in play; a user may have 50, and a death may leave some that nobody knows.
const POOL: usize = 24;
/// Past days that are kept until the end.
const KEPT_DAYS: u32 = 5;
/// What has no form.
const JUNK: &str = "junk";
/// Shown so often at once.
const JUNK_AT_ONCE: usize = 100;

fn kills() -> u32 {
    std::env::var("TEGATA_KILLS").map_or(2, |text| text.parse().expect("TEGATA_KILLS is a number"))
}

/// Everything that acts on the server between two deaths.
struct Town {
    root: Client,
    gateway: Client,
    ledger: Ledger,
    expires_at: String,
}

impl Town {
    /// Prepares a server that was just initialized.
    async fn found(anybody: Client) -> Self {
        let body = json!({"email": program::EMAIL, "password": program::PASSWORD});
        let session = anybody.must("POST", "/v1/sessions", body, 201).await;
        let root = anybody.with(session["token"].as_str().unwrap());
        root.must("POST", "/v1/apis", json!({"document": CATALOGUE, "format": "yaml"}), 201).await;
        root.must("PUT", &format!("{ORG}/apis/town"), json!({}), 200).await;
        let policy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        root.must("PUT", &format!("{ORG}/policies/personal_token"), policy, 200).await;
        let verifier = root.must("POST", "/v1/verifiers", json!({"name": "Gate", "apis": ["town"]}), 201).await;
        let gateway = root.with(verifier["token"].as_str().unwrap());
        // The session tells the server's own moment; a token may live for a year from there.
        let expires_at = session["expires_at"].as_str().unwrap().to_owned();
        Self { root, gateway, ledger: Ledger::default(), expires_at }
    }

    /// The same at another address.
    fn moved(&mut self, base: &str) {
        base.clone_into(&mut self.root.base);
        base.clone_into(&mut self.gateway.base);
    }

    /// Makes tokens, and teams, until the server dies.
    async fn make(self: Arc<Self>, end: Arc<AtomicBool>) {
        while !end.load(Ordering::SeqCst) {
            let number = self.ledger.number();
            let name = format!("t-{number}");
            let (path, body) = if !number.is_multiple_of(4) && self.ledger.live() < POOL {
                let grants = json!([{"organization": "default", "api": "town", "scopes": ["doors:read"]}]);
                let body = json!({"name": name, "expires_at": self.expires_at, "reason": "kill", "grants": grants});
                ("/v1/me/tokens".to_owned(), body)
            } else {
                (format!("{ORG}/teams"), json!({"key": name, "name": name}))
            };
            match self.root.send("POST", &path, Some(&body), Some(&name)).await {
                Some((201, made)) => self.ledger.made(&path, &made),
                Some((status, problem)) => panic!("POST {path}: {status} {problem}"),
                // Nobody knows whether it happened: it is sent again after the next start.
                None => return self.ledger.interrupted(path, body, name),
            }
        }
    }

    /// Revokes tokens until the server dies.
    async fn stop(self: Arc<Self>, end: Arc<AtomicBool>) {
        while !end.load(Ordering::SeqCst) {
            let Some(token) = self.ledger.take_live_if(POOL / 4) else {
                tokio::time::sleep(Duration::from_millis(2)).await;
                continue;
            };
            match self.root.send("POST", &format!("/v1/me/tokens/{}/revoke", token.id), Some(&json!({})), None).await {
                Some((200, receipt)) => {
                    assert_eq!(receipt["verifiers"][0]["applied"], true, "{receipt}");
                    self.ledger.revoked(token);
                }
                Some((status, problem)) => panic!("revoke: {status} {problem}"),
                None => return self.ledger.uncertain(token),
            }
        }
    }

    /// Shows tokens until the server dies.
    async fn check(self: Arc<Self>, end: Arc<AtomicBool>, mut seed: usize) {
        while !end.load(Ordering::SeqCst) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let Some((secret, revoked)) = self.ledger.any(seed >> 33) else {
                tokio::time::sleep(Duration::from_millis(2)).await;
                continue;
            };
            let Some((status, answer)) = self.gateway.send("POST", "/v1/verify", Some(&check(&secret)), None).await
            else {
                return;
            };
            assert_eq!(status, 200, "{answer}");
            assert!(!revoked || answer["reason"] == "revoked", "a check after a revocation: {answer}");
            assert!(matches!(answer["reason"].as_str(), Some("granted" | "revoked")), "{answer}");
            self.ledger.checked(answer["record"].as_str().expect("an answer names its record"));
        }
    }

    /// Shows junk until the server dies: far more than is recorded one by one.
    async fn flood(self: Arc<Self>, end: Arc<AtomicBool>) {
        let junk = check(JUNK);
        let checks = json!({"checks": vec![junk; JUNK_AT_ONCE]});
        while !end.load(Ordering::SeqCst) {
            self.ledger.flood(JUNK_AT_ONCE, false);
            let Some((status, answer)) = self.gateway.send("POST", "/v1/verify/batch", Some(&checks), None).await
            else {
                return;
            };
            assert_eq!(status, 200, "{answer}");
            let results = answer["results"].as_array().unwrap();
            assert!(results.iter().all(|result| result["reason"] == "malformed"), "{answer}");
            self.ledger.flood(results.len(), true);
            // Leaves the others some of the processor.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Every junk that was answered is counted once, and nothing that was not sent.
    async fn junk_is_counted(&self, counts: &mut Counts) {
        let top =
            self.root.must("GET", &format!("{ORG}/records/top?by=reason&reason=malformed"), Value::Null, 200).await;
        let counted = top["items"][0]["denied"].as_u64().unwrap_or(0);
        let (before, sent, answered) = self.ledger.flooded(counted);
        let fresh = counted - before;
        assert!((answered..=sent).contains(&fresh), "{fresh} of {answered} to {sent} junk checks are counted");
        counts.junk += usize::try_from(fresh).unwrap();
    }

    /// Looks at everything that was acknowledged before the server died.
    async fn verify(&self, counts: &mut Counts) {
        let told = self.ledger.take_told();
        for path in &told.made {
            self.root.must("GET", path, Value::Null, 200).await;
        }
        // The newest were answered for last, and are asked for one by one; the list has to have all of them.
        for record in told.records.iter().rev().take(150) {
            self.root.must("GET", &format!("{ORG}/records/{record}"), Value::Null, 200).await;
        }
        self.has_records(&told.records).await;
        self.junk_is_counted(counts).await;
        counts.made += told.made.len();
        counts.records += told.records.len();
        counts.revoked = self.all_revoked_are().await;
        self.settle(counts).await;
    }

    /// Sends again what nobody was answered for, and finds out which tokens were revoked without an answer.
    async fn settle(&self, counts: &mut Counts) {
        for (path, body, key) in self.ledger.take_interrupted() {
            counts.repeated += 1;
            let (status, made) =
                self.root.send("POST", &path, Some(&body), Some(&key)).await.expect("the server lives");
            assert_eq!(status, 201, "a repetition under the same key is the same call: {made}");
            let found = if path.ends_with("teams") { made } else { self.token_of_repetition(&made).await };
            self.ledger.made(&path, &found);
        }
        for token in self.ledger.take_uncertain() {
            let path = format!("/v1/me/tokens/{}", token.id);
            let shown = self.root.must("GET", &path, Value::Null, 200).await;
            let answer = self.gateway.must("POST", "/v1/verify", check(&token.secret), 200).await;
            if shown["state"] == "revoked" {
                assert_eq!(answer["reason"], "revoked", "what is shown as revoked is");
                self.ledger.revoked(token);
            } else {
                assert_eq!(answer["reason"], "granted", "what is shown as active is: {shown}");
                self.ledger.alive(token);
            }
        }
    }

    /// A repetition shows no secret again when the first call was done: then there is nothing to check it with.
    async fn token_of_repetition(&self, made: &Value) -> Value {
        let id = made["id"].as_str().unwrap();
        if made.get("token").is_none() {
            let path = format!("/v1/me/tokens/{id}");
            let shown = self.root.must("GET", &path, Value::Null, 200).await;
            assert_eq!(shown["state"], "active");
            self.root.must("POST", &format!("{path}/revoke"), json!({}), 200).await;
        }
        made.clone()
    }

    async fn all_revoked_are(&self) -> usize {
        let revoked = self.ledger.all_revoked();
        for secrets in revoked.chunks(1000) {
            let checks: Vec<Value> = secrets.iter().map(|secret| check(secret)).collect();
            let answer = self.gateway.must("POST", "/v1/verify/batch", json!({"checks": checks}), 200).await;
            let results = answer["results"].as_array().unwrap();
            assert_eq!(results.len(), secrets.len());
            for result in results {
                assert_eq!(result["reason"], "revoked", "an acknowledged revocation was lost: {result}");
            }
        }
        revoked.len()
    }

    async fn has_records(&self, records: &[String]) {
        let mut missing: std::collections::BTreeSet<&str> = records.iter().map(String::as_str).collect();
        let (mut cursor, mut seen) = (String::new(), std::collections::BTreeSet::new());
        while !missing.is_empty() {
            let path = format!("{ORG}/records?api=town&kind=personal_token&limit=200{cursor}");
            let page = self.root.must("GET", &path, Value::Null, 200).await;
            for item in page["items"].as_array().unwrap() {
                let id = item["id"].as_str().unwrap().to_owned();
                missing.remove(id.as_str());
                assert!(seen.insert(id), "there are two of {item}");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(missing.is_empty(), "{} of {} answered checks have no record", missing.len(), records.len());
    }
}

fn check(secret: &str) -> Value {
    json!({"token": secret, "api": "town", "method": "GET", "path": "/doors", "organization": "default"})
}

/// Lets everybody act for a while, kills the server under them, and waits for everybody to notice.
async fn one_life(town: &Arc<Town>, program: Program, life: Duration) {
    let end = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for seed in 1..=3 {
        tasks.spawn(Arc::clone(town).make(Arc::clone(&end)));
        tasks.spawn(Arc::clone(town).check(Arc::clone(&end), seed));
    }
    tasks.spawn(Arc::clone(town).stop(Arc::clone(&end)));
    tasks.spawn(Arc::clone(town).flood(Arc::clone(&end)));
    let began = Instant::now();
    while began.elapsed() < life {
        // Whoever finds something wrong ends early, and that is the end of the test.
        if let Ok(Some(ended)) = tokio::time::timeout(life.saturating_sub(began.elapsed()), tasks.join_next()).await {
            ended.expect("nothing goes wrong while the server lives");
        }
    }
    program.kill();
    end.store(true, Ordering::SeqCst);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("nothing went wrong before the server died");
    }
}

async fn killed_again_and_again(name: &str, database: String, directory: &std::path::Path) {
    let kills = kills();
    let began = Instant::now();
    program::initialize(directory, &database);
    // Past days: one for each life, and some that are kept.
    let mut left = program::put_past(directory, KEPT_DAYS + 1..=KEPT_DAYS + 1 + kills).await;
    let mut program = Program::start(directory, &database, KEPT_DAYS + 1 + kills).await;
    let mut town = Town::found(Client::new(&program.base)).await;
    let mut counts = Counts::default();
    for kill in 1..=kills {
        let shared = Arc::new(town);
        let life = Duration::from_millis(u64::from(150 + (kill * 7919) % 850) + program::random_millis(150));
        one_life(&shared, program, life).await;
        town = Arc::into_inner(shared).expect("everybody has noticed");
        let (torn_tails, past) = program::sound_log(directory).await;
        counts.torn += torn_tails;
        counts.days_gone += usize::from(past < left);
        left = past;
        counts.proven += program::proven_log(directory, &database, counts.proven > 0);
        program = Program::start(directory, &database, KEPT_DAYS + 1 + kills - kill).await;
        town.moved(&program.base);
        town.verify(&mut counts).await;
        println!("{name}: kill {kill} of {kills} after {} ms: {counts}", life.as_millis());
    }
    program.kill();
    assert!(counts.made > 0 && counts.records > 0, "something was done: {counts}");
    // A life may end before anything was signed in it, but not many lives.
    assert!(counts.proven > 0 || kills < 5, "nothing was ever signed: {counts}");
    // Two short lives may end before enough tokens are there to stop one.
    assert!(kills < 10 || counts.revoked > 0, "something was stopped: {counts}");
    assert!(kills < 10 || counts.days_gone > 0, "past days went while servers died: {counts}");
    println!("{name}: {kills} kills in {} s, nothing lost: {counts}", began.elapsed().as_secs());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("truth.db").display().to_string();
    killed_again_and_again("SQLite", database, directory.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let directory = tempfile::tempdir().unwrap();
    let database = program::fresh_postgres().await;
    killed_again_and_again("PostgreSQL", database, directory.path()).await;
}
