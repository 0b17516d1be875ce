//! Nobody issues beyond themself, and no credential mints more than itself.

use super::*;

both_databases! {
    async fn people_issue_what_they_have(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let cases = [
            json!([desk("acme", &["project:key:red:tickets:read"])]),
            json!([desk("acme", &["project:key:blue:tickets:purge"])]),
            json!([desk("acme", &["tickets:read"])]),
            json!([desk("acme", &["reports:read"])]),
            json!([own("acme", &["tokens:write"])]),
            json!([own("acme", &["project:key:blue:contexts:write"])]),
        ];
        for grants in cases {
            let refused = alice.post("/v1/me/tokens", token(&server, &grants)).await;
            refused.field("beyond_own_rights", "grants[0].scopes[0]");
            assert_eq!(refused.status.as_u16(), 403);
        }
        // One scope too many, and nothing is made.
        let grants = json!([desk("acme", &["project:key:blue:tickets:read", "project:key:red:tickets:read"])]);
        alice.post("/v1/me/tokens", token(&server, &grants)).await.field("beyond_own_rights", "grants[0].scopes[1]");
        assert_eq!(alice.get("/v1/me/tokens").await["items"], json!([]));
        let fine = json!([own("acme", &["own_tokens:read"]), desk("acme", &["project:key:blue:tickets:write"])]);
        alice.post("/v1/me/tokens", token(&server, &fine)).await.status(201);
    }

    async fn what_is_the_publishers_counts_there_only(server: Server) {
        let desk_ = Desk::new(&server).await;
        let admin = &desk_.admin.client;
        for name in ["apis:write", "users:write", "verifiers:write", "organizations:write"] {
            let body = token(&server, &json!([own("acme", &[name])]));
            admin.post("/v1/me/tokens", body).await.field("invalid", "grants[0].scopes[0]");
        }
        let body = token(&server, &json!([own("acme", &["project:key:blue:organization:read"])]));
        admin.post("/v1/me/tokens", body).await.field("invalid", "grants[0].scopes[0]");
        let body = token(&server, &json!([own("acme", &["project:key:blue:contexts:write"])]));
        admin.post("/v1/me/tokens", body).await.status(201);
    }

    async fn own_permissions_are_no_places(server: Server) {
        let desk_ = Desk::new(&server).await;
        // An API may well have a type whose name begins a permission of Tegata's own.
        let hr = json!({"api": "hr", "context_types": [{"name": "organization"}],
            "permissions": [{"name": "staff:read", "level": "read", "contexts": ["organization"]}]});
        desk_.root.post("/v1/apis", json!({"document": hr})).await.status(201);
        desk_.admin.client.put("/v1/orgs/acme/apis/hr", json!({})).await.status(200);
        let body = token(&server, &json!([own("acme", &["organization:read", "global:organization:write"])]));
        let made = desk_.admin.client.post("/v1/me/tokens", body).await;
        assert_eq!(made.status(201)["grants"][0]["scopes"], json!(["global:organization:read", "global:organization:write"]));
    }

    async fn a_token_makes_none_that_has_more(server: Server) {
        let desk_ = Desk::new(&server).await;
        desk_.second(&server).await;
        let alice = &desk_.alice.client;
        let mut body = token(&server, &json!([own("acme", &["own_tokens:write"]), desk("acme", &["project:key:blue:tickets:read"])]));
        body["addresses"] = json!(["127.0.0.0/8"]);
        let made = alice.post("/v1/me/tokens", body).await;
        let (maker_id, maker) = (text(&made.status(201)["id"]), alice.with(&text(&made["token"])));

        let within = token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]));
        let small = |days: i64| { let mut body = within.clone(); body["expires_at"] = json!(server.in_days(days)); body };
        let child = maker.post("/v1/me/tokens", small(10)).await;
        assert_eq!(child.status(201)["addresses"], json!(["127.0.0.0/8"]), "it counts from no further address");
        let mut wider = small(10);
        wider["addresses"] = json!(["127.0.0.1", "203.0.113.0/24"]);
        maker.post("/v1/me/tokens", wider).await.field("invalid", "addresses");
        maker.post("/v1/me/tokens", small(31)).await.field("invalid", "expires_at");
        for grants in [
            json!([desk("acme", &["project:key:blue:tickets:write"])]),
            json!([desk("other", &["project:key:blue:tickets:read"])]),
            json!([own("acme", &["own_tokens:read"])]),
        ] {
            let mut body = small(10);
            body["grants"] = grants;
            maker.post("/v1/me/tokens", body).await.field("beyond_own_rights", "grants[0].scopes[0]");
        }

        // A token without the permission makes none at all, and looks at none.
        let child = maker.with(&text(&child["token"]));
        child.post("/v1/me/tokens", small(5)).await.problem("forbidden");
        child.get("/v1/me/tokens").await.problem("forbidden");
        child.post(&format!("/v1/me/tokens/{maker_id}/revoke"), json!({})).await.problem("forbidden");
        maker.get("/v1/me/tokens").await.problem("forbidden");

        // Stopped in the organization, it makes nothing there any more.
        desk_.admin.client.post(&format!("/v1/orgs/acme/tokens/{maker_id}/block"), json!({})).await.status(200);
        maker.post("/v1/me/tokens", small(5)).await.problem("forbidden");
    }

    async fn a_token_renews_none_that_has_more(server: Server) {
        let desk_ = Desk::new(&server).await;
        let other = desk_.second(&server).await;
        let alice = &desk_.alice.client;
        let make = |days: i64, grants: Value| {
            let mut body = token(&server, &grants);
            body["expires_at"] = json!(server.in_days(days));
            async move {
                let made = alice.post("/v1/me/tokens", body).await;
                (text(&made.status(201)["id"]), text(&made["token"]))
            }
        };
        let read = "project:key:blue:tickets:read";
        let (maker_id, maker) = make(20, json!([own("acme", &["own_tokens:write"]), desk("acme", &[read]), desk("other", &[read])])).await;
        let (same, _) = make(19, json!([desk("acme", &[read])])).await;
        let (longer, _) = make(21, json!([desk("acme", &[read])])).await;
        let (more, _) = make(19, json!([desk("acme", &["project:key:blue:tickets:write"])])).await;
        let (abroad, _) = make(19, json!([desk("acme", &[read]), desk("other", &[read])])).await;
        let maker = alice.with(&maker);
        let renew = |id: &str| format!("/v1/me/tokens/{id}/regenerate");
        maker.post(&renew(&same), json!({})).await.status(200);
        maker.post(&renew(&abroad), json!({})).await.status(200);
        maker.post(&renew(&longer), json!({})).await.problem("beyond_own_rights");
        maker.post(&renew(&more), json!({})).await.problem("beyond_own_rights");
        // Blocked in one organization, it renews nothing that counts there.
        other.client.post(&format!("/v1/orgs/other/tokens/{maker_id}/block"), json!({})).await.status(200);
        maker.post(&renew(&abroad), json!({})).await.problem("beyond_own_rights");
        maker.post(&renew(&same), json!({})).await.status(200);
        let mut there = token(&server, &json!([desk("other", &[read])]));
        there["expires_at"] = json!(server.in_days(5));
        maker.post("/v1/me/tokens", there).await.problem("beyond_own_rights");
        let renewed = maker.post(&renew(&maker_id), json!({})).await;
        renewed.status(200);
        maker.post(&renew(&same), json!({})).await.problem("unauthenticated");
    }

    async fn what_the_owner_loses_the_next_token_lacks(server: Server) {
        let desk_ = Desk::new(&server).await;
        let alice = &desk_.alice.client;
        let body = token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]));
        alice.post("/v1/me/tokens", body.clone()).await.status(201);
        let list = desk_.admin.client.get(&format!("/v1/orgs/acme/assignments?principal={}", desk_.alice.id)).await;
        let all = list.status(200)["items"].as_array().unwrap().clone();
        for assignment in all.iter().filter(|one| !one["context"].is_null()) {
            let path = format!("/v1/orgs/acme/assignments/{}", text(&assignment["id"]));
            desk_.admin.client.delete(&path).await.status(200);
        }
        alice.post("/v1/me/tokens", body.clone()).await.field("beyond_own_rights", "grants[0].scopes[0]");
        // Out of the organization, it is as if there were none.
        desk_.admin.client.post(&format!("/v1/orgs/acme/members/{}/deactivate", desk_.alice.id), json!({})).await.status(200);
        alice.post("/v1/me/tokens", body).await.field("invalid", "grants[0].organization");
    }
}
