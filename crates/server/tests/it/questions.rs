//! Questions to the access log over HTTP: counts by time, what comes up most often, SQL, following it, how long it is
//! kept, and exports that are gone on with. Each is asked of the journal, and again when the records are in columns.

use crate::support::{Client, Person, Reply, Server};
use serde_json::{Value, json};
use std::time::Duration;

const RECORDS: &str = "/v1/orgs/acme/records";

/// An organization in whose log bob has called three times and was refused once.
struct Acme {
    root: Client,
    admin: Person,
    bob: Person,
}

impl Acme {
    async fn new(server: &Server) -> Self {
        let root = server.admin().await;
        let admin = server.org(&root, "acme").await;
        let bob = server.member(&root, &admin.client, "acme", "bob", "member").await;
        for _ in 0..3 {
            bob.client.get("/v1/orgs/acme/roles").await.status(200);
        }
        bob.client.get("/v1/orgs/acme/activity").await.problem("forbidden");
        Self { root, admin, bob }
    }

    async fn ask(&self, question: &str) -> Reply {
        self.admin.client.get(&format!("{RECORDS}/{question}")).await
    }

    async fn sql(&self, statement: &str) -> Reply {
        self.admin.client.post(&format!("{RECORDS}/sql"), json!({"statement": statement})).await
    }
}

/// Moves every record into columns.
async fn settle(server: &Server) {
    let app = &server.running.app;
    let (log, now) = (app.verify.journal().clone(), app.clock.now().as_micros());
    let settled = tokio::task::spawn_blocking(move || {
        log.close_segment().unwrap();
        log.settle(now).unwrap()
    });
    assert!(settled.await.unwrap().records > 0);
}

fn items(reply: &Reply) -> &Vec<Value> {
    reply.status(200)["items"].as_array().unwrap()
}

/// Reads events until there are so many, or the stream ends.
async fn events(mut stream: reqwest::Response, count: usize) -> Vec<Value> {
    let mut text = String::new();
    let read = async {
        while let Ok(Some(chunk)) = stream.chunk().await {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            if text.matches("\ndata: ").count() >= count {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap_or_else(|_| panic!("too few events"));
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

both_databases! {
    async fn counts_by_time_have_no_gaps_and_add_up(server: Server) {
        let acme = Acme::new(&server).await;
        for is_settled in [false, true] {
            if is_settled {
                settle(&server).await;
            }
            let counted = acme.ask("histogram?bucket=1h&principal=bob@example.com").await;
            assert_eq!((&counted.status(200)["allowed"], &counted["denied"]), (&json!(3), &json!(1)), "{is_settled}");
            assert_eq!(counted["bucket_seconds"], 3_600);
            // A day touches twenty-five hours, unless it begins with one.
            let hours = items(&counted);
            assert!((24..=25).contains(&hours.len()), "{}", hours.len());
            let sum: u64 = hours.iter().map(|hour| hour["allowed"].as_u64().unwrap()).sum();
            assert_eq!(sum, 3);
            let start = hours[0]["start"].as_str().unwrap();
            assert!(start.ends_with(":00:00Z"), "{start}");
        }
        let day = acme.ask("histogram?bucket=1d&utc_offset=%2B09:00&decision=deny").await;
        assert!(items(&day).iter().all(|day| day["start"].as_str().unwrap().ends_with("T15:00:00Z")), "{day:?}");
        assert!(day["allowed"] == 0 && day["denied"].as_u64().unwrap() >= 1);
        acme.ask("histogram?bucket=soon").await.field("invalid_parameter", "bucket");
        acme.ask("histogram?bucket=1s").await.field("invalid_parameter", "bucket");
        acme.ask("histogram?utc_offset=tokyo").await.field("invalid_parameter", "utc_offset");
        acme.ask("histogram?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").await.field("invalid_parameter", "from");
    }

    async fn what_comes_up_most_often_is_first(server: Server) {
        let acme = Acme::new(&server).await;
        for is_settled in [false, true] {
            if is_settled {
                settle(&server).await;
            }
            let top = acme.ask("top?by=endpoint&principal=bob@example.com").await;
            let expected = json!([
                {"value": "/v1/orgs/{org}/roles", "allowed": 3, "denied": 0},
                {"value": "/v1/orgs/{org}/activity", "allowed": 0, "denied": 1},
            ]);
            assert_eq!(top.status(200)["items"], expected, "{is_settled}");
            let one = acme.ask("top?by=reason&limit=1&decision=deny").await;
            assert_eq!(one.status(200)["items"], json!([{"value": "owner_lacks_permission", "allowed": 0, "denied": 1}]));
        }
        for wrong in ["top", "top?by=shoe_size"] {
            acme.ask(wrong).await.field("invalid_parameter", "by");
        }
        acme.ask("top?by=reason&limit=0").await.field("invalid_parameter", "limit");
    }

    async fn every_column_can_be_asked_for(server: Server) {
        let acme = Acme::new(&server).await;
        let found = async |query: &str| items(&acme.admin.client.get(&format!("{RECORDS}?{query}")).await).len();
        assert_eq!(found("q=/ORGS/ACME/ROLES&principal=bob@example.com").await, 3);
        assert_eq!(found(&format!("q={}&reason=owner_lacks_permission", acme.bob.id)).await, 1);
        assert_eq!(found("q=nowhere").await, 0);
        assert_eq!(found("principal=bob@example.com&level=read").await, 4);
        assert_eq!(found("principal=bob@example.com&level=admin").await, 0);
        let version = tegata_core::decide::RULE_VERSION;
        assert_eq!(found(&format!("principal=bob@example.com&rule_version={version}")).await, 4);
        assert_eq!(found("principal=bob@example.com&rule_version=99").await, 0);
        assert_eq!(found("catalogue_version=99").await, 0);
        assert_eq!(found("alternative=7").await, 0);
        assert_eq!(found("user_agent=nobody").await, 0);
        assert_eq!(found("acted_for=bob@example.com").await, 4);
        let wrong = [("level", "root"), ("q", ""), ("rule_version", "4294967296")];
        for (name, value) in wrong {
            let reply = acme.admin.client.get(&format!("{RECORDS}?{name}={value}")).await;
            reply.field("invalid_parameter", name);
        }
        acme.admin.client.get(&format!("{RECORDS}?rule_version=new")).await.problem("invalid_parameter");
    }

    async fn auditors_ask_in_sql_and_see_their_own_organization_only(server: Server) {
        let acme = Acme::new(&server).await;
        let other = server.org(&acme.root, "other").await;
        other.client.get("/v1/orgs/other/roles").await.status(200);
        for is_settled in [false, true] {
            if is_settled {
                settle(&server).await;
            }
            let statement = format!(
                "SELECT decision, count(*) AS calls FROM records WHERE principal = '{}' GROUP BY decision ORDER BY calls",
                acme.bob.id
            );
            let answer = acme.sql(&statement).await;
            let columns = json!([{"name": "decision", "kind": "text"}, {"name": "calls", "kind": "integer"}]);
            assert_eq!(answer.status(200)["columns"], columns);
            assert_eq!(answer["rows"], json!([["deny", 1], ["allow", 3]]), "{is_settled}");
            assert_eq!(answer["truncated"], false);
            let others = format!("SELECT count(*) FROM records WHERE principal = '{}'", other.id);
            assert_eq!(acme.sql(&others).await.status(200)["rows"], json!([[0]]));
        }
        let body = json!({"statement": "SELECT time FROM records", "limit": 2});
        let cut = acme.admin.client.post(&format!("{RECORDS}/sql"), body).await;
        assert_eq!((cut.status(200)["rows"].as_array().unwrap().len(), &cut["truncated"]), (2, &json!(true)));
        for refused in [
            "", "SELECT", "DROP TABLE records", "DELETE FROM records", "SELECT 1; SELECT 2", "SELECT * FROM activity",
            "COPY records TO '/tmp/x'", "SET datafusion.execution.batch_size = 1", "SELECT repeat('x', 1000000)",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "SELECT * FROM '/etc/passwd'",
        ] {
            acme.sql(refused).await.field("invalid", "statement");
        }
        let body = json!({"statement": "SELECT 1", "limit": 0});
        acme.admin.client.post(&format!("{RECORDS}/sql"), body).await.field("invalid", "limit");
    }

    async fn whoever_follows_sees_what_is_written_and_goes_on_after_a_break(server: Server) {
        let acme = Acme::new(&server).await;
        let path = format!("{RECORDS}/tail?principal=bob@example.com");
        let stream = acme.admin.client.open(&path).await;
        assert_eq!(stream.headers()["content-type"], "text/event-stream");
        acme.bob.client.get("/v1/orgs/acme/teams").await.status(200);
        let seen = events(stream, 1).await;
        assert_eq!((seen.len(), &seen[0]["path"]), (1, &json!("/v1/orgs/acme/teams")));
        acme.bob.client.get("/v1/orgs/acme/contexts").await.status(200);
        settle(&server).await;
        acme.bob.client.get("/v1/orgs/acme/assignments").await.status(200);
        let again = acme.admin.client.open(&format!("{path}&after={}", seen[0]["id"].as_str().unwrap())).await;
        let paths: Vec<Value> = events(again, 2).await.iter().map(|record| record["path"].clone()).collect();
        assert_eq!(paths, ["/v1/orgs/acme/contexts", "/v1/orgs/acme/assignments"]);
        acme.ask("tail?after=nonsense").await.field("invalid_parameter", "after");
        acme.ask("tail?seconds=86401").await.field("invalid_parameter", "seconds");
        let now = acme.ask(&format!("tail?seconds=0&principal={}&after={}", acme.bob.id, seen[0]["id"].as_str().unwrap())).await;
        assert_eq!(now.status(200).as_str().unwrap().matches("event: record").count(), 2);
    }

    async fn following_ends_when_the_right_to_it_ends(server: Server) {
        let acme = Acme::new(&server).await;
        let carol = server.member(&acme.root, &acme.admin.client, "acme", "carol", "auditor").await;
        let stream = carol.client.open(&format!("{RECORDS}/tail?decision=deny")).await;
        let path = format!("/v1/orgs/acme/members/{}/deactivate", carol.id);
        acme.admin.client.post(&path, json!({})).await.status(200);
        let end = events(stream, 1).await;
        assert!(["not_found", "unauthenticated", "forbidden"].iter().any(|code| end[0]["code"] == *code), "{end:?}");
    }

    async fn exports_go_on_after_the_last_record_that_arrived(server: Server) {
        let acme = Acme::new(&server).await;
        let export = async |query: &str| acme.ask(&format!("export?principal=bob@example.com&{query}")).await;
        let whole = export("format=jsonl").await.status(200).as_str().unwrap().to_owned();
        let lines: Vec<&str> = whole.lines().collect();
        let second: Value = serde_json::from_str(lines[1]).unwrap();
        let second = second["id"].as_str().unwrap();
        settle(&server).await;
        let rest = export(&format!("format=jsonl&after={second}")).await;
        assert_eq!(rest.headers["tegata-record-count"], "2");
        assert_eq!(rest.status(200).as_str().unwrap().lines().collect::<Vec<_>>(), lines[2..]);
        let csv = export("format=csv").await.status(200).as_str().unwrap().to_owned();
        let rest = export(&format!("format=csv&after={second}")).await.status(200).as_str().unwrap().to_owned();
        assert!(csv.starts_with("id,") && csv.ends_with(&rest) && rest.lines().count() == 2, "{rest}");
        let events = export("format=ocsf").await;
        let event: Value = serde_json::from_str(events.status(200).as_str().unwrap().lines().last().unwrap()).unwrap();
        assert_eq!((&event["type_uid"], &event["status_code"]), (&json!(600_302), &json!("owner_lacks_permission")));
        assert_eq!(event["actor"]["user"]["uid"], acme.bob.id.as_str());
        export("format=csv&after=rec_1").await.field("invalid_parameter", "after");
        export(&format!("format=parquet&after={second}")).await.field("invalid_parameter", "after");
    }

    async fn records_are_kept_as_long_as_their_organization_says(server: Server) {
        let acme = Acme::new(&server).await;
        let (path, admin) = (format!("{RECORDS}/retention"), &acme.admin.client);
        let fresh = json!({"days": 180, "own_days": null, "default_days": 180, "hold": false});
        assert_eq!(admin.get(&path).await.status(200), &fresh);
        let other = server.org(&acme.root, "other").await;
        other.client.get("/v1/orgs/other/roles").await.status(200);
        let count = async |client: &Client, org: &str| {
            items(&client.get(&format!("/v1/orgs/{org}/records?limit=200&to={}", server.in_days(-5))).await).len()
        };
        settle(&server).await;
        // Before its day is over, or the day would be open for some more minutes.
        server.signed().await;
        server.advance(Duration::from_hours(24 * 10));
        let kept = async |client: &Client, org: &str| {
            tegata::jobs::drop_records(&server.running.app).await;
            count(client, org).await
        };
        let acme_client = server.sign_in("acme-admin@example.com").await;
        let other_client = server.sign_in("other-admin@example.com").await;
        let (ours, theirs) = (count(&acme_client, "acme").await, count(&other_client, "other").await);
        assert!(ours > 4 && theirs > 0, "{ours} and {theirs}");

        let set = async |days: Option<u32>, hold: bool| {
            let body = json!({"days": days, "hold": hold, "reason": "the auditors asked"});
            acme_client.put(&path, body).await.status(200).clone()
        };
        assert_eq!(set(Some(3), true).await["hold"], true);
        assert_eq!(kept(&acme_client, "acme").await, ours, "a hold keeps everything");
        assert_eq!(set(Some(3), false).await["days"], 3);
        // What is not signed yet is not dropped.
        server.signed().await;
        assert_eq!(kept(&acme_client, "acme").await, 0);
        assert_eq!(kept(&other_client, "other").await, theirs, "nobody else's go");
        assert_eq!(set(None, false).await["days"], 180);

        for (field, body) in [
            ("days", json!({"days": 0, "hold": false, "reason": "x"})),
            ("days", json!({"days": 4_000, "hold": false, "reason": "x"})),
            ("reason", json!({"days": 3, "hold": false, "reason": " "})),
        ] {
            acme_client.put(&path, body).await.field("invalid", field);
        }
        let changes = acme_client.get("/v1/orgs/acme/activity?operation=record.retention.set").await;
        assert_eq!(items(&changes).len(), 3);
    }

    async fn questions_need_their_permission_and_stay_in_their_organization(server: Server) {
        let acme = Acme::new(&server).await;
        let other = server.org(&acme.root, "other").await;
        let select = json!({"statement": "SELECT 1"});
        for question in ["histogram", "top?by=reason", "tail", "retention"] {
            let path = format!("{RECORDS}/{question}");
            acme.bob.client.get(&path).await.problem("forbidden");
            other.client.get(&path).await.problem("not_found");
            server.anybody().get(&path).await.problem("unauthenticated");
        }
        let path = format!("{RECORDS}/sql");
        acme.bob.client.post(&path, select.clone()).await.problem("forbidden");
        other.client.post(&path, select).await.problem("not_found");
        let body = json!({"days": 1, "hold": false, "reason": "x"});
        acme.bob.client.put(&format!("{RECORDS}/retention"), body).await.problem("forbidden");
        // What is wrong with a question is told to those only who may ask.
        acme.bob.client.get(&format!("{RECORDS}/top?by=shoe_size")).await.problem("forbidden");
    }
}
