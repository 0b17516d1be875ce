//! From asking to using: grant, narrow, reject, withdraw, take away, run out of time.

use super::*;
use std::time::Duration;

both_databases! {
    async fn what_is_granted_works_with_the_same_secret(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (token, secret, request) = bureau.ask(&server).await;
        assert_eq!(bureau.reason(&secret).await, "approval_pending");

        let shown = bureau.shown(&bureau.keeper.client, &request).await;
        assert_eq!((text(&shown, "state").as_str(), text(&shown["credential"], "id")), ("open", token.clone()));
        assert_eq!(shown["requester"]["email"], "holder@example.com");
        assert_eq!(shown["reason"], "test");
        let line = &shown["lines"][0];
        assert_eq!((text(line, "scope").as_str(), text(line, "level").as_str()), ("house:key:main:doors:read", "read"));
        assert_eq!(line["can_decide"], true);
        assert_eq!(line["asked_of"]["place"], "house:key:main");
        assert_eq!(line["asked_of"]["escalated"], false);
        let people: Vec<_> = line["asked_of"]["people"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
        // Whoever registered the house administers it, too.
        assert_eq!(people, ["octo-admin", "keeper"]);

        let decided = bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true, "comment": "welcome"})).await;
        assert_eq!((text(decided.status(200), "state").as_str(), states(&decided.body)), ("closed", vec!["granted".to_owned()]));
        assert_eq!(decided["lines"][0]["decided"]["by"]["name"], "keeper");
        assert_eq!(bureau.reason(&secret).await, "granted");

        let mine = bureau.holder.client.get(&format!("/v1/me/requests/{request}")).await;
        assert_eq!(mine.status(200)["lines"][0]["decided"]["comment"], "welcome");
        let own = bureau.holder.client.get(&format!("/v1/me/tokens/{token}")).await;
        assert_eq!(own.status(200)["grants"][0]["state"], "granted");
        assert_eq!(own["grants"][0]["request"], request.as_str());
        assert_eq!(own["grants"][0]["self_granted"], false);
        let activity = bureau.town.admin.client.get("/v1/orgs/octo/activity?limit=1").await;
        let entry = &activity.status(200)["items"][0];
        assert_eq!((text(entry, "operation").as_str(), text(entry, "subject")), ("request.decide", request));
        assert_eq!(entry["actor"]["name"].as_str().or(entry["actor_name"].as_str()), Some("keeper"));
    }

    async fn lines_have_states_of_their_own(server: Server) {
        let bureau = Bureau::open(&server).await;
        let body = Bureau::wide(&server, &["house:key:main:doors:read", "house:key:main:doors:write"]);
        let (_, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let keeper = &bureau.keeper.client;
        let first = bureau.decide(keeper, &request, json!({"lines": [{"line": 1, "decision": "grant"}]})).await;
        assert_eq!((text(first.status(200), "state").as_str(), states(&first.body)), ("open", vec!["granted".to_owned(), "requested".to_owned()]));
        // What is granted works at once; what waits does not hinder it.
        assert_eq!(bureau.reason(&secret).await, "granted");
        let write = json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"});
        assert_eq!(bureau.gate.verify(write.clone()).await["reason"], "approval_pending");
        let body = json!({"lines": [{"line": 2, "decision": "reject", "comment": "not at night"}]});
        let second = bureau.decide(keeper, &request, body).await;
        assert_eq!((text(second.status(200), "state").as_str(), states(&second.body)), ("closed", vec!["granted".to_owned(), "rejected".to_owned()]));
        assert_eq!(bureau.gate.verify(write).await["reason"], "approval_rejected");
        assert_eq!(bureau.reason(&secret).await, "granted");
        // Nothing is decided twice.
        for decision in ["grant", "reject"] {
            let body = json!({"lines": [{"line": 2, "decision": decision}]});
            bureau.decide(keeper, &request, body).await.problem("conflict");
        }
        bureau.decide(keeper, &request, json!({"approve_all": true})).await.problem("conflict");
    }

    async fn an_approver_narrows(server: Server) {
        let bureau = Bureau::open(&server).await;
        let body = Bureau::wide(&server, &["house:key:main:doors:write"]);
        let (token, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let until = server.in_days(1);
        let body = json!({"lines": [{"line": 1, "decision": "grant", "scope": "house:key:main:doors:read", "until": until}]});
        let decided = bureau.decide(&bureau.keeper.client, &request, body).await;
        let line = &decided.status(200)["lines"][0];
        assert_eq!((text(line, "scope").as_str(), text(line, "asked").as_str()), ("house:key:main:doors:read", "house:key:main:doors:write"));
        assert_eq!(bureau.reason(&secret).await, "granted");
        let write = json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"});
        assert_eq!(bureau.gate.verify(write).await["reason"], "insufficient_scope");
        let own = bureau.holder.client.get(&format!("/v1/me/tokens/{token}")).await;
        assert_eq!(own.status(200)["grants"][0]["scopes"], json!(["house:key:main:doors:read"]));
        // It ends by itself; the token does not.
        server.advance(Duration::from_hours(25));
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope");
        bureau.holder.client.get(&format!("/v1/me/tokens/{token}")).await;
    }

    async fn what_was_granted_is_taken_away_again(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, request) = bureau.ask(&server).await;
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
        let path = format!("/v1/orgs/octo/requests/{request}/ungrant");
        bureau.holder.client.post(&path, json!({})).await.problem("forbidden");
        bureau.keeper.client.post(&path, json!({"lines": [7]})).await.field("invalid", "lines");
        let taken = bureau.keeper.client.post(&path, json!({"lines": [1], "reason": "moved out"})).await;
        assert_eq!(states(taken.status(200)), ["ungranted"]);
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope");
        bureau.keeper.client.post(&path, json!({"lines": [1]})).await.problem("conflict");
        bureau.keeper.client.post(&path, json!({})).await.problem("conflict");
    }

    async fn a_request_is_taken_back(server: Server) {
        let bureau = Bureau::open(&server).await;
        let body = Bureau::wide(&server, &["house:key:main:doors:read", "house:key:main:doors:write"]);
        let (_, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let path = format!("/v1/me/requests/{request}/withdraw");
        bureau.keeper.client.post(&path, json!({})).await.problem("not_found");
        let part = bureau.holder.client.post(&path, json!({"lines": [1]})).await;
        assert_eq!(states(part.status(200)), ["withdrawn", "requested"]);
        // What waits implies what was taken back.
        assert_eq!(bureau.reason(&secret).await, "approval_pending");
        let rest = bureau.holder.client.post(&path, json!({"reason": "no longer needed"})).await;
        assert_eq!((text(rest.status(200), "state").as_str(), states(&rest.body)), ("closed", vec!["withdrawn".to_owned(); 2]));
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope");
        bureau.holder.client.post(&path, json!({})).await.problem("conflict");
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.problem("conflict");
    }

    async fn what_nobody_decides_expires(server: Server) {
        let bureau = Bureau::open(&server).await;
        let policy = json!({"admission": "approval", "level": "all", "max_lifetime_days": 365, "request_lifetime_days": 2, "reason": "test"});
        bureau.town.admin.client.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
        let (_, secret, request) = bureau.ask(&server).await;
        server.advance(Duration::from_hours(49));
        // Whether it is closed already or not, it is over.
        let keeper = server.sign_in("keeper@example.com").await;
        bureau.decide(&keeper, &request, json!({"approve_all": true})).await.problem("conflict");
        let until = std::time::Instant::now() + Duration::from_mins(1);
        while bureau.reason(&secret).await != "insufficient_scope" {
            assert!(std::time::Instant::now() < until, "the request does not expire");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let shown = bureau.shown(&keeper, &request).await;
        assert_eq!((text(&shown, "state").as_str(), states(&shown)), ("closed", vec!["expired".to_owned()]));
        assert!(shown["lines"][0]["decided"].get("by").is_none());
        let admin = server.sign_in("octo-admin@example.com").await;
        let activity = admin.get("/v1/orgs/octo/activity?limit=5").await;
        let told = activity.status(200)["items"].as_array().unwrap();
        assert!(told.iter().any(|entry| entry["operation"] == "request.expire" && entry["subject"] == request.as_str()));
    }

    async fn a_stopped_token_asks_for_nothing(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (token, _, request) = bureau.ask(&server).await;
        bureau.holder.client.post(&format!("/v1/me/tokens/{token}/revoke"), json!({})).await.status(200);
        let shown = bureau.shown(&bureau.keeper.client, &request).await;
        assert_eq!((text(&shown, "state").as_str(), states(&shown)), ("closed", vec!["withdrawn".to_owned()]));

        let (token, _, request) = bureau.ask(&server).await;
        bureau.town.admin.client.post(&format!("/v1/orgs/octo/tokens/{token}/revoke"), json!({})).await.status(200);
        assert_eq!(states(&bureau.shown(&bureau.keeper.client, &request).await), ["withdrawn"]);

        let (_, _, request) = bureau.ask(&server).await;
        let path = format!("/v1/orgs/octo/members/{}/deactivate", bureau.holder.id);
        bureau.town.admin.client.post(&path, json!({})).await.status(200);
        assert_eq!(states(&bureau.shown(&bureau.keeper.client, &request).await), ["withdrawn"]);
    }

    async fn what_is_lost_meanwhile_is_not_granted(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, request) = bureau.ask(&server).await;
        let policy = |admission: &str, level: &str| json!({"admission": admission, "level": level, "max_lifetime_days": 365, "reason": "test"});
        let set = |body: Value| { let admin = bureau.town.admin.client.clone(); async move {
            admin.put("/v1/orgs/octo/policies/personal_token", body).await.status(200);
        }};
        set(policy("deny", "all")).await;
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.problem("conflict");
        set(policy("approval", "all")).await;
        assert_eq!(bureau.reason(&secret).await, "approval_pending");
        // The keeper loses the house between looking and deciding.
        let list = bureau.town.admin.client.get(&format!("/v1/orgs/octo/assignments?principal={}", bureau.keeper.id)).await;
        let all = list.status(200)["items"].as_array().unwrap().clone();
        for one in all.iter().filter(|one| !one["context"].is_null()) {
            bureau.town.admin.client.delete(&format!("/v1/orgs/octo/assignments/{}", text(one, "id"))).await.status(200);
        }
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.problem("not_found");
        bureau.decide(&bureau.town.admin.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
    }

    async fn what_can_no_longer_be_granted_can_be_rejected(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, _, request) = bureau.ask(&server).await;
        bureau.town.admin.client.delete("/v1/orgs/octo/apis/town").await.status(200);
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.field("invalid", "approve_all");
        let rejected = bureau.decide(&bureau.keeper.client, &request, json!({"reject_all": true})).await;
        assert_eq!((text(rejected.status(200), "state").as_str(), states(&rejected.body)), ("closed", vec!["rejected".to_owned()]));
    }
}
