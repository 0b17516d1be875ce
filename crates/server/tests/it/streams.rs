//! Sending access records on: to receivers that are really there, fail, and come back.

pub mod receiver;
mod safety;
mod syslog;
mod webhook;

use crate::support::{Client, Person, Server};
use receiver::Hook;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const STREAMS: &str = "/v1/orgs/acme/record-streams";

/// Two organizations in whose logs things happen.
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

    /// Makes a webhook that begins with the first record there is.
    async fn hook(&self, server: &Server, hook: &Hook) -> Value {
        let from = server.in_days(-1);
        let body = json!({"name": "siem", "kind": "webhook", "url": hook.url(), "from": from});
        self.admin.client.post(STREAMS, body).await.status(201).clone()
    }

    async fn show(&self, stream: &Value) -> Value {
        self.admin.client.get(&path(stream, "")).await.status(200).clone()
    }

    async fn act(&self, stream: &Value, verb: &str, body: Value) -> Value {
        self.admin.client.post(&path(stream, verb), body).await.status(200).clone()
    }

    /// Some records of each of the two organizations, in turns.
    async fn calls(&self, count: usize) {
        for _ in 0..count {
            self.admin.client.get("/v1/orgs/acme/roles").await.status(200);
            self.other.client.get("/v1/orgs/other/roles").await.status(200);
        }
    }

    /// The ids of all records of the organization at this moment, oldest first.
    async fn ids(&self) -> Vec<String> {
        let client = &self.admin.client;
        let exported = client.get("/v1/orgs/acme/records/export?format=jsonl").await;
        let text = match exported.status(200) {
            Value::String(text) => text.clone(),
            single => single.to_string(),
        };
        text.lines().map(|line| id_of(&serde_json::from_str(line).unwrap())).collect()
    }
}

fn path(stream: &Value, verb: &str) -> String {
    let slash = if verb.is_empty() { "" } else { "/" };
    format!("{STREAMS}/{}{slash}{verb}", stream["id"].as_str().unwrap())
}

fn id_of(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The first places of ids, each once.
fn once(ids: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| seen.insert(id.as_str())).cloned().collect()
}
