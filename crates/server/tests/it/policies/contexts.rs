//! A context only tightens what the organization allows, in itself and everything below.

use super::*;
use std::time::Duration;

/// Who administers the house and nothing else.
async fn keeper(office: &Office, server: &Server) -> Client {
    let keeper = office.town.member(server, "keeper", "member").await;
    office.town.give("context-administrator", &keeper.id).await;
    keeper.client
}

both_databases! {
    async fn whoever_administers_a_context_tightens_it_and_takes_it_back(server: Server) {
        let office = Office::open(&server).await;
        let keeper = keeper(&office, &server).await;
        let (id, secret) = office.token(&server, &["doors:write"]).await;
        let before = office.admin().get(&format!("/v1/me/tokens/{id}")).await.status(200).clone();
        for (change, reads, writes, below) in [
            (json!({"admission": "deny"}), "policy_denied", "policy_denied", "policy_denied"),
            (json!({"level": "read_only"}), "granted", "policy_read_only", "granted"),
            (json!({"addresses": ["203.0.113.0/24"]}), "address_not_allowed", "address_not_allowed", "address_not_allowed"),
        ] {
            let set = office.tighten(&keeper, "house:key:main", "personal_token", change.clone()).await;
            assert_eq!(text(set.status(200), "context"), office.town.house);
            assert_eq!(office.reason(&secret).await, reads, "{change}");
            assert_eq!(office.reason_of_writing(&secret).await, writes, "{change}");
            assert_eq!(office.reason_in(&secret, "room:key:hall").await, below, "below: {change}");
            // The organization itself, and what lies beside, are as they were; so are other kinds.
            assert_eq!(office.reason_in(&secret, "global").await, "granted");
            if change["addresses"].is_array() {
                assert_eq!(office.reason_from(&secret, Some("203.0.113.5")).await, "granted");
            }
            let shown = keeper.get(&policy_of("house:key:main", "personal_token")).await;
            for (field, value) in change.as_object().unwrap() {
                assert_eq!((&shown.status(200)["own"][field], &shown["effective"][field]), (value, value));
            }
            let taken = keeper.delete(&policy_of("house:key:main", "personal_token")).await;
            assert_eq!(taken.status(200)["own"]["admission"], Value::Null);
            assert_eq!(office.reason(&secret).await, "granted");
            assert_eq!(office.reason_of_writing(&secret).await, "granted");
        }
        // Nothing more is taken back than there is, and the credential is as it was.
        keeper.delete(&policy_of("house:key:main", "personal_token")).await.status(200);
        let after = office.admin().get(&format!("/v1/me/tokens/{id}")).await.status(200).clone();
        assert_eq!((&after["state"], &after["grants"]), (&before["state"], &before["grants"]));
        let activity = office.admin().get("/v1/orgs/octo/activity?limit=2").await;
        let entry = &activity.status(200)["items"][0];
        assert_eq!((text(entry, "operation").as_str(), text(entry, "subject")), ("context.policy.delete", office.town.house.clone()));
        assert_eq!(entry["before"]["own"]["addresses"], json!(["203.0.113.0/24"]));
        let set = &activity["items"][1];
        assert_eq!((text(set, "operation").as_str(), set["reason"].as_str()), ("context.policy.set", Some("test")));
        assert_eq!((&set["before"]["own"]["addresses"], &set["after"]["own"]["addresses"]), (&json!([]), &json!(["203.0.113.0/24"])));
    }

    async fn what_is_looser_than_above_is_refused_by_name(server: Server) {
        let office = Office::open(&server).await;
        let keeper = keeper(&office, &server).await;
        office.set("personal_token", json!({"admission": "approval", "max_lifetime_days": 100, "level": "read_only",
            "request_lifetime_days": 10, "addresses": ["203.0.113.0/24"]})).await.status(200);
        for (change, field, above) in [
            (json!({"admission": "allow"}), "admission", "`approval`"),
            (json!({"level": "all"}), "level", "`read_only`"),
            (json!({"max_lifetime_days": 101}), "max_lifetime_days", "100 days"),
            (json!({"request_lifetime_days": 11}), "request_lifetime_days", "10 days"),
            (json!({"addresses": ["203.0.113.9", "203.0.112.0/23"]}), "addresses", "203.0.112.0/23"),
        ] {
            let refused = office.tighten(&keeper, "house:key:main", "personal_token", change).await;
            refused.field("invalid", field);
            let told = refused["errors"][0]["message"].as_str().unwrap();
            assert!(told.contains(above) && told.contains("the organization's policy"), "{told}");
        }
        for (change, field) in [
            (json!({}), "admission"), (json!({"max_lifetime_days": 0}), "max_lifetime_days"),
            (json!({"max_lifetime_days": 366}), "max_lifetime_days"), (json!({"addresses": ["x"]}), "addresses[0]"),
            (json!({"request_lifetime_days": 0}), "request_lifetime_days"),
        ] {
            office.tighten(&keeper, "house:key:main", "personal_token", change).await.field("invalid", field);
        }
        office.tighten(&keeper, "house:key:main", "organization_key", json!({"admission": "approval"})).await.field("invalid", "admission");
        let silent = json!({"admission": "deny", "reason": " "});
        keeper.put(&policy_of("house:key:main", "personal_token"), silent).await.field("invalid", "reason");
        assert_eq!(keeper.get(&policy_of("house:key:main", "personal_token")).await.status(200)["own"]["addresses"], json!([]));
        // What a context says, those below it do not loosen.
        let tight = json!({"admission": "approval", "max_lifetime_days": 50, "addresses": ["203.0.113.0/28"]});
        office.tighten(&keeper, "house:key:main", "personal_token", tight).await.status(200);
        let refused = office.tighten(&keeper, "room:key:hall", "personal_token", json!({"max_lifetime_days": 60})).await;
        refused.field("invalid", "max_lifetime_days");
        assert!(refused["errors"][0]["message"].as_str().unwrap().contains("the policy of house:key:main"), "{}", refused.body);
        office.tighten(&keeper, "room:key:hall", "personal_token", json!({"max_lifetime_days": 40, "addresses": ["203.0.113.4/30"]})).await.status(200);
        // Where what is above becomes stricter later, the strictest counts.
        office.set("personal_token", json!({"admission": "deny", "max_lifetime_days": 7, "addresses": ["203.0.113.5", "198.51.100.1"]})).await.status(200);
        let room = keeper.get(&policy_of("room:key:hall", "personal_token")).await;
        let counts = &room.status(200)["effective"];
        assert_eq!((&counts["admission"], &counts["max_lifetime_days"], &counts["addresses"]), (&json!("deny"), &json!(7), &json!(["203.0.113.5/32"])));
        office.set("personal_token", json!({"addresses": ["198.51.100.1"]})).await.status(200);
        let listed = keeper.get("/v1/orgs/octo/contexts/room:key:hall/policies").await;
        let items = listed.status(200)["items"].as_array().unwrap();
        let personal = items.iter().find(|one| one["kind"] == "personal_token").unwrap();
        assert_eq!((&personal["effective"]["addresses"], &personal["own"]["max_lifetime_days"]), (&json!([]), &json!(40)), "nowhere");
        assert_eq!(items.len(), 5);
    }

    async fn only_those_who_answer_for_a_context_tighten_it(server: Server) {
        let office = Office::open(&server).await;
        let keeper = keeper(&office, &server).await;
        let member = office.town.member(&server, "plain", "member").await.client;
        let stranger = server.org(&office.town.root, "rival").await.client;
        let change = json!({"admission": "deny", "reason": "test"});
        let path = policy_of(&office.town.house, "personal_token");
        member.put(&path, change.clone()).await.problem("forbidden");
        member.delete(&path).await.problem("forbidden");
        for method in ["get", "put", "delete"] {
            let reply = match method {
                "get" => stranger.get(&path).await,
                "put" => stranger.put(&path, change.clone()).await,
                _ => stranger.delete(&path).await,
            };
            reply.problem("not_found");
        }
        // Nor through one's own organization.
        let crossed = path.replace("/octo/", "/rival/");
        stranger.put(&crossed, change.clone()).await.problem("not_found");
        stranger.delete(&crossed).await.problem("not_found");
        // The keeper of the house answers for no other place, and not for the organization.
        office.town.make("contexts", json!({"type": "house", "key": "other"})).await;
        keeper.put(&policy_of("house:key:other", "personal_token"), change.clone()).await.problem("forbidden");
        keeper.put("/v1/orgs/octo/policies/personal_token", open_policy()).await.problem("forbidden");
        keeper.put(&policy_of("house:key:nowhere", "personal_token"), change.clone()).await.problem("not_found");
        keeper.put(&policy_of(&office.town.house, "session"), change).await.problem("not_found");
        let (_, secret) = doors_token(office.admin(), &server.in_days(10)).await;
        assert_eq!(office.reason(&secret).await, "granted");
    }

    async fn what_is_asked_for_in_a_context_follows_its_policy(server: Server) {
        let office = Office::open(&server).await;
        let keeper = keeper(&office, &server).await;
        let holder = office.town.member(&server, "holder", "member").await;
        let doors = office.town.doors_role().await;
        office.town.give(&doors, &holder.id).await;
        let tight = json!({"admission": "approval", "four_eyes": true, "max_lifetime_days": 20, "request_lifetime_days": 2});
        office.tighten(&keeper, "house:key:main", "personal_token", tight).await.status(200);
        // The organization says `allow`; in the house somebody has to agree.
        let asked = holder.client.post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await;
        let secret = text(asked.status(201), "token");
        let request = asked["requests"][0].as_str().expect("a request").to_owned();
        assert_eq!(office.reason(&secret).await, "approval_pending");
        let shown = keeper.get(&format!("/v1/orgs/octo/requests/{request}")).await;
        let waits = server.in_days(2);
        assert!(text(shown.status(200), "expires_at") <= waits, "{} {waits}", shown.body);
        holder.client.post("/v1/me/tokens", doors_token_body(&server.in_days(21))).await.field("invalid", "expires_at");
        // Nobody decides their own, though the organization would let them.
        let own = office.admin().post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await;
        let own_request = own.status(201)["requests"][0].as_str().expect("a request").to_owned();
        let decide = |client: Client, request: &str, body: Value| {
            let path = format!("/v1/orgs/octo/requests/{request}/decide");
            async move { client.post(&path, body).await }
        };
        let shown = office.admin().get(&format!("/v1/orgs/octo/requests/{own_request}")).await;
        assert_eq!(shown.status(200)["lines"][0]["can_decide"], false);
        decide(office.admin().clone(), &own_request, json!({"approve_all": true})).await.problem("forbidden");
        decide(keeper.clone(), &own_request, json!({"approve_all": true})).await.status(200);
        assert_eq!(office.reason(&text(&own.body, "token")).await, "granted");
        // What the context says meanwhile counts when it is decided.
        office.tighten(&keeper, "house:key:main", "personal_token", json!({"admission": "deny"})).await.status(200);
        decide(keeper.clone(), &request, json!({"approve_all": true})).await.problem("conflict");
        holder.client.post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await.field("invalid", "grants[0].scopes[0]");
        office.tighten(&keeper, "house:key:main", "personal_token", json!({"admission": "approval"})).await.status(200);
        decide(keeper.clone(), &request, json!({"approve_all": true})).await.status(200);
        assert_eq!(office.reason(&secret).await, "granted");
        // Elsewhere nobody is asked.
        let (_, elsewhere) = office.token(&server, &["room:key:hall:doors:read", "doors:read"]).await;
        assert_eq!(office.reason_in(&elsewhere, "global").await, "granted");
        // What waited too long is over.
        let late = holder.client.post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await;
        late.status(201);
        server.advance(Duration::from_hours(1));
    }

    async fn a_tree_that_moves_is_under_what_is_above_it_now(server: Server) {
        let office = Office::open(&server).await;
        let other = office.town.make("contexts", json!({"type": "house", "key": "other"})).await;
        let (_, secret) = office.token(&server, &["doors:read"]).await;
        office.tighten(office.admin(), "house:key:main", "personal_token", json!({"admission": "deny"})).await.status(200);
        assert_eq!(office.reason_in(&secret, "room:key:hall").await, "policy_denied");
        let path = format!("/v1/orgs/octo/contexts/{}", office.town.room);
        let preview = office.admin().get(&format!("{path}/move-preview?parent={other}")).await;
        let lost = json!([{"context": office.town.house, "kind": "personal_token"}]);
        assert_eq!((&preview.status(200)["policies_lost"], &preview["policies_gained"]), (&lost, &json!([])));
        let moved = office.admin().patch(&path, json!({"parent": other})).await;
        assert_eq!(moved.status(200)["policies_lost"], lost);
        assert_eq!(office.reason_in(&secret, "room:key:hall").await, "granted");
        let back = office.admin().patch(&path, json!({"parent": "house:key:main"})).await;
        assert_eq!((&back.status(200)["policies_gained"], &back["policies_lost"]), (&lost, &json!([])));
        assert_eq!(office.reason_in(&secret, "room:key:hall").await, "policy_denied");
    }

    async fn a_context_policy_governs_every_kind(server: Server) {
        let office = Office::open(&server).await;
        let key = json!({"name": "key", "expires_at": server.in_days(10), "grants": [{"api": "town", "scopes": ["doors:read"]}]});
        let key = text(office.admin().post("/v1/orgs/octo/organization-keys", key).await.status(201), "token");
        let bot = office.town.make("applications", json!({"name": "Porter"})).await;
        let rights = json!({"rights": [{"api": "town", "scopes": ["house:key:main:doors:read"]}]});
        office.admin().post(&format!("/v1/orgs/octo/applications/{bot}/rights"), rights.clone()).await.status(201);
        let made = office.admin().post(&format!("/v1/orgs/octo/applications/{bot}/tokens"), json!({"name": "bench"})).await;
        let application = text(made.status(201), "token");
        office.set("legacy_token", json!({})).await.status(200);
        let legacy = json!({"name": "old", "levels": "read", "organizations": ["octo"], "expires_at": server.in_days(10)});
        let legacy = text(office.admin().post("/v1/me/legacy-tokens", legacy).await.status(201), "token");
        for (kind, secret) in [("organization_key", &key), ("application_token", &application), ("legacy_token", &legacy)] {
            assert_eq!(office.reason(secret).await, "granted", "{kind}");
            office.tighten(office.admin(), "house:key:main", kind, json!({"admission": "deny"})).await.status(200);
            assert_eq!(office.reason(secret).await, "policy_denied", "{kind}");
            office.admin().delete(&policy_of("house:key:main", kind)).await.status(200);
            assert_eq!(office.reason(secret).await, "granted", "{kind}");
        }
        // What an application asks for waits where the context wants a word, and is not asked for where it denies.
        office.tighten(office.admin(), "house:key:main", "application_token", json!({"admission": "deny"})).await.status(200);
        let asked = office.admin().post(&format!("/v1/orgs/octo/applications/{bot}/rights"), rights).await;
        asked.field("invalid", "rights[0].scopes[0]");
    }
}
