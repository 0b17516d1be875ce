//! A disk that is full or fails under the access log: what becomes of checks and calls, what is told, and how it ends.

use crate::support::{Client, Database, Server, fresh_database};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tegata::serve::Config;
use tegata::verify::recording::RecordFailure;
use tegata_record::{Faults, Flush};

/// A server whose disk fails on demand, somebody who asks checks, and a token that is allowed something.
struct Failing {
    server: Server,
    admin: Client,
    gateway: Client,
    token: String,
    disk: Arc<Faults>,
}

impl Failing {
    async fn start(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let disk = Faults::none();
        let directory = tempfile::tempdir().unwrap();
        let url = fresh_database(database, &directory).await;
        let server = Server::start_as(database, directory, url, |config| {
            config.record_faults = Some(Arc::clone(&disk));
            change(config);
        })
        .await;
        let admin = server.admin().await;
        server.catalogue(&admin, "github").await;
        admin.post("/v1/orgs", json!({"key": "acme", "name": "Acme"})).await.status(201);
        admin.put("/v1/orgs/acme/apis/github", json!({})).await.status(200);
        let repository = json!({"type": "repository", "key": "acme/hello"});
        admin.post("/v1/orgs/acme/contexts", repository).await.status(201);
        let grant = json!({"organization": "acme", "api": "github",
            "scopes": ["repository:key:acme/hello:issues:read"]});
        let body = json!({"name": "ci", "expires_at": server.in_days(7), "grants": [grant]});
        let token = admin.post("/v1/me/tokens", body).await.status(201)["token"].as_str().unwrap().to_owned();
        let gateway = server.verifier(&admin, "github").await;
        Self { server, admin, gateway, token, disk }
    }

    fn question(&self) -> Value {
        json!({"token": self.token, "api": "github", "method": "GET", "path": "/repos/acme/hello/issues"})
    }

    async fn check(&self) -> Value {
        self.gateway.verify(self.question()).await
    }

    async fn ready(&self) -> (StatusCode, Value) {
        let reply = self.server.anybody().get("/readyz").await;
        (reply.status, reply.body)
    }

    /// Waits until the server has noticed by itself, without being asked for anything.
    async fn is_ready_again(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.ready().await.0 != 200 {
            assert!(Instant::now() < until, "it does not recover");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn metric(&self, name: &str) -> f64 {
        let text = self.admin.get("/metrics").await.status(200).as_str().unwrap().to_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or("-1");
        line.parse().unwrap()
    }
}

async fn a_full_disk_denies_and_tells_and_recovers(database: Database) {
    let failing = Failing::start(database, |_| {}).await;
    assert_eq!(failing.check().await["reason"], "granted");
    let (status, told) = failing.ready().await;
    assert_eq!((status.as_u16(), &told["record"]["condition"]), (200, &json!("writing")), "{told}");
    assert_eq!(told["record"]["since"], Value::Null);

    failing.disk.leave_room(0);
    let before = failing.server.running.app.verify.journal().last_sequence();
    let refused = json!({"allowed": false, "reason": "record_unavailable", "on_behalf_of": null});
    assert_eq!(failing.check().await, refused);
    let many = json!({"checks": vec![failing.question(); 3]});
    let answers = failing.gateway.post("/v1/verify/batch", many).await;
    assert_eq!(answers.status(200)["results"], json!([refused, refused, refused]));
    failing.admin.get("/v1/orgs/default").await.status(503);
    let (status, told) = failing.ready().await;
    assert_eq!((status.as_u16(), &told["status"]), (503, &json!("unavailable")), "{told}");
    let record = &told["record"];
    assert_eq!((&record["condition"], &record["error"]), (&json!("failing"), &json!("storage_full")), "{told}");
    assert_eq!(
        (&record["on_failure"], &record["denied"], &record["unrecorded"]),
        (&json!("deny"), &json!(5), &json!(0))
    );
    assert!(record["since"].is_string() && told["lease"] == true, "{told}");
    // It is tried again meanwhile, and nothing comes of that.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(failing.ready().await.1["record"]["since"], record["since"], "it is the same failure");
    assert_eq!(failing.server.running.app.verify.journal().last_sequence(), before);

    failing.disk.leave_room(u64::MAX);
    failing.is_ready_again().await;
    assert_eq!(failing.server.running.app.verify.journal().last_sequence(), before, "it came back by itself");
    assert_eq!(failing.check().await["reason"], "granted");
    assert_eq!(failing.ready().await.1["record"]["condition"], "writing");
    assert!(failing.metric("tegata_record_failing").await.abs() < f64::EPSILON);
    assert!(failing.metric("tegata_record_failures").await >= 5.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_sqlite() {
    a_full_disk_denies_and_tells_and_recovers(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_postgres() {
    a_full_disk_denies_and_tells_and_recovers(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_it_was_chosen_checks_are_answered_without_a_record() {
    let failing = Failing::start(Database::Sqlite, |config| config.record_failure = RecordFailure::Allow).await;
    let recorded = failing.check().await;
    failing.disk.leave_room(0);
    let mut without = recorded.clone();
    without.as_object_mut().unwrap().remove("record").unwrap();
    assert_eq!(failing.check().await, without, "the same answer but for the record");
    let unknown = json!({"token": "x", "api": "github", "method": "GET", "path": "/user"});
    let many = json!({"checks": [failing.question(), unknown, failing.question()]});
    let answers = failing.gateway.post("/v1/verify/batch", many).await.status(200)["results"].clone();
    assert_eq!((&answers[0], &answers[2]), (&without, &without));
    assert_eq!(
        (&answers[1]["allowed"], answers[1].get("record")),
        (&json!(false), None),
        "what is denied stays denied"
    );
    failing.admin.get("/v1/orgs/default").await.status(200);
    let (status, told) = failing.ready().await;
    assert_eq!(status, 200, "{told}");
    let record = &told["record"];
    assert_eq!((&record["condition"], &record["on_failure"]), (&json!("failing"), &json!("allow")), "{told}");
    assert_eq!((&record["denied"], &record["unrecorded"]), (&json!(0), &json!(5)));
    assert!(failing.metric("tegata_checks_unrecorded_total").await >= 5.0);
    assert!(failing.metric("tegata_record_failing").await > 0.5);

    failing.disk.leave_room(u64::MAX);
    let until = Instant::now() + Duration::from_secs(20);
    while failing.ready().await.1["record"]["condition"] == "failing" {
        assert!(Instant::now() < until, "it does not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(failing.check().await["record"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_fails_is_told_and_ends() {
    let failing = Failing::start(Database::Sqlite, |config| config.flush = Flush::Always).await;
    failing.disk.fail_flushes(true);
    assert_eq!(failing.check().await["reason"], "record_unavailable");
    let (status, told) = failing.ready().await;
    assert_eq!((status.as_u16(), &told["record"]["error"]), (503, &json!("input_output")), "{told}");
    failing.disk.fail_flushes(false);
    failing.is_ready_again().await;
    assert_eq!(failing.check().await["reason"], "granted");
}

/// How long one flush takes on the slow disk.
const SLOW: Duration = Duration::from_millis(400);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_disk_delays_checks_only_where_they_wait_for_it() {
    let failing = Failing::start(Database::Sqlite, |_| {}).await;
    failing.disk.slow_flushes(SLOW);
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        assert_eq!(failing.check().await["reason"], "granted");
        took.push(began.elapsed());
    }
    took.sort();
    // Ten flushes a second are asked for, so that one is always under way.
    assert!(took[100] < SLOW / 8 && took[199] < SLOW, "the median is {:?}, the longest {:?}", took[100], took[199]);
    failing.disk.slow_flushes(Duration::ZERO);

    let failing = Failing::start(Database::Sqlite, |config| {
        config.flush = Flush::Always;
        config.workers = std::num::NonZeroUsize::MIN;
    })
    .await;
    failing.disk.slow_flushes(SLOW);
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (gateway, question) = (failing.gateway.clone(), failing.question());
        tasks.spawn(async move { gateway.verify(question).await });
    }
    let asked = tasks.join_all().await;
    let took = began.elapsed();
    assert!(asked.iter().all(|answer| answer["reason"] == "granted"));
    // Nobody is answered before the disk, and those who wait on the one thread share a flush.
    assert!(took >= SLOW && took < 8 * SLOW, "32 checks took {took:?}");
    failing.disk.slow_flushes(Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_that_cannot_be_written_are_told_and_hold_up_nothing() {
    let failing =
        Failing::start(Database::Sqlite, |config| config.record_settle_after = Duration::from_millis(100)).await;
    failing.disk.leave_steps(0);
    let before = failing.check().await;
    let told = async |condition: &str| {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let (status, told) = failing.ready().await;
            assert_eq!(status, 200, "{told}");
            if told["columns"]["condition"] == condition {
                break told;
            }
            assert!(Instant::now() < until, "{told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let failed = told("failing").await;
    assert!(failed["columns"]["since"].is_string() && failed["columns"]["error"] == "input_output", "{failed}");
    assert_eq!(failing.check().await["reason"], "granted");
    failing.disk.leave_steps(u64::MAX);
    told("settling").await;
    let path = format!("/v1/orgs/acme/records/{}", before["record"].as_str().unwrap());
    failing.admin.get(&path).await.status(200);
}
