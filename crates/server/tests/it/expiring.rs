//! Warnings of tokens that end: once each, for those that somebody still wants.

use crate::support::{Client, Person, Server};
use serde_json::{Value, json};
use std::time::Duration;
use tegata::notices::expiry::warn;

const DAY: Duration = Duration::from_hours(24);
const SETTINGS: &str = "/v1/orgs/acme/notice-settings";

async fn token(server: &Server, client: &Client, name: &str, days: i64) -> String {
    let body = json!({"name": name, "expires_at": server.in_days(days), "reason": "test",
        "grants": [{"organization": "acme", "api": "tegata", "scopes": ["organization:read"]}]});
    client.post("/v1/me/tokens", body).await.status(201)["id"].as_str().unwrap().to_owned()
}

/// Of whose end a person was warned, and when: newest first.
async fn warnings(client: &Client) -> Vec<(String, u64)> {
    let inbox = client.get("/v1/me/inbox?limit=200&lang=en").await;
    let items = inbox.status(200)["items"].as_array().unwrap().clone();
    let warned = items.iter().filter(|notice| notice["kind"] == "credential_expiring");
    warned
        .map(|notice| {
            (notice["data"]["credential"].as_str().unwrap().to_owned(), notice["data"]["days"].as_u64().unwrap())
        })
        .collect()
}

async fn acme(server: &Server) -> (Client, Person) {
    let root = server.admin().await;
    let admin = server.org(&root, "acme").await;
    (root, admin)
}

/// Goes on by so many days, signs in again and gives the warnings that are due.
async fn later(server: &Server, days: u32) -> Client {
    server.advance(days * DAY);
    // The task that warns may have been quicker; what counts is what was given.
    warn(&server.running.app).await.unwrap();
    server.sign_in("acme-admin@example.com").await
}

fn once(name: &str, days: &[u64]) -> Vec<(String, u64)> {
    days.iter().map(|count| (name.to_owned(), *count)).collect()
}

both_databases! {
    async fn owners_are_warned_once_before_a_token_ends(server: Server) {
        let (_, admin) = acme(&server).await;
        let id = token(&server, &admin.client, "CI", 60).await;
        let client = later(&server, 10).await;
        assert_eq!(warnings(&client).await, []);
        let client = later(&server, 21).await;
        assert_eq!(warnings(&client).await, once("CI", &[30]));
        let inbox = client.get("/v1/me/inbox?lang=en").await;
        let notice = &inbox.status(200)["items"][0];
        assert_eq!((&notice["title"], &notice["about"]), (&json!("“CI” ends within 30 days"), &json!(id)));
        // Neither a second look nor a restart says it again.
        warn(&server.running.app).await.unwrap();
        let server = server.restart().await;
        let client = later(&server, 31).await;
        assert_eq!(warnings(&client).await, once("CI", &[30]));
        let client = later(&server, 22).await;
        assert_eq!(warnings(&client).await, once("CI", &[7, 30]));
        let client = later(&server, 6).await;
        assert_eq!(warnings(&client).await, once("CI", &[1, 7, 30]));
        let client = later(&server, 2).await;
        assert_eq!(warnings(&client).await, once("CI", &[1, 7, 30]));
        // Programs are told as well.
        let activity = client.get("/v1/orgs/acme/activity?operation=token.expiring").await;
        let entries = activity.status(200)["items"].as_array().unwrap().clone();
        assert_eq!(entries.len(), 3);
        assert_eq!((&entries[0]["subject"], &entries[0]["after"]["days"]), (&json!(id), &json!(1)));
    }

    async fn nobody_is_warned_of_what_was_revoked(server: Server) {
        let (_, admin) = acme(&server).await;
        let whole = token(&server, &admin.client, "whole", 40).await;
        let part = token(&server, &admin.client, "part", 40).await;
        token(&server, &admin.client, "short", 5).await;
        admin.client.post(&format!("/v1/me/tokens/{whole}/revoke"), json!({})).await.status(200);
        admin.client.post(&format!("/v1/orgs/acme/tokens/{part}/revoke"), json!({})).await.status(200);
        let blocked = token(&server, &admin.client, "blocked", 40).await;
        admin.client.post(&format!("/v1/orgs/acme/tokens/{blocked}/block"), json!({})).await.status(200);
        warn(&server.running.app).await.unwrap();
        assert_eq!(warnings(&admin.client).await, [], "nor of what ends soon because it was made so");
        let client = later(&server, 39).await;
        assert_eq!(warnings(&client).await, once("blocked", &[1]), "after a long rest, only the most urgent");
    }

    async fn an_organization_says_when(server: Server) {
        let (root, admin) = acme(&server).await;
        let client = &admin.client;
        assert_eq!(client.get(SETTINGS).await.status(200), &json!({"expiry_days": [30, 7, 1]}));
        let set = async |days: Value| client.put(SETTINGS, json!({"expiry_days": days, "reason": "test"})).await;
        for wrong in [json!([0]), json!([366]), json!(vec![1; 11])] {
            set(wrong).await.field("invalid", "expiry_days");
        }
        set(json!(["1"])).await.problem("malformed_body");
        assert_eq!(set(json!([3, 14, 3])).await.status(200), &json!({"expiry_days": [14, 3]}));
        let member = server.member(&root, client, "acme", "ann", "member").await.client;
        member.put(SETTINGS, json!({"expiry_days": []})).await.problem("forbidden");
        token(&server, client, "CI", 60).await;
        let client = later(&server, 40).await;
        assert_eq!(warnings(&client).await, []);
        let client = later(&server, 7).await;
        assert_eq!(warnings(&client).await, once("CI", &[14]));
        client.put(SETTINGS, json!({"expiry_days": []})).await.status(200);
        let client = later(&server, 12).await;
        assert_eq!(warnings(&client).await, once("CI", &[14]));
    }
}
