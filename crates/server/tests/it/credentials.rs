//! Credentials and what they are for: personal tokens, verifiers, the catalogues that say what can be asked for.

mod access_keys;
mod bad_input;
mod imports;
mod legacy;
mod made_elsewhere;
mod org_parts;
mod organization_keys;
mod passing_on;
mod tokens;
mod verifiers;

use crate::support::{Client, Person, Server};
use serde_json::{Value, json};

/// A small help desk's API.
fn desk_document() -> Value {
    json!({
        "api": "desk",
        "title": {"en": "Help desk"},
        "context_types": [{"name": "project", "case_sensitive": false}],
        "permissions": [
            {"name": "tickets:read", "level": "read", "contexts": ["global", "project"]},
            {"name": "tickets:write", "contexts": ["global", "project"], "implies": ["tickets:read"]},
            {"name": "tickets:purge", "level": "admin", "contexts": ["project"]},
            {"name": "reports:read", "level": "read"},
        ],
        "roles": [{"key": "agent", "context_type": "project", "permissions": ["tickets:write"]}],
        "endpoints": [
            {"method": "GET", "path": "/{org}/{project}/tickets", "permission": "tickets:read",
             "context": "project:key:{project}", "organization": "{org}"},
            {"method": "POST", "path": "/{org}/{project}/tickets", "permission": "tickets:write",
             "context": "project:key:{project}", "organization": "{org}"},
            {"method": "GET", "path": "/{org}/status", "organization": "{org}"},
        ],
    })
}

/// A publisher with the desk's API, and an organization that uses it for two projects.
struct Desk {
    root: Client,
    admin: Person,
    alice: Person,
}

impl Desk {
    /// Alice is an agent in the project `blue`, and nothing but a member in `red`.
    async fn new(server: &Server) -> Self {
        let root = server.admin().await;
        root.post("/v1/apis", json!({"document": desk_document()})).await.status(201);
        let admin = server.org(&root, "acme").await;
        let alice = server.member(&root, &admin.client, "acme", "alice", "member").await;
        equip(&admin, "acme", &alice).await;
        Self { root, admin, alice }
    }

    /// Another organization with the same API and the same Alice.
    async fn second(&self, server: &Server) -> Person {
        let admin = server.org(&self.root, "other").await;
        admin.client.post("/v1/orgs/other/members", json!({"user": self.alice.id, "role": "member"})).await.status(201);
        equip(&admin, "other", &self.alice).await;
        admin
    }
}

async fn equip(admin: &Person, org: &str, agent: &Person) {
    admin.client.put(&format!("/v1/orgs/{org}/apis/desk"), json!({})).await.status(200);
    for key in ["blue", "red"] {
        let body = json!({"type": "project", "key": key, "name": key});
        admin.client.post(&format!("/v1/orgs/{org}/contexts"), body).await.status(201);
    }
    let body =
        json!({"role": "desk.agent", "principal": {"type": "user", "id": agent.id}, "context": "project:key:blue"});
    admin.client.post(&format!("/v1/orgs/{org}/assignments"), body).await.status(201);
    policy(admin, org, "allow", "all", 365).await;
}

async fn policy(admin: &Person, org: &str, admission: &str, level: &str, days: u64) {
    let body = json!({"admission": admission, "level": level, "max_lifetime_days": days, "reason": "test"});
    admin.client.put(&format!("/v1/orgs/{org}/policies/personal_token"), body).await.status(200);
}

/// Sets the policy for a kind, with what differs from `allow` and `all`.
async fn policy_of(admin: &Person, org: &str, kind: &str, more: &Value) {
    let mut body = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    admin.client.put(&format!("/v1/orgs/{org}/policies/{kind}"), body).await.status(200);
}

/// Asks about a call of the desk's API.
async fn call(gate: &Client, token: &str, method: &str, path: &str) -> Value {
    gate.verify(json!({"token": token, "api": "desk", "method": method, "path": path, "ip": "203.0.113.9"})).await
}

/// The body of a token for 30 days.
fn token(server: &Server, grants: &Value) -> Value {
    json!({"name": "ci", "expires_at": server.in_days(30), "reason": "nightly", "grants": grants})
}

/// A grant of the desk's API.
fn desk(org: &str, scopes: &[&str]) -> Value {
    json!({"organization": org, "api": "desk", "scopes": scopes})
}

/// A grant of Tegata's own API.
fn own(org: &str, scopes: &[&str]) -> Value {
    json!({"organization": org, "api": "tegata", "scopes": scopes})
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
