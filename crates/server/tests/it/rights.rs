//! Who can do what, and by what: told as checks decide it. What is granted and not used, and taking it away.

use crate::support::{Client, Server};
use crate::town::{Town, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
const WHO: &str = "/v1/orgs/octo/who-can";
const WHAT: &str = "/v1/orgs/octo/what-can";
const SIZE: &str = "/v1/orgs/octo/right-size";

/// A town with credentials of every kind, in every state.
struct Crowd {
    town: Town,
    gate: Client,
    /// The id of each credential and what is shown of it.
    shown: Vec<(String, Value)>,
}

fn token_body(server: &Server, name: &str, scopes: &Value) -> Value {
    json!({"name": name, "expires_at": server.in_days(30), "reason": "test",
        "grants": [{"organization": "octo", "api": "town", "scopes": scopes}]})
}

impl Crowd {
    async fn gather(server: &Server) -> Self {
        let town = Town::found(server).await;
        let (admin, gate) = (&town.admin.client, server.verifier(&town.root, "town").await);
        let mut shown = Vec::new();
        let doors = town.doors_role().await;
        let keeper = town.member(server, "keeper", "member").await;
        town.give(&doors, &keeper.id).await;
        let crew = town.make("teams", json!({"key": "crew", "name": "Crew"})).await;
        let partner = town.member(server, "mate", "member").await;
        admin.put(&format!("/v1/orgs/octo/teams/{crew}/members/{}", partner.id), json!({})).await.status(200);
        let given = json!({"role": doors, "principal": {"type": "team", "id": crew}, "context": town.house});
        town.make("assignments", given).await;
        town.make("contexts", json!({"type": "house", "key": "other"})).await;
        // Of people: as wide as they are, wider than their owner, in a room, and one that was blocked.
        for (owner, name, scopes) in [
            (admin, "all", json!(["doors:write"])),
            (&keeper.client, "house", json!(["house:key:main:doors:write"])),
            (&partner.client, "room", json!(["room:key:hall:doors:read"])),
            (admin, "blocked", json!(["doors:read"])),
            (admin, "two", json!(["room:key:hall:doors:write", "house:key:other:doors:read"])),
        ] {
            let made = owner.post("/v1/me/tokens", token_body(server, name, &scopes)).await;
            shown.push((text(made.status(201), "id"), json!({"token": text(&made.body, "token")})));
            if name == "blocked" {
                let path = format!("/v1/orgs/octo/tokens/{}/block", text(&made.body, "id"));
                admin.post(&path, json!({})).await.status(200);
            }
        }
        // From some addresses only.
        let mut fenced = token_body(server, "fenced", &json!(["house:key:main:doors:read"]));
        fenced["addresses"] = json!(["198.51.100.0/24"]);
        let made = admin.post("/v1/me/tokens", fenced).await;
        shown.push((text(made.status(201), "id"), json!({"token": text(&made.body, "token"), "ip": "198.51.100.7"})));
        // One that waits for somebody's word.
        let mut policy = crate::town::open_policy();
        policy["admission"] = json!("approval");
        admin.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
        let waiting = token_body(server, "waiting", &json!(["house:key:main:doors:write"]));
        let made = keeper.client.post("/v1/me/tokens", waiting).await;
        shown.push((text(made.status(201), "id"), json!({"token": text(&made.body, "token")})));
        // A legacy token that reads whatever its owner may.
        let legacy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        admin.put("/v1/orgs/octo/policies/legacy_token", legacy).await.status(200);
        let body =
            json!({"name": "old", "levels": "read", "organizations": ["octo"], "expires_at": server.in_days(30)});
        let made = keeper.client.post("/v1/me/legacy-tokens", body).await;
        shown.push((text(made.status(201), "id"), json!({"token": text(&made.body, "token")})));
        // Keys of the organization, one of them unscoped.
        let unscoped =
            json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "unscoped": true, "reason": "test"});
        admin.put("/v1/orgs/octo/policies/organization_key", unscoped).await.status(200);
        for what in
            [json!({"unscoped": true}), json!({"grants": [{"api": "town", "scopes": ["house:key:main:doors:read"]}]})]
        {
            let mut key = json!({"name": "key", "expires_at": server.in_days(30)});
            key.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
            let made = admin.post("/v1/orgs/octo/organization-keys", key).await;
            shown.push((text(made.status(201), "id"), json!({"token": text(&made.body, "token")})));
        }
        // A service account with a role in the house.
        let account = town.make("service-accounts", json!({"name": "ci"})).await;
        let given =
            json!({"role": doors, "principal": {"type": "service_account", "id": account}, "context": town.house});
        town.make("assignments", given).await;
        let made = admin.post("/v1/orgs/octo/access-keys", json!({"name": "ci", "service_account": account})).await;
        let pair =
            json!({"client_id": text(made.status(201), "client_id"), "client_secret": text(&made.body, "secret")});
        shown.push((text(&made.body, "id"), pair));
        // An application with a token of all of its rights, and one that chose less.
        let bot = town.make("applications", json!({"name": "Porter"})).await;
        let rights = json!({"rights": [{"api": "town", "scopes": ["house:key:main:doors:write"]}]});
        admin.post(&format!("/v1/orgs/octo/applications/{bot}/rights"), rights).await.status(201);
        for chosen in [
            json!({"name": "bench"}),
            json!({"name": "small", "rights": [{"api": "town", "scopes": ["house:key:main:doors:read"]}]}),
        ] {
            let made = admin.post(&format!("/v1/orgs/octo/applications/{bot}/tokens"), chosen).await;
            shown.push((text(made.status(201), "id"), json!({"token": text(&made.body, "token")})));
        }
        Self { town, gate, shown }
    }

    async fn allowed(&self, shown: &Value, permission: &str, context: &str) -> bool {
        let mut check = shown.clone();
        let ask = json!({"api": "town", "permission": permission, "context": context, "organization": "octo"});
        check.as_object_mut().unwrap().extend(ask.as_object().unwrap().clone());
        self.gate.verify(check).await["allowed"] == true
    }

    /// Every page of an answer.
    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.town.admin.client.get(&format!("{path}&limit=3{cursor}")).await;
            items.extend(page.status(200)["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

const PLACES: [&str; 4] = ["global", "house:key:main", "room:key:hall", "house:key:other"];
const PERMISSIONS: [&str; 2] = ["doors:read", "doors:write"];

both_databases! {
    async fn who_can_says_what_checks_say(server: Server) {
        let crowd = Crowd::gather(&server).await;
        let mut told = 0;
        for (permission, place) in PERMISSIONS.into_iter().flat_map(|one| PLACES.map(|place| (one, place))) {
            let path = format!("{WHO}?api=town&permission={permission}&context={place}&subject=credentials");
            let items = crowd.all(&path).await;
            let said: BTreeSet<String> = items.iter().map(|item| text(&item["credential"], "id")).collect();
            assert_eq!(said.len(), items.len(), "each is told once");
            for (id, shown) in &crowd.shown {
                let allowed = crowd.allowed(shown, permission, place).await;
                assert_eq!(said.contains(id), allowed, "{permission} in {place} by {id} {shown}");
                told += usize::from(allowed);
            }
            for item in &items {
                let by = &item["by"];
                let kind = text(&item["credential"], "kind");
                let listed = by["grants"].as_array().is_some_and(|grants| !grants.is_empty());
                assert!(listed || by["covers"].is_string(), "{item}");
                let for_somebody = matches!(kind.as_str(), "personal_token" | "legacy_token" | "access_key");
                assert_eq!(by["roles"].as_array().is_some_and(|roles| !roles.is_empty()), for_somebody, "{item}");
            }
        }
        assert!(told > 30, "only {told} are allowed anything");
    }

    async fn what_can_says_what_checks_say(server: Server) {
        let crowd = Crowd::gather(&server).await;
        let mut denied = BTreeSet::new();
        for (id, shown) in &crowd.shown {
            let items = crowd.all(&format!("{WHAT}?of={id}&api=town")).await;
            let of = |place: &str| items.iter().find(|item| item["context"] == place);
            assert!(of("global").is_some(), "the whole organization always makes a difference");
            for place in PLACES {
                // Where a place is not told of, it is as in the next one above that is.
                let mut above = ["house:key:main", "global"].into_iter().skip(usize::from(place != "room:key:hall"));
                let nearest = of(place).or_else(|| above.find_map(of)).unwrap();
                let said: BTreeSet<&str> = nearest["apis"].as_array().unwrap().iter()
                    .flat_map(|api| api["allowed"].as_array().unwrap())
                    .flat_map(|one| one["permissions"].as_array().unwrap())
                    .filter_map(Value::as_str)
                    .collect();
                for permission in PERMISSIONS {
                    let allowed = crowd.allowed(shown, permission, place).await;
                    assert_eq!(said.contains(permission), allowed, "{permission} in {place} by {id}: {items:?}");
                }
            }
            for api in items.iter().flat_map(|item| item["apis"].as_array().unwrap()) {
                for one in api["denied"].as_array().into_iter().flatten() {
                    denied.insert(text(one, "reason"));
                }
            }
        }
        let reasons: Vec<&str> = denied.iter().map(String::as_str).collect();
        assert_eq!(reasons, ["approval_pending", "blocked", "insufficient_scope"], "what stands in the way of what was given");
    }

    async fn members_are_told_with_their_roles(server: Server) {
        let crowd = Crowd::gather(&server).await;
        let admin = &crowd.town.admin.client;
        let items = crowd.all(&format!("{WHO}?api=town&permission=doors:write&context=room:key:hall&subject=members")).await;
        let told: BTreeSet<(String, String, String)> = items.iter().map(|item| {
            let role = &item["by"]["roles"][0];
            (text(&item["member"], "name"), text(role, "role"), role["team"].as_str().unwrap_or_default().to_owned())
        }).collect();
        let expected = [("keeper", "doors", ""), ("mate", "doors", "Crew"), ("octo-admin", "administrator", "")];
        assert_eq!(told, expected.map(|(name, role, team)| (name.to_owned(), role.to_owned(), team.to_owned())).into());
        // Both kinds, one after the other.
        let both = crowd.all(&format!("{WHO}?api=town&permission=doors:write&context=room:key:hall")).await;
        let kinds: Vec<&str> = both.iter().map(|item| item["type"].as_str().unwrap()).collect();
        assert!(kinds.is_sorted_by(|one, other| one >= other), "members first: {kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| **kind == "member").count(), 3);
        assert!(kinds.len() > 5);
        // A member, by their roles.
        let mate = items.iter().find(|item| item["member"]["name"] == "mate").unwrap();
        let of = text(&mate["member"], "id");
        let can = crowd.all(&format!("{WHAT}?of={of}&api=town")).await;
        let places: Vec<&str> = can.iter().map(|item| item["context"].as_str().unwrap()).collect();
        assert_eq!(places, ["global", "house:key:main"]);
        assert_eq!((can[0]["apis"].clone(), can[1]["apis"][0]["allowed"][0]["by"]["roles"][0]["team"].clone()), (json!([]), json!("Crew")));
        // Whoever left can do nothing, and is not told.
        admin.post(&format!("/v1/orgs/octo/members/{of}/deactivate"), json!({})).await.status(200);
        let items = crowd.all(&format!("{WHO}?api=town&permission=doors:write&context=room:key:hall&subject=members")).await;
        assert_eq!(items.len(), 2);
        assert_eq!(crowd.all(&format!("{WHAT}?of={of}&api=town")).await[0]["apis"], json!([]));
    }

    async fn on_tegatas_own_api(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let keeper = town.member(&server, "keeper", "member").await;
        town.give("context-administrator", &keeper.id).await;
        let body = json!({"name": "desk", "expires_at": server.in_days(30), "reason": "test",
            "grants": [{"organization": "octo", "api": "tegata", "scopes": ["tokens:read", "contexts:write"]}]});
        let made = admin.post("/v1/me/tokens", body).await;
        let (desk, client) = (text(made.status(201), "id"), admin.with(&text(&made.body, "token")));
        let told = async |permission: &str, place: &str| -> Vec<String> {
            let path = format!("{WHO}?api=tegata&permission={permission}&context={place}");
            let page = client.get(&path).await;
            let items = page.status(200)["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["member"]["name"].as_str().or(item["credential"]["name"].as_str()).unwrap().to_owned()).collect()
        };
        assert_eq!(told("tokens:approve", "global").await, ["octo-admin"]);
        assert_eq!(told("tokens:approve", "house:key:main").await, ["octo-admin", "keeper"]);
        assert_eq!(told("contexts:write", "house:key:main").await, ["octo-admin", "keeper", "desk"]);
        // What is about the whole installation is nobody's but the publisher's.
        assert_eq!(told("users:write", "global").await, Vec::<String>::new());
        let can = admin.get(&format!("{WHAT}?of={desk}&api=tegata")).await;
        assert_eq!(can.status(200)["items"][0]["apis"][0]["allowed"][0]["permissions"], json!(["contexts:write", "tokens:read"]));
        assert_eq!(can["items"][0]["context"], "global");
        // The credential that asks needs the permission itself.
        client.get(&format!("{SIZE}?days=1")).await.problem("forbidden");
    }

    async fn what_is_not_used_is_taken_away_and_nothing_else(server: Server) {
        server.begin_earlier(2 * DAY);
        let town = Town::found(&server).await;
        let (admin, gate) = (&town.admin.client, server.verifier(&town.root, "town").await);
        let keeper = town.member(&server, "keeper", "member").await;
        town.give("context-administrator", &keeper.id).await;
        let role = town.doors_role().await;
        let owner = town.member(&server, "owner", "member").await;
        town.give(&role, &owner.id).await;
        // Two lines of a request, for two tokens: one line will be used in part, the other not at all.
        let mut policy = crate::town::open_policy();
        policy["admission"] = json!("approval");
        admin.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
        let scopes = json!(["house:key:main:doors:write", "room:key:hall:doors:write"]);
        let mut tokens = Vec::new();
        for name in ["wide", "used"] {
            let made = owner.client.post("/v1/me/tokens", token_body(&server, name, &scopes)).await;
            let request = made.status(201)["requests"][0].as_str().unwrap().to_owned();
            let decide = format!("/v1/orgs/octo/requests/{request}/decide");
            admin.post(&decide, json!({"approve_all": true})).await.status(200);
            tokens.push((text(&made.body, "id"), text(&made.body, "token"), request));
        }
        let [(id, secret, request), (other, other_secret, _)] = &tokens[..] else { panic!() };
        let body = json!({"credential": id, "days": 1, "reason": "tidying"});
        // Nothing is said of what is new.
        admin.post(SIZE, body.clone()).await.problem("conflict");
        let fresh = admin.get(&format!("{SIZE}?days=1&credential={id}")).await;
        assert_eq!(fresh.status(200)["items"][0]["grants"][0]["proposal"], "too_new");

        server.advance(2 * DAY);
        let admin = server.sign_in("octo-admin@example.com").await;
        let check = |method: &str| json!({"token": secret, "api": "town", "method": method, "path": "/houses/main/doors"});
        for _ in 0..3 {
            assert_eq!(gate.verify(check("GET")).await["reason"], "granted");
        }
        let write = json!({"token": other_secret, "api": "town", "permission": "doors:write", "context": "house:key:main"});
        assert_eq!(gate.verify(write).await["reason"], "granted");
        let grants = async |id: &str| -> (Value, Value, Value) {
            let seen = admin.get(&format!("{SIZE}?days=1&credential={id}")).await;
            let item = seen.status(200)["items"][0].clone();
            let of = |scope: &str| item["grants"].as_array().unwrap().iter().find(|grant| grant["scopes"][0] == scope).unwrap().clone();
            (item["calls"].clone(), of("house:key:main:doors:write"), of("room:key:hall:doors:write"))
        };
        let (calls, first, second) = grants(other).await;
        assert_eq!((calls, first["proposal"].clone(), second["proposal"].clone()), (json!(1), json!("keep"), json!("remove")));
        let (calls, first, second) = grants(id).await;
        assert_eq!((calls, first["proposal"].clone(), second["proposal"].clone()), (json!(3), json!("narrow"), json!("remove")));
        assert_eq!(first["used"], json!([{"scope": "house:key:main:doors:read", "calls": 3, "last": first["used"][0]["last"]}]));
        assert_eq!((first["enough"].clone(), second["enough"].clone(), second["used"].clone()), (json!(["house:key:main:doors:read"]), json!([]), json!([])));

        // Whoever answers for no place of it takes nothing away.
        let owner = server.sign_in("owner@example.com").await;
        let keeper = server.sign_in("keeper@example.com").await;
        owner.post(SIZE, body.clone()).await.problem("forbidden");
        let done = keeper.post(SIZE, body.clone()).await;
        assert_eq!((done.status(200)["changed"].as_array().unwrap().len(), done["left"].clone()), (2, json!(0)));
        assert_eq!(gate.verify(check("GET")).await["reason"], "granted", "what it used goes on");
        assert_eq!(gate.verify(check("POST")).await["reason"], "insufficient_scope");
        let room = json!({"token": secret, "api": "town", "permission": "doors:write", "context": "room:key:hall"});
        assert_eq!(gate.verify(room).await["reason"], "insufficient_scope");
        // The request tells what became of its lines; the owner is told; activity says who and why.
        let shown = owner.get(&format!("/v1/me/requests/{request}")).await;
        let lines = shown.status(200)["lines"].as_array().unwrap().clone();
        let of = |state: &str| lines.iter().find(|line| line["state"] == state).unwrap();
        let granted = of("granted");
        assert_eq!((granted["scope"].clone(), granted["asked"].clone()), (json!("house:key:main:doors:read"), json!("house:key:main:doors:write")));
        assert_eq!(of("ungranted")["scope"], "room:key:hall:doors:write");
        let inbox = owner.get("/v1/me/inbox?limit=1").await;
        assert_eq!((inbox.status(200)["items"][0]["kind"].clone(), inbox["items"][0]["about"].clone()), (json!("credential_narrowed"), json!(id)));
        let activity = admin.get("/v1/orgs/octo/activity?limit=2").await;
        for item in activity.status(200)["items"].as_array().unwrap() {
            assert_eq!((text(item, "operation"), text(&item["actor"], "name"), text(item, "reason")), ("rights.shrink".to_owned(), "keeper".to_owned(), "tidying".to_owned()));
        }
        keeper.post(SIZE, body).await.problem("conflict");
        // Whoever answers for the room only leaves the house to others.
        let publisher = server.sign_in("root@example.com").await;
        let warden = server.member(&publisher, &admin, "octo", "warden", "member").await;
        let given = json!({"role": "context-administrator", "principal": {"type": "user", "id": warden.id}, "context": town.room});
        admin.post("/v1/orgs/octo/assignments", given).await.status(201);
        server.advance(Duration::from_secs(1));
        let done = warden.client.post(SIZE, json!({"credential": other, "days": 1})).await;
        assert_eq!((done.status(200)["changed"].as_array().unwrap().len(), done["left"].clone()), (1, json!(0)));
    }

    async fn what_was_asked_from_elsewhere_or_is_stopped_is_still_used(server: Server) {
        server.begin_earlier(2 * DAY);
        let town = Town::found(&server).await;
        let gate = server.verifier(&town.root, "town").await;
        let mut body = token_body(&server, "fenced", &json!(["house:key:main:doors:read", "room:key:hall:doors:read"]));
        body["addresses"] = json!(["198.51.100.0/24"]);
        let made = town.admin.client.post("/v1/me/tokens", body).await;
        let (id, secret) = (text(made.status(201), "id"), text(&made.body, "token"));
        server.advance(2 * DAY);
        let admin = server.sign_in("octo-admin@example.com").await;
        for place in ["house:key:main", "room:key:hall"] {
            let check = json!({"token": secret, "api": "town", "permission": "doors:read", "context": place, "ip": "198.51.100.200"});
            assert_eq!(gate.verify(check).await["reason"], "granted");
        }
        let elsewhere = json!({"token": secret, "api": "town", "permission": "doors:read", "context": "house:key:main", "ip": "192.0.2.1"});
        assert_eq!(gate.verify(elsewhere).await["reason"], "address_not_allowed");
        let proposals = async || -> Vec<String> {
            let seen = admin.get(&format!("{SIZE}?days=1")).await;
            let item = seen.status(200)["items"].as_array().unwrap().iter().find(|item| item["credential"]["id"] == id).unwrap().clone();
            assert_eq!(item["calls"], 2, "what was denied is no use");
            item["grants"].as_array().unwrap().iter().map(|grant| text(grant, "proposal")).collect()
        };
        assert_eq!(proposals().await, ["keep", "keep"]);
        // A stop says nothing of what is needed once it is over.
        admin.post(&format!("/v1/orgs/octo/tokens/{id}/block"), json!({})).await.status(200);
        assert_eq!(proposals().await, ["keep", "keep"]);
        admin.post(SIZE, json!({"credential": id, "days": 1})).await.problem("conflict");
        // Nor does an API that is not used for now: its calls cannot be judged, so nothing of it is called unused.
        admin.post(&format!("/v1/orgs/octo/tokens/{id}/unblock"), json!({})).await.status(200);
        admin.delete("/v1/orgs/octo/apis/town").await.status(200);
        assert_eq!(proposals().await, ["keep", "keep"]);
        admin.post(SIZE, json!({"credential": id, "days": 1})).await.problem("conflict");
    }

    async fn who_may_ask_and_what(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let member = town.member(&server, "member", "member").await.client;
        let auditor = town.member(&server, "auditor", "auditor").await.client;
        let (id, _) = crate::town::doors_token(admin, &server.in_days(10)).await;
        for path in [format!("{WHO}?api=town&permission=doors:read"), format!("{WHAT}?of={id}"), format!("{SIZE}?days=1")] {
            member.get(&path).await.problem("forbidden");
            auditor.get(&path).await.status(200);
        }
        auditor.post(SIZE, json!({"credential": id})).await.problem("forbidden");
        for (query, field) in [
            ("", "api"),
            ("api=nothing&permission=doors:read", "api"),
            ("api=spare&permission=parts:read", "api"),
            ("api=town", "permission"),
            ("api=town&permission=doors:fly", "permission"),
            ("api=town&permission=doors:read&context=house:key:nowhere", "context"),
            ("api=town&permission=doors:read&context=%20", "context"),
            ("api=town&permission=doors:read&subject=everybody", "subject"),
            ("api=town&permission=doors:read&limit=0", "limit"),
        ] {
            admin.get(&format!("{WHO}?{query}")).await.field("invalid_parameter", field);
        }
        admin.get(&format!("{WHO}?api=town&permission=doors:read&cursor=zz")).await.problem("malformed_cursor");
        // A cursor belongs to its question.
        town.member(&server, "another", "administrator").await;
        let page = admin.get(&format!("{WHO}?api=town&permission=doors:read&subject=members&limit=1")).await;
        let cursor = text(page.status(200), "next_cursor");
        admin.get(&format!("{WHO}?api=town&permission=doors:read&subject=credentials&cursor={cursor}")).await.problem("malformed_cursor");
        admin.get(WHAT).await.field("invalid_parameter", "of");
        admin.get(&format!("{WHAT}?of=everybody")).await.field("invalid_parameter", "of");
        for days in ["0", "366", "181"] {
            admin.get(&format!("{SIZE}?days={days}")).await.field("invalid_parameter", "days");
            admin.post(SIZE, json!({"credential": id, "days": days.parse::<u32>().unwrap()})).await.field("invalid", "days");
        }
        // A key without a list of its own has nothing to compare.
        let account = town.make("service-accounts", json!({"name": "ci"})).await;
        let key = town.make("access-keys", json!({"name": "ci", "service_account": account})).await;
        admin.get(&format!("{SIZE}?credential={key}")).await.field("invalid_parameter", "credential");
        admin.post(SIZE, json!({"credential": key})).await.field("invalid", "credential");
        // What is another organization's does not exist.
        let acme = server.org(&town.root, "acme").await.client;
        for of in [id.as_str(), account.as_str(), "usr_00000000000000000000000001", "app_00000000000000000000000001", "tok_00000000000000000000000001"] {
            acme.get(&format!("/v1/orgs/acme/what-can?of={of}")).await.problem("not_found");
        }
        acme.get(&format!("/v1/orgs/acme/right-size?credential={id}")).await.problem("not_found");
        acme.post("/v1/orgs/acme/right-size", json!({"credential": id})).await.problem("not_found");
    }
}
