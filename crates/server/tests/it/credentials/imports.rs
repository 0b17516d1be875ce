//! Importing catalogues: first, again, as a dry run, from OpenAPI; and what is refused.

use super::*;

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = desk_document();
    change(&mut document);
    document
}

fn without_permission(name: &str) -> Value {
    with(|document| {
        let keep =
            |list: &mut Value, kept: &dyn Fn(&Value) -> bool| list.as_array_mut().unwrap().retain(|one| kept(one));
        keep(&mut document["permissions"], &|one| one["name"] != name);
        keep(&mut document["endpoints"], &|one| one["permission"] != name);
        document["roles"] = json!([]);
    })
}

both_databases! {
    async fn first_and_again(server: Server) {
        let root = server.admin().await;
        let first = root.post("/v1/apis", json!({"document": desk_document(), "reason": "launch"})).await;
        let body = first.status(201);
        assert_eq!((body["api"].as_str(), body["version"].as_u64(), body["created"].as_bool()), (Some("desk"), Some(1), Some(true)));
        assert_eq!((body["permissions"].as_u64(), body["endpoints"].as_u64()), (Some(4), Some(3)));
        assert_eq!(body["endpoints_without_permission"], json!({"count": 1, "listed": ["GET /{org}/status"]}));

        let next = with(|document| {
            document["permissions"].as_array_mut().unwrap().insert(0, json!({"name": "agents:read", "level": "read"}));
            document["endpoints"][2]["permission"] = json!("agents:read");
        });
        let dry = root.post("/v1/apis", json!({"document": next, "dry_run": true})).await;
        assert_eq!((dry.status(200)["dry_run"].as_bool(), dry["version"].as_u64()), (Some(true), Some(2)));
        assert_eq!(dry["diff"]["permissions"]["added"], json!(["agents:read"]));
        assert_eq!(root.get("/v1/apis/desk").await.status(200)["version"], 1, "nothing was changed");
        let again = root.post("/v1/apis", json!({"document": next})).await;
        assert_eq!((again.status(201)["version"].as_u64(), again["created"].as_bool()), (Some(2), Some(false)));
        assert_eq!(again["id"], first["id"]);
        assert_eq!(again["diff"], dry["diff"]);
        assert_eq!(root.get("/v1/apis/desk/catalogue").await.status(200)["document"]["permissions"][0]["name"], "agents:read");
        let shown = root.get("/v1/apis/desk").await;
        let write = shown.status(200)["permissions"].as_array().unwrap().iter().find(|one| one["name"] == "tickets:write").unwrap().clone();
        assert_eq!((write["level"].as_str(), &write["implies"]), (Some("write"), &json!(["tickets:read"])));

        // The document of an API can be imported as it is shown.
        let document = root.get("/v1/apis/desk/catalogue").await.body["document"].clone();
        let same = root.post("/v1/apis", json!({"document": document.to_string(), "dry_run": true})).await;
        assert_eq!(same.status(200)["diff"]["wording"], false);
    }

    async fn what_is_granted_goes_by_force_only(server: Server) {
        let desk_ = Desk::new(&server).await;
        let body = json!({"key": "reporter", "name": "Reporter", "context_type": "global",
            "permissions": [{"api": "desk", "permissions": ["tickets:write"]}]});
        desk_.admin.client.post("/v1/orgs/acme/roles", body).await.status(201);
        let made = desk_.alice.client.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["project:key:blue:tickets:write"])]))).await;
        made.status(201);
        let smaller = without_permission("tickets:write");
        let refused = desk_.root.post("/v1/apis", json!({"document": smaller})).await;
        refused.field("in_use", "permissions.tickets:write");
        let told = refused.body.to_string();
        assert!(told.contains("acme: roles reporter and 1 tokens"), "{told}");
        assert!(!told.contains("nightly") && !told.contains("alice"), "the publisher learns of numbers only: {told}");
        assert_eq!(desk_.root.get("/v1/apis/desk").await["version"], 1);
        let dry = desk_.root.post("/v1/apis", json!({"document": smaller, "dry_run": true})).await;
        assert_eq!(dry.status(200)["needs_force"], true);
        let forced = desk_.root.post("/v1/apis", json!({"document": smaller, "force": true})).await;
        let uses = json!([{"permission": "tickets:write", "organizations": [{"organization": "acme", "roles": ["reporter"], "tokens": 1}]}]);
        assert_eq!(forced.status(201)["removed_in_use"], uses);
        let again = token(&server, &json!([desk("acme", &["project:key:blue:tickets:write"])]));
        desk_.alice.client.post("/v1/me/tokens", again).await.field("invalid", "grants[0].scopes[0]");
        // What nobody has goes without a word.
        desk_.root.post("/v1/apis", json!({"document": with(|document| {
            *document = without_permission("tickets:write");
            document["permissions"].as_array_mut().unwrap().retain(|one| one["name"] != "tickets:purge");
        })})).await.status(201);
    }

    async fn roles_follow_the_catalogue(server: Server) {
        let desk_ = Desk::new(&server).await;
        let gate = server.verifier(&desk_.root, "desk").await;
        let made = desk_.alice.client.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["project:key:blue:tickets:write"])]))).await;
        let ask = json!({"token": text(&made.status(201)["token"]), "api": "desk", "method": "POST", "path": "/acme/blue/tickets"});
        assert_eq!(gate.verify(ask.clone()).await["reason"], "granted");
        let less = with(|document| document["roles"][0]["permissions"] = json!(["tickets:read"]));
        desk_.root.post("/v1/apis", json!({"document": less})).await.status(201);
        assert_eq!(gate.verify(ask.clone()).await["reason"], "owner_lacks_permission");
        desk_.root.post("/v1/apis", json!({"document": desk_document()})).await.status(201);
        assert_eq!(gate.verify(ask).await["reason"], "granted");
    }

    async fn mistakes_are_told_with_their_place(server: Server) {
        let root = server.admin().await;
        let cases: Vec<(Value, &str)> = vec![
            (with(|document| document["permissions"][0]["implies"] = json!(["tickets:write"])), "permissions[0].implies"),
            (with(|document| document["context_types"][0]["parent"] = json!("project")), "context_types[0].parent"),
            (with(|document| {
                let first = document["endpoints"][0].clone();
                document["endpoints"].as_array_mut().unwrap().push(first);
                document["endpoints"][3]["path"] = json!("/{a}/{b}/tickets");
                document["endpoints"][3]["context"] = json!("project:key:{b}");
                document["endpoints"][3]["organization"] = json!("{a}");
            }), "endpoints[3].path"),
            (with(|document| document["endpoints"][0]["permission"] = json!("tickets:raed")), "endpoints[0].permission"),
            (with(|document| document["permissions"][0]["level"] = json!("huge")), "permissions[0].level"),
            (with(|document| document["colour"] = json!("red")), "colour"),
            (with(|document| document["api"] = json!("Desk!")), "api"),
            (with(|document| document["api"] = json!("tegata")), "api"),
            (json!("api: desk\npermissions:\n  - {name: \"a:b\", level read}\n"), "line 3"),
            (json!("api: desk\npermissions: [\n"), "line 2"),
            (json!("{\"api\": \"desk\",\n \"permissions\": [}"), "line 2"),
            (json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}), "source"),
        ];
        for (document, place) in cases {
            let reply = root.post("/v1/apis", json!({"document": document})).await;
            let body = reply.problem("invalid_catalogue");
            let errors = body["errors"].as_array().unwrap();
            assert!(errors.iter().any(|error| text(&error["field"]).starts_with(place)), "{place}: {body}");
        }
        root.post("/v1/apis", json!({"document": 7})).await.field("invalid", "document");
        root.post("/v1/apis", json!({"document": desk_document(), "api": "other"})).await.field("invalid", "api");
        root.post("/v1/apis", json!({})).await.problem("malformed_body");
        root.post("/v1/apis", json!({"document": {}, "dry_run": "maybe"})).await.problem("malformed_body");
        root.get("/v1/apis/desk").await.problem("not_found");
    }

    async fn a_type_means_the_same_everywhere(server: Server) {
        let desk_ = Desk::new(&server).await;
        let other = with(|document| {
            document["api"] = json!("wiki");
            document["context_types"][0]["case_sensitive"] = json!(true);
        });
        desk_.root.post("/v1/apis", json!({"document": other})).await.field("invalid_catalogue", "context_types[0].name");
        // Contexts are registered, so the type stays as it is.
        let stricter = with(|document| document["context_types"][0]["case_sensitive"] = json!(true));
        for force in [false, true] {
            let reply = desk_.root.post("/v1/apis", json!({"document": stricter, "force": force})).await;
            reply.field("in_use", "context_types.project");
        }
        let gone = json!({"api": "desk", "permissions": [{"name": "tickets:read", "level": "read"}]});
        desk_.root.post("/v1/apis", json!({"document": gone, "force": true})).await.field("in_use", "context_types.project");
    }

    async fn an_openapi_document_becomes_a_catalogue(server: Server) {
        let root = server.admin().await;
        let document = json!({
            "openapi": "3.1.0", "info": {"title": "Shop", "version": "2"},
            "components": {"securitySchemes": {"oauth": {"type": "oauth2", "flows": {"clientCredentials": {
                "tokenUrl": "https://shop.example/token", "scopes": {"orders:read": "Read orders"}}}}}},
            "paths": {
                "/orders": {"get": {"security": [{"oauth": ["orders:read"]}], "responses": {}}},
                "/health": {"get": {"responses": {}}},
            },
        });
        let body = json!({"document": document, "source": "openapi", "api": "shop"});
        let made = root.post("/v1/apis", body).await;
        assert_eq!((made.status(201)["api"].as_str(), made["permissions"].as_u64()), (Some("shop"), Some(1)));
        assert_eq!(made["report"]["denied"][0]["endpoint"], "GET /health");
        root.post("/v1/apis", json!({"document": document, "source": "openapi"})).await.field("invalid_catalogue", "x-tegata-api");
        root.post("/v1/apis", json!({"document": desk_document(), "source": "openapi"})).await.problem("invalid_catalogue");
    }

    async fn people_see_the_apis_of_their_organizations(server: Server) {
        let desk_ = Desk::new(&server).await;
        desk_.root.post("/v1/apis", json!({"document": with(|document| document["api"] = json!("wiki"))})).await.status(201);
        let keys = |list: &Value| list["items"].as_array().unwrap().iter().map(|one| text(&one["key"])).collect::<Vec<_>>();
        assert_eq!(keys(desk_.root.get("/v1/apis").await.status(200)), ["desk", "tegata", "wiki"]);
        assert_eq!(keys(desk_.alice.client.get("/v1/apis").await.status(200)), ["desk", "tegata"]);
        let first = desk_.alice.client.get("/v1/apis?limit=1").await;
        let next = desk_.alice.client.get(&format!("/v1/apis?limit=1&cursor={}", text(&first["next_cursor"]))).await;
        assert_eq!(keys(next.status(200)), ["tegata"]);
        desk_.alice.client.get("/v1/apis/desk").await.status(200);
        for path in ["/v1/apis/wiki", "/v1/apis/wiki/catalogue", "/v1/apis/nothing"] {
            desk_.alice.client.get(path).await.problem("not_found");
        }
        server.anybody().get("/v1/apis").await.problem("unauthenticated");
        for somebody in [&desk_.admin.client, &desk_.alice.client] {
            let body = json!({"document": with(|document| document["api"] = json!("mine"))});
            somebody.post("/v1/apis", body.clone()).await.problem("forbidden");
            let mut dry = body;
            dry["dry_run"] = json!(true);
            somebody.post("/v1/apis", dry).await.problem("forbidden");
        }
    }
}
