//! Webhooks: order, signatures, receivers that fail, and that nothing is lost.

use super::receiver::{HANG, Hook};
use super::{Acme, STREAMS, id_of, once, path, until};
use crate::support::{Database, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

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

both_databases! {
    async fn records_arrive_in_order_signed_and_nobody_elses(server: Server) {
        let acme = Acme::new(&server).await;
        acme.calls(5).await;
        // The first records are in columns, the others in the journal.
        settle(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        acme.calls(5).await;
        let ids = acme.ids().await;
        hook.has(&ids).await;
        assert_eq!(hook.ids()[..ids.len()], ids, "each once, in order, and none of another organization");

        let secret = stream["secret"].as_str().unwrap();
        let exported = acme.admin.client.get("/v1/orgs/acme/records/export?format=jsonl").await;
        let exported = exported.status(200).as_str().unwrap().to_owned();
        let mut webhook_ids = BTreeSet::new();
        for got in hook.taken() {
            assert!(got.is_signed_by(secret) && !got.is_signed_by("whsec_AAAA"));
            assert!(webhook_ids.insert(got.header("webhook-id").to_owned()));
            assert_eq!(got.header("content-type"), "application/json");
            let (data, records) = (&got.json["data"], got.records());
            assert_eq!((&got.json["type"], &data["stream"]), (&json!("records.delivered"), &stream["id"]));
            assert_eq!(data["count"], records.len());
            assert_eq!((&data["first"], &data["last"]), (&records[0]["id"], &records[records.len() - 1]["id"]));
            let organization = records[0]["organization"].as_str().unwrap();
            assert!(records.iter().all(|record| record["organization"] == organization));
            // Byte by byte as in the export.
            let line = serde_json::to_string(&records[0]).unwrap();
            assert!(exported.lines().any(|exported| exported == line), "{line}");
        }
        let stored = async || acme.show(&stream).await["delivered"].as_u64().unwrap() >= ids.len() as u64;
        until("how far it has come is stored", stored).await;
        let shown = acme.show(&stream).await;
        assert_eq!((&shown["state"], &shown["reason"], &shown["missed"]), (&json!("active"), &Value::Null, &json!(0)));
        assert!(shown["position"]["record"].is_string() && shown["position"]["delivered_at"].is_string());
        assert_eq!(shown["url"], format!("http://{}/in?…", hook.address), "no query is shown");
        assert!(shown["lag"]["records"].is_u64() && shown["lag"]["seconds"].is_u64());
        assert_eq!(acme.admin.client.get(STREAMS).await.status(200)["items"][0]["id"], stream["id"]);
    }

    async fn a_receiver_that_fails_gets_everything_when_it_is_back(server: Server) {
        let acme = Acme::new(&server).await;
        let mut hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        let first = acme.ids().await;
        hook.has(&first).await;
        for failure in [500, 302, 404, HANG] {
            hook.answers(failure);
            acme.calls(3).await;
            let again = async || hook.all().iter().filter(|got| got.status == failure).count() >= 2;
            until("it is tried again", again).await;
            let tries: Vec<_> = hook.all().into_iter().filter(|got| got.status == failure).collect();
            let ids: BTreeSet<_> = tries.iter().map(|got| got.header("webhook-id").to_owned()).collect();
            let bodies: BTreeSet<_> = tries.iter().map(|got| got.body.to_vec()).collect();
            assert_eq!((ids.len(), bodies.len()), (1, 1), "the same batch under the same id");
            let word = if failure == HANG { "timed_out".to_owned() } else { format!("status_{failure}") };
            let failing = async || acme.show(&stream).await["reason"] == word.as_str();
            until("it is told", failing).await;
            let shown = acme.show(&stream).await;
            assert_eq!(shown["state"], "failing");
            assert!(shown["attempts"].as_u64().unwrap() >= 1 && shown["since"].is_string(), "{shown}");
            assert!(shown["next_attempt_at"].is_string() && shown["lag"]["records"].as_u64().unwrap() >= 3);
            // Nobody else notices.
            assert_eq!(server.anybody().get("/readyz").await.status, 200);
            hook.answers(200);
            hook.has(&acme.ids().await).await;
        }
        // A port that nobody listens on.
        let address = hook.address;
        let before = hook.ids();
        drop(hook);
        acme.calls(3).await;
        until("it is told", async || acme.show(&stream).await["reason"] == "not_reachable").await;
        hook = Hook::open_at(address).await;
        let ids = acme.ids().await;
        let missing: Vec<_> = ids.iter().filter(|id| !before.contains(id)).cloned().collect();
        hook.has(&missing).await;
        let all = [before, hook.ids()].concat();
        assert_eq!(once(&all)[..ids.len()], ids, "in order");
        until("it is told", async || acme.show(&stream).await["state"] == "active").await;
    }

    async fn a_receiver_that_wants_no_more_is_left_alone(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        hook.answers(410);
        let stream = acme.hook(&server, &hook).await;
        until("it is paused", async || acme.show(&stream).await["state"] == "paused").await;
        assert_eq!(acme.show(&stream).await["reason"], "receiver_gone");
        let activity = acme.admin.client.get("/v1/orgs/acme/activity?operation=record.stream.pause").await;
        assert_eq!(activity.status(200)["items"][0]["subject"], stream["id"]);
        let tries = hook.all().len();
        acme.calls(3).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!((tries, hook.all().len()), (1, 1));
        hook.answers(200);
        acme.act(&stream, "resume", json!({"reason": "it is back"})).await;
        hook.has(&acme.ids().await).await;
        acme.admin.client.post(&path(&stream, "resume"), json!({})).await.problem("conflict");
    }

    async fn a_paused_stream_keeps_its_place(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        hook.has(&acme.ids().await).await;
        acme.act(&stream, "pause", json!({"reason": "works"})).await;
        acme.admin.client.post(&path(&stream, "pause"), json!({})).await.problem("conflict");
        let shown = acme.show(&stream).await;
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("paused"), &json!("works")));
        tokio::time::sleep(Duration::from_millis(500)).await;
        let before = hook.all().len();
        acme.calls(3).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(hook.all().len(), before);
        acme.act(&stream, "resume", json!({})).await;
        let ids = acme.ids().await;
        hook.has(&ids).await;
        assert_eq!(once(&hook.ids())[..ids.len()], ids);
    }

    async fn a_former_secret_signs_as_well_until_its_time_is_over(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        let former = stream["secret"].as_str().unwrap();
        hook.has(&acme.ids().await).await;
        let rotated = acme.act(&stream, "rotate", json!({"overlap_seconds": 3600})).await;
        let current = rotated["secret"].as_str().unwrap();
        assert_ne!(former, current);
        assert!(acme.show(&stream).await["former_secret_until"].is_string());
        let last = async |what: &str| {
            hook.has(&acme.ids().await).await;
            let got = hook.taken().pop().unwrap();
            assert_eq!(got.header("webhook-signature").split(' ').count(), if what == "both" { 2 } else { 1 });
            (got.is_signed_by(former), got.is_signed_by(current))
        };
        until("the new secret is in use", async || {
            acme.calls(1).await;
            hook.taken().last().is_some_and(|got| got.is_signed_by(current))
        })
        .await;
        assert_eq!(last("both").await, (true, true));
        server.advance(Duration::from_secs(3_700));
        acme.calls(1).await;
        assert_eq!(last("one").await, (false, true));
        let wrong = json!({"overlap_seconds": 604_801});
        acme.admin.client.post(&path(&stream, "rotate"), wrong).await.field("invalid", "overlap_seconds");
    }

    async fn a_restart_goes_on_where_it_was(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        hook.has(&acme.ids().await).await;
        hook.answers(503);
        acme.calls(5).await;
        let server = server.restart().await;
        let acme = acme.at(&server);
        acme.calls(5).await;
        until("it is tried", async || hook.all().iter().any(|got| got.status == 503)).await;
        hook.answers(200);
        let ids = acme.ids().await;
        hook.has(&ids).await;
        assert_eq!(hook.ids()[..ids.len()], ids, "after a clean end nothing comes twice");
        assert!(hook.taken().iter().all(|got| got.is_signed_by(stream["secret"].as_str().unwrap())));
    }

    async fn records_are_sent_again_on_demand(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        acme.calls(5).await;
        let ids = acme.ids().await;
        hook.has(&ids).await;
        let before = hook.taken();
        acme.act(&stream, "replay", json!({"from": ids[3]})).await;
        until("it begins with the record", async || {
            hook.taken()[before.len()..].iter().any(|got| got.records()[0]["id"] == ids[3].as_str())
        })
        .await;
        let again = hook.taken();
        let first = again[before.len()..].iter().find(|got| got.records()[0]["id"] == ids[3].as_str()).unwrap();
        let had = before.iter().any(|got| got.header("webhook-id") == first.header("webhook-id"));
        assert!(!had, "whoever passes over what they had takes it");
        // From a moment on: the time of the third record.
        let third = acme.admin.client.get(&format!("/v1/orgs/acme/records/{}", ids[2])).await;
        let moment = third.status(200)["time"].clone();
        let count = hook.taken().len();
        acme.act(&stream, "replay", json!({"from": moment, "reason": "lost"})).await;
        until("it begins with the moment", async || {
            hook.taken()[count..].iter().any(|got| got.records()[0]["id"] == ids[2].as_str())
        })
        .await;
        for wrong in ["yesterday", "rec_00000000000000000000000000", "9000-01-01T00:00:00Z"] {
            acme.admin.client.post(&path(&stream, "replay"), json!({"from": wrong})).await.field("invalid", "from");
        }
    }

    async fn what_was_dropped_before_it_was_delivered_is_told(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        hook.has(&acme.ids().await).await;
        until("that is stored", async || acme.show(&stream).await["position"]["record"].is_string()).await;
        acme.act(&stream, "pause", json!({})).await;
        acme.calls(7).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let delivered: BTreeSet<_> = hook.ids().into_iter().collect();
        let old: Vec<_> = acme.ids().await.into_iter().filter(|id| !delivered.contains(id)).collect();
        let lost = old.len();
        assert!(lost >= 7, "{lost}");
        server.signed().await;
        settle(&server).await;
        server.signed().await;
        server.advance(Duration::from_hours(24 * 182));
        let admin = server.sign_in("acme-admin@example.com").await;
        let acme = Acme { admin: crate::support::Person { client: admin, ..acme.admin.clone() }, ..acme };
        // Until their day is closed they stay, and what was counted before is taken back each time.
        until("they are dropped", async || {
            tegata::jobs::drop_records(&server.running.app).await;
            acme.show(&stream).await["missed"] != 0
        })
        .await;
        assert_eq!(acme.show(&stream).await["missed"], lost);
        acme.act(&stream, "resume", json!({})).await;
        until("it is told", async || hook.taken().iter().any(|got| got.json["data"]["missed"] == lost)).await;
        until("it is told once", async || acme.show(&stream).await["missed"] == 0).await;
        hook.has(&acme.ids().await).await;
        let told = hook.taken().iter().filter(|got| got.json["data"]["missed"] != 0).count();
        assert_eq!(told, 1);
    }

    async fn only_what_passes_the_filter_is_sent(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let from = server.in_days(-1);
        let bob = server.member(&acme.root, &acme.admin.client, "acme", "bob", "member").await;
        let eve = server.member(&acme.root, &acme.admin.client, "acme", "eve", "member").await;
        let filter = json!({"decision": "deny", "principal": "bob@example.com"});
        let mut body = json!({"name": "denied", "kind": "webhook", "url": hook.url(), "format": "ocsf", "from": from});
        body["filter"] = filter.clone();
        let stream = acme.admin.client.post(STREAMS, body).await.status(201).clone();
        assert_eq!(stream["filter"], filter);
        acme.calls(3).await;
        for person in [&bob, &eve, &bob] {
            person.client.get("/v1/orgs/acme/activity").await.problem("forbidden");
            person.client.get("/v1/orgs/acme/roles").await.status(200);
        }
        acme.calls(3).await;
        let denied = 2;
        let sent = async || hook.taken().iter().map(|got| got.records().len()).sum::<usize>();
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(sent().await, denied);
        // Without the filter the others follow, from where it was.
        let changed = acme.admin.client.patch(&path(&stream, ""), json!({"filter": {}, "format": "json"})).await;
        assert_eq!((&changed.status(200)["filter"], &changed["format"]), (&json!({}), &json!("json")));
        acme.calls(2).await;
        let ids = acme.ids().await;
        let last = ids.last().cloned().unwrap();
        until("the others follow", async || hook.ids_of_json().contains(&last)).await;
    }
}

impl Hook {
    fn ids_of_json(&self) -> Vec<String> {
        let json = |got: &&super::receiver::Got| got.json["data"]["format"] == "json";
        self.taken().iter().filter(json).flat_map(super::receiver::Got::records).map(id_of).collect()
    }
}

/// Two thousand records are more than one batch: none is left out or sent twice where one ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_records_are_many_batches() {
    let server = Server::start(Database::Sqlite).await;
    let acme = Acme::new(&server).await;
    let log = server.running.app.verify.journal();
    let org = acme.admin.client.get("/v1/orgs/acme").await.status(200)["id"].as_str().unwrap().to_owned();
    for number in 0..2_000_i64 {
        let time = server.running.app.clock.now().as_micros() + number;
        let mut record = tegata_record::NewRecord::new(time, tegata_record::Decision::Allow, "granted");
        record.organization = Some(&org);
        log.append(&record).unwrap();
    }
    let hook = Hook::open().await;
    acme.hook(&server, &hook).await;
    let ids = acme.ids().await;
    hook.has(&ids).await;
    assert_eq!(hook.ids()[..ids.len()], ids);
    assert!(hook.taken().iter().all(|got| got.records().len() <= 500));
}
