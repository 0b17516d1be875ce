//! Who sees what was asked for.

use super::*;

both_databases! {
    async fn each_place_sees_its_own_lines(server: Server) {
        let bureau = Bureau::open(&server).await;
        let town = &bureau.town;
        let annex = town.make("contexts", json!({"type": "house", "key": "annex"})).await;
        let principal = |id: &str| json!({"type": "user", "id": id});
        town.make("assignments", json!({"role": "doors", "principal": principal(&bureau.holder.id), "context": annex})).await;
        let warden = town.member(&server, "warden", "member").await;
        town.make("assignments", json!({"role": "context-administrator", "principal": principal(&warden.id), "context": annex})).await;
        let inmate = town.member(&server, "inmate", "member").await;
        town.make("assignments", json!({"role": "doors", "principal": principal(&inmate.id), "context": annex})).await;
        let passer_by = town.member(&server, "passer-by", "member").await;

        let body = Bureau::wide(&server, &["house:key:main:doors:read", "house:key:annex:doors:write"]);
        let (_, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let scopes = |shown: &Value| -> Vec<String> {
            shown["lines"].as_array().unwrap().iter().map(|line| text(line, "scope")).collect()
        };
        let (main, other) = ("house:key:main:doors:read".to_owned(), "house:key:annex:doors:write".to_owned());
        assert_eq!(scopes(&bureau.shown(&bureau.keeper.client, &request).await), [main.as_str()]);
        assert_eq!(scopes(&bureau.shown(&warden.client, &request).await), [other.as_str()]);
        // Members of a place see what is asked for in it; only its administrators decide.
        let seen = bureau.shown(&inmate.client, &request).await;
        assert_eq!((scopes(&seen), seen["lines"][0]["can_decide"].as_bool()), (vec![other.clone()], Some(false)));
        bureau.decide(&inmate.client, &request, json!({"approve_all": true})).await.problem("forbidden");
        let line = seen["lines"][0]["line"].clone();
        bureau.decide(&inmate.client, &request, json!({"lines": [{"line": line, "decision": "grant"}]})).await.problem("forbidden");
        passer_by.client.get(&format!("/v1/orgs/octo/requests/{request}")).await.problem("not_found");
        let mut all = scopes(&bureau.shown(&town.admin.client, &request).await);
        all.sort();
        assert_eq!(all, [other.as_str(), main.as_str()]);

        // "Approve all" is all of one's own place.
        let decided = bureau.decide(&warden.client, &request, json!({"approve_all": true})).await;
        assert_eq!((text(decided.status(200), "state").as_str(), states(&decided.body)), ("open", vec!["granted".to_owned()]));
        assert_eq!(bureau.reason(&secret).await, "approval_pending");
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
    }

    async fn lists_hold_what_one_may_see(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, _, first) = bureau.ask(&server).await;
        let (_, _, second) = bureau.ask(&server).await;
        bureau.decide(&bureau.keeper.client, &first, json!({"reject_all": true, "comment": "no"})).await.status(200);
        let ids = |reply: &Reply| -> Vec<String> {
            reply.status(200)["items"].as_array().unwrap().iter().map(|one| text(one, "id")).collect()
        };
        let keeper = &bureau.keeper.client;
        assert_eq!(ids(&keeper.get("/v1/orgs/octo/requests").await), [second.as_str(), first.as_str()]);
        assert_eq!(ids(&keeper.get("/v1/orgs/octo/requests?state=closed").await), [first.as_str()]);
        assert_eq!(ids(&keeper.get("/v1/orgs/octo/requests?decidable=true").await), [second.as_str()]);
        assert_eq!(ids(&bureau.holder.client.get("/v1/me/requests").await), [second.as_str(), first.as_str()]);
        assert_eq!(ids(&bureau.holder.client.get("/v1/me/requests?state=open").await), [second.as_str()]);
        assert_eq!(ids(&bureau.holder.client.get("/v1/orgs/octo/requests").await), [second.as_str(), first.as_str()]);
        let none: [String; 0] = [];
        assert_eq!(ids(&keeper.get("/v1/me/requests").await), none);
        assert_eq!(ids(&bureau.holder.client.get("/v1/orgs/octo/requests?decidable=true").await), none);
        keeper.get("/v1/orgs/octo/requests?state=lost").await.field("invalid_parameter", "state");
        let page = keeper.get("/v1/orgs/octo/requests?limit=1").await;
        let cursor = text(page.status(200), "next_cursor");
        assert_eq!(ids(&page), [second]);
        let rest = keeper.get(&format!("/v1/orgs/octo/requests?limit=1&cursor={cursor}")).await;
        assert_eq!(ids(&rest), [first]);
        assert!(rest.body.get("next_cursor").is_none());
    }

    async fn where_nobody_administers_the_next_place_up_is_asked(server: Server) {
        let bureau = Bureau::open(&server).await;
        let town = &bureau.town;
        let body = Bureau::wide(&server, &["room:key:hall:doors:read"]);
        let (_, _, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let asked = |shown: &Value| (text(&shown["lines"][0]["asked_of"], "place"), shown["lines"][0]["asked_of"]["escalated"].as_bool().unwrap());
        // Whoever registered the room administers it, until they no longer do.
        assert_eq!(asked(&bureau.shown(&town.admin.client, &request).await), ("room:key:hall".to_owned(), false));
        let list = town.admin.client.get(&format!("/v1/orgs/octo/assignments?context={}", town.room)).await;
        for one in list.status(200)["items"].as_array().unwrap() {
            town.admin.client.delete(&format!("/v1/orgs/octo/assignments/{}", text(one, "id"))).await.status(200);
        }
        assert_eq!(asked(&bureau.shown(&town.admin.client, &request).await), ("house:key:main".to_owned(), true));
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.status(200);
    }

    async fn without_a_need_nothing_is_asked(server: Server) {
        let bureau = Bureau::open(&server).await;
        // Whoever answers for the place grants it to themselves, and it shows.
        let reply = bureau.keeper.client.post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await;
        assert_eq!(reply.status(201)["requests"], json!([]));
        assert_eq!(reply["grants"][0]["self_granted"], true);
        assert_eq!(bureau.reason(&text(&reply.body, "token")).await, "granted");
        let admission = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        bureau.town.admin.client.put("/v1/orgs/octo/policies/personal_token", admission).await.status(200);
        let reply = bureau.holder.client.post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await;
        assert_eq!(reply.status(201)["requests"], json!([]));
    }
}
