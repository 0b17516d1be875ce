//! Access policies: ceilings on what was granted, at every check.

use super::*;

async fn policy(bureau: &Bureau, name: &str, scopes: &[&str]) -> String {
    let body = json!({"name": name, "admits": [{"api": "town", "scopes": scopes}]});
    bureau.town.make("access-policies", body).await
}

both_databases! {
    async fn a_ceiling_bounds_a_grant_and_its_change_counts_at_once(server: Server) {
        let bureau = Bureau::open(&server).await;
        let admin = &bureau.town.admin.client;
        let id = policy(&bureau, "Reading", &["house:key:main:doors:read"]).await;
        let body = Bureau::wide(&server, &["house:key:main:doors:write"]);
        let (token, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let decided = bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true, "access_policy": "Reading"})).await;
        assert_eq!(decided.status(200)["lines"][0]["access_policy"], id.as_str());
        let own = bureau.holder.client.get(&format!("/v1/me/tokens/{token}")).await;
        assert_eq!(own.status(200)["grants"][0]["access_policy"], id.as_str());
        let write = json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"});
        let reason = |check: Value| { let gate = bureau.gate.clone(); async move { text(&gate.verify(check).await, "reason") } };
        assert_eq!(bureau.reason(&secret).await, "granted");
        assert_eq!(reason(write.clone()).await, "insufficient_scope");

        let path = format!("/v1/orgs/octo/access-policies/{id}");
        let change = |scopes: Value| { let (admin, path) = (admin.clone(), path.clone()); async move {
            admin.patch(&path, json!({"admits": [{"api": "town", "scopes": scopes}]})).await.status(200);
        }};
        change(json!(["doors:write"])).await;
        assert_eq!(reason(write.clone()).await, "granted");
        change(json!(["room:key:hall:doors:write"])).await;
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope");
        change(json!([])).await;
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope");
        change(json!(["doors:read"])).await;
        assert_eq!(bureau.reason(&secret).await, "granted");
        assert_eq!(admin.delete(&path).await.problem("in_use")["status"], 409);
        admin.post(&format!("/v1/orgs/octo/requests/{request}/ungrant"), json!({})).await.status(200);
        admin.delete(&path).await.status(200);
        admin.get(&path).await.problem("not_found");
    }

    async fn what_is_over_keeps_no_access_policy(server: Server) {
        let bureau = Bureau::open(&server).await;
        let admin = &bureau.town.admin.client;
        let id = policy(&bureau, "Reading", &["doors:read"]).await;
        let path = format!("/v1/orgs/octo/access-policies/{id}");
        let mut tokens = Vec::new();
        for until in [None, Some(server.in_days(1))] {
            let (token, secret, request) = bureau.ask(&server).await;
            let body = json!({"approve_all": true, "access_policy": "Reading", "until": until});
            bureau.decide(&bureau.keeper.client, &request, body).await.status(200);
            tokens.push((token, secret));
        }
        let block = |step: &str| format!("/v1/orgs/octo/tokens/{}/{step}", tokens[0].0);
        // What is blocked may go on.
        admin.post(&block("block"), json!({})).await.status(200);
        assert_eq!(admin.get(&path).await.status(200)["grants"], 2);
        admin.post(&block("revoke"), json!({})).await.status(200);
        assert_eq!(admin.delete(&path).await.problem("in_use")["status"], 409);
        server.advance(std::time::Duration::from_hours(25));
        let admin = server.sign_in("octo-admin@example.com").await;
        admin.delete(&path).await.status(200);
        for (_, secret) in &tokens {
            assert_ne!(bureau.reason(secret).await, "granted");
        }
    }

    async fn access_policies_are_kept(server: Server) {
        let bureau = Bureau::open(&server).await;
        let admin = &bureau.town.admin.client;
        let (path, post) = ("/v1/orgs/octo/access-policies", |body: Value| { let admin = admin.clone(); async move { admin.post("/v1/orgs/octo/access-policies", body).await } });
        let id = policy(&bureau, "Second", &["doors:read"]).await;
        let first = made(&post(json!({"name": "First", "position": -1, "admits": []})).await);
        let listed = admin.get(path).await;
        let names: Vec<_> = listed.status(200)["items"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
        assert_eq!(names, ["First", "Second"]);
        // Members see what approvers choose from, and change nothing.
        assert_eq!(bureau.holder.client.get(path).await.status(200)["items"].as_array().unwrap().len(), 2);
        bureau.keeper.client.post(path, json!({"name": "Mine", "admits": []})).await.problem("forbidden");
        bureau.keeper.client.patch(&format!("{path}/{id}"), json!({"position": 3})).await.problem("forbidden");
        bureau.keeper.client.delete(&format!("{path}/{id}")).await.problem("forbidden");

        post(json!({"name": "First", "admits": []})).await.field("duplicate", "name");
        post(json!({"name": "", "admits": []})).await.field("invalid", "name");
        for (admits, field) in [
            (json!([{"api": "spare", "scopes": ["parts:read"]}]), "admits[0].api"),
            (json!([{"api": "town", "scopes": ["windows:read"]}]), "admits[0].scopes[0]"),
            (json!([{"api": "town", "scopes": ["house:key:nowhere:doors:read"]}]), "admits[0].scopes[0]"),
            (json!([{"api": "town", "scopes": ["doors:read", "**"]}]), "admits[0].scopes[1]"),
        ] {
            post(json!({"name": "Third", "admits": admits})).await.field("invalid", field);
        }
        admin.patch(&format!("{path}/First"), json!({"name": "Zeroth", "version": 1})).await.status(200);
        admin.patch(&format!("{path}/{first}"), json!({"position": 9, "version": 1})).await.problem("conflict");
        let shown = admin.get(&format!("{path}/Zeroth")).await;
        assert_eq!((shown.status(200)["version"].as_u64(), shown["grants"].as_i64()), (Some(2), Some(0)));
        assert_eq!(admin.get(&format!("{path}/{id}")).await.status(200)["admits"], json!([{"api": "town", "scopes": ["global:doors:read"]}]));
    }

    async fn a_lent_right_makes_no_lasting_one(server: Server) {
        let bureau = Bureau::open(&server).await;
        // The holder's token may make tokens, for a day.
        let mut body = doors_token_body(&server.in_days(10));
        body["grants"] = json!([{"organization": "octo", "api": "tegata", "scopes": ["own_tokens:write"]},
            {"organization": "octo", "api": "town", "scopes": ["house:key:main:doors:read"]}]);
        let (_, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let admin = &bureau.town.admin.client;
        let lent = json!({"lines": [
            {"line": 1, "decision": "grant"}, {"line": 2, "decision": "grant", "until": server.in_days(1)}]});
        bureau.decide(admin, &request, lent).await.status(200);
        let robot = admin.with(&secret);
        robot.post("/v1/me/tokens", doors_token_body(&server.in_days(5))).await.problem("beyond_own_rights");
    }
}
