//! Keys that were made elsewhere: imported by their hashes, and shown by callers who notice nothing.

use super::{Desk, call, policy_of, text};
use crate::support::{Client, Server};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;
use tegata::db::imports::{self, Import, ImportState, StagedGrant, StagedRow};
use tegata_core::ids::{GrantId, ImportId, TokenId};

pub const IMPORTS: &str = "/v1/orgs/acme/credential-imports";
const TICKETS: &str = "/acme/blue/tickets";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sha_256(key: &str) -> String {
    hex(digest(&SHA256, key.as_bytes()).as_ref())
}

/// An import of JSON Lines, with what rows say that say nothing.
fn lines(server: &Server, rows: &[Value]) -> Value {
    let content = rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let defaults = json!({"kind": "personal_token", "owner": "alice@example.com", "api": "desk", "algorithm": "sha-256",
        "scopes": "project:key:blue:tickets:read", "expires_at": server.in_days(30)});
    json!({"format": "jsonl", "content": content, "settings": {"defaults": defaults}, "reason": "moving in"})
}

fn with_shape(mut body: Value, shape: Value) -> Value {
    body["settings"]["shape"] = shape;
    body
}

async fn reason(gate: &Client, key: &str) -> String {
    text(&call(gate, key, "GET", TICKETS).await["reason"])
}

async fn tokens_here(desk: &Desk) -> Vec<Value> {
    let listed = desk.admin.client.get("/v1/orgs/acme/tokens?limit=200").await;
    listed.status(200)["items"].as_array().unwrap().clone()
}

both_databases! {
    async fn callers_notice_nothing(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        assert_eq!(reason(&gate, "old-key-1").await, "malformed", "before the first import");
        let rows = [
            json!({"name": "one", "hash": sha_256("old-key-1")}),
            json!({"name": "two", "hash": BASE64_STANDARD.encode(digest(&SHA256, b"old-key-2")), "encoding": "base64"}),
            json!({"name": "org", "kind": "organization_key", "owner": null, "hash": sha_256("old-key-3")}),
        ];
        let mut body = lines(&server, &rows);
        // A default cannot be taken back by a row, so the key of the organization has a file of its own.
        body["content"] = json!(format!("{}\n{}\n", rows[0], rows[1]));
        let dry = admin.post(&format!("{IMPORTS}?dry_run=true"), body.clone()).await;
        let dry = dry.status(200);
        assert_eq!((&dry["dry_run"], &dry["credentials"], &dry["wrong_rows"]), (&json!(true), &json!(2), &json!(0)));
        assert_eq!(dry["warnings"][0]["code"], "unsalted_fast_hash");
        assert_eq!((&dry["warnings"][0]["rows"], &dry["warnings"][0]["first_row"]), (&json!(2), &json!(1)));
        assert!(tokens_here(&desk).await.is_empty(), "a dry run makes nothing");
        assert_eq!(reason(&gate, "old-key-1").await, "malformed");

        let made = admin.post(IMPORTS, body).await;
        let made = made.status(201);
        assert_eq!((&made["state"], &made["credentials"], &made["dry_run"]), (&json!("live"), &json!(2), &json!(false)));
        for key in ["old-key-1", "old-key-2"] {
            let answer = call(&gate, key, "GET", TICKETS).await;
            assert_eq!(answer["reason"], "granted", "{answer}");
            assert_eq!((&answer["credential"]["kind"], &answer["principal"]["id"]), (&json!("personal_token"), &json!(desk.alice.id)));
            // Again, from memory.
            assert_eq!(reason(&gate, key).await, "granted");
        }
        assert_eq!(reason(&gate, "old-key-3").await, "unknown", "since something was imported, it may look like anything");
        assert_eq!(text(&call(&gate, "old-key-1", "POST", TICKETS).await["reason"]), "insufficient_scope");

        let content = format!("{}\n", json!({"name": "org", "kind": "organization_key", "hash": sha_256("old-key-3"), "api": "desk",
            "scopes": ["tickets:write"], "algorithm": "sha-256", "expires_at": server.in_days(30)}));
        admin.post(IMPORTS, json!({"format": "jsonl", "content": content})).await.status(201);
        let answer = call(&gate, "old-key-3", "POST", TICKETS).await;
        assert_eq!((&answer["reason"], &answer["principal"]["type"]), (&json!("granted"), &json!("organization")), "{answer}");

        // They are credentials like all others, and marked.
        let own = desk.alice.client.get("/v1/me/tokens").await;
        let own = own.status(200)["items"].as_array().unwrap().clone();
        assert!(own.len() == 2 && own.iter().all(|token| token["imported"] == true), "{own:?}");
        let keys = admin.get("/v1/orgs/acme/organization-keys").await;
        assert_eq!(keys.status(200)["items"][0]["imported"], true);
        let one = own.iter().find(|token| token["name"] == "one").unwrap();
        admin.post(&format!("/v1/orgs/acme/tokens/{}/block", text(&one["id"])), json!({})).await.status(200);
        assert_eq!(reason(&gate, "old-key-1").await, "blocked");
        let two = own.iter().find(|token| token["name"] == "two").unwrap();
        desk.alice.client.post(&format!("/v1/me/tokens/{}/revoke", text(&two["id"])), json!({})).await.status(200);
        assert_eq!(reason(&gate, "old-key-2").await, "revoked");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"admission": "deny"})).await;
        assert_eq!(text(&call(&gate, "old-key-3", "POST", TICKETS).await["reason"]), "policy_denied");

        // The book and the list tell of the import as one thing.
        let activity = admin.get("/v1/orgs/acme/activity?limit=50").await;
        let entries = activity.status(200)["items"].as_array().unwrap().clone();
        let entry = entries.iter().find(|entry| entry["operation"] == "credential.import.create" && entry["reason"] == "moving in").unwrap();
        assert_eq!(entry["after"]["credentials"], 2);
        let imports = admin.get(IMPORTS).await;
        assert_eq!(imports.status(200)["items"].as_array().unwrap().len(), 2);
        let shown = admin.get(&format!("{IMPORTS}/{}", text(&imports["items"][1]["id"]))).await;
        assert_eq!((&shown.status(200)["state"], &shown["credentials"]), (&json!("live"), &json!(2)));
        assert_eq!(shown["created_by"], json!(desk.admin.id));

        let server = server.restart().await;
        let gate = Client::new(&server.base, gate.token.as_deref());
        assert_eq!(reason(&gate, "old-key-1").await, "blocked");
        assert_eq!(reason(&gate, "old-key-2").await, "revoked");
    }

    async fn wrong_rows_are_named_and_nothing_is_imported(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let hash = sha_256("sound");
        let rows = [
            json!({"name": "sound", "hash": hash}),
            json!({"name": "", "hash": sha_256("a")}),
            json!({"name": "x", "hash": "zz"}),
            json!({"name": "x", "hash": sha_256("b"), "owner": "nobody@example.com"}),
            json!({"name": "x", "hash": sha_256("c"), "scopes": "tickets:reed"}),
            json!({"name": "x", "hash": sha_256("d"), "expires_at": server.in_days(366)}),
            json!({"name": "x", "hash": sha_256("e"), "expires_at": "soon"}),
            json!({"name": "again", "hash": hash}),
            json!({"name": "x", "hash": "$2b$12$abc", "algorithm": "bcrypt"}),
            json!({"name": "x", "hash": sha_256("f"), "salt": "00", "salt_position": "after"}),
            json!({"name": "x", "hash": sha_256("g"), "api": "tegata"}),
            json!({"name": "x", "hash": sha_256("h"), "algorithm": "hmac-sha-256"}),
            json!({"name": "x", "hash": sha_256("i"), "colour": "red"}),
        ];
        let body = lines(&server, &rows);
        let refused = admin.post(IMPORTS, body.clone()).await;
        for field in ["rows[2].name", "rows[3].hash", "rows[4].owner", "rows[5].scopes", "rows[6].expires_at", "rows[7].expires_at",
            "rows[8].hash", "rows[9].hash", "rows[10].algorithm", "rows[11].api", "rows[12].algorithm", "rows[13]"] {
            refused.field("invalid", field);
        }
        assert!(!refused.body.to_string().contains("rows[1]"), "{}", refused.body);
        assert!(tokens_here(&desk).await.is_empty());
        assert!(admin.get(IMPORTS).await.status(200)["items"].as_array().unwrap().is_empty());
        assert_eq!(reason(&gate, "sound").await, "malformed");

        let dry = admin.post(&format!("{IMPORTS}?dry_run=true"), body.clone()).await;
        assert_eq!((&dry.status(200)["rows"], &dry["wrong_rows"], &dry["credentials"]), (&json!(13), &json!(12), &json!(1)));
        assert_eq!(dry["errors"][0]["row"], 2);
        // What is sound comes in where that was chosen.
        let mut some = body;
        some["skip_wrong_rows"] = json!(true);
        let made = admin.post(IMPORTS, some.clone()).await;
        assert_eq!((&made.status(201)["credentials"], &made["wrong_rows"]), (&json!(1), &json!(12)));
        assert_eq!(reason(&gate, "sound").await, "granted");
        // What is there is there once.
        some["content"] = json!(format!("{}\n", rows[0]));
        some["skip_wrong_rows"] = json!(false);
        admin.post(IMPORTS, some).await.field("invalid", "rows[1].hash");
        for (change, field) in [
            (json!({"format": "csv", "content": "name,colour\n"}), "content"),
            (json!({"format": "csv", "content": "name,hash\n"}), "content"),
            (json!({"format": "csv", "content": "name\na\n", "settings": {"shape": {"prefix": "x"}}}), "settings.shape"),
            (json!({"format": "csv", "content": "name\na\n", "settings": {"hmac_key": "00"}}), "settings.hmac_key"),
            (json!({"format": "csv", "content": "name\na\n", "settings": {"hashed": "half"}}), "settings.hashed"),
        ] {
            admin.post(IMPORTS, change).await.field("invalid", field);
        }
    }

    async fn slow_hashes_are_replaced_when_their_key_is_shown(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        // bcrypt of "a" and Argon2id of "password" are vectors of their libraries; what was hashed is what follows the dot.
        let rows = [
            json!({"name": "bcrypt", "identifier": "acme_0001", "algorithm": "bcrypt",
                "hash": "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"}),
            json!({"name": "argon2", "identifier": "acme_0002", "algorithm": "argon2",
                "hash": "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"}),
            json!({"name": "pbkdf2", "identifier": "acme_0003", "algorithm": "pbkdf2-sha-512", "salt": "salt", "salt_encoding": "text",
                "iterations": 1, "hash": "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce"}),
            json!({"name": "salted", "identifier": "acme_0004", "salt": "61", "salt_position": "before", "hash": sha_256("abc")}),
        ];
        let mut body = with_shape(lines(&server, &rows), json!({"prefix": "acme_", "separator": "."}));
        body["settings"]["hashed"] = json!("secret");
        let made = admin.post(IMPORTS, body).await;
        let codes: Vec<_> = made.status(201)["warnings"].as_array().unwrap().iter().map(|one| text(&one["code"])).collect();
        assert_eq!(codes, ["fast_hash", "low_cost", "low_cost", "low_cost"]);
        for key in ["acme_0001.b", "acme_0001", "acme_0009.a", "acme_0001a", "other_0001.a"] {
            assert_eq!(reason(&gate, key).await, "unknown", "{key}");
        }
        for (key, name) in [("acme_0001.a", "bcrypt"), ("acme_0002.password", "argon2"), ("acme_0003.password", "pbkdf2"), ("acme_0004.bc", "salted")] {
            let answer = call(&gate, key, "GET", TICKETS).await;
            assert_eq!((&answer["reason"], &answer["credential"]["name"]), (&json!("granted"), &json!(name)), "{answer}");
            assert_eq!(reason(&gate, key).await, "granted");
        }
        let mut tx = server.running.app.db.read().await.unwrap();
        for identifier in ["acme_0001", "acme_0002", "acme_0003", "acme_0004"] {
            assert!(tegata::db::imports::waiting(&mut tx, identifier).await.unwrap().is_none(), "{identifier}: the old hash is gone");
        }
        drop(tx);
        let settled = admin.get("/v1/orgs/acme/activity?limit=50").await;
        let settled = settled.status(200)["items"].as_array().unwrap().iter().filter(|entry| {
            entry["operation"] == "credential.import.settle" && entry["actor"]["type"] == "system"
        }).count();
        assert_eq!(settled, 4, "each is a change of the system");
        assert_eq!(reason(&gate, "acme_0001.b").await, "unknown");
        let server = server.restart().await;
        let gate = Client::new(&server.base, gate.token.as_deref());
        assert_eq!(reason(&gate, "acme_0001.a").await, "granted");
        assert_eq!(reason(&gate, "acme_0001.b").await, "unknown");
    }

    async fn an_identifier_leads_to_one_credential(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let bcrypt = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
        let row = |name: &str, identifier: &str| json!({"name": name, "identifier": identifier, "algorithm": "bcrypt", "hash": bcrypt});
        let shape = json!({"prefix": "", "length": 4});
        let twice = lines(&server, &[row("one", "k001"), row("two", "k001"), row("three", "k1"), json!({"name": "four", "algorithm": "bcrypt", "hash": bcrypt})]);
        let refused = admin.post(IMPORTS, with_shape(twice.clone(), shape.clone())).await;
        for field in ["rows[2].identifier", "rows[3].identifier", "rows[4].identifier"] {
            refused.field("invalid", field);
        }
        admin.post(IMPORTS, twice).await.field("invalid", "rows[1].algorithm");
        let one = with_shape(lines(&server, &[row("one", "k001")]), shape);
        admin.post(IMPORTS, one.clone()).await.status(201);
        admin.post(IMPORTS, one).await.field("invalid", "rows[1].identifier");

        // Guessing is slowed down, and what was right before does not notice.
        let mut slowed = false;
        for number in 0..12 {
            slowed |= reason(&gate, &format!("k001wrong-{number}")).await == "rate_limited";
        }
        assert!(slowed);
        server.advance(Duration::from_hours(1));

        // With a new secret, an old one that was never shown ends, at once or when it was said.
        let token = text(&desk.alice.client.get("/v1/me/tokens").await["items"][0]["id"]);
        let renewed = desk.alice.client.post(&format!("/v1/me/tokens/{token}/regenerate"), json!({})).await;
        assert_eq!(reason(&gate, &text(&renewed.status(200)["token"])).await, "granted");
        assert_eq!(reason(&gate, "k001a").await, "unknown");
    }

    async fn an_access_key_keeps_its_client_id(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let account = admin.post("/v1/orgs/acme/service-accounts", json!({"name": "ci"})).await;
        let account = text(&account.status(201)["id"]);
        let role = json!({"role": "desk.agent", "principal": {"type": "service_account", "id": account}, "context": "project:key:blue"});
        admin.post("/v1/orgs/acme/assignments", role).await.status(201);
        let body = json!({"format": "csv", "content": format!(
            "kind,owner,name,identifier,algorithm,hash\naccess_key,ci,old,client-1,sha-256,{}\naccess_key,{account},older,client-2,bcrypt,{}\n",
            sha_256("se cret"), "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe")});
        admin.post(IMPORTS, body.clone()).await.status(201);
        let ask = |id: &str, secret: &str| json!({"client_id": id, "client_secret": secret, "api": "desk", "method": "GET", "path": TICKETS});
        for (id, secret) in [("client-1", "se cret"), ("client-2", "a")] {
            let answer = gate.verify(ask(id, secret)).await;
            assert_eq!((&answer["reason"], &answer["credential"]["kind"]), (&json!("granted"), &json!("access_key")), "{answer}");
            assert_eq!(gate.verify(ask(id, secret)).await["reason"], "granted");
            assert_eq!(gate.verify(ask(id, "wrong")).await["reason"], "unknown");
        }
        let mut tx = server.running.app.db.read().await.unwrap();
        let key = tegata::db::access_keys::by_client(&mut tx, "client-1").await.unwrap().unwrap();
        assert!(key.secret_hash.starts_with("$argon2id$"), "ours has taken its place");
        drop(tx);
        let keys = admin.get("/v1/orgs/acme/access-keys").await;
        assert!(keys.status(200)["items"].as_array().unwrap().iter().all(|key| key["imported"] == true && key["expires_at"].is_null()));
        admin.post(IMPORTS, body).await.field("invalid", "rows[1].identifier");
    }

    async fn an_hmac_is_found_with_the_key_that_is_kept_sealed(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA512, b"the old system's key");
        let row = |number: u32| {
            let hash = hex(aws_lc_rs::hmac::sign(&key, format!("old-{number}").as_bytes()).as_ref());
            json!({"name": "x", "algorithm": "hmac-sha-512", "hash": hash})
        };
        for number in 0..2 {
            let mut body = lines(&server, &[row(number)]);
            body["settings"]["hmac_key"] = json!("the old system's key");
            body["settings"]["hmac_key_encoding"] = json!("text");
            let made = admin.post(IMPORTS, body).await;
            assert_eq!(made.status(201)["warnings"], json!([]));
        }
        let mut tx = server.running.app.db.read().await.unwrap();
        let profiles = tegata::db::imports::profiles(&mut tx).await.unwrap();
        assert_eq!(profiles.len(), 1, "the same key is the same way to look");
        assert!(!format!("{profiles:?}").contains("old system"));
        drop(tx);
        for number in 0..2 {
            assert_eq!(reason(&gate, &format!("old-{number}")).await, "granted");
        }
        let server = server.restart().await;
        assert_eq!(reason(&Client::new(&server.base, gate.token.as_deref()), "old-1").await, "granted");
    }

    async fn who_may_import_and_what(server: Server) {
        let desk = Desk::new(&server).await;
        let other = desk.second(&server).await;
        let body = lines(&server, &[json!({"name": "x", "hash": sha_256("mine")})]);
        desk.alice.client.post(IMPORTS, body.clone()).await.problem("forbidden");
        other.client.post(IMPORTS, body.clone()).await.problem("not_found");
        server.anybody().post(IMPORTS, body.clone()).await.problem("unauthenticated");
        // A member of another organization is nobody here.
        let mut foreign = body.clone();
        foreign["settings"]["defaults"]["owner"] = json!("other-admin@example.com");
        desk.admin.client.post(IMPORTS, foreign).await.field("invalid", "rows[1].owner");
        // Nobody passes on what they do not have: Alice may import, and is an agent in `blue` alone.
        let permissions = json!([{"api": "tegata", "permissions": ["credential_imports:write"]}]);
        let role = json!({"key": "mover", "name": "Mover", "context_type": "global", "permissions": permissions});
        desk.admin.client.post("/v1/orgs/acme/roles", role).await.status(201);
        let given = json!({"role": "mover", "principal": {"type": "user", "id": desk.alice.id}});
        desk.admin.client.post("/v1/orgs/acme/assignments", given).await.status(201);
        let mut beyond = body.clone();
        beyond["settings"]["defaults"]["scopes"] = json!("project:key:red:tickets:read");
        desk.alice.client.post(IMPORTS, beyond).await.field("invalid", "rows[1].scopes");
        policy_of(&desk.admin, "acme", "personal_token", &json!({"admission": "approval", "four_eyes": true})).await;
        desk.alice.client.post(IMPORTS, body.clone()).await.field("invalid", "rows[1].owner");
        // Where a word is wanted, whoever could give it imports: Alice has the permission, and does not answer for the place.
        policy_of(&desk.admin, "acme", "personal_token", &json!({"admission": "approval"})).await;
        desk.alice.client.post(IMPORTS, body.clone()).await.field("invalid", "rows[1].scopes");
        let dry = desk.admin.client.post(&format!("{IMPORTS}?dry_run=true"), body.clone()).await;
        assert_eq!(dry.status(200)["wrong_rows"], 0);
        policy_of(&desk.admin, "acme", "personal_token", &json!({"admission": "deny"})).await;
        desk.admin.client.post(IMPORTS, body.clone()).await.field("invalid", "rows[1].kind");
        policy_of(&desk.admin, "acme", "personal_token", &json!({})).await;

        let twice = [("idempotency-key", "once")];
        let send = || desk.alice.client.send(reqwest::Method::POST, IMPORTS, Some(body.clone()), &twice);
        let (first, again) = (send().await, send().await);
        assert_eq!((first.status(201), again.headers["idempotency-replayed"].as_bytes()), (again.status(201), &b"true"[..]));
        assert_eq!(tokens_here(&desk).await.len(), 1);
        // What one organization imported is none of another's business.
        let import = text(&first["id"]);
        other.client.get(&format!("/v1/orgs/other/credential-imports/{import}")).await.problem("not_found");
        assert!(other.client.get("/v1/orgs/other/credential-imports").await.status(200)["items"].as_array().unwrap().is_empty());
    }

    async fn what_a_server_did_not_finish_is_finished_when_it_starts(server: Server) {
        let desk = Desk::new(&server).await;
        let gate = server.verifier(&desk.root, "desk").await;
        let body = lines(&server, &[json!({"name": "first", "hash": sha_256("first")})]);
        desk.admin.client.post(IMPORTS, body).await.status(201);
        let app = &server.running.app;
        let mut tx = app.db.read().await.unwrap();
        let org = tegata::db::orgs::find(&mut tx, "acme").await.unwrap().unwrap().id;
        drop(tx);
        let api = text(&desk.root.get("/v1/apis/desk").await.status(200)["id"]);
        // Two that a killed server would leave: one that was said to be, one that was not.
        let mut tx = app.db.write().await.unwrap();
        for (number, state) in [(1, ImportState::Committed), (2, ImportState::Staged)] {
            let (import, now) = (ImportId::from_u128(number), app.clock.now());
            let made = Import { id: import, org, state, credentials: 1, skipped: 0, warnings: 0, reason: String::new(),
                created_by: desk.admin.id.parse().unwrap(), created_at: now, live_at: None };
            imports::insert(&mut tx, &made).await.unwrap();
            let hash = digest(&SHA256, format!("left-{number}").as_bytes());
            let grant = StagedGrant { id: GrantId::from_u128(number).to_string(), api: api.clone(), context: None,
                permissions: "tickets:read".to_owned() };
            let row = StagedRow { ordinal: 0, token: TokenId::from_u128(number), owner: org.to_string(), kind: "organization_key",
                coverage: "listed", name: "left".to_owned(), reason: String::new(), expires_at: now.plus(Duration::from_hours(1)),
                digest: Some((app.hasher.imported("sha-256", hash.as_ref()), app.hasher.key_id())), identifier: None, hash: None,
                client: None, grants: vec![grant] };
            imports::stage(&mut tx, org, import, &[row]).await.unwrap();
        }
        tx.commit().await.unwrap();
        let shown = desk.admin.client.get(&format!("{IMPORTS}/{}", ImportId::from_u128(1))).await;
        assert_eq!(shown.status(200)["state"], "committed");
        let server = server.restart().await;
        let (gate, admin) = (Client::new(&server.base, gate.token.as_deref()), Client::new(&server.base, desk.admin.client.token.as_deref()));
        assert_eq!((reason(&gate, "left-1").await.as_str(), reason(&gate, "left-2").await.as_str()), ("granted", "unknown"));
        assert_eq!(admin.get(&format!("{IMPORTS}/{}", ImportId::from_u128(1))).await.status(200)["state"], "live");
        assert_eq!(admin.get(IMPORTS).await.status(200)["items"].as_array().unwrap().len(), 2);
    }

    async fn checks_go_on_while_many_come_in(server: Server) {
        let desk = Desk::new(&server).await;
        let gate = server.verifier(&desk.root, "desk").await;
        let rows: Vec<_> = (0..3_000).map(|number| json!({"name": "x", "hash": sha_256(&format!("many-{number}"))})).collect();
        let (admin, body) = (desk.admin.client.clone(), lines(&server, &rows));
        let first = lines(&server, &[json!({"name": "first", "hash": sha_256("first")})]);
        admin.post(IMPORTS, first).await.status(201);
        let importing = tokio::spawn(async move { admin.post(IMPORTS, body).await });
        while !importing.is_finished() {
            assert_eq!(reason(&gate, "first").await, "granted", "this server proves all the while that it lives");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(importing.await.unwrap().status(201)["credentials"], 3_000);
        for number in [0, 1_499, 2_999] {
            assert_eq!(reason(&gate, &format!("many-{number}")).await, "granted", "{number}");
        }
    }

    async fn a_new_hashing_key_takes_nothing_away(server: Server) {
        let desk = Desk::new(&server).await;
        let gate = server.verifier(&desk.root, "desk").await;
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"the old system's key");
        let under_key = hex(aws_lc_rs::hmac::sign(&key, b"old-hmac").as_ref());
        let rows = [
            json!({"name": "plain", "hash": sha_256("old-plain")}),
            json!({"name": "hmac", "algorithm": "hmac-sha-256", "hash": under_key}),
            json!({"name": "slow", "identifier": "k001", "algorithm": "bcrypt",
                "hash": "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"}),
        ];
        let mut body = with_shape(lines(&server, &rows), json!({"prefix": "", "separator": "."}));
        body["settings"]["hashed"] = json!("secret");
        let refused = desk.admin.client.post(IMPORTS, body.clone()).await;
        refused.field("invalid", "rows[1].identifier");
        refused.field("invalid", "rows[2].algorithm");
        body["settings"]["hashed"] = json!("key");
        body["content"] = json!(format!("{}\n{}", rows[0], rows[1]));
        body["settings"]["hmac_key"] = json!("the old system's key");
        body["settings"]["hmac_key_encoding"] = json!("text");
        desk.admin.client.post(IMPORTS, body.clone()).await.status(201);
        body["content"] = json!(rows[2].to_string());
        body["settings"]["hashed"] = json!("secret");
        desk.admin.client.post(IMPORTS, body).await.status(201);

        let Server { running, config, database, directory, .. } = server;
        running.stop().await;
        tegata::maintenance::keys::rotate(&config).await.unwrap();
        let server = Server::start_on(database, directory, config.database.unwrap()).await;
        let gate = Client::new(&server.base, gate.token.as_deref());
        for key in ["old-plain", "old-hmac", "k001.a"] {
            assert_eq!(reason(&gate, key).await, "granted", "{key}");
            assert_eq!(reason(&gate, key).await, "granted", "{key}, from memory");
        }
    }
}
