//! Attacks on approval: each is refused.

use super::*;

both_databases! {
    async fn nobody_approves_their_own_under_four_eyes(server: Server) {
        let bureau = Bureau::open(&server).await;
        let policy = json!({"admission": "approval", "level": "all", "max_lifetime_days": 365, "four_eyes": true, "reason": "test"});
        bureau.town.admin.client.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
        let keeper = &bureau.keeper.client;
        // In person, and through a team that administers the house.
        let (_, secret, request) = bureau.ask_as(keeper, doors_token_body(&server.in_days(10))).await;
        assert_eq!(bureau.reason(&secret).await, "approval_pending", "nothing is self-granted");
        let shown = bureau.shown(keeper, &request).await;
        assert_eq!(shown["lines"][0]["can_decide"], false);
        let people = shown["lines"][0]["asked_of"]["people"].as_array().unwrap();
        assert!(people.iter().all(|one| one["name"] != "keeper"), "nobody is asked about their own");
        for body in [json!({"approve_all": true}), json!({"reject_all": true}), json!({"lines": [{"line": 1, "decision": "grant"}]})] {
            bureau.decide(keeper, &request, body).await.problem("forbidden");
        }
        let team = bureau.town.make("teams", json!({"key": "crew", "name": "Crew"})).await;
        let path = format!("/v1/orgs/octo/teams/{team}/members/{}", bureau.holder.id);
        bureau.town.admin.client.put(&path, json!({})).await.status(200);
        let principal = json!({"type": "team", "id": team});
        bureau.town.make("assignments", json!({"role": "context-administrator", "principal": principal, "context": bureau.town.house})).await;
        let (_, _, of_holder) = bureau.ask(&server).await;
        bureau.decide(&bureau.holder.client, &of_holder, json!({"approve_all": true})).await.problem("forbidden");
        // Somebody else does, and it is not self-granted.
        bureau.decide(&bureau.holder.client, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
    }

    async fn no_credential_decides_a_request_of_its_owner(server: Server) {
        let bureau = Bureau::open(&server).await;
        let admin = &bureau.town.admin.client;
        let scopes = json!(["organization:read", "tokens:approve", "own_tokens:write", "own_tokens:read"]);
        let mut body = doors_token_body(&server.in_days(10));
        body["grants"] = json!([{"organization": "octo", "api": "tegata", "scopes": scopes},
            {"organization": "octo", "api": "town", "scopes": ["doors:write"]}]);
        let made = admin.post("/v1/me/tokens", body).await;
        assert_eq!(made.status(201)["requests"], json!([]), "they answer for it themselves");
        let robot = admin.with(&text(&made.body, "token"));
        // A token makes a token: that waits, and neither of the two decides it.
        let (_, child, request) = bureau.ask_as(&robot, doors_token_body(&server.in_days(5))).await;
        assert_eq!(bureau.reason(&child).await, "approval_pending");
        bureau.decide(&robot, &request, json!({"approve_all": true})).await.problem("forbidden");
        bureau.decide(&robot.with(&child), &request, json!({"approve_all": true})).await.problem("forbidden");
        assert_eq!(bureau.reason(&child).await, "approval_pending");
        // What it was given to decide of others, it may.
        let (_, secret, request) = bureau.ask(&server).await;
        bureau.decide(&robot, &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
    }

    async fn namesakes_and_neighbours_decide_nothing(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, request) = bureau.ask(&server).await;
        let town = &bureau.town;
        // An administrator of another house, of the room below, and of a house of the same key elsewhere.
        let next = town.make("contexts", json!({"type": "house", "key": "next"})).await;
        for (name, place) in [("neighbour", next.as_str()), ("lodger", town.room.as_str())] {
            let person = town.member(&server, name, "member").await;
            let principal = json!({"type": "user", "id": person.id});
            town.make("assignments", json!({"role": "context-administrator", "principal": principal, "context": place})).await;
            bureau.decide(&person.client, &request, json!({"approve_all": true})).await.problem("not_found");
            assert_eq!(person.client.get("/v1/orgs/octo/requests").await.status(200)["items"], json!([]));
        }
        let outsider = server.org(&town.root, "acme").await;
        outsider.client.put("/v1/orgs/acme/apis/town", json!({})).await.status(200);
        outsider.client.post("/v1/orgs/acme/contexts", json!({"type": "house", "key": "main"})).await.status(201);
        bureau.decide(&outsider.client, &request, json!({"approve_all": true})).await.problem("not_found");
        let theirs = format!("/v1/orgs/acme/requests/{request}");
        outsider.client.get(&theirs).await.problem("not_found");
        outsider.client.post(&format!("{theirs}/decide"), json!({"approve_all": true})).await.problem("not_found");
        outsider.client.post(&format!("{theirs}/ungrant"), json!({})).await.problem("not_found");
        assert_eq!(bureau.reason(&secret).await, "approval_pending");
    }

    async fn nobody_approves_beyond_their_own_rights(server: Server) {
        let bureau = Bureau::open(&server).await;
        let town = &bureau.town;
        let permissions = json!([{"api": "tegata", "permissions": ["tokens:approve"]}, {"api": "town", "permissions": ["doors:read"]}]);
        let clerk_role = json!({"key": "clerk", "name": "Clerk", "context_type": "house", "permissions": permissions});
        town.make("roles", clerk_role).await;
        let clerk = town.member(&server, "clerk", "member").await;
        town.give("clerk", &clerk.id).await;
        let body = Bureau::wide(&server, &["house:key:main:doors:write", "house:key:main:doors:read"]);
        let (_, secret, request) = bureau.ask_as(&bureau.holder.client, body).await;
        let refused = bureau.decide(&clerk.client, &request, json!({"approve_all": true})).await;
        refused.field("beyond_own_rights", "approve_all");
        assert_eq!(bureau.reason(&secret).await, "approval_pending", "all of it is decided, or nothing");
        let shown = bureau.shown(&clerk.client, &request).await;
        let write = shown["lines"].as_array().unwrap().iter().find(|line| line["level"] == "write").unwrap();
        let narrowed = json!({"lines": [{"line": write["line"], "decision": "grant", "scope": "house:key:main:doors:read"}]});
        bureau.decide(&clerk.client, &request, narrowed).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "granted");
    }

    async fn a_narrowed_line_is_not_widened(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, request) = bureau.ask(&server).await;
        let admin = &bureau.town.admin.client;
        for scope in ["doors:read", "house:key:main:doors:write"] {
            let body = json!({"lines": [{"line": 1, "decision": "grant", "scope": scope}]});
            bureau.decide(admin, &request, body).await.field("invalid", "lines[0]");
        }
        let tegata = json!({"lines": [{"line": 1, "decision": "grant", "scope": "**"}]});
        bureau.decide(admin, &request, tegata).await.field("invalid", "lines[0].scope");
        let below = json!({"lines": [{"line": 1, "decision": "grant", "scope": "room:key:hall:doors:read"}]});
        bureau.decide(admin, &request, below).await.status(200);
        assert_eq!(bureau.reason(&secret).await, "insufficient_scope", "the room is not the house");
        let wider = json!({"lines": [{"line": 1, "decision": "grant"}]});
        bureau.decide(admin, &request, wider).await.problem("conflict");
    }

    async fn two_deciding_at_once_are_one(server: Server) {
        let bureau = Bureau::open(&server).await;
        for _ in 0..5 {
            let (_, secret, request) = bureau.ask(&server).await;
            let yes = bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true}));
            let no = bureau.decide(&bureau.town.admin.client, &request, json!({"reject_all": true}));
            let (yes, no) = tokio::join!(yes, no);
            let expected = match (yes.status.as_u16(), no.status.as_u16()) {
                (200, 409) => "granted",
                (409, 200) => "approval_rejected",
                other => panic!("{other:?}: {} {}", yes.body, no.body),
            };
            assert_eq!(bureau.reason(&secret).await, expected);
        }
    }

    async fn bad_decisions_change_nothing(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, secret, request) = bureau.ask(&server).await;
        let keeper = &bureau.keeper.client;
        let grant = |more: Value| {
            let mut line = json!({"line": 1, "decision": "grant"});
            line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"lines": [line]})
        };
        let cases = [
            (json!({}), "lines"),
            (json!({"approve_all": true, "reject_all": true}), "lines"),
            (json!({"lines": [{"line": 2, "decision": "grant"}]}), "lines[0].line"),
            (json!({"lines": [{"line": 1, "decision": "grant"}, {"line": 1, "decision": "reject"}]}), "lines[1].line"),
            (json!({"lines": [{"line": 1, "decision": "reject", "scope": "house:key:main:doors:read"}]}), "lines[0].decision"),
            (json!({"reject_all": true, "until": server.in_days(1)}), "reject_all"),
            (grant(json!({"until": server.in_days(-1)})), "lines[0].until"),
            (grant(json!({"until": "tomorrow"})), "lines[0].until"),
            (grant(json!({"access_policy": "nobody's"})), "lines[0].access_policy"),
            (grant(json!({"scope": "house:key:nowhere:doors:read"})), "lines[0].scope"),
            (grant(json!({"scope": "house:key:main:windows:read"})), "lines[0].scope"),
            (grant(json!({"comment": "x".repeat(5_000)})), "lines[0].comment"),
        ];
        for (body, field) in cases {
            bureau.decide(keeper, &request, body).await.field("invalid", field);
        }
        bureau.decide(keeper, &request, json!({"lines": [{"line": 1, "decision": "perhaps"}]})).await.problem("malformed_body");
        assert_eq!(bureau.reason(&secret).await, "approval_pending");
        assert_eq!(states(&bureau.shown(keeper, &request).await), ["requested"]);
    }
}
