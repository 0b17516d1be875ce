//! Where nothing is sent, who may not say so, and secrets that stay where they are.

use super::receiver::Hook;
use super::{Acme, STREAMS, path, until};
use crate::support::{Database, Server, fresh_database};
use serde_json::{Value, json};
use tegata::maintenance::{BackupOptions, RestoreOptions, backup, keys, open_restored, restore};
use tegata::send;

fn webhook(url: &str) -> Value {
    json!({"name": "siem", "kind": "webhook", "url": url})
}

both_databases! {
    async fn bad_input_is_told_and_changes_nothing(server: Server) {
        let acme = Acme::new(&server).await;
        let post = async |body: Value| acme.admin.client.post(STREAMS, body).await;
        let good = "https://siem.example.com/in";
        let with = |field: &str, value: Value| {
            let mut body = webhook(good);
            body[field] = value;
            body
        };
        for (body, field) in [
            (with("name", json!("")), "name"),
            (with("kind", json!("pigeon")), "kind"),
            (with("url", json!("siem")), "url"),
            (with("url", json!("ftp://siem.example.com")), "url"),
            (with("url", json!("https://a:b@siem.example.com")), "url"),
            (with("url", json!("tls://siem.example.com:6514")), "url"),
            (with("url", json!("https://10.1.2.3/")), "url"),
            (with("url", json!("https://[fe80::1]/")), "url"),
            (with("url", json!("http://0xa9fea9fe/latest/meta-data")), "url"),
            (with("format", json!("structured")), "format"),
            (with("syslog", json!({})), "syslog"),
            (with("filter", json!({"decision": "maybe"})), "filter.decision"),
            (with("filter", json!({"context": "house:1"})), "filter.context"),
            (with("filter", json!({"q": "x".repeat(501)})), "filter.q"),
            (with("from", json!("soon")), "from"),
            (json!({"name": "a", "kind": "syslog", "url": "tls://a:1", "syslog": {"facility": 24}}), "syslog.facility"),
            (json!({"name": "a", "kind": "syslog", "url": "tls://a:1", "syslog": {"severity_denied": 8}}), "syslog.severity_denied"),
            (json!({"name": "a", "kind": "syslog", "url": "tls://a:1", "syslog": {"enterprise_number": 0}}), "syslog.enterprise_number"),
            (json!({"name": "a", "kind": "syslog", "url": "tls://a:1/path"}), "url"),
        ] {
            post(body).await.field("invalid", field);
        }
        post(with("filter", json!({"shoe_size": "44"}))).await.problem("malformed_body");
        post(with("format", json!("csv"))).await.problem("malformed_body");
        assert_eq!(acme.admin.client.get(STREAMS).await.status(200)["items"], json!([]));
        for number in 0..20 {
            post(with("name", json!(format!("number {number}")))).await.status(201);
        }
        post(webhook(good)).await.problem("conflict");
        let first = acme.admin.client.get(&format!("{STREAMS}?limit=1")).await;
        let (first, cursor) = (&first.status(200)["items"][0], &first["next_cursor"]);
        let rest = acme.admin.client.get(&format!("{STREAMS}?limit=200&cursor={}", cursor.as_str().unwrap())).await;
        assert_eq!(rest.status(200)["items"].as_array().unwrap().len(), 19);
        let patch = async |body: Value| acme.admin.client.patch(&path(first, ""), body).await;
        patch(json!({"url": "http://192.168.0.1/"})).await.field("invalid", "url");
        patch(json!({"kind": "syslog"})).await.problem("malformed_body");
        assert_eq!(patch(json!({"name": "renamed"})).await.status(200)["url"], good);
        acme.admin.client.delete(&path(first, "")).await.status(200);
        acme.admin.client.get(&path(first, "")).await.problem("not_found");
    }

    async fn what_is_created_twice_under_one_key_is_one_and_shows_its_secret_once(server: Server) {
        let acme = Acme::new(&server).await;
        let body = Some(webhook("https://siem.example.com/in"));
        let key = [("idempotency-key", "once")];
        let method = reqwest::Method::POST;
        let first = acme.admin.client.send(method.clone(), STREAMS, body.clone(), &key).await;
        let again = acme.admin.client.send(method, STREAMS, body, &key).await;
        assert_eq!(first.status(201)["id"], again.status(201)["id"]);
        let secret = first["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_") && again.body.get("secret").is_none());
        assert!(acme.show(&first.body).await.get("secret").is_none());
        // Nowhere in the database, nor in what is shown of changes.
        let bare = secret.trim_start_matches("whsec_");
        let row = stored(&server).await;
        assert!(row.starts_with("s1.1.") && !row.contains(bare), "{row}");
        let activity = acme.admin.client.get("/v1/orgs/acme/activity").await;
        let activity = activity.status(200).to_string();
        assert!(activity.contains("record.stream.create") && !activity.contains(bare) && !activity.contains("s1.1."));
    }

    async fn nobody_sends_what_they_may_not_read(server: Server) {
        let acme = Acme::new(&server).await;
        let admin = &acme.admin.client;
        let permissions = json!([{"api": "tegata", "permissions": ["organization:read", "record_streams:write"]}]);
        let body = json!({"key": "sender", "name": "Sender", "context_type": "global", "permissions": permissions});
        admin.post("/v1/orgs/acme/roles", body).await.status(201);
        let sender = server.member(&acme.root, admin, "acme", "sender", "sender").await.client;
        let stream = admin.post(STREAMS, webhook("https://siem.example.com/in")).await.status(201).clone();
        sender.post(STREAMS, webhook("https://siem.example.com/in")).await.problem("forbidden");
        sender.patch(&path(&stream, ""), json!({"url": "https://elsewhere.example.com"})).await.problem("forbidden");
        for (verb, body) in [("test", json!({})), ("rotate", json!({})), ("replay", json!({"from": "2026-01-01T00:00:00Z"}))] {
            sender.post(&path(&stream, verb), body).await.problem("forbidden");
        }
        // To stop it takes no more than the right to start it.
        sender.post(&path(&stream, "pause"), json!({})).await.status(200);
        sender.post(&path(&stream, "resume"), json!({})).await.problem("forbidden");
        let auditor = server.member(&acme.root, admin, "acme", "auditor", "auditor").await.client;
        auditor.get(&path(&stream, "")).await.status(200);
        auditor.delete(&path(&stream, "")).await.problem("forbidden");
        let other = &acme.other.client;
        other.get(&path(&stream, "")).await.problem("not_found");
        other.get(&path(&stream, "").replace("/acme/", "/other/")).await.problem("not_found");
        other.delete(&path(&stream, "").replace("/acme/", "/other/")).await.problem("not_found");
        assert_eq!(other.get("/v1/orgs/other/record-streams").await.status(200)["items"], json!([]));
    }

    async fn a_test_says_what_came_back(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let body = webhook(&hook.url());
        let stream = acme.admin.client.post(STREAMS, body).await.status(201).clone();
        acme.act(&stream, "pause", json!({})).await;
        assert_eq!(acme.act(&stream, "test", json!({})).await, json!({"delivered": true, "status": 200, "failure": null}));
        let got = hook.taken().pop().unwrap();
        assert!(got.is_signed_by(stream["secret"].as_str().unwrap()));
        assert_eq!((&got.json["type"], &got.json["data"]["test"]), (&json!("records.test"), &json!(true)));
        assert!(got.json["data"].get("records").is_none());
        hook.answers(500);
        let failed = json!({"delivered": false, "status": 500, "failure": "status_500"});
        assert_eq!(acme.act(&stream, "test", json!({})).await, failed);
        drop(hook);
        let failed = json!({"delivered": false, "status": null, "failure": "not_reachable"});
        assert_eq!(acme.act(&stream, "test", json!({})).await, failed);
        let activity = acme.admin.client.get("/v1/orgs/acme/activity?operation=record.stream.test").await;
        assert_eq!(activity.status(200)["items"].as_array().unwrap().len(), 3);
    }

    async fn a_name_that_leads_into_the_network_leads_nowhere(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let url = format!("http://localhost:{}/in?code=hush", hook.address.port());
        let stream = acme.admin.client.post(STREAMS, webhook(&url)).await.status(201).clone();
        acme.calls(1).await;
        until("it arrives", async || !hook.taken().is_empty()).await;
        let before = hook.all().len();
        // The operator thinks better of it.
        let (database, url) = (server.database, server.config.database.clone().unwrap());
        let Server { running, directory, .. } = server;
        running.stop().await;
        let careful = |config: &mut tegata::serve::Config| {
            config.sending = send::Settings { insecure: true, ..send::Settings::default() };
        };
        let server = Server::start_as(database, directory, url, careful).await;
        let acme = acme.at(&server);
        acme.calls(1).await;
        until("it is told", async || acme.show(&stream).await["reason"] == "address_not_allowed").await;
        assert_eq!(acme.act(&stream, "test", json!({})).await["failure"], "address_not_allowed");
        assert_eq!(hook.all().len(), before);
        let unencrypted = acme.admin.client.post(STREAMS, webhook("http://127.0.0.1/")).await;
        unencrypted.field("invalid", "url");
    }

    async fn a_new_key_and_a_restore_leave_secrets_usable(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let stream = acme.hook(&server, &hook).await;
        let secret = stream["secret"].as_str().unwrap().to_owned();
        hook.has(&acme.ids().await).await;
        let Server { running, config, database, directory, .. } = server;
        running.stop().await;
        keys::rotate(&config).await.unwrap();
        let url = config.database.clone().unwrap();
        let server = Server::start_on(database, directory, url.clone()).await;
        assert!(stored(&server).await.starts_with("s1.2."), "sealed again under the new key");
        let acme = acme.at(&server);
        let ids = acme.ids().await;
        hook.has(&ids).await;
        assert!(hook.taken().iter().all(|got| got.is_signed_by(&secret)));

        let Server { running, config, directory, .. } = server;
        running.stop().await;
        keys::retire(&config, true).await.unwrap();
        let source = directory.path().join("backup");
        let options = BackupOptions { destination: source.clone() };
        backup(&config, &options, &mut |_| {}).await.unwrap();
        let place = tempfile::tempdir().unwrap();
        let mut restored = config.clone();
        restored.data_dir = place.path().join("data");
        restored.database = Some(fresh_database(database, &place).await);
        std::fs::create_dir_all(&restored.data_dir).unwrap();
        std::fs::copy(config.key_file(), restored.key_file()).unwrap();
        let options = RestoreOptions { source, stops: None };
        restore(&restored, &options, &mut |_| {}).await.unwrap();
        let before = hook.all().len();
        let server = Server::start_on(database, place, restored.database.clone().unwrap()).await;
        let client = server.sign_in("acme-admin@example.com").await;
        let shown = client.get(&path(&stream, "")).await;
        assert_eq!((&shown.status(200)["state"], &shown["reason"]), (&json!("paused"), &json!("restored")));
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        assert_eq!(hook.all().len(), before, "nothing is sent until it is opened");
        let Server { running, config, directory, .. } = server;
        running.stop().await;
        open_restored(&config).await.unwrap();
        let server = Server::start_on(database, directory, config.database.clone().unwrap()).await;
        let client = server.sign_in("acme-admin@example.com").await;
        client.get("/v1/orgs/acme/roles").await.status(200);
        until("it goes on", async || hook.taken().len() > before).await;
        assert!(hook.taken().iter().all(|got| got.is_signed_by(&secret)));
    }
}

/// The secret of the only stream, as it is stored.
async fn stored(server: &Server) -> String {
    let db = &server.running.app.db;
    let mut tx = db.read().await.unwrap();
    let streams = tegata::db::streams::all(&mut tx).await.unwrap();
    streams[0].secrets.as_ref().unwrap().current.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_stream_sends_nothing_more() {
    let server = Server::start(Database::Sqlite).await;
    let acme = Acme::new(&server).await;
    let hook = Hook::open().await;
    let stream = acme.hook(&server, &hook).await;
    hook.has(&acme.ids().await).await;
    acme.admin.client.delete(&path(&stream, "")).await.status(200);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let before = hook.all().len();
    acme.calls(3).await;
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert_eq!(hook.all().len(), before);
}
