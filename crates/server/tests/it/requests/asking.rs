//! A denial one can act on: what was missing is asked for, and the same secret works.

use super::*;
use std::time::Duration;

impl Bureau {
    /// The holder has a token that may do nothing but in the hall; a check of the doors is denied with a
    /// descriptor.
    async fn poor(&self, server: &Server) -> (String, String, String) {
        let mut body = doors_token_body(&server.in_days(10));
        body["grants"] = json!([{"organization": "octo", "api": "town", "scopes": ["room:key:hall:doors:read"]}]);
        let (token, secret, request) = self.ask_as(&self.holder.client, body).await;
        self.decide(&self.town.admin.client, &request, json!({"approve_all": true})).await.status(200);
        let denied = self.gate.verify(doors_check(&secret)).await;
        assert_eq!(
            (text(&denied, "reason").as_str(), denied["missing"].clone()),
            ("insufficient_scope", json!(["house:key:main:doors:read"]))
        );
        (token, secret, text(&denied, "request"))
    }
}

async fn file(client: &Client, descriptor: &str) -> Reply {
    client.post("/v1/me/requests", json!({"request": descriptor, "reason": "the nightly build needs it"})).await
}

both_databases! {
    async fn what_was_missing_is_asked_for_and_the_same_secret_works(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (token, secret, descriptor) = bureau.poor(&server).await;
        // The credential itself asks, though it may do nothing at Tegata's own API.
        let robot = bureau.holder.client.with(&secret);
        robot.get("/v1/me/requests").await.problem("forbidden");
        let filed = file(&robot, &descriptor).await;
        assert_eq!(filed.status(201)["state"], "requested");
        let request = filed["request"].clone();
        assert_eq!((text(&request["credential"], "id"), text(&request["requester"], "name").as_str()), (token.clone(), "holder"));
        assert_eq!(request["reason"], "the nightly build needs it");
        let scopes: Vec<_> = request["lines"].as_array().unwrap().iter().map(|line| text(line, "scope")).collect();
        assert_eq!(scopes, ["house:key:main:doors:read"]);
        let denied = bureau.gate.verify(doors_check(&secret)).await;
        assert_eq!(denied["reason"], "approval_pending");
        assert!(denied.get("request").is_none(), "it is under way");

        // Repeats are the same request, whoever repeats it.
        for client in [&robot, &bureau.holder.client] {
            assert_eq!(text(&file(client, &descriptor).await.status(201)["request"], "id"), text(&request, "id"));
        }
        let open = bureau.holder.client.get("/v1/me/requests?state=open").await;
        assert_eq!(open.status(200)["items"].as_array().unwrap().len(), 1);

        bureau.decide(&bureau.keeper.client, &text(&request, "id"), json!({"approve_all": true})).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
        file(&robot, &descriptor).await.problem("conflict");
    }

    async fn a_descriptor_is_of_one_credential(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, descriptor) = bureau.poor(&server).await;
        let (_, other, _) = bureau.ask(&server).await;
        for client in [bureau.holder.client.with(&other), bureau.keeper.client.clone(), bureau.town.admin.client.clone()] {
            file(&client, &descriptor).await.problem("forbidden");
        }
        file(&server.anybody(), &descriptor).await.problem("unauthenticated");
        let robot = bureau.holder.client.with(&secret);
        // Changed, and anybody's.
        let mut bytes = descriptor.clone().into_bytes();
        bytes[40] = if bytes[40] == b'A' { b'B' } else { b'A' };
        for junk in [String::from_utf8(bytes).unwrap(), String::new(), "trd1_".to_owned(), secret.clone()] {
            file(&robot, &junk).await.field("invalid", "request");
        }
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope");
        server.advance(Duration::from_mins(16));
        file(&robot, &descriptor).await.field("invalid", "request");
    }

    async fn what_the_owner_lacks_cannot_be_asked_for(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, descriptor) = bureau.poor(&server).await;
        let annex = json!({"token": secret, "api": "town", "permission": "doors:read", "context": "global"});
        let denied = bureau.gate.verify(annex).await;
        assert_eq!(denied["reason"], "insufficient_scope");
        assert!(denied.get("request").is_none(), "the owner has no such right in the whole organization: {denied}");
        // Lost between the denial and the asking.
        let list = bureau.town.admin.client.get(&format!("/v1/orgs/octo/assignments?principal={}", bureau.holder.id)).await;
        for one in list.status(200)["items"].as_array().unwrap().iter().filter(|one| !one["context"].is_null()) {
            bureau.town.admin.client.delete(&format!("/v1/orgs/octo/assignments/{}", text(one, "id"))).await.status(200);
        }
        file(&bureau.holder.client, &descriptor).await.field("beyond_own_rights", "request");
    }

    async fn where_nobodys_word_is_needed_it_is_granted_at_once(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, descriptor) = bureau.poor(&server).await;
        bureau.town.admin.client.put("/v1/orgs/octo/policies/personal_token", crate::town::open_policy()).await.status(200);
        let filed = file(&bureau.holder.client.with(&secret), &descriptor).await;
        assert_eq!((filed.status(201)["state"].as_str(), filed.body.get("request")), (Some("granted"), None));
        assert_eq!(filed["granted"][0]["scopes"], json!(["house:key:main:doors:read"]));
        assert_eq!(bureau.reason(&secret).await, "granted");
    }

    async fn who_answers_for_the_place_grants_in_person_only(server: Server) {
        let bureau = Bureau::open(&server).await;
        let mut body = doors_token_body(&server.in_days(10));
        body["grants"] = json!([{"organization": "octo", "api": "town", "scopes": ["room:key:hall:doors:read"]}]);
        let reply = bureau.keeper.client.post("/v1/me/tokens", body).await;
        let secret = text(reply.status(201), "token");
        let descriptor = text(&bureau.gate.verify(doors_check(&secret)).await, "request");
        // Acting by itself, the credential asks like anybody else's.
        let filed = file(&bureau.keeper.client.with(&secret), &descriptor).await;
        assert_eq!(filed.status(201)["state"], "requested");
        let path = format!("/v1/me/requests/{}/withdraw", text(&filed["request"], "id"));
        bureau.keeper.client.post(&path, json!({})).await.status(200);
        let filed = file(&bureau.keeper.client, &descriptor).await;
        assert_eq!((filed.status(201)["state"].as_str(), filed["granted"][0]["self_granted"].as_bool()), (Some("granted"), Some(true)));
        assert_eq!(bureau.reason(&secret).await, "granted");
    }
}
