//! People: set-up, signing in, accounts, organizations, members, teams; and who may not.

use crate::support::{Client, PASSWORD, Person, Server};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn form(token: &str) -> Value {
    json!({"token": token, "email": "root@example.com", "name": "Root", "password": PASSWORD})
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("a list: {list}"));
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// An own role of an organization with permissions of Tegata's own API, given to somebody.
async fn give(admin: &Client, org: &str, key: &str, permissions: &[&str], to: (&str, &str)) {
    let body = json!({"key": key, "name": key, "context_type": "global",
        "permissions": [{"api": "tegata", "permissions": permissions}]});
    admin.post(&format!("/v1/orgs/{org}/roles"), body).await.status(201);
    assign(admin, org, key, to).await.status(201);
}

async fn assign(admin: &Client, org: &str, role: &str, (kind, id): (&str, &str)) -> crate::support::Reply {
    let body = json!({"role": role, "principal": {"type": kind, "id": id}});
    admin.post(&format!("/v1/orgs/{org}/assignments"), body).await
}

/// A token of somebody's own, granted at once since they administer the place.
async fn own_token(server: &Server, who: &Client, org: &str, scopes: &[&str]) -> (String, Client) {
    let body = json!({"name": "script", "expires_at": server.in_days(30), "reason": "test",
        "grants": [{"organization": org, "api": "tegata", "scopes": scopes}]});
    let reply = who.post("/v1/me/tokens", body).await;
    let body = reply.status(201);
    (body["id"].as_str().unwrap().to_owned(), who.with(body["token"].as_str().unwrap()))
}

both_databases! {
    async fn the_set_up_token_works_once(server: Server) {
        let anybody = server.anybody();
        anybody.post("/v1/setup", form("tegata_set_junk")).await.problem("unauthenticated");
        let session = server.setup_token().replace("_set_", "_ses_");
        anybody.post("/v1/setup", form(&session)).await.problem("unauthenticated");
        for (field, value) in [("email", "nobody"), ("name", " "), ("password", "too short")] {
            let mut body = form(server.setup_token());
            body[field] = json!(value);
            anybody.post("/v1/setup", body).await.field("invalid", field);
        }
        anybody.post("/v1/setup", json!({"token": 1})).await.problem("malformed_body");

        let race = (0..6).map(|number| {
            let (anybody, mut body) = (anybody.clone(), form(server.setup_token()));
            body["email"] = json!(format!("root{number}@example.com"));
            tokio::spawn(async move { anybody.post("/v1/setup", body).await })
        });
        let mut made = Vec::new();
        for reply in race.collect::<Vec<_>>() {
            let reply = reply.await.unwrap();
            if reply.status == 201 {
                made.push(reply.body);
            } else {
                reply.problem("unauthenticated");
            }
        }
        assert_eq!(made.len(), 1, "{made:?}");
        let root = anybody.with(made[0]["token"].as_str().unwrap());
        let me = root.get("/v1/me").await;
        assert_eq!(me["user"]["id"], made[0]["user"]["id"]);
        let orgs: Vec<_> = me["organizations"].as_array().unwrap().iter()
            .map(|org| (org["key"].as_str().unwrap(), org["roles"][0]["role"].as_str().unwrap())).collect();
        assert_eq!(orgs, [("default", "administrator"), ("publisher", "administrator")]);
        let accounts = root.get("/v1/users").await;
        assert_eq!(accounts.status(200)["items"].as_array().unwrap().len(), 1);

        let server = server.restart().await;
        assert!(server.running.setup.is_none());
    }

    async fn the_command_line_makes_the_first_administrator_too(server: Server) {
        use tegata::{authn::password, ops::setup::first_administrator};
        let app = &server.running.app;
        let hash = password::hash(PASSWORD.into(), &app.entropy).await.unwrap();
        let mut tx = app.db.write().await.unwrap();
        first_administrator(app, &mut tx, "root@example.com", "Root", &hash).await.unwrap();
        tx.commit().await.unwrap();
        let root = server.sign_in("root@example.com").await;
        root.get("/v1/orgs/publisher").await.status(200);
        root.get("/v1/orgs/default").await.status(200);
        let mut tx = app.db.write().await.unwrap();
        let again = first_administrator(app, &mut tx, "other@example.com", "Other", &hash).await;
        assert_eq!(again.unwrap_err().code.as_str(), "conflict");
        drop(tx);
        let mut body = form(server.setup_token());
        body["email"] = json!("third@example.com");
        server.anybody().post("/v1/setup", body).await.problem("unauthenticated");
    }

    async fn each_start_prints_a_new_set_up_token(server: Server) {
        let old = server.setup_token().to_owned();
        let server = server.restart().await;
        server.anybody().post("/v1/setup", form(&old)).await.problem("unauthenticated");
        server.admin().await;
    }

    async fn signing_in_and_out(server: Server) {
        let root = server.admin().await;
        let alice = server.user(&root, "alice").await;
        let bob = server.user(&root, "bob").await;
        root.post("/v1/users", json!({"email": "mute@example.com", "name": "Mute"})).await.status(201);
        server.user(&root, "gone").await;
        let gone = texts(root.get("/v1/users").await.status(200), "email").iter().position(|email| email == "gone@example.com");
        let gone = root.get("/v1/users").await.status(200)["items"][gone.unwrap()]["id"].as_str().unwrap().to_owned();
        root.post(&format!("/v1/users/{gone}/deactivate"), json!({})).await.status(200);

        let mut bodies = Vec::new();
        for email in ["alice@example.com", "mute@example.com", "gone@example.com", "who@example.com"] {
            let password = if email.starts_with("alice") { "wrong horse battery staple" } else { PASSWORD };
            let reply = server.anybody().post("/v1/sessions", json!({"email": email, "password": password})).await;
            assert_eq!(reply.status, 401);
            bodies.push(reply.problem("wrong_credentials").clone());
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "they look alike: {bodies:?}");
        server.advance(Duration::from_hours(1));

        let second = server.sign_in("ALICE@example.com").await;
        let list = second.get("/v1/sessions").await;
        let sessions = list.status(200)["items"].as_array().unwrap();
        assert_eq!(sessions.len(), 2);
        assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
        assert_eq!(sessions[0]["current"], true, "newest first");
        let first = sessions[1]["id"].as_str().unwrap();
        bob.client.delete(&format!("/v1/sessions/{first}")).await.problem("not_found");
        second.delete("/v1/sessions/ses_nonsense").await.problem("not_found");
        let receipt = second.delete(&format!("/v1/sessions/{first}")).await;
        assert_eq!(receipt.status(200)["state"], "ended");
        assert_eq!(receipt["verifiers"][0]["applied"], true);
        alice.client.get("/v1/me").await.problem("unauthenticated");
        second.delete(&format!("/v1/sessions/{first}")).await.problem("conflict");
        second.delete("/v1/sessions/current").await.status(200);
        second.get("/v1/me").await.problem("unauthenticated");

        let third = server.sign_in("alice@example.com").await;
        server.advance(Duration::from_mins(12 * 60 - 1));
        third.get("/v1/me").await.status(200);
        server.advance(Duration::from_secs(61));
        third.get("/v1/me").await.problem("unauthenticated");
    }

    async fn guessing_is_slowed_down(server: Server) {
        let root = server.admin().await;
        server.user(&root, "alice").await;
        let wrong = json!({"email": "alice@example.com", "password": "wrong horse battery staple"});
        let race = (0..12).map(|_| {
            let (anybody, wrong) = (server.anybody(), wrong.clone());
            tokio::spawn(async move { anybody.post("/v1/sessions", wrong).await })
        });
        let mut refused = 0;
        for reply in race.collect::<Vec<_>>() {
            let reply = reply.await.unwrap();
            if reply.status == 429 {
                assert!(reply.headers.contains_key("retry-after"));
                refused += 1;
            }
        }
        assert!(refused >= 3, "tries at the same time share one allowance: {refused}");
        let right = json!({"email": "alice@example.com", "password": PASSWORD});
        for _ in 0..6 {
            server.anybody().post("/v1/sessions", wrong.clone()).await;
        }
        server.anybody().post("/v1/sessions", right.clone()).await.problem("too_many_requests");
        server.advance(Duration::from_mins(20));
        server.anybody().post("/v1/sessions", right).await.status(201);
    }

    async fn a_new_password_ends_the_other_sessions(server: Server) {
        let root = server.admin().await;
        let alice = server.user(&root, "alice").await;
        let other = server.sign_in("alice@example.com").await;
        let change = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
        let path = "/v1/me/password";
        server.anybody().post(path, change(PASSWORD, "another long sentence")).await.problem("unauthenticated");
        alice.client.post(path, change("not the password", "another long sentence")).await.field("invalid", "old_password");
        alice.client.post(path, change(PASSWORD, "short")).await.field("invalid", "new_password");
        let reply = alice.client.post(path, change(PASSWORD, "another long sentence")).await;
        assert_eq!(reply.status(200)["sessions_ended"], 1);
        alice.client.get("/v1/me").await.status(200);
        other.get("/v1/me").await.problem("unauthenticated");
        let sign_in = |password: &str| json!({"email": "alice@example.com", "password": password});
        server.anybody().post("/v1/sessions", sign_in(PASSWORD)).await.problem("wrong_credentials");
        server.anybody().post("/v1/sessions", sign_in("another long sentence")).await.status(201);
    }

    async fn a_token_sees_its_own_part_and_manages_no_sessions(server: Server) {
        let root = server.admin().await;
        let (id, token) = own_token(&server, &root, "default", &["organization:read"]).await;
        let me = token.get("/v1/me").await;
        assert_eq!(me.status(200)["credential"], json!({"kind": "personal_token", "id": id}));
        assert_eq!(me["organizations"].as_array().unwrap().len(), 1);
        assert_eq!(texts(token.get("/v1/orgs").await.status(200), "key"), ["default"]);
        assert_eq!(texts(root.get("/v1/orgs").await.status(200), "key"), ["default", "publisher"]);
        token.get("/v1/orgs/default").await.status(200);
        token.get("/v1/orgs/publisher").await.problem("forbidden");
        token.get("/v1/sessions").await.problem("forbidden");
        token.delete("/v1/sessions/current").await.problem("forbidden");
        let body = json!({"old_password": PASSWORD, "new_password": "another long sentence"});
        token.post("/v1/me/password", body).await.problem("forbidden");
        token.post("/v1/orgs/default/teams", json!({"key": "t", "name": "T"})).await.problem("forbidden");
    }

    async fn accounts(server: Server) {
        let root = server.admin().await;
        let alice = server.user(&root, "alice").await;
        let body = json!({"email": "Alice@Example.com", "name": "Alice"});
        root.post("/v1/users", body).await.field("duplicate", "email");
        for (field, value) in [("email", "x"), ("name", ""), ("password", "short")] {
            let mut body = json!({"email": "new@example.com", "name": "New", "password": PASSWORD});
            body[field] = json!(value);
            root.post("/v1/users", body).await.field("invalid", field);
        }
        root.post("/v1/users", json!({"email": "n@example.com", "name": "N", "admin": true})).await.problem("malformed_body");
        let page = root.get("/v1/users?limit=1").await;
        let cursor = page.status(200)["next_cursor"].as_str().unwrap().to_owned();
        let rest = root.get(&format!("/v1/users?cursor={cursor}")).await;
        assert_eq!(texts(rest.status(200), "email"), ["alice@example.com"]);
        root.get("/v1/users?cursor=zz").await.problem("malformed_cursor");

        let path = format!("/v1/users/{}", alice.id);
        assert_eq!(root.get(&path).await.status(200)["state"], "active");
        root.get("/v1/users/usr_nonsense").await.problem("not_found");
        let receipt = root.post(&format!("{path}/deactivate"), json!({})).await;
        assert_eq!(receipt.status(200)["state"], "inactive");
        root.post(&format!("{path}/deactivate"), json!({})).await.problem("conflict");
        alice.client.get("/v1/me").await.problem("unauthenticated");
        root.post(&format!("{path}/activate"), json!({})).await.status(200);
        root.post(&format!("{path}/activate"), json!({})).await.problem("conflict");
        // The session that was ended does not come back with the account.
        alice.client.get("/v1/me").await.problem("unauthenticated");

        let me = root.get("/v1/me").await["user"]["id"].as_str().unwrap().to_owned();
        root.post(&format!("/v1/users/{me}/deactivate"), json!({})).await.problem("conflict");
        let boss = server.org(&root, "octo").await;
        let refused = root.post(&format!("/v1/users/{}/deactivate", boss.id), json!({})).await;
        assert!(refused.problem("conflict")["detail"].as_str().unwrap().contains("`octo`"));
        root.get(&format!("/v1/users/{}", boss.id)).await.status(200);
        assert_eq!(root.get(&format!("/v1/users/{}", boss.id)).await["state"], "active");
    }

    async fn a_lesser_publisher_does_not_stop_or_revive_an_administrator(server: Server) {
        let root = server.admin().await;
        let clerk = server.member(&root, &root, "publisher", "clerk", "member").await;
        give(&root, "publisher", "clerk", &["users:write", "users:read"], ("user", &clerk.id)).await;
        let second = server.member(&root, &root, "publisher", "second", "administrator").await;
        let path = format!("/v1/users/{}", second.id);
        clerk.client.post(&format!("{path}/deactivate"), json!({})).await.problem("beyond_own_rights");
        root.post(&format!("{path}/deactivate"), json!({})).await.status(200);
        clerk.client.post(&format!("{path}/activate"), json!({})).await.problem("beyond_own_rights");
        let alice = server.user(&root, "alice").await;
        clerk.client.post(&format!("/v1/users/{}/deactivate", alice.id), json!({})).await.status(200);
        clerk.client.post(&format!("/v1/users/{}/activate", alice.id), json!({})).await.status(200);
    }

    async fn organizations(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let new = |key: &str| json!({"key": key, "name": "Another"});
        root.post("/v1/orgs", new("octo")).await.field("duplicate", "key");
        root.post("/v1/orgs", new("publisher")).await.field("duplicate", "key");
        let id = root.get("/v1/orgs").await["items"][0]["id"].as_str().unwrap().to_owned();
        for key in ["", "Octo", "a/b", id.as_str()] {
            root.post("/v1/orgs", new(key)).await.field("invalid", "key");
        }
        let nobody = json!({"key": "x", "name": "X", "administrator": "who@example.com"});
        root.post("/v1/orgs", nobody).await.field("invalid", "administrator");

        // Whoever makes an organization for somebody else has no right in it.
        root.get("/v1/orgs/octo").await.problem("not_found");
        let shown = boss.client.get("/v1/orgs/octo").await;
        assert_eq!(shown.status(200)["kind"], "tenant");
        let by_id = format!("/v1/orgs/{}", shown["id"].as_str().unwrap());
        assert_eq!(boss.client.get(&by_id).await.status(200)["key"], "octo");
        boss.client.patch("/v1/orgs/octo", json!({"name": "  "})).await.field("invalid", "name");
        assert_eq!(boss.client.patch("/v1/orgs/octo", json!({"name": "Octopus"})).await.status(200)["name"], "Octopus");
        assert_eq!(boss.client.get("/v1/orgs/octo").await["name"], "Octopus");
        let roles = boss.client.get("/v1/orgs/octo/roles").await;
        let mut keys = texts(roles.status(200), "key");
        keys.sort();
        assert_eq!(keys, ["administrator", "auditor", "context-administrator", "member"]);
        root.post("/v1/orgs", new("own")).await.status(201);
        root.get("/v1/orgs/own").await.status(200);
    }

    async fn apis_of_an_organization(server: Server) {
        let root = server.admin().await;
        server.catalogue(&root, "octane").await;
        let boss = server.org(&root, "octo").await.client;
        let path = "/v1/orgs/octo/apis";
        assert_eq!(texts(boss.get(path).await.status(200), "key"), ["tegata"]);
        boss.put("/v1/orgs/octo/apis/nothing", json!({})).await.problem("not_found");
        let enabled = boss.put("/v1/orgs/octo/apis/octane", json!({})).await;
        let roles = enabled.status(200)["roles"].as_array().unwrap().clone();
        assert!(!roles.is_empty());
        let shown = boss.get(&format!("/v1/orgs/octo/roles/{}", roles[0].as_str().unwrap())).await;
        assert_eq!(shown.status(200)["origin"], "catalogue");
        boss.put("/v1/orgs/octo/apis/octane", json!({})).await.problem("duplicate");
        let receipt = boss.delete("/v1/orgs/octo/apis/octane").await;
        assert_eq!(receipt.status(200)["state"], "disabled");
        boss.delete("/v1/orgs/octo/apis/octane").await.problem("not_found");
        boss.delete("/v1/orgs/octo/apis/tegata").await.problem("conflict");
        let again = boss.put("/v1/orgs/octo/apis/octane", json!({})).await;
        assert_eq!(again.status(200)["roles"], json!(roles), "the same roles, once");
        let same = boss.get(&format!("/v1/orgs/octo/roles/{}", roles[0].as_str().unwrap())).await;
        assert_eq!(same.status(200)["id"], shown["id"]);
    }

    async fn an_own_role_does_not_pass_for_one_of_a_catalogue(server: Server) {
        let root = server.admin().await;
        server.catalogue(&root, "octane").await;
        let boss = server.org(&root, "octo").await.client;
        let enabled = boss.put("/v1/orgs/octo/apis/octane", json!({})).await;
        let key = enabled.status(200)["roles"][0].as_str().unwrap().to_owned();
        let rival = server.org(&root, "rival").await.client;
        let body = json!({"key": key, "name": "Mine", "context_type": "global",
            "permissions": [{"api": "tegata", "permissions": ["organization:read"]}]});
        let made = rival.post("/v1/orgs/rival/roles", body).await;
        if made.status == 201 {
            rival.put("/v1/orgs/rival/apis/octane", json!({})).await.problem("conflict");
            rival.delete(&format!("/v1/orgs/rival/roles/{key}")).await.status(200);
        }
        rival.put("/v1/orgs/rival/apis/octane", json!({})).await.status(200);
    }

    async fn members_come_and_go(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let alice = server.user(&root, "alice").await;
        let path = "/v1/orgs/octo/members";
        boss.client.post(path, json!({"user": "who@example.com"})).await.field("invalid", "user");
        boss.client.post(path, json!({"user": alice.id, "role": "nothing"})).await.field("invalid", "role");
        let added = boss.client.post(path, json!({"user": "alice@example.com"})).await;
        assert_eq!(added.status(201)["id"], alice.id.as_str());
        boss.client.post(path, json!({"user": alice.id})).await.field("duplicate", "user");
        let shown = boss.client.get(&format!("{path}/{}", alice.id)).await;
        assert_eq!(shown.status(200)["roles"][0]["role"], "member");
        assert_eq!(boss.client.get(path).await.status(200)["items"].as_array().unwrap().len(), 2);
        let stranger = server.user(&root, "stranger").await;
        boss.client.get(&format!("{path}/{}", stranger.id)).await.problem("not_found");
        stranger.client.get(path).await.problem("not_found");

        // The last administrator stays, also when two go for each other at the same moment.
        boss.client.post(&format!("{path}/{}/deactivate", boss.id), json!({})).await.problem("conflict");
        let second = server.member(&root, &boss.client, "octo", "second", "administrator").await;
        let stop = |by: &Person, whom: &Person| {
            let (client, path) = (by.client.clone(), format!("{path}/{}/deactivate", whom.id));
            tokio::spawn(async move { client.post(&path, json!({})).await })
        };
        let (one, other) = (stop(&boss, &second), stop(&second, &boss));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        assert_eq!([&one, &other].iter().filter(|reply| reply.status == 200).count(), 1, "{one:?} {other:?}");
        let (left, gone) = if one.status == 200 { (boss, second) } else { (second, boss) };
        gone.client.get("/v1/orgs/octo").await.problem("not_found");
        left.client.post(path, json!({"user": gone.id})).await.problem("conflict");
        left.client.post(&format!("{path}/{}/activate", gone.id), json!({})).await.status(200);
        left.client.post(&format!("{path}/{}/activate", gone.id), json!({})).await.problem("conflict");
        gone.client.get("/v1/orgs/octo").await.status(200);
    }

    async fn a_leaver_takes_no_rights_along(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let second = server.member(&root, &boss.client, "octo", "second", "administrator").await;
        let (id, token) = own_token(&server, &second.client, "octo", &["organization:read"]).await;
        token.get("/v1/orgs/octo").await.status(200);
        let path = format!("/v1/orgs/octo/members/{}", second.id);
        let receipt = boss.client.post(&format!("{path}/deactivate"), json!({})).await;
        assert_eq!(receipt.status(200)["verifiers"][0]["applied"], true);
        token.get("/v1/orgs/octo").await.problem("not_found");
        let part = boss.client.get(&format!("/v1/orgs/octo/tokens/{id}")).await;
        assert_eq!(part.status(200)["state"], "revoked");
        boss.client.post(&format!("{path}/activate"), json!({})).await.status(200);
        second.client.get("/v1/orgs/octo").await.status(200);
        token.get("/v1/orgs/octo").await.problem("forbidden");
    }

    async fn nobody_lifts_themself_by_members_or_teams(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let clerk = server.member(&root, &boss.client, "octo", "clerk", "member").await;
        give(&boss.client, "octo", "clerk", &["members:write", "teams:write"], ("user", &clerk.id)).await;
        let alice = server.user(&root, "alice").await;
        let members = "/v1/orgs/octo/members";
        let body = json!({"user": alice.id, "role": "administrator"});
        clerk.client.post(members, body).await.problem("beyond_own_rights");
        let refused = clerk.client.post(members, json!({"user": alice.id, "role": "auditor"})).await;
        assert!(refused.problem("beyond_own_rights")["detail"].as_str().unwrap().contains("`tokens:read`"));
        boss.client.get(&format!("{members}/{}", alice.id)).await.problem("not_found");
        clerk.client.post(members, json!({"user": alice.id})).await.status(201);
        clerk.client.post(&format!("{members}/{}/deactivate", boss.id), json!({})).await.problem("beyond_own_rights");

        // Somebody who held more: a lesser person may end the membership, and not begin it again.
        assign(&boss.client, "octo", "auditor", ("user", &alice.id)).await.status(201);
        clerk.client.post(&format!("{members}/{}/deactivate", alice.id), json!({})).await.status(200);
        clerk.client.post(&format!("{members}/{}/activate", alice.id), json!({})).await.problem("beyond_own_rights");

        let team = boss.client.post("/v1/orgs/octo/teams", json!({"key": "heads", "name": "Heads"})).await;
        let team = team.status(201)["id"].as_str().unwrap().to_owned();
        clerk.client.put(&format!("/v1/orgs/octo/teams/heads/members/{}", clerk.id), json!({})).await.status(200);
        clerk.client.delete(&format!("/v1/orgs/octo/teams/heads/members/{}", clerk.id)).await.status(200);
        assign(&boss.client, "octo", "administrator", ("team", &team)).await.status(201);
        clerk.client.put(&format!("/v1/orgs/octo/teams/heads/members/{}", clerk.id), json!({})).await.problem("beyond_own_rights");
        boss.client.put(&format!("/v1/orgs/octo/teams/heads/members/{}", boss.id), json!({})).await.status(200);
        clerk.client.delete(&format!("/v1/orgs/octo/teams/heads/members/{}", boss.id)).await.problem("beyond_own_rights");
        clerk.client.delete("/v1/orgs/octo/teams/heads").await.problem("beyond_own_rights");
        // Not even an administrator passes everything on with a token.
        let (_, token) = own_token(&server, &boss.client, "octo", &["teams:write", "members:write"]).await;
        token.put(&format!("/v1/orgs/octo/teams/heads/members/{}", clerk.id), json!({})).await.problem("beyond_own_rights");
        token.post(&format!("{members}/{}/activate", alice.id), json!({})).await.problem("beyond_own_rights");
    }

    async fn teams_come_and_go(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let alice = server.member(&root, &boss.client, "octo", "alice", "none").await;
        let path = "/v1/orgs/octo/teams";
        let made = boss.client.post(path, json!({"key": "readers", "name": "Readers"})).await;
        let id = made.status(201)["id"].as_str().unwrap().to_owned();
        boss.client.post(path, json!({"key": "readers", "name": "Readers"})).await.field("duplicate", "key");
        boss.client.post(path, json!({"key": id, "name": "Readers"})).await.field("invalid", "key");
        boss.client.post(path, json!({"key": "x", "name": ""})).await.field("invalid", "name");
        assign(&boss.client, "octo", "member", ("team", &id)).await.status(201);
        alice.client.get("/v1/orgs/octo").await.problem("forbidden");
        let member = format!("{path}/readers/members/{}", alice.id);
        boss.client.put(&member, json!({})).await.status(200);
        boss.client.put(&member, json!({})).await.problem("duplicate");
        alice.client.get("/v1/orgs/octo").await.status(200);
        let shown = boss.client.get(&format!("{path}/{id}")).await;
        assert_eq!(shown.status(200)["members"][0]["id"], alice.id.as_str());
        assert_eq!(shown["roles"][0]["role"], "member");
        let through = boss.client.get(&format!("/v1/orgs/octo/members/{}", alice.id)).await;
        assert_eq!(through.status(200)["roles"][0]["team"], id.as_str());
        assert_eq!(through["teams"][0]["key"], "readers");
        let stranger = server.user(&root, "stranger").await;
        boss.client.put(&format!("{path}/readers/members/{}", stranger.id), json!({})).await.problem("not_found");
        boss.client.delete(&format!("{path}/readers/members/{}", stranger.id)).await.problem("not_found");
        boss.client.delete(&member).await.status(200);
        alice.client.get("/v1/orgs/octo").await.problem("forbidden");
        boss.client.put(&member, json!({})).await.status(200);
        let receipt = boss.client.delete(&format!("{path}/readers")).await;
        assert_eq!(receipt.status(200)["state"], "deleted");
        alice.client.get("/v1/orgs/octo").await.problem("forbidden");
        boss.client.get(&format!("{path}/readers")).await.problem("not_found");
        assert_eq!(texts(boss.client.get(path).await.status(200), "key"), Vec::<String>::new());
    }

    async fn an_organization_keeps_an_administrator_also_through_teams(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let team = boss.client.post("/v1/orgs/octo/teams", json!({"key": "heads", "name": "Heads"})).await;
        assign(&boss.client, "octo", "administrator", ("team", team.status(201)["id"].as_str().unwrap())).await.status(201);
        boss.client.put(&format!("/v1/orgs/octo/teams/heads/members/{}", boss.id), json!({})).await.status(200);
        let query = format!("/v1/orgs/octo/assignments?principal={}", boss.id);
        let direct = boss.client.get(&query).await.status(200)["items"][0]["id"].as_str().unwrap().to_owned();
        boss.client.delete(&format!("/v1/orgs/octo/assignments/{direct}")).await.status(200);
        boss.client.get("/v1/orgs/octo").await.status(200);
        boss.client.delete(&format!("/v1/orgs/octo/teams/heads/members/{}", boss.id)).await.problem("conflict");
        boss.client.delete("/v1/orgs/octo/teams/heads").await.problem("conflict");
        root.post(&format!("/v1/users/{}/deactivate", boss.id), json!({})).await.problem("conflict");
        boss.client.get("/v1/orgs/octo").await.status(200);
    }

    async fn who_may_not_is_refused_everywhere(server: Server) {
        let root = server.admin().await;
        let boss = server.org(&root, "octo").await;
        let alice = server.member(&root, &boss.client, "octo", "alice", "member").await;
        let bare = server.member(&root, &boss.client, "octo", "bare", "none").await;
        let rival = server.org(&root, "rival").await;
        boss.client.post("/v1/orgs/octo/teams", json!({"key": "t", "name": "T"})).await.status(201);
        let user = &alice.id;

        // Of the organization: who reads, who writes.
        let reads = ["/v1/orgs/octo", "/v1/orgs/octo/apis", "/v1/orgs/octo/members", "/v1/orgs/octo/teams", "/v1/orgs/octo/teams/t"];
        let mut reads: Vec<String> = reads.iter().map(|path| (*path).to_owned()).collect();
        reads.push(format!("/v1/orgs/octo/members/{user}"));
        for path in &reads {
            server.anybody().get(path).await.problem("unauthenticated");
            bare.client.get(path).await.problem("forbidden");
            rival.client.get(path).await.problem("not_found");
            alice.client.get(path).await.status(200);
        }
        let writes = [
            (Method::PATCH, "/v1/orgs/octo".to_owned(), json!({"name": "X"})),
            (Method::PUT, "/v1/orgs/octo/apis/tegata".to_owned(), json!({})),
            (Method::DELETE, "/v1/orgs/octo/apis/tegata".to_owned(), Value::Null),
            (Method::POST, "/v1/orgs/octo/members".to_owned(), json!({"user": rival.id})),
            (Method::POST, format!("/v1/orgs/octo/members/{user}/deactivate"), json!({})),
            (Method::POST, format!("/v1/orgs/octo/members/{user}/activate"), json!({})),
            (Method::POST, "/v1/orgs/octo/teams".to_owned(), json!({"key": "u", "name": "U"})),
            (Method::DELETE, "/v1/orgs/octo/teams/t".to_owned(), Value::Null),
            (Method::PUT, format!("/v1/orgs/octo/teams/t/members/{user}"), json!({})),
            (Method::DELETE, format!("/v1/orgs/octo/teams/t/members/{user}"), Value::Null),
        ];
        for (method, path, body) in &writes {
            let body = (!body.is_null()).then(|| body.clone());
            server.anybody().send(method.clone(), path, body.clone(), &[]).await.problem("unauthenticated");
            alice.client.send(method.clone(), path, body.clone(), &[]).await.problem("forbidden");
            rival.client.send(method.clone(), path, body, &[]).await.problem("not_found");
        }
        // Of the publisher: another organization's administrator is nobody there.
        let publisher = [
            (Method::GET, "/v1/users".to_owned(), Value::Null),
            (Method::GET, format!("/v1/users/{user}"), Value::Null),
            (Method::POST, "/v1/users".to_owned(), json!({"email": "n@example.com", "name": "N"})),
            (Method::POST, format!("/v1/users/{user}/deactivate"), json!({})),
            (Method::POST, format!("/v1/users/{user}/activate"), json!({})),
            (Method::POST, "/v1/orgs".to_owned(), json!({"key": "mine", "name": "Mine"})),
        ];
        for (method, path, body) in &publisher {
            let body = (!body.is_null()).then(|| body.clone());
            server.anybody().send(method.clone(), path, body.clone(), &[]).await.problem("unauthenticated");
            rival.client.send(method.clone(), path, body, &[]).await.problem("forbidden");
        }
        for path in ["/v1/me", "/v1/sessions", "/v1/orgs"] {
            server.anybody().get(path).await.problem("unauthenticated");
        }
        server.anybody().delete("/v1/sessions/current").await.problem("unauthenticated");
        // Things of one organization are unknown under another's name.
        rival.client.get("/v1/orgs/rival/teams/t").await.problem("not_found");
        rival.client.get(&format!("/v1/orgs/rival/members/{user}")).await.problem("not_found");
        rival.client.post(&format!("/v1/orgs/rival/members/{user}/deactivate"), json!({})).await.problem("not_found");
    }

    async fn a_repeated_request_is_answered_once(server: Server) {
        let root = server.admin().await;
        let send = |name: &'static str| {
            let body = json!({"email": "new@example.com", "name": name, "password": PASSWORD});
            let root = root.clone();
            async move { root.send(Method::POST, "/v1/users", Some(body), &[("idempotency-key", "k1")]).await }
        };
        let first = send("New").await;
        let again = send("New").await;
        assert_eq!(again.status(201), first.status(201));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        send("Other").await.problem("idempotency_mismatch");
    }

    async fn a_repeated_change_of_password_is_answered_once(server: Server) {
        let root = server.admin().await;
        let body = json!({"old_password": PASSWORD, "new_password": "another long sentence"});
        let send = || root.send(Method::POST, "/v1/me/password", Some(body.clone()), &[("idempotency-key", "k2")]);
        let first = send().await;
        let again = send().await;
        assert_eq!(again.status(200), first.status(200));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let anybody = server.anybody();
        let key = [("idempotency-key", "k2")];
        anybody.send(Method::POST, "/v1/me/password", Some(body.clone()), &key).await.problem("unauthenticated");
    }

    async fn signing_in_shows_in_the_publishers_activity(server: Server) {
        let root = server.admin().await;
        let alice = server.user(&root, "alice").await;
        let activity = root.get("/v1/orgs/publisher/activity").await;
        let items = activity.status(200)["items"].as_array().unwrap().clone();
        let entry = items.iter().find(|entry| entry["operation"] == "session.create").unwrap();
        assert_eq!(entry["actor"]["id"], alice.id.as_str(), "{entry}");
        assert!(!activity.body.to_string().contains("tegata_ses_"));
    }
}
