//! Applications: who grants them what, what shows them, who has them, and the attacks on it.

mod attacks;
mod lives;
mod rights;
mod shared;

use crate::support::{Client, Person, Reply, Server};
use crate::town::{Town, doors_check, made, text};
use serde_json::{Value, json};

/// The town with a maker, who administers nothing and answers for an application; and a keeper of the house.
struct Workshop {
    town: Town,
    maker: Person,
    keeper: Person,
    gate: Client,
    application: String,
    client_id: String,
    secret: String,
}

const APPLICATIONS: &str = "/v1/orgs/octo/applications";

impl Workshop {
    async fn open(server: &Server) -> Self {
        let town = Town::found(server).await;
        let maker = town.member(server, "maker", "member").await;
        let keeper = town.member(server, "keeper", "member").await;
        town.give("context-administrator", &keeper.id).await;
        let gate = server.verifier(&town.root, "town").await;
        let body = json!({"name": "Porter", "description": "opens doors", "owner": maker.id});
        let registered = town.admin.client.post(APPLICATIONS, body).await;
        let body = registered.status(201);
        let (application, client_id, secret) = (text(body, "id"), text(body, "client_id"), text(body, "client_secret"));
        Self { town, maker, keeper, gate, application, client_id, secret }
    }

    /// A path below the application.
    fn path(&self, rest: &str) -> String {
        format!("{APPLICATIONS}/{}{rest}", self.application)
    }

    async fn ask(&self, client: &Client, scopes: &[&str]) -> Reply {
        let body = json!({"rights": [{"api": "town", "scopes": scopes}], "reason": "deliveries"});
        client.post(&self.path("/rights"), body).await
    }

    /// The maker asks to read and write the doors of the house: the request.
    async fn asked(&self) -> String {
        let asked = self.ask(&self.maker.client, &["house:key:main:doors:read", "house:key:main:doors:write"]).await;
        asked.status(201)["requests"][0].as_str().expect("a request").to_owned()
    }

    /// The same, approved by the keeper.
    async fn granted(&self) -> String {
        let request = self.asked().await;
        self.decide(&self.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        request
    }

    async fn decide(&self, client: &Client, request: &str, body: Value) -> Reply {
        client.post(&format!("/v1/orgs/octo/requests/{request}/decide"), body).await
    }

    /// A permanent token with all that the application may do: its id and its secret.
    async fn token(&self) -> (String, String) {
        let reply = self.maker.client.post(&self.path("/tokens"), json!({"name": "bench"})).await;
        let body = reply.status(201);
        (text(body, "id"), text(body, "token"))
    }

    async fn sign_in(&self, server: &Server, secret: &str) -> Reply {
        let body = json!({"client_id": self.client_id, "client_secret": secret});
        server.anybody().post("/v1/applications/sign-in", body).await
    }

    /// Why a check whether it may read the doors of the house says what it says.
    async fn reason(&self, token: &str) -> String {
        text(&self.gate.verify(doors_check(token)).await, "reason")
    }

    /// The same for a permission in a place.
    async fn reason_in(&self, token: &str, permission: &str, context: &str) -> String {
        let body = json!({"token": token, "api": "town", "permission": permission, "context": context, "organization": "octo"});
        text(&self.gate.verify(body).await, "reason")
    }

    async fn policy(&self, admission: &str, four_eyes: bool) {
        let body = json!({"admission": admission, "level": "all", "max_lifetime_days": 365, "four_eyes": four_eyes, "reason": "test"});
        self.town.admin.client.put("/v1/orgs/octo/policies/application_token", body).await.status(200);
    }

    /// Scopes and states of its rights.
    async fn rights(&self, query: &str) -> Vec<(String, String)> {
        let list = self.maker.client.get(&self.path(&format!("/rights{query}"))).await;
        let items = list.status(200)["items"].as_array().unwrap().clone();
        let mut rights: Vec<_> =
            items.iter().map(|one| (one["scopes"][0].as_str().unwrap().to_owned(), text(one, "state"))).collect();
        rights.sort();
        rights
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(scope, state)| ((*scope).to_owned(), (*state).to_owned())).collect()
}
