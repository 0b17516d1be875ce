//! Secrets that leaked: stopped by whoever has them, and by GitHub's alerts.

use crate::streams::until;
use crate::support::{Client, Database, Server, fresh_database};
use crate::town::{Town, doors_check, doors_token, text};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tegata::send::{Destination, Scheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const REVOKE: &str = "/v1/leaks/revoke";
const GITHUB: &str = "/v1/leaks/github";

async fn reason(gate: &Client, token: &str) -> String {
    text(&gate.verify(doors_check(token)).await, "reason")
}

async fn activity(town: &Town) -> Vec<Value> {
    let listed = town.admin.client.get("/v1/orgs/octo/activity?limit=100").await;
    listed.status(200)["items"].as_array().unwrap().clone()
}

both_databases! {
    async fn whoever_has_a_secret_may_have_it_stopped(server: Server) {
        let town = Town::found(&server).await;
        let gate = server.verifier(&town.root, "town").await;
        let (id, token) = doors_token(&town.admin.client, &server.in_days(10)).await;
        let key = json!({"name": "key", "expires_at": server.in_days(10), "grants": [{"api": "town", "scopes": ["doors:read"]}]});
        let key = town.admin.client.post("/v1/orgs/octo/organization-keys", key).await.status(201).clone();
        let account = town.make("service-accounts", json!({"name": "ci"})).await;
        let pair = town.admin.client.post("/v1/orgs/octo/access-keys", json!({"name": "ci", "service_account": account})).await;
        let pair = pair.status(201).clone();
        // What ends by itself ends alone, and its key goes on; an application gets another client secret.
        let shown = json!({"client_id": text(&pair, "client_id"), "client_secret": text(&pair, "secret")});
        let hour = server.anybody().post("/v1/access-keys/sign-in", shown.clone()).await;
        let hour = text(hour.status(201), "token");
        let application = town.admin.client.post("/v1/orgs/octo/applications", json!({"name": "App"})).await;
        let client = json!({"client_id": text(application.status(201), "client_id"), "client_secret": text(&application.body, "client_secret")});
        server.anybody().post("/v1/applications/sign-in", client.clone()).await.status(201);
        let both = json!({"secrets": [hour, text(&client, "client_secret")]});
        assert_eq!(server.anybody().post(REVOKE, both).await.status(200)["received"], 2);
        assert_eq!(reason(&gate, &hour).await, "expired");
        server.anybody().post("/v1/access-keys/sign-in", shown).await.status(201);
        server.anybody().post("/v1/applications/sign-in", client).await.problem("wrong_credentials");

        let imported = json!({"kind": "organization_key", "name": "old", "expires_at": server.in_days(10), "api": "town",
            "scopes": "doors:read", "algorithm": "sha-256", "hash": tegata::authn::hasher::hex(digest(&SHA256, b"old-key").as_ref())});
        town.make("credential-imports", json!({"format": "jsonl", "content": imported.to_string()})).await;
        let person = town.member(&server, "ann", "member").await;
        let session = person.client.token.clone().unwrap();
        let spare = server.verifier(&town.root, "town").await;
        assert_eq!((reason(&gate, &token).await.as_str(), reason(&gate, "old-key").await.as_str()), ("granted", "granted"));

        // Known or not, the answer is the same.
        let anybody = server.anybody();
        let unknown = anybody.post(REVOKE, json!({"secrets": ["tegata_pat_00000000000000000000000000000000000000"]})).await;
        let known = anybody.post(REVOKE, json!({"secrets": [token]})).await;
        assert_eq!((unknown.status(200), &json!({"received": 1})), (known.status(200), &json!({"received": 1})));
        assert_eq!(reason(&gate, &token).await, "revoked", "at once");
        assert_eq!(anybody.post(REVOKE, json!({"secrets": [token]})).await.status(200), unknown.status(200), "and again");

        let rest = json!({
            "secrets": [text(&key, "token"), "old-key", session, spare.token],
            "access_keys": [{"client_id": text(&pair, "client_id"), "client_secret": text(&pair, "secret")},
                {"client_id": text(&pair, "client_id"), "client_secret": "Wrong secret 1"}],
        });
        assert_eq!(anybody.post(REVOKE, rest).await.status(200)["received"], 6);
        assert_eq!(reason(&gate, &text(&key, "token")).await, "revoked");
        assert_eq!(reason(&gate, "old-key").await, "revoked");
        let shown = json!({"client_id": text(&pair, "client_id"), "client_secret": text(&pair, "secret"), "api": "town",
            "method": "GET", "path": "/houses/main/doors"});
        assert_eq!(gate.verify(shown).await["reason"], "revoked");
        person.client.get("/v1/me").await.problem("unauthenticated");
        spare.post("/v1/verify", doors_check("x")).await.problem("unauthenticated");

        // Whoever it belonged to is told, and the book says whose doing it was.
        let entries = activity(&town).await;
        let entry = entries.iter().find(|entry| entry["subject"] == id && entry["operation"] == "leak.revoke").unwrap();
        assert_eq!((&entry["reason"], &entry["actor"]["name"]), (&json!("leaked"), &json!("whoever had it")));
        assert_eq!(entries.iter().filter(|entry| entry["operation"] == "leak.revoke").count(), 4);
        assert!(!json!(entries).to_string().contains(&token), "no secret is written down");
        let inbox = town.admin.client.get("/v1/me/inbox").await;
        let notices = inbox.status(200)["items"].as_array().unwrap().clone();
        let leaked: Vec<_> = notices.iter().filter(|notice| notice["kind"] == "credential_leaked").collect();
        // Four that were revoked, and two secrets that ended alone.
        assert_eq!(leaked.len(), 6, "{notices:?}");
        assert!(leaked.iter().all(|notice| text(notice, "title").contains("leaked")), "{leaked:?}");
        assert_eq!(leaked.iter().filter(|notice| text(notice, "title").contains("a secret of")).count(), 2);

        let server = server.restart().await;
        assert_eq!(reason(&Client::new(&server.base, gate.token.as_deref()), &token).await, "revoked");
        let stops = std::fs::read_to_string(server.config.stops_log()).unwrap();
        assert_eq!(stops.matches("leak.revoke").count(), 4, "a restore looks there");
    }

    async fn it_is_bounded_and_slowed_down(server: Server) {
        let _town = Town::found(&server).await;
        let anybody = server.anybody();
        let junk = |count: usize| json!({"secrets": vec!["x"; count]});
        anybody.post(REVOKE, junk(0)).await.field("invalid", "secrets");
        anybody.post(REVOKE, junk(21)).await.field("invalid", "secrets");
        anybody.post(REVOKE, json!({"secrets": "x"})).await.problem("malformed_body");
        anybody.post(REVOKE, junk(20)).await.status(200);
        let slowed = anybody.post(REVOKE, junk(20)).await;
        slowed.problem("too_many_requests");
        assert!(slowed.headers.contains_key("retry-after"));
        server.advance(Duration::from_secs(20));
        anybody.post(REVOKE, junk(20)).await.status(200);
        // GitHub's alerts are taken where that was asked for, and here it was not.
        anybody.post(GITHUB, json!([])).await.problem("not_found");
    }
}

/// GitHub, as far as it signs alerts.
struct Github {
    key: EcdsaKeyPair,
    url: String,
    asked: Arc<AtomicU32>,
}

impl Github {
    /// Serves its list of keys on this machine.
    async fn start() -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).unwrap();
        // A public key of P-256 as GitHub writes it (RFC 5480 §2): what kind it is, and the point.
        let mut der = vec![
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
            0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        der.extend_from_slice(key.public_key().as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64_STANDARD.encode(der));
        let list = json!({"public_keys": [{"key_identifier": "key-1", "key": pem, "is_current": true}]}).to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4_096]).await;
                let answer =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{list}", list.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { key, url, asked }
    }

    async fn alert(&self, server: &Server, key: &str, signed: &str, body: &str) -> (u16, Value) {
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let request = reqwest::Client::new()
            .post(format!("{}{GITHUB}", server.base))
            .header("content-type", "application/json")
            .header("Github-Public-Key-Identifier", key)
            .header("Github-Public-Key-Signature", BASE64_STANDARD.encode(signature))
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }
}

async fn server_with(github: &Github, database: Database) -> Server {
    let directory = tempfile::tempdir().unwrap();
    let url = fresh_database(database, &directory).await;
    let keys = Destination::read(&github.url, &[Scheme::Http]).unwrap();
    Server::start_as(database, directory, url, |config| config.github_keys = Some(keys)).await
}

async fn githubs_alerts(database: Database) {
    let github = Github::start().await;
    let server = server_with(&github, database).await;
    let town = Town::found(&server).await;
    let gate = server.verifier(&town.root, "town").await;
    let (id, token) = doors_token(&town.admin.client, &server.in_days(10)).await;
    let place = "https://github.com/octo/hello/blob/1/x.env";
    let body = json!([
        {"token": token, "type": "tegata_personal_token", "url": place, "source": "commit"},
        {"token": "tegata_pat_00000000000000000000000000000000000000", "type": "tegata_personal_token", "url": place, "source": "content"},
    ])
    .to_string();
    // What GitHub did not sign is not looked at.
    for (key, signed) in [("key-1", "something else"), ("key-2", body.as_str())] {
        let (status, answer) = github.alert(&server, key, signed, &body).await;
        assert_eq!((status, &answer["type"]), (401, &json!("/problems/unauthenticated")), "{answer}");
    }
    server.anybody().post(GITHUB, json!([])).await.field("unauthenticated", "github-public-key-identifier");
    assert_eq!(reason(&gate, &token).await, "granted");
    let before = github.asked.load(Ordering::SeqCst);
    let (status, answer) = github.alert(&server, "key-1", &body, &body).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer[0]["label"], &answer[1]["label"]), (&json!("true_positive"), &json!("false_positive")));
    assert_eq!(answer[0]["token_hash"], tegata::authn::hasher::hex(digest(&SHA256, token.as_bytes()).as_ref()));
    assert_eq!(answer[0]["token_type"], "tegata_personal_token");
    assert_eq!(reason(&gate, &token).await, "revoked");
    let (_, again) = github.alert(&server, "key-1", &body, &body).await;
    assert_eq!(again[0]["label"], "true_positive", "it was one of ours, and still is");
    // Key ids that nobody knows ask for the list once a minute at most.
    for number in 0..5 {
        github.alert(&server, &format!("key-{}", number + 3), &body, &body).await;
    }
    assert!(github.asked.load(Ordering::SeqCst) <= before + 1);
    let entry =
        activity(&town).await.into_iter().find(|entry| entry["subject"] == id && entry["reason"] == "leaked").unwrap();
    assert_eq!((&entry["after"]["found_by"], &entry["after"]["url"]), (&json!("GitHub"), &json!(place)));
    until("the owner is told", async || {
        let inbox = town.admin.client.get("/v1/me/inbox").await;
        inbox["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|notice| notice["body"].as_str().unwrap_or_default().contains(place))
    })
    .await;
    let (status, _) = github.alert(&server, "key-1", "{}", "{}").await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn githubs_alerts_sqlite() {
    githubs_alerts(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn githubs_alerts_postgres() {
    githubs_alerts(Database::Postgres).await;
}
