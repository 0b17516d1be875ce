//! Legacy tokens: everything of a level that their owner may do, where organizations admit them.

use super::{Desk, call, own, policy_of, text};
use crate::support::Client;
use serde_json::{Value, json};

const LEGACY: &str = "/v1/me/legacy-tokens";
const TICKETS: &str = "/acme/blue/tickets";

async fn made(client: &Client, body: Value) -> (String, String) {
    let reply = client.post(LEGACY, body).await;
    let token = reply.status(201);
    (text(&token["id"]), text(&token["token"]))
}

async fn reason(gate: &Client, token: &str, method: &str, path: &str) -> String {
    text(&call(gate, token, method, path).await["reason"])
}

both_databases! {
    async fn a_legacy_token_does_what_its_owner_may_at_its_levels(server: Server) {
        let desk = Desk::new(&server).await;
        let (alice, gate) = (&desk.alice.client, server.verifier(&desk.root, "desk").await);
        alice.post(LEGACY, json!({"name": "old", "levels": "read"})).await.field("invalid", "organizations");
        alice.post(LEGACY, json!({"name": "old", "levels": "read", "organizations": ["acme"]})).await.problem("forbidden");
        policy_of(&desk.admin, "acme", "legacy_token", &json!({"without_end": true})).await;
        let (id, reader) = made(alice, json!({"name": "old", "levels": "read"})).await;
        let (_, writer) = made(alice, json!({"name": "old too", "levels": "read write", "organizations": ["acme"]})).await;
        assert!(reader.starts_with("tegata_leg_"));

        let answer = call(&gate, &reader, "GET", TICKETS).await;
        assert_eq!(answer["reason"], "granted", "{answer}");
        assert_eq!(answer["credential"]["kind"], "legacy_token");
        assert_eq!(answer["credential"]["expires_at"], Value::Null);
        assert_eq!(answer["principal"], json!({"type": "user", "id": desk.alice.id, "name": answer["principal"]["name"]}));
        let denied = call(&gate, &reader, "POST", TICKETS).await;
        assert_eq!(denied["reason"], "insufficient_scope");
        assert!(denied["request"].is_null(), "it lists nothing that could be asked for: {denied}");
        assert_eq!(reason(&gate, &writer, "POST", TICKETS).await, "granted");
        assert_eq!(reason(&gate, &writer, "GET", "/acme/red/tickets").await, "owner_lacks_permission");

        // What its owner gains and loses, it gains and loses; what is above its levels, never.
        let body = json!({"role": "administrator", "principal": {"type": "user", "id": desk.alice.id}});
        let given = text(&desk.admin.client.post("/v1/orgs/acme/assignments", body).await.status(201)["id"]);
        assert_eq!(reason(&gate, &writer, "GET", "/acme/red/tickets").await, "granted");
        let purge = json!({"token": writer, "api": "desk", "permission": "tickets:purge", "context": "project:key:blue"});
        assert_eq!(gate.verify(purge).await["reason"], "insufficient_scope");
        desk.admin.client.delete(&format!("/v1/orgs/acme/assignments/{given}")).await.status(200);
        assert_eq!(reason(&gate, &writer, "GET", "/acme/red/tickets").await, "owner_lacks_permission");

        // Never on Tegata's own API.
        server.anybody().with(&writer).get("/v1/me").await.problem("unauthenticated");
        server.anybody().with(&writer).get("/v1/orgs/acme").await.problem("unauthenticated");

        let mine = alice.get("/v1/me/tokens").await;
        let kinds: Vec<_> = mine.status(200)["items"].as_array().unwrap().iter()
            .map(|token| (token["kind"].clone(), token["covers"].clone())).collect();
        assert_eq!(kinds, [(json!("legacy_token"), json!("read_write")), (json!("legacy_token"), json!("read"))]);
        assert_eq!(alice.get(&format!("/v1/me/tokens/{id}")).await["risks"], json!(["everything_of_owner", "never_expires"]));
        let server = server.restart().await;
        let gate = server.anybody().with(gate.token.as_ref().unwrap());
        server.advance(tegata_core::time::days(4_000));
        assert_eq!(reason(&gate, &reader, "GET", TICKETS).await, "granted");
    }

    async fn each_organization_switches_them_for_itself(server: Server) {
        let desk = Desk::new(&server).await;
        let other = desk.second(&server).await;
        let (alice, gate) = (&desk.alice.client, server.verifier(&desk.root, "desk").await);
        for (admin, org) in [(&desk.admin, "acme"), (&other, "other")] {
            policy_of(admin, org, "legacy_token", &json!({"without_end": true})).await;
        }
        let (id, token) = made(alice, json!({"name": "old", "levels": "read write"})).await;
        for path in [TICKETS, "/other/blue/tickets"] {
            assert_eq!(reason(&gate, &token, "POST", path).await, "granted");
        }
        policy_of(&desk.admin, "acme", "legacy_token", &json!({"level": "read_only"})).await;
        assert_eq!(reason(&gate, &token, "POST", TICKETS).await, "policy_read_only");
        assert_eq!(reason(&gate, &token, "GET", TICKETS).await, "granted");
        assert_eq!(reason(&gate, &token, "POST", "/other/blue/tickets").await, "granted");
        policy_of(&desk.admin, "acme", "legacy_token", &json!({"admission": "deny"})).await;
        assert_eq!(reason(&gate, &token, "GET", TICKETS).await, "policy_denied");
        policy_of(&desk.admin, "acme", "legacy_token", &json!({})).await;
        assert_eq!(reason(&gate, &token, "POST", TICKETS).await, "granted");

        // Its part of one organization is stopped like a personal token's.
        let seen = desk.admin.client.get("/v1/orgs/acme/tokens").await;
        let seen = &seen.status(200)["items"][0];
        assert_eq!((&seen["id"], &seen["kind"], &seen["covers"]), (&json!(id), &json!("legacy_token"), &json!("read_write")));
        let path = format!("/v1/orgs/acme/tokens/{id}");
        desk.admin.client.post(&format!("{path}/block"), json!({})).await.status(200);
        assert_eq!(reason(&gate, &token, "GET", TICKETS).await, "blocked");
        desk.admin.client.post(&format!("{path}/revoke"), json!({})).await.status(200);
        assert_eq!(reason(&gate, &token, "GET", TICKETS).await, "revoked");
        assert_eq!(reason(&gate, &token, "GET", "/other/blue/tickets").await, "granted");

        let fresh = alice.post(&format!("/v1/me/tokens/{id}/regenerate"), json!({})).await;
        let fresh = text(&fresh.status(200)["token"]);
        assert!(fresh.starts_with("tegata_leg_"));
        assert_eq!(reason(&gate, &token, "GET", "/other/blue/tickets").await, "expired");
        assert_eq!(reason(&gate, &fresh, "GET", "/other/blue/tickets").await, "granted");
        other.client.post(&format!("/v1/orgs/other/members/{}/deactivate", desk.alice.id), json!({})).await.status(200);
        assert_eq!(reason(&gate, &fresh, "GET", "/other/blue/tickets").await, "revoked");
        alice.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await.status(200);
        assert_eq!(reason(&gate, &fresh, "GET", TICKETS).await, "revoked");
    }

    async fn what_makes_no_legacy_token(server: Server) {
        let desk = Desk::new(&server).await;
        let alice = &desk.alice.client;
        policy_of(&desk.admin, "acme", "legacy_token", &json!({"max_lifetime_days": 30, "without_end": false})).await;
        let with = |field: &str, value: Value| {
            let mut body = json!({"name": "old", "levels": "read", "expires_at": server.in_days(10)});
            body[field] = value;
            body
        };
        alice.post(LEGACY, with("name", json!(""))).await.field("invalid", "name");
        alice.post(LEGACY, with("levels", json!("admin"))).await.field("malformed_body", "levels");
        alice.post(LEGACY, with("expires_at", Value::Null)).await.field("invalid", "expires_at");
        alice.post(LEGACY, with("expires_at", json!(server.in_days(31)))).await.field("invalid", "expires_at");
        alice.post(LEGACY, with("organizations", json!([]))).await.field("invalid", "organizations");
        alice.post(LEGACY, with("organizations", json!(["nobody"]))).await.field("invalid", "organizations[0]");
        alice.post(LEGACY, with("addresses", json!(["here"]))).await.field("invalid", "addresses[0]");

        // A token mints nothing that reaches further than itself, and renews nothing either.
        let (id, _) = made(alice, with("name", json!("old"))).await;
        let own = json!({"name": "own", "expires_at": server.in_days(5), "reason": "test",
            "grants": [own("acme", &["own_tokens:write"])]});
        let token = alice.with(&text(&alice.post("/v1/me/tokens", own).await.status(201)["token"]));
        token.post(LEGACY, with("name", json!("more"))).await.problem("beyond_own_rights");
        token.post(&format!("/v1/me/tokens/{id}/regenerate"), json!({})).await.problem("beyond_own_rights");
        assert_eq!(alice.get("/v1/me/tokens").await["items"].as_array().unwrap().len(), 2);
    }
}
