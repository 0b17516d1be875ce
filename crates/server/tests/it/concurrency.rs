//! Eight at once: the change feed tells every change once and in order, and nothing that is read before it is written
//! is lost or done twice.

use crate::support::{Client, Reply, Server};
use crate::town::{Town, doors_check, doors_token, doors_token_body, made, open_policy, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tegata::db::feed::{self, Entry, Topic};
use tokio::task::JoinSet;

/// How many act at once.
const WRITERS: usize = 8;
/// How many things each of them makes.
const EACH: usize = 9;

/// Lets eight do the same at the same moment; `call` gets the number of who calls.
async fn at_once<F, C>(call: C) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
    C: Fn(usize) -> F,
{
    let start = Arc::new(tokio::sync::Barrier::new(WRITERS));
    let mut tasks = JoinSet::new();
    for number in 0..WRITERS {
        let (start, call) = (Arc::clone(&start), call(number));
        tasks.spawn(async move {
            start.wait().await;
            call.await
        });
    }
    tasks.join_all().await
}

fn with_status(replies: &[Reply], status: u16) -> Vec<&Reply> {
    replies.iter().filter(|reply| reply.status == status).collect()
}

/// Exactly one did it; everybody else is told why not.
#[track_caller]
fn exactly_one(replies: &[Reply], status: u16, code: &str) {
    assert_eq!(with_status(replies, status).len(), 1, "{:?}", replies.iter().map(|one| &one.body).collect::<Vec<_>>());
    for other in replies.iter().filter(|reply| reply.status != status) {
        other.problem(code);
    }
}

/// Reads the feed from a place on until it has seen a change of everything that is waited for; a few entries at a time, so
/// that pages end within transactions.
async fn read_feed(db: tegata::db::Db, from: u64, mut until: tokio::sync::watch::Receiver<u64>) -> Vec<Entry> {
    let mut seen: Vec<Entry> = Vec::new();
    loop {
        let (sequence, ordinal) = seen.last().map_or((from, i64::MAX), |last| (last.sequence, last.ordinal));
        let entries = {
            let mut tx = db.read().await.unwrap();
            feed::after(&mut tx, sequence, ordinal, 3).await.unwrap()
        };
        let idle = entries.is_empty();
        seen.extend(entries);
        if idle {
            let last = *until.borrow_and_update();
            if last > 0 && seen.last().is_some_and(|entry| entry.sequence >= last) {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn make_things(client: Client, house: String, writer: usize) -> BTreeMap<String, Topic> {
    let mut things = BTreeMap::new();
    for number in 0..EACH {
        let key = format!("w{writer}-{number}");
        let (what, body, topic) = match (writer + number) % 3 {
            0 => ("contexts", json!({"type": "room", "key": key, "parent": house}), Topic::Context),
            1 => ("teams", json!({"key": key, "name": key}), Topic::Team),
            _ => ("roles", json!({"key": key, "name": key, "context_type": "any", "permissions": []}), Topic::Role),
        };
        let reply = client.post(&format!("/v1/orgs/octo/{what}"), body).await;
        things.insert(made(&reply), topic);
    }
    things
}

both_databases! {
    async fn a_reader_of_the_feed_sees_every_change_once_and_in_order(server: Server) {
        let town = Town::found(&server).await;
        let db = server.running.app.db.clone();
        let from = db.read().await.unwrap().sequence().await.unwrap();
        let (last, until) = tokio::sync::watch::channel(0);
        let reader = tokio::spawn(read_feed(db.clone(), from, until));
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(make_things(town.admin.client.clone(), town.house.clone(), writer));
        }
        let made: BTreeMap<String, Topic> = writers.join_all().await.into_iter().flatten().collect();
        let end = db.read().await.unwrap().sequence().await.unwrap();
        last.send_replace(end);
        let entries = reader.await.unwrap();

        assert_eq!(made.len(), WRITERS * EACH);
        assert_eq!(end - from, made.len() as u64, "every change has a number of its own, and nothing else has");
        let places: Vec<_> = entries.iter().map(|entry| (entry.sequence, entry.ordinal)).collect();
        assert!(places.is_sorted_by(|one, next| one < next), "in order, and nothing twice: {places:?}");
        let sequences: BTreeSet<u64> = entries.iter().map(|entry| entry.sequence).collect();
        assert_eq!(sequences, (from + 1..=end).collect(), "no number is missing");
        // Within a transaction the activity comes first; the entries of one change follow each other.
        for pair in places.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            assert_eq!(pair[1].1, pair[0].1 + 1, "no entry is missing: {pair:?}");
        }
        for (id, topic) in &made {
            let told = entries.iter().filter(|entry| entry.subject == *id && entry.topic == *topic).count();
            assert_eq!(told, 1, "{topic:?} {id}");
        }
        // Whoever begins now reads what the reader saw while it was written.
        let mut tx = db.read().await.unwrap();
        assert_eq!(feed::after(&mut tx, from, i64::MAX, 100_000).await.unwrap(), entries);
    }

    async fn a_token_that_eight_renew_has_one_secret_at_the_end(server: Server) {
        let town = Town::found(&server).await;
        let (owner, gateway) = owner_and_gateway(&server, &town).await;
        let (id, first) = doors_token(&owner, &server.in_days(10)).await;
        let path = format!("/v1/me/tokens/{id}/regenerate");
        let replies = at_once(|_| {
            let (owner, path) = (owner.clone(), path.clone());
            async move { owner.post(&path, json!({})).await }
        }).await;
        let renewed = with_status(&replies, 200);
        assert!(!renewed.is_empty());
        for other in replies.iter().filter(|reply| reply.status != 200) {
            other.problem("conflict");
        }
        let secrets: BTreeSet<String> = renewed.iter().map(|reply| text(&reply.body, "token")).collect();
        assert_eq!(secrets.len(), renewed.len(), "as many secrets as answers");
        let mut reasons = Vec::new();
        for secret in secrets.iter().chain([&first]) {
            reasons.push(text(&gateway.verify(doors_check(secret)).await, "reason"));
        }
        reasons.sort();
        let expected = [vec!["expired"; secrets.len()], vec!["granted"]].concat();
        assert_eq!(reasons, expected, "one secret lives");
        // With an overlap every one of them lives on.
        let replies = at_once(|_| {
            let (owner, path) = (owner.clone(), path.clone());
            async move { owner.post(&path, json!({"overlap_seconds": 600})).await }
        }).await;
        for reply in with_status(&replies, 200) {
            let secret = text(&reply.body, "token");
            assert_eq!(gateway.verify(doors_check(&secret)).await["reason"], "granted");
        }
    }

    async fn of_eight_who_stop_a_token_one_does(server: Server) {
        let town = Town::found(&server).await;
        let (owner, gateway) = owner_and_gateway(&server, &town).await;
        let admin = town.admin.client.clone();
        for by_organization in [false, true] {
            let (id, secret) = doors_token(&owner, &server.in_days(10)).await;
            let replies = at_once(|_| {
                let (client, path) = if by_organization {
                    (admin.clone(), format!("/v1/orgs/octo/tokens/{id}/revoke"))
                } else {
                    (owner.clone(), format!("/v1/me/tokens/{id}/revoke"))
                };
                async move { client.post(&path, json!({})).await }
            }).await;
            exactly_one(&replies, 200, "conflict");
            assert_eq!(gateway.verify(doors_check(&secret)).await["reason"], "revoked");
        }
    }

    async fn of_eight_who_make_the_same_one_does(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let same = [
            (admin, "/v1/orgs/octo/teams", json!({"key": "same", "name": "Same"})),
            (admin, "/v1/orgs/octo/roles", json!({"key": "same", "name": "Same", "context_type": "any", "permissions": []})),
            (admin, "/v1/orgs/octo/contexts", json!({"type": "house", "key": "same"})),
            (&town.root, "/v1/orgs", json!({"key": "same", "name": "Same"})),
            (&town.root, "/v1/users", json!({"email": "same@example.com", "name": "Same"})),
            (admin, "/v1/orgs/octo/members", json!({"user": town.account().await})),
        ];
        for (client, path, body) in same {
            let replies = at_once(|_| {
                let (client, body) = (client.clone(), body.clone());
                async move { client.post(path, body).await }
            }).await;
            exactly_one(&replies, 201, "duplicate");
        }
        let user = town.silent_member().await;
        let role = town.doors_role().await;
        let body = json!({"role": role, "principal": {"type": "user", "id": user}, "context": town.house});
        let replies = at_once(|_| {
            let (client, body) = (admin.clone(), body.clone());
            async move { client.post("/v1/orgs/octo/assignments", body).await }
        }).await;
        exactly_one(&replies, 201, "duplicate");
    }

    async fn eight_repetitions_are_one_call(server: Server) {
        let town = Town::found(&server).await;
        let (owner, _) = owner_and_gateway(&server, &town).await;
        let body = doors_token_body(&server.in_days(10));
        let replies = at_once(|_| {
            let (owner, body) = (owner.clone(), body.clone());
            async move { owner.send(Method::POST, "/v1/me/tokens", Some(body), &[("idempotency-key", "once")]).await }
        }).await;
        let ids: BTreeSet<String> = replies.iter().map(made).collect();
        assert_eq!(ids.len(), 1, "one token for all");
        let with_secret: Vec<&Reply> = replies.iter().filter(|reply| reply.body.get("token").is_some()).collect();
        assert_eq!(with_secret.len(), 1, "its secret is shown once");
        for reply in &replies {
            let replayed = reply.headers.get("idempotency-replayed").is_some();
            assert_eq!(replayed, reply.body.get("token").is_none(), "a repetition says that it is one");
        }
        let tokens = owner.get("/v1/me/tokens").await;
        assert_eq!(tokens.status(200)["items"].as_array().unwrap().len(), 1);
        // The same key for something else is a mistake.
        let body = doors_token_body(&server.in_days(11));
        let other = owner.send(Method::POST, "/v1/me/tokens", Some(body), &[("idempotency-key", "once")]).await;
        other.problem("idempotency_mismatch");
    }

    async fn a_repeated_stop_is_a_receipt_too(server: Server) {
        let town = Town::found(&server).await;
        let (owner, gateway) = owner_and_gateway(&server, &town).await;
        for round in 0..6 {
            let (id, secret) = doors_token(&owner, &server.in_days(10)).await;
            assert_eq!(gateway.verify(doors_check(&secret)).await["reason"], "granted");
            let (path, key) = (format!("/v1/me/tokens/{id}/revoke"), format!("stop-{round}"));
            // Whoever is answered, first or not, may rely on it: a check that begins then says no.
            let replies = at_once(|_| {
                let (owner, gateway) = (owner.clone(), gateway.clone());
                let (path, key, check) = (path.clone(), key.clone(), doors_check(&secret));
                async move {
                    let reply = owner.send(Method::POST, &path, Some(json!({})), &[("idempotency-key", &key)]).await;
                    assert_eq!(gateway.verify(check).await["reason"], "revoked", "{}", reply.body);
                    reply
                }
            }).await;
            for reply in &replies {
                assert_eq!(reply.status(200)["verifiers"][0]["applied"], true, "{}", reply.body);
                assert!(reply["sequence"].is_u64() && reply["effective_at"].is_string(), "{}", reply.body);
            }
        }
    }

    async fn a_token_repeats_no_call_that_it_may_not_make(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let body = json!({"name": "reading", "expires_at": server.in_days(10), "reason": "test",
            "grants": [{"organization": "octo", "api": "tegata", "scopes": ["organization:read"]}]});
        let reading = admin.with(&text(admin.post("/v1/me/tokens", body).await.status(201), "token"));
        let (path, body) = ("/v1/orgs/octo/teams", json!({"key": "crew", "name": "Crew"}));
        let key = [("idempotency-key", "crew")];
        admin.send(Method::POST, path, Some(body.clone()), &key).await.status(201);
        reading.send(Method::POST, path, Some(body), &key).await.problem("forbidden");
    }

    async fn an_organization_keeps_an_administrator(server: Server) {
        let town = Town::found(&server).await;
        let pair = [server.user(&town.root, "one").await, server.user(&town.root, "two").await];
        for round in 0..4 {
            let org = format!("pair-{round}");
            let body = json!({"key": org, "name": org, "administrator": pair[0].id});
            town.root.post("/v1/orgs", body).await.status(201);
            let body = json!({"user": pair[1].id, "role": "administrator"});
            pair[0].client.post(&format!("/v1/orgs/{org}/members"), body).await.status(201);
            // Each stops the other, or themself.
            let replies = at_once(|number| {
                let client = pair[number % 2].client.clone();
                let target = if round % 2 == 0 { &pair[(number + 1) % 2] } else { &pair[number % 2] };
                let path = format!("/v1/orgs/{org}/members/{}/deactivate", target.id);
                async move { client.post(&path, json!({})).await }
            }).await;
            assert_eq!(with_status(&replies, 200).len(), 1, "one of the two may go");
            let mut left = 0;
            for person in &pair {
                let reply = person.client.get(&format!("/v1/orgs/{org}/members")).await;
                left += usize::from(reply.status == 200);
            }
            assert_eq!(left, 1, "one administrator is left in {org}");
        }
        // The same by taking the role away, and by the publisher, who deactivates both accounts.
        for round in 0..3 {
            let org = format!("roles-{round}");
            let body = json!({"key": org, "name": org, "administrator": pair[0].id});
            town.root.post("/v1/orgs", body).await.status(201);
            let body = json!({"user": pair[1].id, "role": "administrator"});
            pair[0].client.post(&format!("/v1/orgs/{org}/members"), body).await.status(201);
            let path = format!("/v1/orgs/{org}/assignments");
            let assignments = pair[0].client.get(&path).await.status(200)["items"].clone();
            let ids: Vec<String> = assignments.as_array().unwrap().iter().map(|item| text(item, "id")).collect();
            assert_eq!(ids.len(), 2, "{assignments}");
            let replies = at_once(|number| {
                let (client, path) = (pair[number % 2].client.clone(), format!("{path}/{}", ids[(number / 2) % 2]));
                async move { client.delete(&path).await }
            }).await;
            assert_eq!(with_status(&replies, 200).len(), 1, "one of the two roles goes");
        }
        let root = &town.root;
        // Whoever won those races, each has an organization of their own.
        for (org, person) in ["own-one", "own-two"].into_iter().zip(&pair) {
            root.post("/v1/orgs", json!({"key": org, "name": org, "administrator": person.id})).await.status(201);
        }
        let replies = at_once(|number| {
            let (client, path) = (root.clone(), format!("/v1/users/{}/deactivate", pair[number % 2].id));
            async move { client.post(&path, json!({})).await }
        }).await;
        assert!(with_status(&replies, 200).is_empty(), "each is the last administrator somewhere");
    }

    async fn a_role_that_is_deleted_is_given_to_nobody(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let mut members = Vec::new();
        for _ in 0..WRITERS {
            members.push(town.silent_member().await);
        }
        for round in 0..6 {
            let key = format!("brief-{round}");
            let body = json!({"key": key, "name": key, "context_type": "global", "permissions": []});
            let role = town.make("roles", body).await;
            let replies = at_once(|number| {
                let (client, role, user) = (admin.clone(), role.clone(), members[number].clone());
                async move {
                    if number % 2 == 0 {
                        client.delete(&format!("/v1/orgs/octo/roles/{role}")).await
                    } else {
                        let body = json!({"role": role, "principal": {"type": "user", "id": user}});
                        client.post("/v1/orgs/octo/assignments", body).await
                    }
                }
            }).await;
            let deleted = !with_status(&replies, 200).is_empty();
            let given = with_status(&replies, 201).len();
            assert_ne!(deleted, given > 0, "deleted, or given to somebody");
            let shown = admin.get(&format!("/v1/orgs/octo/roles/{role}")).await;
            assert_eq!(shown.status == 404, deleted);
            let list = admin.get("/v1/orgs/octo/assignments?limit=200").await;
            let items = list.status(200)["items"].as_array().unwrap().clone();
            assert_eq!(items.iter().filter(|item| item.to_string().contains(&role)).count(), given);
        }
    }

    async fn limits_hold_for_eight_at_once(server: Server) {
        const LIVE_MAX: usize = 50;
        const ROOM: usize = 3;
        let town = Town::found(&server).await;
        let (owner, _) = owner_and_gateway(&server, &town).await;
        let body = doors_token_body(&server.in_days(10));
        for _ in 0..LIVE_MAX - ROOM {
            owner.post("/v1/me/tokens", body.clone()).await.status(201);
        }
        let replies = at_once(|_| {
            let (owner, body) = (owner.clone(), body.clone());
            async move { owner.post("/v1/me/tokens", body).await }
        }).await;
        assert_eq!(with_status(&replies, 201).len(), ROOM);
        assert_eq!(with_status(&replies, 409).len(), WRITERS - ROOM);
    }

    async fn a_set_up_token_makes_one_administrator(server: Server) {
        let token = server.setup_token().to_owned();
        let anybody = server.anybody();
        let replies = at_once(|number| {
            let (client, token) = (anybody.clone(), token.clone());
            let email = format!("root-{number}@example.com");
            let body = json!({"token": token, "email": email, "name": "Root", "password": crate::support::PASSWORD});
            async move { client.post("/v1/setup", body).await }
        }).await;
        assert_eq!(with_status(&replies, 201).len(), 1);
        assert!(replies.iter().all(|reply| reply.status == 201 || reply.status.is_client_error()));
        let root = anybody.with(&text(&with_status(&replies, 201)[0].body, "token"));
        let users = root.get("/v1/users").await;
        assert_eq!(users.status(200)["items"].as_array().map(Vec::len), Some(1));
    }

    async fn the_last_of_eight_policies_holds(server: Server) {
        let town = Town::found(&server).await;
        let admin = town.admin.client.clone();
        let replies = at_once(|number| {
            let client = admin.clone();
            let mut body = open_policy();
            body["max_lifetime_days"] = json!(number + 1);
            async move { client.put("/v1/orgs/octo/policies/personal_token", body).await }
        }).await;
        assert_eq!(with_status(&replies, 200).len(), WRITERS);
        let path = "/v1/orgs/octo/activity?limit=200&operation=policy.set";
        let activity = admin.get(path).await.status(200)["items"].clone();
        let days = |value: &Value, side: &str| value[side]["max_lifetime_days"].as_u64();
        let changes: Vec<_> = activity.as_array().unwrap().iter()
            .map(|item| (days(item, "before"), days(item, "after"))).collect();
        assert_eq!(changes.len(), WRITERS + 1, "{activity}");
        for pair in changes.windows(2) {
            assert_eq!(pair[0].0, pair[1].1, "each change begins where the one before it ended: {changes:?}");
        }
        let policies = admin.get("/v1/orgs/octo/policies").await.status(200).to_string();
        let last = format!("\"max_lifetime_days\":{}", changes[0].1.unwrap());
        assert!(policies.contains(&last), "{policies} lacks {last}");
    }
}

async fn owner_and_gateway(server: &Server, town: &Town) -> (Client, Client) {
    let owner = town.member(server, "owner", "member").await;
    let role = town.doors_role().await;
    town.give(&role, &owner.id).await;
    (owner.client, server.verifier(&town.root, "town").await)
}
