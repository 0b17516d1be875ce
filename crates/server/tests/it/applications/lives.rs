//! What shows an application, and how it is stopped: permanent tokens, its client secret, block, remove.

use super::*;

both_databases! {
    async fn a_token_has_what_the_application_has_or_less(server: Server) {
        let shop = Workshop::open(&server).await;
        let maker = &shop.maker.client;
        let chosen = json!({"name": "reader", "rights": [{"api": "town", "scopes": ["house:key:main:doors:read"]}], "expires_at": server.in_days(5)});
        let reply = maker.post(&shop.path("/tokens"), chosen).await;
        let reader = text(reply.status(201), "token");
        assert!(reader.starts_with("tegata_app_"), "{reader}");
        assert!(text(&reply.body, "warning").contains("development"));
        assert_eq!((text(&reply.body, "kind"), text(&reply.body, "covers")), ("application_token".to_owned(), "listed".to_owned()));
        assert_eq!(reply["owner"]["type"], "application");
        let (id, all) = shop.token().await;
        assert_eq!((shop.reason(&reader).await, shop.reason(&all).await), ("insufficient_scope".to_owned(), "insufficient_scope".to_owned()));
        let request = shop.granted().await;
        let allowed = shop.gate.verify(doors_check(&all)).await;
        assert_eq!(allowed["principal"], json!({"type": "application", "id": shop.application, "name": "Porter"}));
        assert_eq!(shop.reason(&reader).await, "granted");
        let write = |token: String| async { let token = token; shop.reason_in(&token, "doors:write", "house:key:main").await };
        assert_eq!((write(all.clone()).await.as_str(), write(reader.clone()).await.as_str()), ("granted", "insufficient_scope"));
        let list = maker.get(&shop.path("/tokens")).await;
        assert_eq!(list.status(200)["items"].as_array().unwrap().len(), 2);
        // What is taken away from the application is taken away from its tokens.
        shop.keeper.client.post(&format!("/v1/orgs/octo/requests/{request}/ungrant"), json!({"lines": [2]})).await.status(200);
        assert_eq!((shop.reason(&all).await.as_str(), write(all.clone()).await.as_str()), ("granted", "insufficient_scope"));
        maker.post(&shop.path(&format!("/tokens/{id}/revoke")), json!({"reason": "done"})).await.status(200);
        assert_eq!((shop.reason(&all).await.as_str(), shop.reason(&reader).await.as_str()), ("revoked", "granted"));
        maker.post(&shop.path(&format!("/tokens/{id}/revoke")), json!({})).await.problem("conflict");
        // The credential behind the application is no token of it.
        let carrier = text(maker.get(&shop.path("")).await.status(200), "credential");
        maker.post(&shop.path(&format!("/tokens/{carrier}/revoke")), json!({})).await.problem("not_found");
    }

    async fn it_signs_in_with_its_client_secret(server: Server) {
        let shop = Workshop::open(&server).await;
        shop.granted().await;
        let signed_in = shop.sign_in(&server, &shop.secret).await;
        let token = text(signed_in.status(201), "token");
        assert_eq!((text(&signed_in.body, "organization"), text(&signed_in.body, "id")), ("octo".to_owned(), shop.application.clone()));
        let allowed = shop.gate.verify(doors_check(&token)).await;
        assert_eq!((text(&allowed, "reason"), text(&allowed["credential"], "kind")), ("granted".to_owned(), "application".to_owned()));
        // The secret itself is no token, and opens no door of Tegata's own.
        assert_eq!(shop.reason(&shop.secret).await, "malformed");
        for secret in [&shop.secret, &token] {
            server.anybody().with(secret).get("/v1/me").await.problem("unauthenticated");
        }
        let mut wrong = shop.secret.clone();
        wrong.replace_range(12..13, if &wrong[12..13] == "x" { "y" } else { "x" });
        shop.sign_in(&server, &wrong).await.problem("wrong_credentials");
        let body = json!({"client_id": "somebody", "client_secret": shop.secret});
        server.anybody().post("/v1/applications/sign-in", body).await.problem("wrong_credentials");
        // A new secret: with an overlap both work; without, the old one ends with what it signed in.
        let renewed = shop.maker.client.post(&shop.path("/secret/regenerate"), json!({"overlap_seconds": 3600})).await;
        let second = text(renewed.status(200), "client_secret");
        shop.sign_in(&server, &shop.secret).await.status(201);
        assert_eq!(shop.reason(&token).await, "granted");
        let renewed = shop.maker.client.post(&shop.path("/secret/regenerate"), json!({})).await;
        let third = text(renewed.status(200), "client_secret");
        for old in [&shop.secret, &second] {
            shop.sign_in(&server, old).await.problem("wrong_credentials");
        }
        assert_ne!(shop.reason(&token).await, "granted");
        let again = text(shop.sign_in(&server, &third).await.status(201), "token");
        assert_eq!(shop.reason(&again).await, "granted");
    }

    async fn blocked_and_back_and_removed_for_good(server: Server) {
        let shop = Workshop::open(&server).await;
        let admin = &shop.town.admin.client;
        shop.granted().await;
        let (_, token) = shop.token().await;
        let session = text(shop.sign_in(&server, &shop.secret).await.status(201), "token");
        shop.maker.client.post(&shop.path("/block"), json!({})).await.problem("forbidden");
        admin.post(&shop.path("/block"), json!({"reason": "a look first"})).await.status(200);
        assert_eq!((shop.reason(&token).await.as_str(), shop.reason(&session).await.as_str()), ("owner_inactive", "blocked"));
        let inbox = shop.maker.client.get("/v1/me/inbox?limit=1").await;
        assert_eq!(inbox.status(200)["items"][0]["kind"], "credential_stopped", "whoever answers for it is told");
        shop.sign_in(&server, &shop.secret).await.problem("forbidden");
        admin.post(&shop.path("/block"), json!({})).await.problem("conflict");
        assert_eq!(admin.post(&shop.path("/unblock"), json!({})).await.status(200)["state"], "active");
        assert_eq!((shop.reason(&token).await.as_str(), shop.reason(&session).await.as_str()), ("granted", "granted"));
        let waiting = shop.ask(&shop.maker.client, &["doors:read"]).await.status(201)["requests"][0].as_str().unwrap().to_owned();
        admin.post(&shop.path("/uninstall"), json!({"reason": "retired"})).await.status(200);
        assert_eq!((shop.reason(&token).await.as_str(), shop.reason(&session).await.as_str()), ("revoked", "revoked"));
        shop.sign_in(&server, &shop.secret).await.problem("wrong_credentials");
        let request = admin.get(&format!("/v1/orgs/octo/requests/{waiting}")).await;
        assert_eq!(request.status(200)["state"], "closed", "nobody is asked about it any more");
        for (path, body) in [("/tokens", json!({"name": "x"})), ("/unblock", json!({})), ("/uninstall", json!({})), ("/secret/regenerate", json!({}))] {
            admin.post(&shop.path(path), body).await.problem("conflict");
        }
        shop.ask(admin, &["doors:read"]).await.problem("conflict");
        assert_eq!(admin.get(&shop.path("")).await.status(200)["state"], "uninstalled");
        // The name is free again, and the new one has nothing of the old.
        let anew = admin.post(APPLICATIONS, json!({"name": "Porter"})).await;
        assert_ne!(text(anew.status(201), "id"), shop.application);
        assert_eq!(anew["contexts"], json!([]));
        admin.post(APPLICATIONS, json!({"name": "Porter"})).await.field("duplicate", "name");
    }

    async fn a_policy_denies_the_next_call_and_its_reversal_allows_the_one_after(server: Server) {
        let shop = Workshop::open(&server).await;
        shop.granted().await;
        let (_, token) = shop.token().await;
        let session = text(shop.sign_in(&server, &shop.secret).await.status(201), "token");
        shop.policy("deny", false).await;
        assert_eq!((shop.reason(&token).await.as_str(), shop.reason(&session).await.as_str()), ("policy_denied", "policy_denied"));
        shop.sign_in(&server, &shop.secret).await.problem("forbidden");
        shop.ask(&shop.maker.client, &["doors:read"]).await.problem("forbidden");
        shop.town.admin.client.post(APPLICATIONS, json!({"name": "Other"})).await.problem("forbidden");
        shop.policy("approval", false).await;
        assert_eq!((shop.reason(&token).await.as_str(), shop.reason(&session).await.as_str()), ("granted", "granted"));
        let ends = json!({"admission": "approval", "level": "read_only", "max_lifetime_days": 10, "without_end": false, "reason": "test"});
        shop.town.admin.client.put("/v1/orgs/octo/policies/application_token", ends).await.status(200);
        assert_eq!(shop.reason_in(&token, "doors:write", "house:key:main").await, "policy_read_only");
        shop.maker.client.post(&shop.path("/tokens"), json!({"name": "x"})).await.field("invalid", "expires_at");
        let late = json!({"name": "x", "expires_at": server.in_days(11)});
        shop.maker.client.post(&shop.path("/tokens"), late).await.field("invalid", "expires_at");
        // There is no policy for the credential behind an application: it has that of its tokens.
        let none = json!({"admission": "allow", "level": "all", "max_lifetime_days": 10, "reason": "test"});
        shop.town.admin.client.put("/v1/orgs/octo/policies/application", none).await.problem("not_found");
    }

    async fn a_repetition_shows_no_secret(server: Server) {
        let shop = Workshop::open(&server).await;
        let admin = &shop.town.admin.client;
        let again = [("idempotency-key", "once")];
        let body = json!({"name": "Twice"});
        let first = admin.send(reqwest::Method::POST, APPLICATIONS, Some(body.clone()), &again).await;
        assert!(first.status(201)["client_secret"].is_string());
        let second = admin.send(reqwest::Method::POST, APPLICATIONS, Some(body), &again).await;
        assert_eq!((second.status(201)["id"].clone(), second.body.get("client_secret").is_none()), (first["id"].clone(), true));
    }

    async fn what_is_asked_for_is_looked_at(server: Server) {
        let shop = Workshop::open(&server).await;
        let (maker, admin) = (&shop.maker.client, &shop.town.admin.client);
        shop.ask(maker, &[]).await.field("invalid", "rights[0].scopes");
        shop.ask(maker, &["doors:none"]).await.field("invalid", "rights[0].scopes[0]");
        shop.ask(maker, &["house:key:nowhere:doors:read"]).await.field("invalid", "rights[0].scopes[0]");
        let own = json!({"rights": [{"api": "tegata", "scopes": ["organization:read"]}]});
        maker.post(&shop.path("/rights"), own).await.field("invalid", "rights[0].scopes[0]");
        let own = json!({"required": [{"api": "tegata", "permissions": ["organization:read"]}]});
        maker.put(&shop.path("/required"), own).await.field("invalid", "required[0].api");
        maker.post(&shop.path("/contexts"), json!({"contexts": []})).await.field("invalid", "contexts");
        admin.post(APPLICATIONS, json!({"name": ""})).await.field("invalid", "name");
        admin.post(APPLICATIONS, json!({"name": "x", "shared": true})).await.field("invalid", "shared");
        admin.post(APPLICATIONS, json!({"name": "x", "owner": "nobody@example.com"})).await.field("invalid", "owner");
        maker.get(&shop.path("/rights?state=open")).await.field("invalid_parameter", "state");
        assert_eq!(shop.rights("").await, pairs(&[]));
        // Everything that there is: granted by whoever has it.
        let all = shop.ask(maker, &["**"]).await;
        assert_eq!(all.status(201)["rights"].as_array().unwrap().len(), 2);
        let renamed = admin.patch(&shop.path(""), json!({"name": "Doorman", "owner": shop.keeper.id})).await;
        assert_eq!((text(renamed.status(200), "name"), text(&renamed["owner"], "name")), ("Doorman".to_owned(), "keeper".to_owned()));
        shop.ask(maker, &["doors:read"]).await.problem("forbidden");
    }
}
