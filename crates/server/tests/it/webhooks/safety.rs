//! Where nothing is told, who may not say so, and secrets that stay where they are.

use super::{Acme, WEBHOOKS, path};
use crate::streams::receiver::Hook;
use crate::streams::until;
use crate::support::{Server, fresh_database};
use serde_json::{Value, json};
use tegata::maintenance::{BackupOptions, RestoreOptions, backup, keys, open_restored, restore};

fn webhook(url: &str) -> Value {
    json!({"name": "desk", "url": url})
}

both_databases! {
    async fn bad_input_is_told_and_changes_nothing(server: Server) {
        let acme = Acme::new(&server).await;
        let post = async |body: Value| acme.admin.client.post(WEBHOOKS, body).await;
        let good = "https://desk.example.com/in";
        let with = |field: &str, value: Value| {
            let mut body = webhook(good);
            body[field] = value;
            body
        };
        for (body, field) in [
            (with("name", json!("")), "name"),
            (with("url", json!("desk")), "url"),
            (with("url", json!("tls://desk.example.com:6514")), "url"),
            (with("url", json!("https://a:b@desk.example.com")), "url"),
            (with("url", json!("https://10.1.2.3/")), "url"),
            (with("url", json!("http://0xa9fea9fe/latest/meta-data")), "url"),
            (with("events", json!([])), "events"),
            (with("events", json!(vec!["*"; 51])), "events"),
            (with("events", json!(["*", "pigeon.*"])), "events[1]"),
            (with("events", json!(["team.list"])), "events[0]"),
        ] {
            post(body).await.field("invalid", field);
        }
        post(with("secret", json!("whsec_x"))).await.problem("malformed_body");
        assert_eq!(acme.admin.client.get(WEBHOOKS).await.status(200)["items"], json!([]));
        for number in 0..20 {
            post(with("name", json!(format!("number {number}")))).await.status(201);
        }
        post(webhook(good)).await.problem("conflict");
        let first = acme.admin.client.get(&format!("{WEBHOOKS}?limit=1")).await;
        let (first, cursor) = (&first.status(200)["items"][0], &first["next_cursor"]);
        let rest = acme.admin.client.get(&format!("{WEBHOOKS}?limit=200&cursor={}", cursor.as_str().unwrap())).await;
        assert_eq!(rest.status(200)["items"].as_array().unwrap().len(), 19);
        let patch = async |body: Value| acme.admin.client.patch(&path(first, ""), body).await;
        patch(json!({"url": "http://192.168.0.1/"})).await.field("invalid", "url");
        patch(json!({"events": ["nothing"]})).await.field("invalid", "events[0]");
        patch(json!({"name": "a\nb"})).await.field("invalid", "name");
        assert_eq!(patch(json!({"name": "renamed"})).await.status(200)["url"], good);
        let rotated = acme.admin.client.post(&path(first, "rotate"), json!({"overlap_seconds": 604_801})).await;
        rotated.field("invalid", "overlap_seconds");
        acme.admin.client.delete(&path(first, "")).await.status(200);
        acme.admin.client.get(&path(first, "")).await.problem("not_found");
    }

    async fn the_secret_is_shown_once_and_lies_nowhere(server: Server) {
        let acme = Acme::new(&server).await;
        let body = Some(webhook("https://desk.example.com/in"));
        let key = [("idempotency-key", "once")];
        let method = reqwest::Method::POST;
        let first = acme.admin.client.send(method.clone(), WEBHOOKS, body.clone(), &key).await;
        let again = acme.admin.client.send(method, WEBHOOKS, body, &key).await;
        assert_eq!(first.status(201)["id"], again.status(201)["id"]);
        let secret = first["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_") && again.body.get("secret").is_none());
        assert!(acme.show(&first.body).await.get("secret").is_none());
        let bare = secret.trim_start_matches("whsec_");
        let mut tx = server.running.app.db.read().await.unwrap();
        let row = tegata::db::webhooks::all(&mut tx).await.unwrap().remove(0).secrets.current;
        drop(tx);
        assert!(row.starts_with("s1.1.") && !row.contains(bare), "{row}");
        let activity = acme.admin.client.get("/v1/orgs/acme/activity").await;
        let activity = activity.status(200).to_string();
        assert!(activity.contains("webhook.create") && !activity.contains(bare) && !activity.contains("s1.1."));
    }

    async fn nobody_tells_what_they_may_not_see(server: Server) {
        let acme = Acme::new(&server).await;
        let admin = &acme.admin.client;
        let permissions = json!([{"api": "tegata", "permissions": ["organization:read", "webhooks:write"]}]);
        let body = json!({"key": "teller", "name": "Teller", "context_type": "global", "permissions": permissions});
        admin.post("/v1/orgs/acme/roles", body).await.status(201);
        let teller = server.member(&acme.root, admin, "acme", "teller", "teller").await.client;
        let own = admin.post(WEBHOOKS, webhook("https://desk.example.com/in")).await.status(201).clone();
        teller.post(WEBHOOKS, webhook("https://desk.example.com/in")).await.problem("forbidden");
        teller.patch(&path(&own, ""), json!({"url": "https://elsewhere.example.com"})).await.problem("forbidden");
        for (verb, body) in [("test", json!({})), ("rotate", json!({})), ("replay", json!({"since": "2026-01-01T00:00:00Z"}))] {
            teller.post(&path(&own, verb), body).await.problem("forbidden");
        }
        // To stop it takes no more than the right to start it.
        teller.post(&path(&own, "pause"), json!({})).await.status(200);
        teller.post(&path(&own, "resume"), json!({})).await.problem("forbidden");
        let other = &acme.other.client;
        for path in [path(&own, ""), path(&own, "deliveries")] {
            other.get(&path).await.problem("not_found");
            other.get(&path.replace("/acme/", "/other/")).await.problem("not_found");
        }
        other.delete(&path(&own, "").replace("/acme/", "/other/")).await.problem("not_found");
    }

    async fn a_test_says_what_came_back(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let own = acme.hook(&hook, &["team.create"]).await;
        assert_eq!(acme.act(&own, "test", json!({})).await, json!({"delivered": true, "status": 200, "failure": null}));
        let got = hook.taken().pop().unwrap();
        assert!(got.is_signed_by(own["secret"].as_str().unwrap()));
        assert_eq!((&got.json["type"], &got.json["data"]["test"]), (&json!("test"), &json!(true)));
        hook.answers(302);
        let failed = json!({"delivered": false, "status": 302, "failure": "status_302"});
        assert_eq!(acme.act(&own, "test", json!({})).await, failed);
    }

    async fn a_restore_revives_no_webhook_and_loses_none(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        hook.answers(500);
        let kept = acme.hook(&hook, &["team.create"]).await;
        let deleted = acme.hook(&hook, &["team.create"]).await;
        let paused = acme.hook(&hook, &["team.create"]).await;
        acme.teams("crew", 1).await;
        until("something waits", async || !acme.deliveries(&kept, "&state=pending").await.is_empty()).await;
        let source = server.directory.path().join("backup");
        let options = BackupOptions { destination: source.clone() };
        backup(&server.config, &options, &mut |_| {}).await.unwrap();
        acme.admin.client.delete(&path(&deleted, "")).await.status(200);
        acme.act(&paused, "pause", json!({})).await;
        let Server { running, config, database, directory: _old, .. } = server;
        running.stop().await;
        let place = tempfile::tempdir().unwrap();
        let mut restored = config.clone();
        restored.data_dir = place.path().join("data");
        restored.database = Some(fresh_database(database, &place).await);
        std::fs::create_dir_all(&restored.data_dir).unwrap();
        std::fs::copy(config.key_file(), restored.key_file()).unwrap();
        let options = RestoreOptions { source, stops: Some(config.stops_log()) };
        restore(&restored, &options, &mut |_| {}).await.unwrap();
        let server = Server::start_on(database, place, restored.database.clone().unwrap()).await;
        let before = hook.all().len();
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        assert_eq!(hook.all().len(), before, "nothing is told before it is opened");
        let Server { running, config, directory, .. } = server;
        running.stop().await;
        open_restored(&config).await.unwrap();
        hook.answers(200);
        let server = Server::start_on(database, directory, config.database.clone().unwrap()).await;
        until("what waited arrives", async || hook.taken().len() == 1).await;
        assert!(hook.taken()[0].is_signed_by(kept["secret"].as_str().unwrap()));
        let admin = server.sign_in("acme-admin@example.com").await;
        let list = admin.get(WEBHOOKS).await.status(200)["items"].as_array().unwrap().clone();
        let states: Vec<_> = list.iter().map(|own| (own["id"].clone(), own["state"].clone())).collect();
        assert_eq!(states, [(kept["id"].clone(), json!("active")), (paused["id"].clone(), json!("paused"))]);
    }

    async fn a_new_hashing_key_seals_the_secrets_anew(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let own = acme.hook(&hook, &["team.create"]).await;
        let (database, config) = (server.database, server.config.clone());
        let Server { running, directory, .. } = server;
        running.stop().await;
        keys::rotate(&config).await.unwrap();
        let server = Server::start_on(database, directory, config.database.clone().unwrap()).await;
        let acme = acme.at(&server);
        acme.teams("crew", 1).await;
        until("it arrives", async || hook.taken().len() == 1).await;
        assert!(hook.taken()[0].is_signed_by(own["secret"].as_str().unwrap()));
    }
}
