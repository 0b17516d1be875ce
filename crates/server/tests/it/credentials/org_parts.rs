//! An organization sees and stops its own part of a token, and nothing else.

use super::*;

both_databases! {
    async fn an_organization_sees_and_stops_its_own_part_only(server: Server) {
        let desk_ = Desk::new(&server).await;
        let other = desk_.second(&server).await;
        let (acme, alice) = (&desk_.admin.client, &desk_.alice.client);
        let read = "project:key:blue:tickets:read";
        let made = alice.post("/v1/me/tokens", token(&server, &json!([desk("acme", &[read]), desk("other", &[read])]))).await;
        let id = text(&made.status(201)["id"]);
        let elsewhere = alice.post("/v1/me/tokens", token(&server, &json!([desk("other", &[read])]))).await;
        let elsewhere = text(&elsewhere.status(201)["id"]);

        let list = acme.get("/v1/orgs/acme/tokens").await;
        assert_eq!(list.status(200)["items"].as_array().unwrap().len(), 1);
        let shown = acme.get(&format!("/v1/orgs/acme/tokens/{id}")).await;
        assert_eq!(shown.status(200)["owner"]["email"], "alice@example.com");
        assert_eq!(shown["grants"].as_array().unwrap().len(), 1);
        assert_eq!(shown["grants"][0]["organization"], "acme");
        assert!(!shown.body.to_string().contains("other"), "{}", shown.body);
        for path in ["", "/block", "/unblock", "/revoke"] {
            let path = format!("/v1/orgs/acme/tokens/{elsewhere}{path}");
            let reply = if path.ends_with(&elsewhere) { acme.get(&path).await } else { acme.post(&path, json!({})).await };
            reply.problem("not_found");
        }

        let blocked = acme.post(&format!("/v1/orgs/acme/tokens/{id}/block"), json!({"reason": "odd calls"})).await;
        assert_eq!(blocked.status(200)["state"], "blocked");
        assert!(blocked["sequence"].is_u64());
        acme.post(&format!("/v1/orgs/acme/tokens/{id}/block"), json!({})).await.problem("conflict");
        let mine = alice.get(&format!("/v1/me/tokens/{id}")).await;
        let states: Vec<_> = mine.status(200)["parts"].as_array().unwrap().iter()
            .map(|part| (text(&part["organization"]), text(&part["state"]))).collect();
        assert!(states.contains(&("acme".into(), "blocked".into())) && states.contains(&("other".into(), "active".into())));
        let there = other.client.get(&format!("/v1/orgs/other/tokens/{id}")).await;
        assert_eq!(there.status(200)["state"], "active");
        assert!(!there.body.to_string().contains("odd calls"));

        let on = acme.post(&format!("/v1/orgs/acme/tokens/{id}/unblock"), json!({})).await;
        assert_eq!(on.status(200)["state"], "active");
        assert!(on.body.get("state_reason").is_none());
        acme.post(&format!("/v1/orgs/acme/tokens/{id}/unblock"), json!({})).await.problem("conflict");
        acme.post(&format!("/v1/orgs/acme/tokens/{id}/revoke"), json!({"reason": "left"})).await.status(200);
        for step in ["block", "unblock", "revoke"] {
            acme.post(&format!("/v1/orgs/acme/tokens/{id}/{step}"), json!({})).await.problem("conflict");
        }
        assert_eq!(acme.get(&format!("/v1/orgs/acme/tokens/{id}")).await["state"], "revoked");
        assert_eq!(other.client.get(&format!("/v1/orgs/other/tokens/{id}")).await["state"], "active");

        // What the one organization did is in its own book only.
        let there = other.client.get("/v1/orgs/other/activity").await;
        assert!(!there.status(200).to_string().contains("org.token."));
        let here = acme.get("/v1/orgs/acme/activity").await.status(200).to_string();
        assert!(here.contains("org.token.revoke") && !here.contains("other"));
    }

    async fn only_who_may_stops_tokens_of_others(server: Server) {
        let desk_ = Desk::new(&server).await;
        let other = desk_.second(&server).await;
        let alice = &desk_.alice.client;
        let made = alice.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]))).await;
        let here = format!("/v1/orgs/acme/tokens/{}", text(&made.status(201)["id"]));
        alice.get("/v1/orgs/acme/tokens").await.problem("forbidden");
        alice.get(&here).await.problem("forbidden");
        for step in ["block", "unblock", "revoke"] {
            alice.post(&format!("{here}/{step}"), json!({})).await.problem("forbidden");
            other.client.post(&format!("{here}/{step}"), json!({})).await.problem("not_found");
            server.anybody().post(&format!("{here}/{step}"), json!({})).await.problem("unauthenticated");
        }
        // A token for stopping tokens does what it was given, and is stopped like any other.
        let keeper = desk_.admin.client.post("/v1/me/tokens", token(&server, &json!([own("acme", &["tokens:read"])]))).await;
        let keeper = alice.with(&text(&keeper.status(201)["token"]));
        keeper.get(&here).await.status(200);
        keeper.post(&format!("{here}/block"), json!({})).await.problem("forbidden");
    }

    async fn an_owner_stops_all_of_it(server: Server) {
        let desk_ = Desk::new(&server).await;
        let other = desk_.second(&server).await;
        let read = "project:key:blue:tickets:read";
        let made = desk_.alice.client.post("/v1/me/tokens", token(&server, &json!([desk("acme", &[read]), desk("other", &[read])]))).await;
        let id = text(&made.status(201)["id"]);
        desk_.alice.client.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await.status(200);
        for (admin, org) in [(&desk_.admin, "acme"), (&other, "other")] {
            assert_eq!(admin.client.get(&format!("/v1/orgs/{org}/tokens/{id}")).await.status(200)["state"], "revoked");
            assert!(admin.client.get(&format!("/v1/orgs/{org}/activity")).await.status(200).to_string().contains("token.revoke"));
        }
    }
}
