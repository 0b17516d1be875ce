//! AuthZEN: its certification scenario with credentials as subjects, the names of the conformance suite's modules as a
//! check-list, and access requests.

mod evaluation;
mod evaluations;
mod requests;
mod waiting;

use crate::support::{Client, Reply, Server};
use crate::town::{made, open_policy, text};
use serde_json::{Value, json};

const CATALOGUE: &str = r#"
api: archive
title: {en: Archive}
context_types:
  - {name: record}
permissions:
  - {name: "read", level: read, contexts: [global, record]}
  - {name: "write", contexts: [global, record], implies: ["read"]}
  - {name: "delete_soft", contexts: [global, record]}
  - {name: "delete_hard", contexts: [global, record]}
endpoints:
  - {method: GET, path: "/records/{record}", any_of: [["read"]], context: "record:key:{record}"}
  - {method: PUT, path: "/records/{record}", any_of: [["write"]], context: "record:key:{record}"}
"#;

/// The scenario: Alice reads, writes and softly deletes record 1; Bob reads record 1, and writes the archived record 2.
struct Scenario {
    root: Client,
    admin: Client,
    gate: Client,
    alice: String,
    bob: String,
    /// In person.
    bob_himself: Client,
}

impl Scenario {
    async fn open(server: &Server) -> Self {
        let root = server.admin().await;
        root.post("/v1/apis", json!({"document": CATALOGUE, "format": "yaml"})).await.status(201);
        let admin = server.org(&root, "octo").await.client;
        admin.put("/v1/orgs/octo/apis/archive", json!({})).await.status(200);
        admin.put("/v1/orgs/octo/policies/personal_token", open_policy()).await.status(200);
        for key in ["record-1", "record-2"] {
            made(&admin.post("/v1/orgs/octo/contexts", json!({"type": "record", "key": key})).await);
        }
        let permissions = json!([{"api": "archive", "permissions": ["write", "delete_soft", "delete_hard"]}]);
        let role = json!({"key": "clerk", "name": "Clerk", "context_type": "global", "permissions": permissions});
        made(&admin.post("/v1/orgs/octo/roles", role).await);
        let (_, alice) = Self::person(
            server,
            &root,
            &admin,
            "alice",
            &["record:key:record-1:write", "record:key:record-1:delete_soft"],
        )
        .await;
        let (bob_himself, bob) =
            Self::person(server, &root, &admin, "bob", &["record:key:record-1:read", "record:key:record-2:write"])
                .await;
        let gate = server.verifier(&root, "archive").await;
        Self { root, admin, gate, alice, bob, bob_himself }
    }

    async fn person(server: &Server, root: &Client, admin: &Client, name: &str, scopes: &[&str]) -> (Client, String) {
        let person = server.member(root, admin, "octo", name, "member").await;
        let body = json!({"role": "clerk", "principal": {"type": "user", "id": person.id}});
        made(&admin.post("/v1/orgs/octo/assignments", body).await);
        let body = json!({"name": name, "expires_at": server.in_days(30), "reason": "test",
            "grants": [{"organization": "octo", "api": "archive", "scopes": scopes}]});
        let token = person.client.post("/v1/me/tokens", body).await;
        (person.client.clone(), text(token.status(201), "token"))
    }

    async fn evaluate(&self, body: Value) -> Reply {
        self.gate.post("/access/v1/evaluation", body).await
    }

    async fn evaluate_all(&self, body: Value) -> Reply {
        self.gate.post("/access/v1/evaluations", body).await
    }

    async fn decision(&self, subject: &str, action: &str, record: &str) -> bool {
        let reply = self.evaluate(asked(subject, action, record)).await;
        reply.status(200)["decision"].as_bool().expect("a decision")
    }
}

fn subject(token: &str) -> Value {
    json!({"type": "token", "id": token})
}

fn record(key: &str) -> Value {
    json!({"type": "record", "id": key})
}

fn asked(token: &str, action: &str, key: &str) -> Value {
    json!({"subject": subject(token), "action": {"name": action}, "resource": record(key)})
}

/// The decisions of an answer.
fn decisions(reply: &Reply) -> Vec<bool> {
    let list = reply.status(200)["evaluations"].as_array().expect("evaluations");
    list.iter().map(|one| one["decision"].as_bool().expect("a decision")).collect()
}

/// Waits for somebody's word from now on.
async fn ask_for_words(admin: &Client, four_eyes: bool) {
    let policy = json!({"admission": "approval", "level": "all", "max_lifetime_days": 365, "four_eyes": four_eyes, "reason": "test"});
    admin.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
}

/// A denial made into a request for just what was denied.
fn wish(denied: &Value, question: &Value) -> Value {
    let access = &denied["context"]["access_request"];
    json!({"subject": question["subject"], "resource": question["resource"], "action": question["action"],
        "context": {"business_justification": "the books have to close"},
        "denial": {"evaluation_id": denied["context"]["evaluation_id"], "reason": denied["context"]["reason"],
            "expires_at": access["expires_at"], "binding_token": access["binding_token"]},
        "client": {"id": "gateway-1", "source": {"session_id": "s-1"}}})
}

impl Scenario {
    /// What Alice's credential is denied, and can ask for: the question, and the request.
    async fn denied(&self, action: &str, key: &str) -> (Value, Value) {
        let question = asked(&self.alice, action, key);
        let told = self.evaluate(question.clone()).await.status(200).clone();
        assert_eq!((&told["decision"], &told["context"]["reason"]), (&json!(false), &json!("insufficient_scope")));
        let request = wish(&told, &question);
        (question, request)
    }

    /// Alice's credential, calling for itself.
    fn robot(&self) -> Client {
        self.gate.with(&self.alice)
    }

    /// Alice's credential files what it was denied: the question, and the task.
    async fn filed(&self, action: &str, key: &str) -> (Value, Value) {
        let (question, request) = self.denied(action, key).await;
        let filed = self.robot().post("/access/v1/requests", request).await;
        (question, filed.status(202)["task"].clone())
    }

    /// The request that waits, as those see it who decide.
    async fn open_request(&self) -> String {
        let listed = self.admin.get("/v1/orgs/octo/requests?state=open").await;
        text(&listed.status(200)["items"][0], "id")
    }

    async fn decide(&self, body: Value) -> Reply {
        let path = format!("/v1/orgs/octo/requests/{}/decide", self.open_request().await);
        self.admin.post(&path, body).await
    }

    async fn task(&self, task: &Value) -> Value {
        self.robot().get(&place_of(task)).await.status(200).clone()
    }
}

/// The path of a task.
fn place_of(task: &Value) -> String {
    format!("/access/v1/requests/{}", text(task, "id"))
}

/// A refusal in the profile's words.
#[track_caller]
fn refused(reply: &Reply, status: u16, word: &str) {
    let kind = format!("urn:openid:authzen:access-request:error:{word}");
    assert_eq!(reply.status(status)["type"], kind, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(reply["status"], status);
}
