//! Personal tokens as their owner sees them.

use super::*;
use reqwest::Method;
use std::time::Duration;

both_databases! {
    async fn a_token_shows_its_secret_once(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let mut body = token(&server, &json!([desk("acme", &["project:key:BLUE:tickets:write", "project:key:blue:tickets:read"])]));
        body["addresses"] = json!(["203.0.113.9", "10.1.2.3/8"]);
        let made = alice.post("/v1/me/tokens", body).await;
        let made = made.status(201);
        assert!(text(&made["token"]).starts_with("tegata_pat_"));
        assert_eq!(made["kind"], "personal_token");
        assert_eq!(made["addresses"], json!(["203.0.113.9/32", "10.0.0.0/8"]));
        assert_eq!(made["parts"][0]["organization"], "acme");
        assert_eq!(made["parts"][0]["state"], "active");
        assert_eq!(made["grants"].as_array().unwrap().len(), 1, "one place, one fate, one grant");
        let grant = &made["grants"][0];
        assert_eq!(grant["context"], "project:key:blue");
        assert_eq!(grant["scopes"], json!(["project:key:blue:tickets:read", "project:key:blue:tickets:write"]));
        assert_eq!((grant["state"].as_str(), grant["self_granted"].as_bool()), (Some("granted"), Some(false)));

        let id = text(&made["id"]);
        let shown = alice.get(&format!("/v1/me/tokens/{id}")).await;
        assert!(shown.status(200).get("token").is_none());
        assert_eq!(shown["grants"], made["grants"]);
        let list = alice.get("/v1/me/tokens").await;
        assert!(!list.status(200).to_string().contains(&text(&made["token"])));
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        // Nobody else's eyes: not the administrator's here, and not the publisher's.
        desk_.admin.client.get(&format!("/v1/me/tokens/{id}")).await.problem("not_found");
        desk_.root.get(&format!("/v1/me/tokens/{id}")).await.problem("not_found");
        desk_.admin.client.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await.problem("not_found");
    }

    async fn a_repetition_shows_no_secret(server: Server) {
        let desk_ = Desk::new(&server).await;
        let body = token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]));
        let alice = &desk_.alice.client;
        let key = [("idempotency-key", "once")];
        let first = alice.send(Method::POST, "/v1/me/tokens", Some(body.clone()), &key).await;
        let again = alice.send(Method::POST, "/v1/me/tokens", Some(body.clone()), &key).await;
        assert!(first.status(201).get("token").is_some());
        assert!(again.status(201).get("token").is_none());
        assert_eq!(first["id"], again["id"]);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(alice.get("/v1/me/tokens").await["items"].as_array().unwrap().len(), 1);
        let mut other = body;
        other["name"] = json!("another");
        alice.send(Method::POST, "/v1/me/tokens", Some(other), &key).await.problem("idempotency_mismatch");

        let path = format!("/v1/me/tokens/{}/regenerate", text(&first["id"]));
        let key = [("idempotency-key", "twice")];
        assert!(alice.send(Method::POST, &path, Some(json!({})), &key).await.status(200).get("token").is_some());
        assert!(alice.send(Method::POST, &path, Some(json!({})), &key).await.status(200).get("token").is_none());
    }

    async fn organization_and_api_may_be_left_out_where_there_is_one(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let body = token(&server, &json!([{"scopes": "project:key:blue:tickets:read  project:key:blue:tickets:write"}]));
        let made = alice.post("/v1/me/tokens", body.clone()).await;
        assert_eq!(made.status(201)["grants"][0]["organization"], "acme");
        assert_eq!(made["grants"][0]["api"], "desk");
        desk_.second(&server).await;
        alice.post("/v1/me/tokens", body).await.field("invalid", "grants[0].organization");
    }

    async fn a_new_secret_keeps_the_id_and_the_end(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let grants = json!([own("acme", &["own_tokens:read"]), desk("acme", &["project:key:blue:tickets:read"])]);
        let made = alice.post("/v1/me/tokens", token(&server, &grants)).await;
        let (id, first) = (text(&made.status(201)["id"]), alice.with(&text(&made["token"])));
        let path = format!("/v1/me/tokens/{id}");
        first.get(&path).await.status(200);

        let renew = format!("{path}/regenerate");
        let renewed = alice.post(&renew, json!({"overlap_seconds": 600})).await;
        assert_eq!(renewed.status(200)["id"], made["id"]);
        assert_eq!(renewed["expires_at"], made["expires_at"]);
        let second = alice.with(&text(&renewed["token"]));
        first.get(&path).await.status(200);
        second.get(&path).await.status(200);
        server.advance(Duration::from_secs(601));
        first.get(&path).await.problem("unauthenticated");
        second.get(&path).await.status(200);
        // Without an overlap the old secret ends at once.
        let third = alice.with(&text(&alice.post(&renew, json!({})).await.status(200)["token"]));
        second.get(&path).await.problem("unauthenticated");
        third.get(&path).await.status(200);
        alice.post(&renew, json!({"overlap_seconds": 604_801})).await.field("invalid", "overlap_seconds");

        server.advance(tegata_core::time::days(31));
        let alice = &server.sign_in("alice@example.com").await;
        assert_eq!(alice.get(&path).await.status(200)["state"], "expired");
        alice.post(&renew, json!({})).await.problem("conflict");
    }

    async fn revoked_is_final(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let made = alice.post("/v1/me/tokens", token(&server, &json!([own("acme", &["own_tokens:read"])]))).await;
        let (id, secret) = (text(&made.status(201)["id"]), text(&made["token"]));
        let path = format!("/v1/me/tokens/{id}");
        let receipt = alice.post(&format!("{path}/revoke"), json!({"reason": "laptop lost"})).await;
        assert_eq!(receipt.status(200)["state"], "revoked");
        assert!(receipt["effective_at"].is_string() && receipt["sequence"].is_u64());
        assert_eq!(receipt["verifiers"][0]["applied"], true);
        alice.with(&secret).get(&path).await.problem("unauthenticated");
        alice.post(&format!("{path}/revoke"), json!({})).await.problem("conflict");
        alice.post(&format!("{path}/regenerate"), json!({})).await.problem("conflict");
        let shown = alice.get(&path).await;
        assert_eq!(shown.status(200)["state"], "revoked");
        assert!(shown["revoked_at"].is_string());
        let here = format!("/v1/orgs/acme/tokens/{id}");
        for step in ["block", "unblock", "revoke"] {
            desk_.admin.client.post(&format!("{here}/{step}"), json!({})).await.problem("conflict");
        }
    }

    async fn everything_stands_for_what_the_owner_has_now(server: Server) {
        let desk_ = Desk::new(&server).await;
        let admin = &desk_.admin.client;
        let made = admin.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["**"])]))).await;
        // `tickets:purge` may be granted in projects only.
        assert_eq!(made.status(201)["grants"][0]["scopes"], json!(["global:reports:read", "global:tickets:read", "global:tickets:write"]));
        let alice = &desk_.alice.client;
        let none = alice.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["**"])]))).await;
        none.field("invalid", "grants[0].scopes[0]");
        admin.post("/v1/me/tokens", token(&server, &json!([own("acme", &["**"])]))).await.field("invalid", "grants[0].scopes[0]");
    }

    async fn who_answers_for_the_place_grants_it_to_themself(server: Server) {
        let desk_ = Desk::new(&server).await;
        policy(&desk_.admin, "acme", "approval", "all", 365).await;
        let wish = token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]));
        let admin = desk_.admin.client.post("/v1/me/tokens", wish.clone()).await;
        assert_eq!(admin.status(201)["grants"][0]["state"], "granted");
        assert_eq!(admin["grants"][0]["self_granted"], true);
        let alice = desk_.alice.client.post("/v1/me/tokens", wish.clone()).await;
        assert_eq!(alice.status(201)["grants"][0]["state"], "requested");
        assert_eq!(alice["parts"][0]["state"], "active");

        // A token answers for nothing, also an administrator's.
        let grants = json!([own("acme", &["own_tokens:write"]), desk("acme", &["project:key:blue:tickets:read"])]);
        let maker = desk_.admin.client.post("/v1/me/tokens", token(&server, &grants)).await;
        let maker = desk_.admin.client.with(&text(&maker.status(201)["token"]));
        let mut shorter = wish.clone();
        shorter["expires_at"] = json!(server.in_days(10));
        let made = maker.post("/v1/me/tokens", shorter).await;
        assert_eq!(made.status(201)["grants"][0]["state"], "requested");

        policy(&desk_.admin, "acme", "deny", "all", 365).await;
        desk_.alice.client.post("/v1/me/tokens", wish.clone()).await.problem("forbidden");
        policy(&desk_.admin, "acme", "allow", "read_only", 365).await;
        desk_.alice.client.post("/v1/me/tokens", wish).await.status(201);
        let write = token(&server, &json!([desk("acme", &["project:key:blue:tickets:write"])]));
        desk_.alice.client.post("/v1/me/tokens", write).await.field("invalid", "grants[0].scopes[0]");
    }

    async fn fifty_live_tokens_are_enough(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let body = token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]));
        let mut last = String::new();
        for _ in 0..50 {
            last = text(&alice.post("/v1/me/tokens", body.clone()).await.status(201)["id"]);
        }
        alice.post("/v1/me/tokens", body.clone()).await.problem("conflict");
        alice.post(&format!("/v1/me/tokens/{last}/revoke"), json!({})).await.status(200);
        alice.post("/v1/me/tokens", body).await.status(201);
        let first = alice.get("/v1/me/tokens?limit=30").await;
        let cursor = text(&first.status(200)["next_cursor"]);
        let second = alice.get(&format!("/v1/me/tokens?limit=30&cursor={cursor}")).await;
        assert_eq!(second.status(200)["items"].as_array().unwrap().len(), 21);
        assert!(second.body.get("next_cursor").is_none());
    }
}
