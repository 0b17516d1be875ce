//! Tegata's own API is limited like any other.

use super::headers::{items, number};
use super::{Scene, allowed, limit};
use crate::scim::{USERS, patch};
use serde_json::{Value, json};
use std::time::Duration;

fn own(name: &str, quota: u64, per: &str) -> Value {
    let mut body = limit(name, quota, 3600, per);
    body["api"] = json!("tegata");
    body
}

both_databases! {
    async fn calls_of_the_api_itself_are_held_back_with_429(server: Server) {
        let scene = Scene::set(&server).await;
        let client = &scene.owner.client;
        let free = client.get("/v1/orgs/octo/teams").await;
        free.status(200);
        assert_eq!(free.headers.get("ratelimit"), None);
        scene.own(own("reads", 2, "principal")).await;
        for left in [1, 0] {
            let reply = client.get("/v1/orgs/octo/teams").await;
            reply.status(200);
            let limits = items(reply.headers["ratelimit"].to_str().unwrap());
            assert_eq!((limits[0].name.as_str(), number(&limits[0], "r")), ("organization/reads", left));
            assert_eq!(reply.headers["x-ratelimit-limit"], "2");
        }
        let no = client.get("/v1/orgs/octo/teams").await;
        let problem = no.status(429);
        assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
        assert_eq!(problem["violated-policies"], json!(["organization/reads"]));
        assert_eq!(no.headers["content-type"], "application/problem+json");
        let after: u64 = no.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=1800).contains(&after), "{after}");
        assert_eq!(items(no.headers["ratelimit-policy"].to_str().unwrap())[0].name, "organization/reads");
        // A change that is held back changes nothing.
        let admin = &scene.town.admin.client;
        for _ in 0..2 {
            admin.get("/v1/orgs/octo/teams").await.status(200);
        }
        admin.post("/v1/orgs/octo/teams", json!({"key": "late", "name": "Late"})).await.status(429);
        server.advance(Duration::from_mins(30));
        assert_eq!(admin.get("/v1/orgs/octo/teams").await.status(200)["items"], json!([]));
        // It is recorded as what it was.
        server.advance(Duration::from_hours(1));
        let records = admin.get("/v1/orgs/octo/records?reason=rate_limited").await.status(200).clone();
        assert_eq!(records["items"].as_array().unwrap().len(), 2, "{records}");
        // Checks of other APIs are other calls.
        allowed(&scene.ask(&scene.one).await);
        assert_eq!(scene.ask(&scene.one).await.get("rate_limit"), None);
    }

    async fn what_stops_something_is_never_held_back(server: Server) {
        let scene = Scene::set(&server).await;
        let provider = scene.town.provider(&server).await;
        let leaver = scene.town.member(&server, "leaver", "member").await;
        scene.everywhere(own("tight", 1, "principal")).await;
        let client = &scene.owner.client;
        // In no organization, too.
        client.get("/v1/me").await.status(200);
        client.get("/v1/me").await.status(429);
        client.get("/v1/me/tokens").await.status(429);
        // In the organization there is a quota of its own.
        client.get("/v1/orgs/octo").await.status(200);
        client.get("/v1/orgs/octo").await.status(429);
        client.post(&format!("/v1/me/tokens/{}/revoke", scene.one.0), json!({})).await.status(200);
        assert_eq!(scene.ask(&scene.one).await["reason"], "revoked");
        let admin = &scene.town.admin.client;
        admin.get("/v1/orgs/octo").await.status(200);
        admin.get("/v1/orgs/octo/teams").await.status(429);
        admin.post(&format!("/v1/orgs/octo/tokens/{}/block", scene.other.0), json!({"reason": "leaked"})).await.status(200);
        provider.get(USERS).await.status(200);
        provider.get(USERS).await.status(429);
        let body = patch(json!({"op": "replace", "path": "active", "value": false}));
        assert_eq!(provider.patch(&format!("{USERS}/{}", leaver.id), body).await.status(200)["active"], false);
        // Nobody locks themselves out: limits are changed whatever they say.
        let root = &scene.town.root;
        root.get("/v1/users").await.status(200);
        root.get("/v1/users").await.status(429);
        root.patch("/v1/limits/tight", json!({"quota": 1000})).await.status(200);
        root.get("/v1/users").await.status(200);
        root.delete("/v1/limits/tight").await.status(200);
        client.get("/v1/me").await.status(200);
    }
}
