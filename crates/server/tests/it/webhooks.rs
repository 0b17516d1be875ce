//! Telling changes: to receivers that are really there, fail, and come back.

mod failing;
mod safety;

use crate::streams::receiver::{Got, Hook};
use crate::streams::until;
use crate::support::{Client, Person, Server};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const WEBHOOKS: &str = "/v1/orgs/acme/webhooks";

/// Two organizations in which things change.
struct Acme {
    root: Client,
    admin: Person,
    other: Person,
}

impl Acme {
    async fn new(server: &Server) -> Self {
        let root = server.admin().await;
        let admin = server.org(&root, "acme").await;
        let other = server.org(&root, "other").await;
        Self { root, admin, other }
    }

    /// The same people at a server that was started again.
    fn at(self, server: &Server) -> Self {
        let client = |client: &Client| Client::new(&server.base, client.token.as_deref());
        let person = |person: &Person| Person { id: person.id.clone(), client: client(&person.client) };
        Self { root: client(&self.root), admin: person(&self.admin), other: person(&self.other) }
    }

    /// The same people after so long that their sessions have ended.
    async fn after(self, server: &Server, by: Duration) -> Self {
        server.advance(by);
        let sign_in = |name: &str| {
            let email = format!("{name}@example.com");
            async move { server.sign_in(&email).await }
        };
        let admin = Person { id: self.admin.id, client: sign_in("acme-admin").await };
        let other = Person { id: self.other.id, client: sign_in("other-admin").await };
        Self { root: sign_in("root").await, admin, other }
    }

    /// Has events told to a receiver.
    async fn hook(&self, hook: &Hook, events: &[&str]) -> Value {
        let body = json!({"name": "desk", "url": hook.url(), "events": events});
        self.admin.client.post(WEBHOOKS, body).await.status(201).clone()
    }

    async fn show(&self, webhook: &Value) -> Value {
        self.admin.client.get(&path(webhook, "")).await.status(200).clone()
    }

    async fn act(&self, webhook: &Value, verb: &str, body: Value) -> Value {
        self.admin.client.post(&path(webhook, verb), body).await.status(200).clone()
    }

    async fn deliveries(&self, webhook: &Value, query: &str) -> Vec<Value> {
        let path = path(webhook, &format!("deliveries?limit=200{query}"));
        self.admin.client.get(&path).await.status(200)["items"].as_array().unwrap().clone()
    }

    /// Makes teams, which are events of `team.create`, in both organizations.
    async fn teams(&self, prefix: &str, count: usize) {
        for number in 0..count {
            let body = json!({"key": format!("{prefix}-{number}"), "name": "Team"});
            self.admin.client.post("/v1/orgs/acme/teams", body.clone()).await.status(201);
            self.other.client.post("/v1/orgs/other/teams", body).await.status(201);
        }
    }

    /// The ids of all entries of activity of this operation, oldest first.
    async fn activity(&self, operation: &str) -> Vec<String> {
        let path = format!("/v1/orgs/acme/activity?limit=200&operation={operation}");
        let reply = self.admin.client.get(&path).await;
        let mut ids: Vec<String> = reply.status(200)["items"].as_array().unwrap().iter().map(id_of).collect();
        ids.reverse();
        ids
    }
}

fn path(webhook: &Value, verb: &str) -> String {
    let slash = if verb.is_empty() { "" } else { "/" };
    format!("{WEBHOOKS}/{}{slash}{verb}", webhook["id"].as_str().unwrap())
}

fn id_of(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// The entries of activity that a receiver took.
fn told(hook: &Hook) -> Vec<String> {
    hook.taken().iter().map(|got| id_of(&got.json["data"])).collect()
}

/// Waits until a receiver took all of these.
async fn has(hook: &Hook, ids: &[String]) {
    until("the receiver has all events", async || {
        let here: BTreeSet<String> = told(hook).into_iter().collect();
        ids.iter().all(|id| here.contains(id))
    })
    .await;
}

fn signatures(got: &Got) -> usize {
    got.header("webhook-signature").split(' ').count()
}

both_databases! {
    async fn changes_are_told_to_whoever_wants_them(server: Server) {
        let acme = Acme::new(&server).await;
        let (all, teams) = (Hook::open().await, Hook::open().await);
        let everything = acme.hook(&all, &["*"]).await;
        let webhook = acme.hook(&teams, &["team.create", "token.*"]).await;
        acme.teams("crew", 5).await;
        acme.admin.client.post("/v1/orgs/acme/teams/crew-0", json!({})).await;
        let deleted = acme.admin.client.delete("/v1/orgs/acme/teams/crew-0").await;
        deleted.status(200);
        let (created, deleted) = (acme.activity("team.create").await, acme.activity("team.delete").await);
        has(&teams, &created).await;
        has(&all, &[created.clone(), deleted].concat()).await;
        assert_eq!(told(&teams).len(), 5, "and nothing else, and nothing of others");
        let got = teams.taken().into_iter().find(|got| id_of(&got.json["data"]) == created[0]).unwrap();
        assert!(got.is_signed_by(webhook["secret"].as_str().unwrap()));
        assert!(!got.is_signed_by(everything["secret"].as_str().unwrap()));
        let event = &got.json;
        assert_eq!((&event["type"], &event["data"]["after"]["key"]), (&json!("team.create"), &json!("crew-0")));
        assert_eq!(event["data"]["actor"], json!({"type": "user", "id": acme.admin.id, "name": "acme-admin"}));
        assert!(event["data"].get("address").is_none());
        until("all are delivered", async || acme.deliveries(&webhook, "&state=delivered").await.len() == 5).await;
        let list = acme.deliveries(&webhook, "").await;
        assert!(list.iter().any(|delivery| delivery["id"] == got.header("webhook-id")));
        assert_eq!(list[0]["attempts"], 1);
        let shown = acme.show(&webhook).await;
        assert_eq!((&shown["state"], &shown["delivered"]), (&json!("active"), &json!(5)));
        assert_eq!(shown["deliveries"], json!({"pending": 0, "failed": 0}));
        assert!(shown["url"].as_str().unwrap().ends_with("/in?…"));
        // What is asked for from now on is told from now on.
        acme.admin.client.patch(&path(&webhook, ""), json!({"events": ["context.*"]})).await.status(200);
        acme.teams("later", 1).await;
        has(&all, &acme.activity("team.create").await).await;
        assert_eq!(told(&teams).len(), 5);
    }

    async fn a_rotated_secret_signs_beside_the_former_until_that_ends(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let webhook = acme.hook(&hook, &["team.create"]).await;
        let rotated = acme.act(&webhook, "rotate", json!({"overlap_seconds": 3600})).await;
        let (old, new) = (webhook["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
        acme.teams("both", 1).await;
        until("it arrives", async || hook.taken().len() == 1).await;
        let got = hook.taken().pop().unwrap();
        assert_eq!((signatures(&got), got.is_signed_by(old), got.is_signed_by(new)), (2, true, true));
        server.advance(Duration::from_secs(3700));
        acme.teams("new", 1).await;
        until("it arrives", async || hook.taken().len() == 2).await;
        let got = hook.taken().pop().unwrap();
        assert_eq!((signatures(&got), got.is_signed_by(old), got.is_signed_by(new)), (1, false, true));
        let cut = acme.act(&webhook, "rotate", json!({"overlap_seconds": 0})).await;
        acme.teams("cut", 1).await;
        until("it arrives", async || hook.taken().len() == 3).await;
        let got = hook.taken().pop().unwrap();
        assert!(!got.is_signed_by(new) && got.is_signed_by(cut["secret"].as_str().unwrap()));
    }

    async fn a_pause_keeps_the_place(server: Server) {
        let acme = Acme::new(&server).await;
        let hook = Hook::open().await;
        let webhook = acme.hook(&hook, &["team.create"]).await;
        acme.act(&webhook, "pause", json!({"reason": "moving"})).await;
        acme.admin.client.post(&path(&webhook, "pause"), json!({})).await.problem("conflict");
        acme.teams("meanwhile", 3).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(hook.all().is_empty());
        let shown = acme.show(&webhook).await;
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("paused"), &json!("moving")));
        acme.act(&webhook, "resume", json!({})).await;
        acme.admin.client.post(&path(&webhook, "resume"), json!({})).await.problem("conflict");
        has(&hook, &acme.activity("team.create").await).await;
    }
}
