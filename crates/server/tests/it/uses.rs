//! When a token was last used, as its owner and as each organization is told.

use crate::support::Client;
use crate::town::{Town, doors_check, doors_token, doors_token_body, open_policy, text};
use serde_json::{Value, json};
use std::time::Duration;

/// What is told of a token, once it says when it was last used.
async fn once_used(client: &Client, path: &str) -> Value {
    for _ in 0..500 {
        let shown = client.get(path).await.status(200).clone();
        if shown["last_used_at"].is_string() {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} does not tell of a use");
}

both_databases! {
    async fn a_use_is_told_to_the_owner_and_to_the_organization(server: Server) {
        let town = Town::found(&server).await;
        let gateway = server.verifier(&town.root, "town").await;
        let admin = &town.admin.client;
        let (used, secret) = doors_token(admin, &server.in_days(30)).await;
        let (denied, other) = doors_token(admin, &server.in_days(30)).await;

        // Neither making nor refusing it is a use.
        admin.post(&format!("/v1/orgs/octo/tokens/{denied}/block"), json!({"reason": "test"})).await.status(200);
        assert_eq!(gateway.verify(doors_check(&other)).await["reason"], "blocked");
        let mut write = doors_check(&secret);
        write["method"] = json!("POST");
        assert_eq!(gateway.verify(write).await["reason"], "insufficient_scope");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let shown = admin.get(&format!("/v1/me/tokens/{used}")).await.status(200).clone();
        assert!(shown.get("last_used_at").is_none(), "{shown}");

        server.advance(Duration::from_hours(2));
        assert_eq!(gateway.verify(doors_check(&secret)).await["allowed"], true);
        let own = once_used(admin, &format!("/v1/me/tokens/{used}")).await;
        let here = once_used(admin, &format!("/v1/orgs/octo/tokens/{used}")).await;
        let when = text(&own, "last_used_at");
        assert!(when > text(&own, "created_at"), "{own}");
        assert_eq!(here["last_used_at"], json!(when));
        assert_eq!(own["parts"][0]["last_used_at"], json!(when));
        let list = admin.get("/v1/orgs/octo/tokens").await.status(200)["items"].as_array().unwrap().clone();
        let of = |id: &str| list.iter().find(|token| token["id"] == id).unwrap().get("last_used_at").cloned();
        assert_eq!((of(&used), of(&denied)), (Some(json!(when)), None));

        // Within a step nothing is written again; after it, the later use is.
        server.advance(Duration::from_hours(1));
        let batch = json!({"checks": [doors_check(&secret), doors_check(&secret)]});
        assert_eq!(gateway.post("/v1/verify/batch", batch).await.status(200)["results"][1]["allowed"], true);
        let path = format!("/v1/me/tokens/{used}");
        let mut later = when.clone();
        for _ in 0..500 {
            later = text(&once_used(admin, &path).await, "last_used_at");
            if later != when {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(later > when, "{later}");

        // A server that ends in order has written what it noted.
        server.advance(Duration::from_hours(1));
        assert_eq!(gateway.verify(doors_check(&secret)).await["allowed"], true);
        let token = admin.token.clone().unwrap();
        let server = server.restart().await;
        let shown = server.anybody().with(&token).get(&path).await.status(200).clone();
        assert!(text(&shown, "last_used_at") > later, "{shown}");
    }

    async fn each_organization_is_told_of_its_own_part(server: Server) {
        let town = Town::found(&server).await;
        let gateway = server.verifier(&town.root, "town").await;
        let owner = town.member(&server, "mona", "administrator").await;
        let other = server.org(&town.root, "other").await;
        other.client.put("/v1/orgs/other/apis/town", json!({})).await.status(200);
        other.client.put("/v1/orgs/other/policies/personal_token", open_policy()).await.status(200);
        let member = json!({"user": owner.id, "role": "administrator"});
        other.client.post("/v1/orgs/other/members", member).await.status(201);
        let mut body = doors_token_body(&server.in_days(30));
        let there = json!({"organization": "other", "api": "town", "scopes": ["doors:read"]});
        body["grants"].as_array_mut().unwrap().push(there);
        let made = owner.client.post("/v1/me/tokens", body).await.status(201).clone();
        let (id, secret) = (text(&made, "id"), text(&made, "token"));
        let ask = |org: &str| {
            let check = json!({"token": secret, "api": "town", "permission": "doors:read", "organization": org});
            if org == "octo" { with_house(check) } else { check }
        };
        assert_eq!(gateway.verify(ask("other")).await["allowed"], true);
        once_used(&other.client, &format!("/v1/orgs/other/tokens/{id}")).await;
        let octo = town.admin.client.get(&format!("/v1/orgs/octo/tokens/{id}")).await.status(200).clone();
        assert!(octo.get("last_used_at").is_none(), "a use elsewhere is nobody's business: {octo}");
        assert_eq!(gateway.verify(ask("octo")).await["allowed"], true);
        once_used(&town.admin.client, &format!("/v1/orgs/octo/tokens/{id}")).await;
    }
}

fn with_house(mut check: Value) -> Value {
    check["context"] = json!("house:key:main");
    check
}
