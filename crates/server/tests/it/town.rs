//! A small town to test in: an API with houses and rooms, the organization `octo` that uses it, and its administrator.
//! Faster than a shipped catalogue, for tests that need many places and people.

use crate::support::{Client, Person, Reply, Server};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// The API.
pub const CATALOGUE: &str = r#"
api: town
title: {en: Town}
context_types:
  - {name: house}
  - {name: room, parent: house}
permissions:
  - {name: "doors:read", level: read, contexts: [global, house, room]}
  - {name: "doors:write", contexts: [global, house, room], implies: ["doors:read"]}
endpoints:
  - {method: GET, path: "/houses/{house}/doors", any_of: [["doors:read"]], context: "house:key:{house}"}
  - {method: POST, path: "/houses/{house}/doors", any_of: [["doors:write"]], context: "house:key:{house}"}
"#;

/// Another API, to begin and stop using.
pub const SPARE: &str = r#"
api: spare
title: {en: Spare}
permissions:
  - {name: "parts:read", level: read}
"#;

/// Lets tokens be made without anybody's word.
pub fn open_policy() -> Value {
    json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"})
}

/// The id of something that was just made.
#[track_caller]
pub fn made(reply: &Reply) -> String {
    reply.status(201)["id"].as_str().unwrap().to_owned()
}

/// The text of a field.
#[track_caller]
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is missing: {value}")).to_owned()
}

/// The town.
pub struct Town {
    pub root: Client,
    pub admin: Person,
    pub house: String,
    pub room: String,
    number: AtomicU32,
}

impl Town {
    /// Founds it on a fresh server: `octo` uses the API, has the house `main` with the room `hall`.
    pub async fn found(server: &Server) -> Self {
        let root = server.admin().await;
        for document in [CATALOGUE, SPARE] {
            root.post("/v1/apis", json!({"document": document, "format": "yaml"})).await.status(201);
        }
        let admin = server.org(&root, "octo").await;
        admin.client.put("/v1/orgs/octo/apis/town", json!({})).await.status(200);
        admin.client.put("/v1/orgs/octo/policies/personal_token", open_policy()).await.status(200);
        let house = made(&admin.client.post("/v1/orgs/octo/contexts", json!({"type": "house", "key": "main"})).await);
        let body = json!({"type": "room", "key": "hall", "parent": house});
        let hall = made(&admin.client.post("/v1/orgs/octo/contexts", body).await);
        Self { root, admin, house, room: hall, number: AtomicU32::new(0) }
    }

    /// A number that nobody had before.
    pub fn number(&self) -> u32 {
        self.number.fetch_add(1, Ordering::Relaxed)
    }

    /// An account that nobody can sign in with, which is made quickly.
    pub async fn account(&self) -> String {
        let name = format!("account-{}", self.number());
        made(&self.root.post("/v1/users", json!({"email": format!("{name}@example.com"), "name": name})).await)
    }

    /// The same as a member of `octo` without any role.
    pub async fn silent_member(&self) -> String {
        let id = self.account().await;
        made(&self.admin.client.post("/v1/orgs/octo/members", json!({"user": id, "role": "none"})).await)
    }

    /// Somebody who signs in, with a role in the whole of `octo`.
    pub async fn member(&self, server: &Server, name: &str, role: &str) -> Person {
        server.member(&self.root, &self.admin.client, "octo", name, role).await
    }

    /// Makes something in `octo` as its administrator.
    pub async fn make(&self, what: &str, body: Value) -> String {
        made(&self.admin.client.post(&format!("/v1/orgs/octo/{what}"), body).await)
    }

    /// Whoever shows an organization key of `octo` with the permission `scim`.
    pub async fn provider(&self, server: &Server) -> Client {
        let body = scim_key_body(&server.in_days(100));
        let key = self.admin.client.post("/v1/orgs/octo/organization-keys", body).await;
        self.admin.client.with(&text(key.status(201), "token"))
    }

    /// The role `doors`, which may use every door of a house.
    pub async fn doors_role(&self) -> String {
        let permissions = json!([{"api": "town", "permissions": ["doors:write"]}]);
        let body = json!({"key": "doors", "name": "Doors", "context_type": "house", "permissions": permissions});
        self.make("roles", body).await
    }

    /// Gives a role to a user in the house.
    pub async fn give(&self, role: &str, user: &str) -> String {
        let body = json!({"role": role, "principal": {"type": "user", "id": user}, "context": self.house});
        self.make("assignments", body).await
    }
}

/// What to send for an organization key with the permission `scim`.
pub fn scim_key_body(expires_at: &str) -> Value {
    json!({"name": "identity provider", "expires_at": expires_at, "grants": [{"api": "tegata", "scopes": ["scim"]}]})
}

/// Makes a token that may read the doors of the house: its id and its secret.
pub async fn doors_token(owner: &Client, expires_at: &str) -> (String, String) {
    let reply = owner.post("/v1/me/tokens", doors_token_body(expires_at)).await;
    let body = reply.status(201);
    (text(body, "id"), text(body, "token"))
}

/// What to send for it.
pub fn doors_token_body(expires_at: &str) -> Value {
    json!({"name": "doors", "expires_at": expires_at, "reason": "test",
        "grants": [{"organization": "octo", "api": "town", "scopes": ["house:key:main:doors:read"]}]})
}

/// Asks whether a token may read the doors of the house.
pub fn doors_check(token: &str) -> Value {
    json!({"token": token, "api": "town", "method": "GET", "path": "/houses/main/doors"})
}
