//! Attacks by way of an application: each is refused.

use super::*;

both_databases! {
    async fn nobody_approves_their_own_through_an_application(server: Server) {
        let shop = Workshop::open(&server).await;
        shop.policy("approval", true).await;
        // The keeper answers for the house, and for the application.
        shop.town.admin.client.patch(&shop.path(""), json!({"owner": shop.keeper.id})).await.status(200);
        let asked = shop.ask(&shop.keeper.client, &["house:key:main:doors:read"]).await;
        let request = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        shop.decide(&shop.keeper.client, &request, json!({"approve_all": true})).await.problem("forbidden");
        // Nor is the keeper asked about it, who alone answers for the house, nor whoever registered it: somebody else further up is.
        let boss = shop.town.member(&server, "boss", "administrator").await;
        let path = format!("/v1/orgs/octo/requests/{request}");
        let asked_of = boss.client.get(&path).await.status(200)["lines"][0]["asked_of"].clone();
        let names: Vec<_> = asked_of["people"].as_array().unwrap().iter().map(|person| text(person, "name")).collect();
        assert_eq!((text(&asked_of, "place"), asked_of["escalated"].clone(), names), ("global".to_owned(), json!(true), vec!["boss".to_owned()]));
        // Nor what somebody else asked for it, nor as whoever registered it.
        let asked = shop.ask(&shop.town.admin.client, &["house:key:main:doors:write"]).await;
        let other = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        for client in [&shop.keeper.client, &shop.town.admin.client] {
            shop.decide(client, &other, json!({"approve_all": true})).await.problem("forbidden");
        }
        let principal = json!({"type": "user", "id": shop.maker.id});
        shop.town.make("assignments", json!({"role": "context-administrator", "principal": principal, "context": shop.town.house})).await;
        shop.decide(&shop.maker.client, &request, json!({"approve_all": true})).await.status(200);
    }

    async fn nobody_gets_more_by_way_of_an_application(server: Server) {
        let shop = Workshop::open(&server).await;
        let admin = &shop.town.admin.client;
        shop.granted().await;
        // A manager of applications who may do nothing with doors: no secrets of one that may, and it is given to nobody.
        let permissions = json!([{"api": "tegata", "permissions": ["organization:read", "applications:read", "applications:write"]}]);
        shop.town.make("roles", json!({"key": "apps", "name": "Apps", "context_type": "global", "permissions": permissions})).await;
        let manager = shop.town.member(&server, "manager", "apps").await;
        let client = &manager.client;
        client.post(&shop.path("/tokens"), json!({"name": "mine"})).await.problem("beyond_own_rights");
        client.post(&shop.path("/secret/regenerate"), json!({})).await.problem("beyond_own_rights");
        client.patch(&shop.path(""), json!({"owner": manager.id})).await.problem("beyond_own_rights");
        // What they ask for waits for those who have it, also where the policy lets applications in without a word.
        for admission in ["approval", "allow"] {
            shop.policy(admission, false).await;
            let asked = shop.ask(client, &["doors:read"]).await;
            let state = asked.status(201)["rights"].get(0).map(|right| text(right, "state"));
            assert!(state.is_none_or(|state| state == "requested"), "{admission}: {}", asked.body);
        }
        // Neither the owner who left, nor a token of theirs, works on it.
        let scopes = json!(["organization:read"]);
        let body = json!({"name": "own", "expires_at": server.in_days(5), "reason": "test", "grants": [{"organization": "octo", "api": "tegata", "scopes": scopes}]});
        let token = text(shop.maker.client.post("/v1/me/tokens", body).await.status(201), "token");
        shop.maker.client.with(&token).post(&shop.path("/tokens"), json!({"name": "x"})).await.problem("forbidden");
        admin.post(&format!("/v1/orgs/octo/members/{}/deactivate", shop.maker.id), json!({})).await.status(200);
        shop.maker.client.post(&shop.path("/tokens"), json!({"name": "x"})).await.problem("not_found");
        shop.maker.client.get(&shop.path("/rights")).await.problem("not_found");
    }

    async fn an_approver_grants_nothing_beyond_themself(server: Server) {
        let shop = Workshop::open(&server).await;
        let permissions = json!([{"api": "tegata", "permissions": ["organization:read", "tokens:approve"]}, {"api": "town", "permissions": ["doors:read"]}]);
        shop.town.make("roles", json!({"key": "half", "name": "Half", "context_type": "house", "permissions": permissions})).await;
        let half = shop.town.member(&server, "half", "member").await;
        shop.town.give("half", &half.id).await;
        let request = shop.asked().await;
        shop.decide(&half.client, &request, json!({"approve_all": true})).await.problem("beyond_own_rights");
        shop.decide(&half.client, &request, json!({"lines": [{"line": 1, "decision": "grant"}]})).await.status(200);
        let wider = json!({"lines": [{"line": 2, "decision": "grant", "scope": "doors:write"}]});
        shop.decide(&shop.town.admin.client, &request, wider).await.field("invalid", "lines[0]");
        let (_, token) = shop.token().await;
        assert_eq!(shop.reason_in(&token, "doors:write", "house:key:main").await, "approval_pending");
    }
}
