//! Requests and approval: who is asked, who decides, what is granted, and the attacks on it.

mod asking;
mod attacks;
mod deciding;
mod policies;
mod seeing;
mod told;

use crate::support::{Client, Person, Reply, Server};
use crate::town::{Town, doors_check, doors_token_body, made, text};
use serde_json::{Value, json};

/// The town, where everybody's tokens need somebody's word, with a holder who may use doors and a keeper of the house.
struct Bureau {
    town: Town,
    holder: Person,
    keeper: Person,
    gate: Client,
}

impl Bureau {
    async fn open(server: &Server) -> Self {
        let town = Town::found(server).await;
        let admission = json!({"admission": "approval", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        town.admin.client.put("/v1/orgs/octo/policies/personal_token", admission).await.status(200);
        let holder = town.member(server, "holder", "member").await;
        let doors = town.doors_role().await;
        town.give(&doors, &holder.id).await;
        let keeper = town.member(server, "keeper", "member").await;
        town.give("context-administrator", &keeper.id).await;
        let gate = server.verifier(&town.root, "town").await;
        Self { town, holder, keeper, gate }
    }

    /// The holder asks for a token that may read the doors of the house: the token's id, its secret, and the request.
    async fn ask(&self, server: &Server) -> (String, String, String) {
        self.ask_as(&self.holder.client, doors_token_body(&server.in_days(10))).await
    }

    async fn ask_as(&self, client: &Client, body: Value) -> (String, String, String) {
        let reply = client.post("/v1/me/tokens", body).await;
        let body = reply.status(201);
        (text(body, "id"), text(body, "token"), body["requests"][0].as_str().expect("a request").to_owned())
    }

    /// A token that wants to read and write, in the house and in everything.
    fn wide(server: &Server, scopes: &[&str]) -> Value {
        json!({"name": "wide", "expires_at": server.in_days(10), "reason": "nightly build",
            "grants": [{"organization": "octo", "api": "town", "scopes": scopes}]})
    }

    async fn decide(&self, client: &Client, request: &str, body: Value) -> Reply {
        client.post(&format!("/v1/orgs/octo/requests/{request}/decide"), body).await
    }

    /// Why a check says what it says.
    async fn reason(&self, token: &str) -> String {
        text(&self.gate.verify(doors_check(token)).await, "reason")
    }

    async fn shown(&self, client: &Client, request: &str) -> Value {
        client.get(&format!("/v1/orgs/octo/requests/{request}")).await.status(200).clone()
    }
}

fn states(request: &Value) -> Vec<String> {
    request["lines"].as_array().unwrap().iter().map(|line| text(line, "state")).collect()
}
