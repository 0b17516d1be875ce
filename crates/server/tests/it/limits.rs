//! Limits on calls, over HTTP: for whom they count, how several hold together, what callers are told, and what survives.

mod headers;
mod own_api;
mod settings;
mod together;

use crate::support::{Client, Server};
use crate::town::{CATALOGUE, Town, doors_check, doors_token, text};
use headers::{items, number};
use serde_json::{Value, json};
use std::time::Duration;
use tegata::failing::Failing;
use tegata::verify::limits::keeping;

/// The town, its gateway, and somebody with two tokens.
pub struct Scene {
    pub town: Town,
    pub gateway: Client,
    pub owner: crate::support::Person,
    pub one: (String, String),
    pub other: (String, String),
}

impl Scene {
    pub async fn set(server: &Server) -> Self {
        let town = Town::found(server).await;
        let document = format!(
            "{CATALOGUE}  - {{method: GET, path: \"/houses/{{house}}/find\", any_of: [[\"doors:read\"]], \
             context: \"house:key:{{house}}\", class: search}}\n"
        );
        town.root.post("/v1/apis", json!({"document": document, "format": "yaml"})).await.status(201);
        let owner = town.member(server, "owner", "member").await;
        let doors = town.doors_role().await;
        town.give(&doors, &owner.id).await;
        let one = doors_token(&owner.client, &server.in_days(10)).await;
        let other = doors_token(&owner.client, &server.in_days(10)).await;
        let gateway = server.verifier(&town.root, "town").await;
        Self { town, gateway, owner, one, other }
    }

    /// Somebody else with a token.
    pub async fn neighbour(&self, server: &Server, name: &str) -> (String, String) {
        let person = self.town.member(server, name, "member").await;
        let body = json!({"role": "doors", "principal": {"type": "user", "id": person.id}, "context": self.town.house});
        self.town.make("assignments", body).await;
        doors_token(&person.client, &server.in_days(10)).await
    }

    /// Sets a limit for every organization.
    pub async fn everywhere(&self, body: Value) -> Value {
        self.town.root.post("/v1/limits", body).await.status(201).clone()
    }

    /// Sets one of `octo`'s own.
    pub async fn own(&self, body: Value) -> Value {
        self.town.admin.client.post("/v1/orgs/octo/limits", body).await.status(201).clone()
    }

    /// Asks with a token.
    pub async fn ask(&self, token: &(String, String)) -> Value {
        self.gateway.verify(doors_check(&token.1)).await
    }

    /// Asks for a call of the class `search`.
    pub async fn search(&self, token: &(String, String)) -> Value {
        let check = json!({"token": token.1, "api": "town", "method": "GET", "path": "/houses/main/find"});
        self.gateway.verify(check).await
    }
}

/// A limit that counts for these.
pub fn limit(name: &str, quota: u64, window_seconds: u64, per: &str) -> Value {
    json!({"name": name, "quota": quota, "window_seconds": window_seconds, "per": per})
}

/// What is left, as the headers of an answer say of a limit.
#[track_caller]
pub fn left(answer: &Value, policy: &str) -> u64 {
    let items = items(answer["rate_limit"]["headers"]["RateLimit"].as_str().unwrap_or_else(|| panic!("{answer}")));
    let item = items.iter().find(|item| item.name == policy).unwrap_or_else(|| panic!("{policy}: {answer}"));
    number(item, "r")
}

/// The names of the limits that said no.
#[track_caller]
pub fn violated(answer: &Value) -> Vec<&str> {
    assert_eq!(
        (answer["allowed"].as_bool(), answer["reason"].as_str()),
        (Some(false), Some("rate_limited")),
        "{answer}"
    );
    let names = answer["rate_limit"]["violated_policies"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap()).collect()
}

#[track_caller]
pub fn allowed(answer: &Value) {
    assert_eq!(answer["reason"], "granted", "{answer}");
}

both_databases! {
    async fn each_credential_has_its_quota(server: Server) {
        let scene = Scene::set(&server).await;
        let free = scene.ask(&scene.one).await;
        allowed(&free);
        assert_eq!(free.get("rate_limit"), None, "nobody set a limit");
        scene.everywhere(limit("burst", 2, 60, "credential")).await;
        for remaining in [1, 0] {
            let answer = scene.ask(&scene.one).await;
            allowed(&answer);
            assert_eq!(left(&answer, "burst"), remaining);
            assert_eq!(answer["rate_limit"].get("violated_policies"), None);
            assert_eq!(answer.get("retry_after_seconds"), None);
        }
        let no = scene.ask(&scene.one).await;
        assert_eq!(violated(&no), ["burst"]);
        // Whoever reads it cannot take the key for an invalid one.
        assert_eq!(no["credential"]["id"], scene.one.0);
        assert_eq!(no["principal"]["id"], scene.owner.id);
        assert_eq!((&no["permission"], &no["organization"]), (&json!("doors:read"), &json!("octo")));
        let wait = no["retry_after_seconds"].as_u64().unwrap();
        assert!((1..=30).contains(&wait), "{no}");
        assert_eq!(no["rate_limit"]["headers"]["Retry-After"], wait.to_string());
        allowed(&scene.ask(&scene.other).await);
        server.advance(Duration::from_secs(wait));
        allowed(&scene.ask(&scene.one).await);
        assert_eq!(violated(&scene.ask(&scene.one).await), ["burst"]);
        // The record says what was said, of whom.
        let path = format!("/v1/orgs/octo/records/{}", text(&no, "record"));
        let record = scene.town.admin.client.get(&path).await.status(200).clone();
        assert_eq!((&record["decision"], &record["reason"]), (&json!("deny"), &json!("rate_limited")));
        assert_eq!(record["credential"], scene.one.0);
    }

    async fn a_principal_is_counted_with_all_credentials(server: Server) {
        let scene = Scene::set(&server).await;
        let neighbour = scene.neighbour(&server, "neighbour").await;
        scene.own(limit("person", 2, 60, "principal")).await;
        allowed(&scene.ask(&scene.one).await);
        allowed(&scene.ask(&scene.other).await);
        assert_eq!(violated(&scene.ask(&scene.one).await), ["organization/person"]);
        assert_eq!(violated(&scene.ask(&scene.other).await), ["organization/person"]);
        assert_eq!(left(&scene.ask(&neighbour).await, "organization/person"), 1);
    }

    async fn an_organization_is_counted_as_a_whole(server: Server) {
        let scene = Scene::set(&server).await;
        let neighbour = scene.neighbour(&server, "neighbour").await;
        let mut body = limit("all", 3, 60, "organization");
        body["api"] = json!("town");
        scene.everywhere(body).await;
        for token in [&scene.one, &scene.other, &neighbour] {
            allowed(&scene.ask(token).await);
        }
        assert_eq!(violated(&scene.ask(&neighbour).await), ["all"]);
        // Another organization has a quota of its own, and so has whoever is in both.
        let acme = server.org(&scene.town.root, "acme").await;
        acme.client.put("/v1/orgs/acme/apis/town", json!({})).await.status(200);
        acme.client.put("/v1/orgs/acme/policies/personal_token", crate::town::open_policy()).await.status(200);
        let body = json!({"name": "acme", "expires_at": server.in_days(10), "reason": "test",
            "grants": [{"organization": "acme", "api": "town", "scopes": ["doors:read"]}]});
        let token = text(acme.client.post("/v1/me/tokens", body).await.status(201), "token");
        let check = json!({"token": token, "api": "town", "permission": "doors:read"});
        assert_eq!(left(&scene.gateway.verify(check).await, "all"), 2);
    }

    async fn a_class_is_counted_apart(server: Server) {
        let scene = Scene::set(&server).await;
        let mut body = limit("searches", 1, 60, "credential");
        (body["api"], body["class"]) = (json!("town"), json!("search"));
        scene.own(body).await;
        allowed(&scene.search(&scene.one).await);
        assert_eq!(violated(&scene.search(&scene.one).await), ["organization/searches"]);
        for _ in 0..3 {
            let answer = scene.ask(&scene.one).await;
            allowed(&answer);
            assert_eq!(answer.get("rate_limit"), None, "a call of no class");
        }
        // A permission that is asked for by its name is no endpoint, and has no class.
        let by_name = json!({"token": scene.one.1, "api": "town", "permission": "doors:read", "context": "house:key:main"});
        allowed(&scene.gateway.verify(by_name).await);
        // A limit for a class of every API counts it, too.
        let mut body = limit("any-search", 5, 60, "organization");
        body["class"] = json!("search");
        scene.everywhere(body).await;
        assert_eq!(left(&scene.search(&scene.other).await, "any-search"), 4);
    }

    async fn what_is_denied_takes_nothing(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("burst", 2, 3600, "principal")).await;
        let beyond = json!({"token": scene.one.1, "api": "town", "method": "POST", "path": "/houses/main/doors"});
        let nowhere = json!({"token": scene.one.1, "api": "town", "method": "GET", "path": "/nothing"});
        for _ in 0..3 {
            for check in [&beyond, &nowhere] {
                let answer = scene.gateway.verify(check.clone()).await;
                assert_eq!((&answer["allowed"], answer.get("rate_limit")), (&json!(false), None), "{answer}");
            }
        }
        assert_eq!(left(&scene.ask(&scene.one).await, "burst"), 1);
        assert_eq!(left(&scene.ask(&scene.one).await, "burst"), 0);
        assert_eq!(violated(&scene.ask(&scene.one).await), ["burst"]);
        // What was wrong before the limit stays what is told.
        assert_eq!(scene.gateway.verify(beyond).await["reason"], "insufficient_scope");
        let path = format!("/v1/me/tokens/{}/revoke", scene.one.0);
        scene.owner.client.post(&path, json!({})).await.status(200);
        let revoked = scene.ask(&scene.one).await;
        assert_eq!((&revoked["reason"], revoked.get("rate_limit")), (&json!("revoked"), None), "{revoked}");
        assert_eq!(scene.ask(&("none".to_owned(), "tegata_pat_nonsense".to_owned())).await["reason"], "malformed");
        assert_eq!(violated(&scene.ask(&scene.other).await), ["burst"], "the same principal, with a token that is sound");
    }

    async fn each_check_of_a_batch_is_counted(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("burst", 3, 3600, "credential")).await;
        let mut checks: Vec<Value> = (0..5).map(|_| doors_check(&scene.one.1)).collect();
        checks.insert(2, doors_check(&scene.other.1));
        let reply = scene.gateway.post("/v1/verify/batch", json!({"checks": checks})).await;
        let results = reply.status(200)["results"].as_array().unwrap();
        let reasons: Vec<&str> = results.iter().map(|answer| answer["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons, ["granted", "granted", "granted", "granted", "rate_limited", "rate_limited"]);
        assert_eq!((left(&results[1], "burst"), left(&results[2], "burst"), left(&results[3], "burst")), (1, 2, 0));
    }

    async fn what_has_refilled_leaves_nothing_behind(server: Server) {
        let scene = Scene::set(&server).await;
        let mut body = limit("hourly", 5, 3600, "credential");
        body["api"] = json!("town");
        scene.everywhere(body).await;
        for token in [&scene.one, &scene.other] {
            allowed(&scene.ask(token).await);
        }
        let app = &server.running.app;
        let stored = async || {
            let mut tx = app.db.read().await.unwrap();
            tegata::db::limits::usage(&mut tx, ("", ""), 10).await.unwrap().len()
        };
        keeping::settle(app).await;
        assert_eq!((stored().await, app.verify.limits().subjects()), (2, 2));
        let sequence = app.verify.applied_sequence();
        let activity = scene.town.admin.client.get("/v1/orgs/octo/activity").await.status(200)["items"].clone();
        allowed(&scene.ask(&scene.one).await);
        keeping::settle(app).await;
        assert_eq!(stored().await, 2, "a row is written over");
        server.advance(Duration::from_mins(15));
        keeping::sweep(app, &Failing::default()).await;
        assert_eq!((stored().await, app.verify.limits().subjects()), (1, 1), "one call refills in twelve minutes");
        server.advance(Duration::from_mins(15));
        keeping::sweep(app, &Failing::default()).await;
        assert_eq!((stored().await, app.verify.limits().subjects()), (0, 0));
        // Nobody is told of it.
        app.verify.catch_up().await.unwrap();
        assert!(app.verify.applied_sequence() > sequence);
        assert_eq!(scene.town.admin.client.get("/v1/orgs/octo/activity").await.status(200)["items"], activity);
        assert_eq!(left(&scene.ask(&scene.one).await, "hourly"), 4);
        // What belongs to a limit that is gone goes with the next sweep.
        keeping::settle(app).await;
        scene.town.root.delete("/v1/limits/hourly").await.status(200);
        keeping::sweep(app, &Failing::default()).await;
        assert_eq!((stored().await, app.verify.limits().subjects()), (0, 0));
    }

    async fn quotas_of_long_windows_survive_a_restart(server: Server) {
        let scene = Scene::set(&server).await;
        scene.everywhere(limit("hourly", 5, 3600, "credential")).await;
        scene.own(limit("daily", 3, 86_400, "organization")).await;
        scene.own(limit("now", 3, 30, "organization")).await;
        for _ in 0..2 {
            allowed(&scene.ask(&scene.one).await);
        }
        allowed(&scene.ask(&scene.other).await);
        let said = scene.ask(&scene.one).await;
        assert_eq!(violated(&said), ["organization/daily", "organization/now"]);
        let server = server.restart().await;
        let gateway = Client::new(&server.base, scene.gateway.token.as_deref());
        let scene = Scene { gateway, ..scene };
        let answer = scene.ask(&scene.one).await;
        assert_eq!(violated(&answer), ["organization/daily"], "what refills within a minute is not kept");
        // Without it, the others say what they remember.
        let admin = Client::new(&server.base, scene.town.admin.client.token.as_deref());
        admin.delete("/v1/orgs/octo/limits/daily").await.status(200);
        assert_eq!(left(&scene.ask(&scene.one).await, "hourly"), 2, "a call that was held back took nothing");
        assert_eq!(left(&scene.ask(&scene.other).await, "hourly"), 3);
    }
}
