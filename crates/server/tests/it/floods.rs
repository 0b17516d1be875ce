//! Floods of tokens that nobody has: what they cost, whom they hold back, and that each of them is counted.

use crate::support::{Client, Server};
use crate::town::{Town, doors_check, doors_token};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tegata::db::feed::Topic;
use tegata::serve::start;
use tegata::verify::bytes::OF_A_SLOT;
use tegata_core::secret::{Product, SecretKind, compose};

/// A token with the right form that nobody was given.
fn unknown(number: u64) -> String {
    secret_of(SecretKind::PersonalToken, number)
}

fn secret_of(kind: SecretKind, number: u64) -> String {
    let mut state = number;
    compose(&Product::default(), kind, &mut |buffer| {
        for byte in buffer {
            // SplitMix64 (Steele, Lea and Flood).
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = ((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56).to_le_bytes()[0];
        }
    })
}

fn check(token: &str, ip: &str) -> Value {
    let mut check = doors_check(token);
    check["ip"] = json!(ip);
    check["organization"] = json!("octo");
    check
}

async fn batch(gateway: &Client, checks: Vec<Value>) -> Vec<Value> {
    let reply = gateway.post("/v1/verify/batch", json!({"checks": checks})).await;
    reply.status(200)["results"].as_array().unwrap().clone()
}

/// How many answers there are for each reason.
fn reasons(answers: &[Value]) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for answer in answers {
        *reasons.entry(answer["reason"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    reasons
}

/// How many checks the log counts for each reason.
async fn counted(admin: &Client, filter: &str) -> BTreeMap<String, u64> {
    let reply = admin.get(&format!("/v1/orgs/octo/records/top?by=reason&api=town{filter}")).await;
    let items = reply.status(200)["items"].as_array().unwrap();
    let entry = |item: &Value| {
        let sum = item["allowed"].as_u64().unwrap() + item["denied"].as_u64().unwrap();
        (item["value"].as_str().unwrap().to_owned(), sum)
    };
    items.iter().map(entry).collect()
}

both_databases! {
    async fn a_token_is_allowed_as_soon_as_it_is_made_however_often_it_was_unknown(server: Server) {
        let town = Town::found(&server).await;
        let role = town.doors_role().await;
        let owner = town.member(&server, "carol", "member").await;
        town.give(&role, &owner.id).await;
        let (token, _) = doors_token(&owner.client, &server.in_days(10)).await;
        let gateway = server.verifier(&town.root, "town").await;
        let app = &server.running.app;
        for round in 0..25_u64 {
            let secret = unknown(round);
            let made = Arc::new(AtomicBool::new(false));
            let mut askers = tokio::task::JoinSet::new();
            for asker in 0..4 {
                let (gateway, made) = (gateway.clone(), Arc::clone(&made));
                // Half of them ask from elsewhere each round, so that no rate keeps them from reading.
                let question = check(&secret, &format!("203.0.{round}.{asker}"));
                askers.spawn(async move {
                    for pause in 0.. {
                        let after = made.load(Ordering::SeqCst);
                        let answer = gateway.verify(question.clone()).await;
                        let reason = answer["reason"].as_str().unwrap().to_owned();
                        if after {
                            return reason;
                        }
                        assert!(reason == "unknown" || reason == "granted", "{answer}");
                        if pause % 3 == 0 {
                            tokio::time::sleep(Duration::from_millis(asker)).await;
                        }
                    }
                    unreachable!("it ends when the token is made")
                });
            }
            tokio::time::sleep(Duration::from_millis(round % 6)).await;
            // A token is made with a secret that was shown before; the server itself would never choose it.
            let mut tx = app.db.write().await.unwrap();
            let digest = app.hasher.digest(&secret);
            tegata::db::secrets::insert(&mut tx, digest, app.hasher.key_id(), &token, app.clock.now()).await.unwrap();
            tx.feed(Topic::Token, None, &token).await.unwrap();
            let sequence = tx.commit().await.unwrap();
            app.verify.applied(sequence).await.unwrap();
            made.store(true, Ordering::SeqCst);
            for reason in askers.join_all().await {
                assert_eq!(reason, "granted", "round {round}");
            }
        }
        let read = app.verify.unknown().counts().absent.load(Ordering::Relaxed);
        assert!((25..=25 * 5).contains(&read), "{read}: a token is read until it is known to be unknown, and no longer");
    }

    async fn a_flood_is_held_back_by_address_and_never_calls_a_good_token_unknown(server: Server) {
        let town = Town::found(&server).await;
        let role = town.doors_role().await;
        let owner = town.member(&server, "carol", "member").await;
        town.give(&role, &owner.id).await;
        let mut secrets = Vec::new();
        for _ in 0..2 {
            secrets.push(doors_token(&owner.client, &server.in_days(10)).await.1);
        }
        let gateway = server.verifier(&town.root, "town").await;
        let Server { running, mut config, directory, .. } = server;
        running.stop().await;
        // Room for one of the two; one unknown token a second, so that it does not matter how fast the machine is.
        (config.cache_bytes, config.preload) = (2 * OF_A_SLOT - 1, 0);
        config.unknown.lookups_per_second = std::num::NonZeroU32::MIN;
        let running = start(&config).await.unwrap();
        let gateway = Client::new(&format!("http://{}", running.address), gateway.token.as_deref());
        let (flooded, other) = ("203.0.113.9", "203.0.113.10");
        for secret in secrets.iter().chain([&secrets[1]; 3]) {
            assert_eq!(gateway.verify(check(secret, other)).await["reason"], "granted");
        }
        let counts = running.app.verify.unknown().counts();
        assert_eq!(counts.absent.load(Ordering::Relaxed), 0, "known tokens cost their callers nothing");

        // Ten seconds' worth at once; while it lasts, some more become possible.
        let began = std::time::Instant::now();
        let answers = batch(&gateway, (0..600).map(|number| check(&unknown(number), flooded)).collect()).await;
        let told = reasons(&answers);
        let possible = 10 + usize::try_from(began.elapsed().as_secs() + 1).unwrap();
        assert!((10..=possible).contains(&told["unknown"]), "{told:?}");
        assert_eq!(told["unknown"] + told["rate_limited"], 600, "{told:?}");
        let limited = answers.iter().find(|answer| answer["reason"] == "rate_limited").unwrap();
        assert_eq!((&limited["allowed"], &limited["retry_after_seconds"]), (&json!(false), &json!(1)));
        assert!(limited.get("credential").is_none(), "nobody looked");

        // Elsewhere, and what is known to be unknown, and what is known.
        assert_eq!(gateway.verify(check(&unknown(1_000), other)).await["reason"], "unknown");
        assert_eq!(gateway.verify(check(&unknown(0), flooded)).await["reason"], "unknown");
        assert_eq!(gateway.verify(check(&secrets[1], flooded)).await["reason"], "granted");
        // A network is one caller.
        let network = (0..600).map(|number| check(&unknown(5_000 + number), &format!("2001:db8::{number:x}")));
        assert!(reasons(&batch(&gateway, network.collect()).await)["rate_limited"] > 400);
        // A good token that is not in memory is not said to be unknown, and a later try lets it in.
        let exhaust = (0..600).map(|number| check(&unknown(9_000 + number), flooded));
        let mut checks: Vec<Value> = exhaust.collect();
        checks.push(check(&secrets[0], flooded));
        let answers = batch(&gateway, checks).await;
        let cold = answers.last().unwrap();
        assert!(cold["reason"] == "rate_limited" || cold["reason"] == "granted", "{cold}");
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(gateway.verify(check(&secrets[0], flooded)).await["reason"], "granted");

        // Without an address, it is the verifier that is held back.
        let body = |number: u64| doors_check(&unknown(20_000 + number));
        assert!(reasons(&batch(&gateway, (0..600).map(body).collect()).await)["rate_limited"] > 400);
        running.stop().await;
        drop(directory);
    }

    async fn unknown_verifiers_are_read_once(server: Server) {
        let town = Town::found(&server).await;
        let gateway = server.verifier(&town.root, "town").await;
        let stranger = gateway.with(&secret_of(SecretKind::Verifier, 1));
        for _ in 0..20 {
            stranger.post("/v1/verify", doors_check("junk")).await.problem("unauthenticated");
        }
        assert_eq!(server.running.app.verify.unknown().counts().absent.load(Ordering::Relaxed), 1);
        assert_eq!(gateway.verify(doors_check("junk")).await["reason"], "malformed");
    }

    async fn every_denial_is_counted_and_known_credentials_have_a_record_each(server: Server) {
        let town = Town::found(&server).await;
        let role = town.doors_role().await;
        let owner = town.member(&server, "carol", "member").await;
        town.give(&role, &owner.id).await;
        let (_, secret) = doors_token(&owner.client, &server.in_days(10)).await;
        let gateway = server.verifier(&town.root, "town").await;
        let mut answers = Vec::new();
        for round in 0..5 {
            let mut checks: Vec<Value> =
                (0..900).map(|_| check("junk", &format!("203.0.113.{round}"))).collect();
            checks.extend((0..50).map(|_| check(&secret, "203.0.113.99")));
            answers.extend(batch(&gateway, checks).await);
        }
        assert_eq!(reasons(&answers), BTreeMap::from([("malformed".to_owned(), 4_500), ("granted".to_owned(), 250)]));
        let (own, summed_up): (Vec<&Value>, Vec<&Value>) = answers.iter().partition(|answer| answer["record"].is_string());
        assert!(summed_up.iter().all(|answer| answer["reason"] == "malformed"), "only those");
        assert!(own.len() >= 1_250 && summed_up.len() > 1_500, "{} of {}", own.len(), answers.len());
        let expected = BTreeMap::from([("malformed".to_owned(), 4_500_u64), ("granted".to_owned(), 250)]);
        let admin = &town.admin.client;
        // A summary is there a second after it was begun, or so.
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while counted(admin, "").await != expected {
            assert!(std::time::Instant::now() < until, "{:?}", counted(admin, "").await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(counted(admin, "&address=203.0.113.99").await, BTreeMap::from([("granted".to_owned(), 250)]));
        let statement = "SELECT count(*) AS records, CAST(sum(count) AS BIGINT) AS checks, CAST(max(count) AS BIGINT) AS most
                         FROM records WHERE reason = 'malformed'";
        let reply = admin.post("/v1/orgs/octo/records/sql", json!({"statement": statement})).await;
        let row = &reply.status(200)["rows"][0];
        assert_eq!(row[1], 4_500, "{row}");
        assert!(row[0].as_u64().unwrap() < 3_000 && row[2].as_u64().unwrap() > 100, "{row}");

        // A summary is a record like any other: it is shown, exported, and proven.
        let listed = admin.get("/v1/orgs/octo/records?reason=malformed&limit=200").await;
        let summary = listed.status(200)["items"].as_array().unwrap().iter().find(|item| item["count"] != 1).unwrap();
        assert_eq!((&summary["decision"], &summary["path"]), (&json!("deny"), &Value::Null));
        server.signed().await;
        let id = summary["id"].as_str().unwrap();
        admin.get(&format!("/v1/orgs/octo/records/{id}/proof")).await.status(200);
        // The numbers of all servers of this process are one, in the text of the metrics.
        let counts = server.running.app.verify.unknown().counts();
        assert_eq!(counts.summed_up.load(Ordering::Relaxed), summed_up.len() as u64);
        let metrics = town.root.get("/metrics").await;
        assert!(metrics.status(200).as_str().unwrap().contains("\ntegata_checks_summed_up_total "));
    }

    async fn what_was_counted_when_the_server_stops_is_in_the_log(server: Server) {
        let town = Town::found(&server).await;
        let gateway = server.verifier(&town.root, "town").await;
        for _ in 0..2 {
            let junk = (0..1_000).map(|_| check("junk", "203.0.113.9")).collect();
            assert_eq!(reasons(&batch(&gateway, junk).await)["malformed"], 1_000);
        }
        let admin = town.admin.client.token.clone();
        let server = server.restart().await;
        let admin = Client::new(&server.base, admin.as_deref());
        assert_eq!(counted(&admin, "").await, BTreeMap::from([("malformed".to_owned(), 2_000)]));
    }
}
