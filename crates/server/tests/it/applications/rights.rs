//! What an application may do: asked for by whoever answers for it, granted by whoever answers for the place.

use super::*;

both_databases! {
    async fn each_place_grants_its_own_part(server: Server) {
        let shop = Workshop::open(&server).await;
        let (_, token) = shop.token().await;
        assert_eq!(shop.reason(&token).await, "insufficient_scope");
        let asked = shop.ask(&shop.maker.client, &["doors:read", "house:key:main:doors:write", "room:key:hall:doors:read"]).await;
        let asked = asked.status(201).clone();
        let request = asked["requests"][0].as_str().unwrap().to_owned();
        assert_eq!(asked["rights"].as_array().unwrap().len(), 3);
        assert_eq!(shop.reason(&token).await, "approval_pending");
        // The keeper sees and decides the house and what lies in it, and nothing of the whole organization.
        let shown = shop.keeper.client.get(&format!("/v1/orgs/octo/requests/{request}")).await;
        let scopes: Vec<_> = shown.status(200)["lines"].as_array().unwrap().iter().map(|line| text(line, "scope")).collect();
        assert_eq!(scopes, ["house:key:main:doors:write", "room:key:hall:doors:read"]);
        assert_eq!((text(&shown["credential"], "kind"), text(&shown["credential"], "name")), ("application".to_owned(), "Porter".to_owned()));
        shop.decide(&shop.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(shop.rights("").await, pairs(&[
            ("global:doors:read", "requested"), ("house:key:main:doors:write", "granted"), ("room:key:hall:doors:read", "granted"),
        ]));
        assert_eq!(shop.reason(&token).await, "granted", "writing implies reading");
        assert_eq!(shop.reason_in(&token, "doors:read", "global").await, "approval_pending");
        shop.decide(&shop.town.admin.client, &request, json!({"reject_all": true, "comment": "the house is enough"})).await.status(200);
        assert_eq!(shop.reason_in(&token, "doors:read", "global").await, "approval_rejected");
        assert_eq!(shop.rights("?state=rejected").await, pairs(&[("global:doors:read", "rejected")]));
        assert_eq!(shop.rights("?context=room:key:hall").await, pairs(&[("room:key:hall:doors:read", "granted")]));
        // What was granted is not asked for again; what was rejected is.
        let again = shop.ask(&shop.maker.client, &["doors:read", "house:key:main:doors:write"]).await;
        assert_eq!((again.status(201)["unchanged"].clone(), again["rights"].as_array().unwrap().len()), (json!(1), 1));
    }

    async fn whoever_answers_for_the_place_and_has_it_grants_at_once(server: Server) {
        let shop = Workshop::open(&server).await;
        let admin = &shop.town.admin.client;
        let body = json!({"name": "Own", "required": [{"api": "town", "permissions": ["doors:read"]}]});
        let own = made(&admin.post(APPLICATIONS, body).await);
        let asked = admin.post(&format!("{APPLICATIONS}/{own}/rights"), json!({"rights": [{"api": "town", "scopes": ["doors:read"]}]})).await;
        assert_eq!((asked.status(201)["requests"].clone(), text(&asked["rights"][0], "state")), (json!([]), "granted".to_owned()));
        assert_eq!(asked["rights"][0]["self_granted"], true);
        // Under four eyes somebody else looks first.
        shop.policy("approval", true).await;
        let asked = admin.post(&format!("{APPLICATIONS}/{own}/rights"), json!({"rights": [{"api": "town", "scopes": ["doors:write"]}]})).await;
        let request = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        shop.decide(admin, &request, json!({"approve_all": true})).await.problem("forbidden");
    }

    async fn what_it_needs_is_asked_for_in_every_place(server: Server) {
        let shop = Workshop::open(&server).await;
        let (maker, admin) = (&shop.maker.client, &shop.town.admin.client);
        maker.post(&shop.path("/contexts"), json!({"contexts": ["house:key:main"]})).await.problem("conflict");
        let needs = |permissions: Value| json!({"required": [{"api": "town", "permissions": permissions}], "reason": "for doors"});
        maker.put(&shop.path("/required"), needs(json!(["doors:none"]))).await.field("invalid", "required[0].permissions[0]");
        let said = maker.put(&shop.path("/required"), needs(json!(["doors:read"]))).await;
        assert_eq!(said.status(200)["asked"]["requests"], json!([]), "it is let in nowhere yet");
        let places = json!({"contexts": ["house:key:main", &shop.town.room], "reason": "let it in"});
        let asked = maker.post(&shop.path("/contexts"), places.clone()).await;
        let request = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        assert_eq!(shop.rights("").await, pairs(&[("house:key:main:doors:read", "requested"), ("room:key:hall:doors:read", "requested")]));
        shop.decide(&shop.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(maker.post(&shop.path("/contexts"), places).await.status(201)["unchanged"], 2);
        let shown = maker.get(&shop.path("")).await;
        assert_eq!(shown.status(200)["contexts"], json!([
            {"context": "house:key:main", "granted": 1, "requested": 0}, {"context": "room:key:hall", "granted": 1, "requested": 0},
        ]));
        // What is new is asked for where it is let in already, and what it had goes on.
        let said = maker.put(&shop.path("/required"), needs(json!(["doors:read", "doors:write"]))).await;
        assert_eq!(said.status(200)["asked"]["rights"].as_array().unwrap().len(), 2);
        let (_, token) = shop.token().await;
        assert_eq!(shop.reason(&token).await, "granted");
        assert_eq!(shop.reason_in(&token, "doors:write", "house:key:main").await, "approval_pending");
        // Who may act here?
        let here = admin.get(&format!("{APPLICATIONS}?context=room:key:hall")).await;
        assert_eq!(here.status(200)["items"].as_array().unwrap().len(), 1);
        let there = admin.get(&format!("{APPLICATIONS}?context=global")).await;
        assert_eq!(there.status(200)["items"], json!([]));
        // It is taken out of the house: the rights end, and what waits is taken back; the hall keeps its own.
        let gone = maker.delete(&shop.path("/contexts/house:key:main")).await;
        assert_eq!(gone.status(200)["contexts"], json!([{"context": "room:key:hall", "granted": 1, "requested": 1}]));
        assert_eq!(shop.reason(&token).await, "insufficient_scope");
        assert_eq!(shop.reason_in(&token, "doors:read", "room:key:hall").await, "granted");
        maker.delete(&shop.path("/contexts/house:key:main")).await.problem("conflict");
    }

    async fn a_denial_is_asked_about_for_the_application(server: Server) {
        let shop = Workshop::open(&server).await;
        let (_, token) = shop.token().await;
        let denied = shop.gate.verify(doors_check(&token)).await;
        let body = json!({"request": text(&denied, "request"), "reason": "it rang"});
        shop.keeper.client.post("/v1/me/requests", body.clone()).await.problem("forbidden");
        let filed = shop.maker.client.post("/v1/me/requests", body).await;
        let request = text(&filed.status(201)["request"], "id");
        assert_eq!(shop.reason(&token).await, "approval_pending");
        let terms = json!({"approve_all": true, "until": server.in_days(1)});
        shop.decide(&shop.keeper.client, &request, terms).await.status(200);
        assert_eq!(shop.reason(&token).await, "granted", "the same token works");
        // What has ended is not told as something that it has.
        let shown = shop.maker.client.get(&shop.path("")).await;
        assert_eq!(shown.status(200)["contexts"], json!([{"context": "house:key:main", "granted": 1, "requested": 0}]));
        server.advance(std::time::Duration::from_hours(25));
        let maker = server.sign_in("maker@example.com").await;
        assert_eq!(maker.get(&shop.path("")).await.status(200)["contexts"], json!([]));
    }

    async fn it_asks_by_itself(server: Server) {
        let shop = Workshop::open(&server).await;
        let token = text(shop.sign_in(&server, &shop.secret).await.status(201), "token");
        let own = server.anybody().with(&token);
        let shown = own.get("/v1/applications/me").await;
        assert_eq!((text(shown.status(200), "name"), shown["owner"].clone()), ("Porter".to_owned(), json!(null)));
        let body = json!({"rights": [{"api": "town", "scopes": ["house:key:main:doors:read"]}], "reason": "it rang"});
        let asked = own.post("/v1/applications/me/rights", body.clone()).await;
        let request = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        assert_eq!(own.post("/v1/applications/me/rights", body).await.status(201)["unchanged"], 1);
        // Whoever answers for it is shown as asking, and activity says that it did.
        let open = shop.maker.client.get("/v1/me/requests?state=open").await;
        assert_eq!(open.status(200)["items"][0]["requester"]["name"], "maker");
        let activity = shop.town.admin.client.get("/v1/orgs/octo/activity?limit=1").await;
        assert_eq!(activity.status(200)["items"][0]["actor"]["name"], "Porter");
        assert_eq!(activity["items"][0]["actor"]["type"], "application");
        // It decides nothing, and opens no other door; nobody else opens this one.
        own.post(&format!("/v1/orgs/octo/requests/{request}/decide"), json!({"approve_all": true})).await.problem("unauthenticated");
        own.get("/v1/orgs/octo/applications").await.problem("unauthenticated");
        for other in [&shop.maker.client, &server.anybody().with(&shop.secret), &server.anybody()] {
            other.get("/v1/applications/me").await.problem("unauthenticated");
        }
        shop.decide(&shop.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(shop.reason(&token).await, "granted");
        let rights = own.get("/v1/applications/me/rights?state=granted").await;
        assert_eq!(rights.status(200)["items"][0]["scopes"], json!(["house:key:main:doors:read"]));
        // What a denial said was missing.
        let body = json!({"token": token, "api": "town", "permission": "doors:write", "context": "house:key:main", "organization": "octo"});
        let denied = shop.gate.verify(body).await;
        let file = json!({"request": text(&denied, "request"), "reason": "to let them in"});
        let filed = own.post("/v1/applications/me/requests", file.clone()).await;
        assert_eq!(filed.status(201)["request"]["lines"][0]["scope"], "house:key:main:doors:write");
        let (_, permanent) = shop.token().await;
        server.anybody().with(&permanent).post("/v1/applications/me/requests", file).await.problem("forbidden");
        server.anybody().with(&permanent).get("/v1/applications/me").await.status(200);
        // Stopped, it asks nothing.
        shop.policy("deny", false).await;
        own.get("/v1/applications/me").await.problem("forbidden");
        shop.policy("approval", false).await;
        shop.town.admin.client.post(&shop.path("/block"), json!({})).await.status(200);
        for token in [&token, &permanent] {
            server.anybody().with(token).get("/v1/applications/me").await.problem("unauthenticated");
        }
    }

    async fn it_asks_in_the_words_of_authzen(server: Server) {
        let shop = Workshop::open(&server).await;
        let token = text(shop.sign_in(&server, &shop.secret).await.status(201), "token");
        let own = server.anybody().with(&token);
        let evaluate = async |permission: &str| {
            let question = json!({"subject": {"type": "token", "id": token}, "action": {"name": permission},
                "resource": {"type": "house", "id": "main", "properties": {"organization": "octo"}}});
            let told = shop.gate.post("/access/v1/evaluation", question.clone()).await.status(200).clone();
            (question, told)
        };
        let file = async |permission: &str| {
            let (mut request, told) = evaluate(permission).await;
            request["denial"] = told["context"]["access_request"].clone();
            own.post("/access/v1/requests", request).await.status(202)["task"].clone()
        };
        let task = file("doors:read").await;
        let path = format!("/access/v1/requests/{}", text(&task, "id"));
        let (_, permanent) = shop.token().await;
        for other in [&server.anybody().with(&permanent), &shop.keeper.client, &shop.town.admin.client] {
            assert_eq!(other.get(&path).await.status, 404);
        }
        assert_eq!(shop.maker.client.get(&path).await.status(200)["task"]["status"], "pending");
        let open = shop.maker.client.get("/v1/me/requests?state=open").await;
        let request = text(&open.status(200)["items"][0], "id");
        let waiting = tokio::spawn({
            let (client, path) = (own.clone(), format!("{path}?wait=30"));
            async move { client.get(&path).await }
        });
        shop.decide(&shop.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(waiting.await.unwrap().status(200)["task"]["status"], "approved");
        assert_eq!(evaluate("doors:read").await.1["decision"], true);
        let task = file("doors:write").await;
        let cancel = format!("/access/v1/requests/{}/cancel", text(&task, "id"));
        assert_eq!(own.post(&cancel, json!({})).await.status(200)["task"]["status"], "cancelled");
        let activity = shop.town.admin.client.get("/v1/orgs/octo/activity?limit=1").await;
        assert_eq!(activity.status(200)["items"][0]["actor"]["name"], "Porter");
        let (_, told) = evaluate("doors:write").await;
        let access = told["context"]["access_request"].clone();
        shop.policy("deny", false).await;
        let request = json!({"subject": {"type": "token", "id": token}, "action": {"name": "doors:write"},
            "resource": {"type": "house", "id": "main"}, "denial": access});
        assert!(own.post("/access/v1/requests", request).await.status.is_client_error());
    }

    async fn an_access_policy_bounds_it(server: Server) {
        let shop = Workshop::open(&server).await;
        let admin = &shop.town.admin.client;
        let admits = json!([{"api": "town", "scopes": ["house:key:main:doors:read"]}]);
        shop.town.make("access-policies", json!({"name": "Look only", "admits": admits})).await;
        let request = shop.asked().await;
        shop.decide(&shop.keeper.client, &request, json!({"approve_all": true, "access_policy": "Look only"})).await.status(200);
        let (_, token) = shop.token().await;
        assert_eq!(shop.reason(&token).await, "granted");
        assert_eq!(shop.reason_in(&token, "doors:write", "house:key:main").await, "insufficient_scope");
        admin.patch("/v1/orgs/octo/access-policies/Look%20only", json!({"admits": []})).await.status(200);
        assert_eq!(shop.reason(&token).await, "insufficient_scope", "at once, and no token was touched");
    }
}
