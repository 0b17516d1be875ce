//! The permissions that may be asked for at all: asking and granting are bounded by them, what was granted before is not.

use super::*;

fn only(scopes: &[&str]) -> Value {
    json!({"permissions": [{"api": "town", "scopes": scopes}]})
}

fn body(server: &Server, scopes: &[&str]) -> Value {
    json!({"name": "made", "expires_at": server.in_days(10), "reason": "test",
        "grants": [{"organization": "octo", "api": "town", "scopes": scopes}]})
}

both_databases! {
    async fn what_may_not_be_asked_for_is_refused_by_name(server: Server) {
        let office = Office::open(&server).await;
        let (_, writer) = office.token(&server, &["doors:write"]).await;
        let set = office.set("personal_token", only(&["doors:read"])).await;
        assert_eq!(set.status(200)["permissions"], json!([{"api": "town", "scopes": ["global:doors:read"]}]));
        let ask = |scopes: &'static [&'static str]| office.admin().post("/v1/me/tokens", body(&server, scopes));
        let refused = ask(&["house:key:main:doors:read", "house:key:main:doors:write"]).await;
        refused.field("invalid", "grants[0].scopes[1]");
        let told = refused["errors"][0]["message"].as_str().unwrap();
        assert!(told.contains("`doors:write`") && told.contains("the policy of octo for personal_token"), "{told}");
        // `**` stands for what may be asked for, and an API that is not listed has nothing of it.
        let all = ask(&["**"]).await;
        let secret = text(all.status(201), "token");
        assert_eq!((office.reason(&secret).await, office.reason_of_writing(&secret).await), ("granted".to_owned(), "insufficient_scope".to_owned()));
        let mut own = body(&server, &["own_tokens:read"]);
        own["grants"][0]["api"] = json!("tegata");
        office.admin().post("/v1/me/tokens", own).await.field("invalid", "grants[0].scopes[0]");
        // What was granted before goes on.
        assert_eq!(office.reason_of_writing(&writer).await, "granted");
        // What a page shows may be sent back, and an empty list takes it back.
        let shown = office.admin().get("/v1/orgs/octo/policies").await;
        let shown = shown.status(200)["items"].as_array().unwrap().iter().find(|one| one["kind"] == "personal_token").unwrap().clone();
        assert_eq!(office.set("personal_token", json!({"permissions": shown["permissions"]})).await.status(200)["permissions"], shown["permissions"]);
        assert_eq!(office.set("personal_token", json!({})).await.status(200)["permissions"], shown["permissions"], "left out");
        office.set("personal_token", json!({"permissions": []})).await.status(200);
        ask(&["doors:write"]).await.status(201);
        let activity = office.admin().get("/v1/orgs/octo/activity?operation=policy.set&limit=1").await;
        let entry = &activity.status(200)["items"][0];
        assert_eq!((&entry["before"]["permissions"], &entry["after"]["permissions"]), (&shown["permissions"], &json!([])));
    }

    async fn a_list_holds_in_places(server: Server) {
        let office = Office::open(&server).await;
        office.set("personal_token", only(&["room:key:hall:doors:write", "house:key:main:doors:read"])).await.status(200);
        for (scope, status) in [
            ("room:key:hall:doors:write", 201), ("house:key:main:doors:read", 201), ("room:key:hall:doors:read", 201),
            ("house:key:main:doors:write", 422), ("doors:read", 422),
        ] {
            office.admin().post("/v1/me/tokens", body(&server, &[scope])).await.status(status);
        }
        office.set("personal_token", json!({"permissions": []})).await.status(200);
        // A context lists less than what is above it, never more.
        office.set("personal_token", only(&["doors:read"])).await.status(200);
        let wider = office.tighten(office.admin(), "house:key:main", "personal_token", only(&["doors:write"])).await;
        wider.field("invalid", "permissions");
        assert!(wider["errors"][0]["message"].as_str().unwrap().contains("the policy of octo"), "{}", wider.body);
        office.set("personal_token", json!({"permissions": []})).await.status(200);
        let set = office.tighten(office.admin(), "house:key:main", "personal_token", only(&["doors:read"])).await;
        assert_eq!(set.status(200)["own"]["permissions"], json!([{"api": "town", "scopes": ["global:doors:read"]}]));
        let refused = office.admin().post("/v1/me/tokens", body(&server, &["room:key:hall:doors:write"])).await;
        refused.field("invalid", "grants[0].scopes[0]");
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("the policy of house:key:main"), "{}", refused.body);
        office.admin().post("/v1/me/tokens", body(&server, &["doors:write"])).await.status(201);
        // What above has no longer is not asked for below either.
        office.set("personal_token", only(&["doors:write"])).await.status(200);
        office.admin().post("/v1/me/tokens", body(&server, &["room:key:hall:doors:read"])).await.status(201);
        office.admin().delete(&policy_of("house:key:main", "personal_token")).await.status(200);
        office.admin().post("/v1/me/tokens", body(&server, &["room:key:hall:doors:write"])).await.status(201);
    }

    async fn what_waits_is_not_granted_when_it_may_not_be_asked_for(server: Server) {
        let office = Office::open(&server).await;
        office.set("personal_token", json!({"admission": "approval"})).await.status(200);
        let holder = office.town.member(&server, "holder", "member").await;
        let doors = office.town.doors_role().await;
        office.town.give(&doors, &holder.id).await;
        let scopes = ["house:key:main:doors:read", "house:key:main:doors:write"];
        let asked = holder.client.post("/v1/me/tokens", body(&server, &scopes)).await;
        let (secret, request) = (text(asked.status(201), "token"), asked["requests"][0].as_str().unwrap().to_owned());
        let narrow = json!({"admission": "approval", "permissions": [{"api": "town", "scopes": ["doors:read"]}]});
        office.set("personal_token", narrow).await.status(200);
        let path = format!("/v1/orgs/octo/requests/{request}/decide");
        let refused = office.admin().post(&path, json!({"approve_all": true})).await;
        refused.problem("conflict");
        let told = refused["errors"][0]["message"].as_str().unwrap();
        assert!(told.contains("`doors:write`") && told.contains("the policy of octo"), "{told}");
        assert_eq!(office.reason(&secret).await, "approval_pending", "all or nothing");
        let lines = json!({"lines": [{"line": 1, "decision": "grant"},
            {"line": 2, "decision": "grant", "scope": "house:key:main:doors:read"}]});
        office.admin().post(&path, lines).await.status(200);
        assert_eq!(office.reason(&secret).await, "granted");
        // A denial that would need what may not be asked for leads to no request.
        let check = json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"});
        let denied = office.gate.verify(check).await;
        let descriptor = text(&denied, "request");
        let filed = holder.client.post("/v1/me/requests", json!({"request": descriptor})).await;
        filed.field("invalid", "request");
        // Nobody is kept from rejecting.
        let asked = holder.client.post("/v1/me/tokens", body(&server, &["house:key:main:doors:read"])).await;
        let request = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        office.set("personal_token", json!({"admission": "approval", "permissions": [{"api": "town", "scopes": ["room:key:hall:doors:read"]}]})).await.status(200);
        let path = format!("/v1/orgs/octo/requests/{request}/decide");
        office.admin().post(&path, json!({"reject_all": true})).await.status(200);
    }

    async fn keys_and_applications_ask_within_their_lists(server: Server) {
        let office = Office::open(&server).await;
        let mut open = only(&["doors:read"]);
        open["unscoped"] = json!(true);
        office.set("organization_key", open).await.status(200);
        let key = |extra: Value| {
            let mut body = json!({"name": "key", "expires_at": server.in_days(10)});
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            office.admin().post("/v1/orgs/octo/organization-keys", body)
        };
        let scopes = |scope: &str| json!({"grants": [{"api": "town", "scopes": [scope]}]});
        key(scopes("doors:write")).await.field("invalid", "grants[0].scopes[0]");
        key(scopes("doors:read")).await.status(201);
        key(json!({"unscoped": true})).await.problem("forbidden");
        let bot = office.town.make("applications", json!({"name": "Porter"})).await;
        office.set("application_token", only(&["doors:read"])).await.status(200);
        let rights = |scope: &str| {
            let rights = json!({"rights": [{"api": "town", "scopes": [scope]}]});
            let path = format!("/v1/orgs/octo/applications/{bot}/rights");
            let admin = office.admin().clone();
            async move { admin.post(&path, rights).await }
        };
        rights("house:key:main:doors:write").await.field("invalid", "rights[0].scopes[0]");
        rights("house:key:main:doors:read").await.status(201);
        // Nothing is asked for with these.
        for kind in ["legacy_token", "access_key"] {
            office.set(kind, only(&["doors:read"])).await.field("invalid", "permissions");
            office.tighten(office.admin(), "house:key:main", kind, only(&["doors:read"])).await.field("invalid", "permissions");
        }
        for (scopes, field) in [
            (json!(["windows:read"]), "permissions[0].scopes[0]"), (json!(["doors:read", "**"]), "permissions[0].scopes[1]"),
        ] {
            let change = json!({"permissions": [{"api": "town", "scopes": scopes}]});
            office.set("personal_token", change.clone()).await.field("invalid", field);
            office.tighten(office.admin(), "house:key:main", "personal_token", change).await.field("invalid", field);
        }
    }
}
