//! Service accounts and access keys: roles in places, a client id with a secret, off and on, a new secret, signing in.

use super::{Desk, call, policy_of, text};
use crate::support::Client;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/v1/orgs/acme/service-accounts";
const KEYS: &str = "/v1/orgs/acme/access-keys";
const CHOSEN: &str = "Chosen-secret-1";

async fn account(desk: &Desk, name: &str) -> String {
    text(&desk.admin.client.post(ACCOUNTS, json!({"name": name, "owner": desk.alice.id})).await.status(201)["id"])
}

async fn give(desk: &Desk, role: &str, account: &str, context: Option<&str>) -> String {
    let principal = json!({"type": "service_account", "id": account});
    let body = json!({"role": role, "principal": principal, "context": context});
    text(&desk.admin.client.post("/v1/orgs/acme/assignments", body).await.status(201)["id"])
}

/// A key of the account `ci`, which is an agent in the project `blue`: its id, client id and secret.
async fn ci(desk: &Desk) -> (String, String, String) {
    account(desk, "ci").await;
    give(desk, "desk.agent", "ci", Some("project:key:blue")).await;
    key(&desk.admin.client, json!({"name": "build", "service_account": "ci", "secret": CHOSEN})).await
}

async fn key(client: &Client, body: Value) -> (String, String, String) {
    let reply = client.post(KEYS, body).await;
    let key = reply.status(201);
    (text(&key["id"]), text(&key["client_id"]), text(&key["secret"]))
}

fn check(client_id: &str, secret: &str, method: &str, path: &str) -> Value {
    json!({"client_id": client_id, "client_secret": secret, "api": "desk", "method": method, "path": path})
}

async fn ask(gate: &Client, client_id: &str, secret: &str) -> String {
    text(&gate.verify(check(client_id, secret, "POST", "/acme/blue/tickets")).await["reason"])
}

both_databases! {
    async fn a_key_does_what_the_roles_of_its_account_give(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let (id, client_id, secret) = ci(&desk).await;
        assert_eq!(secret, CHOSEN);
        let random = client_id.strip_prefix("build_").unwrap();
        assert!(random.len() == 25 && random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));

        let answer = gate.verify(check(&client_id, CHOSEN, "POST", "/acme/blue/tickets")).await;
        assert_eq!(answer["reason"], "granted", "{answer}");
        assert_eq!(answer["credential"]["kind"], "access_key");
        assert_eq!(answer["credential"]["id"], id.as_str());
        assert_eq!((&answer["principal"]["type"], &answer["principal"]["name"]), (&json!("service_account"), &json!("ci")));
        let batch = json!({"checks": [check(&client_id, CHOSEN, "GET", "/acme/blue/tickets"),
            check(&client_id, CHOSEN, "GET", "/acme/red/tickets"), check(&client_id, "Wrong-secret-1", "GET", "/acme/blue/tickets")]});
        let reply = gate.post("/v1/verify/batch", batch).await;
        let reasons: Vec<_> = reply.status(200)["results"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
        assert_eq!(reasons, ["granted", "owner_lacks_permission", "unknown"]);

        // Roles hold live, also in the whole organization, and are listed by role, by place and by both.
        let everywhere = json!({"key": "reader", "name": "Reader", "context_type": "global",
            "permissions": [{"api": "desk", "permissions": ["tickets:read"]}]});
        admin.post("/v1/orgs/acme/roles", everywhere).await.status(201);
        let given = give(&desk, "reader", "ci", None).await;
        let red = check(&client_id, CHOSEN, "GET", "/acme/red/tickets");
        assert_eq!(gate.verify(red.clone()).await["reason"], "granted");
        let listed = async |query: &str| {
            let reply = admin.get(&format!("/v1/orgs/acme/assignments?principal=ci{query}")).await;
            reply.status(200)["items"].as_array().unwrap().len()
        };
        assert_eq!(listed("").await, 2);
        assert_eq!(listed("&role=reader").await, 1);
        assert_eq!(listed("&context=project:key:blue").await, 1);
        assert_eq!(listed("&context=global&role=reader").await, 1);
        assert_eq!(listed("&context=project:key:blue&role=reader").await, 0);
        let shown = admin.get(&format!("{ACCOUNTS}/ci")).await;
        assert_eq!(shown.status(200)["roles"].as_array().unwrap().len(), 2);
        assert_eq!(shown["owner"]["id"], desk.alice.id.as_str());
        admin.delete(&format!("/v1/orgs/acme/assignments/{given}")).await.status(200);
        assert_eq!(gate.verify(red).await["reason"], "owner_lacks_permission");

        let record = admin.get("/v1/orgs/acme/records?kind=access_key&decision=allow&limit=1").await;
        assert_eq!(record.status(200)["items"][0]["principal"], answer["principal"]["id"]);
        // Administration of everything does not reach Tegata's own API, and a restart forgets no key.
        give(&desk, "administrator", "ci", None).await;
        server.anybody().with(CHOSEN).get("/v1/me").await.problem("unauthenticated");
        let gate_token = gate.token.clone().unwrap();
        let server = server.restart().await;
        let gate = server.anybody().with(&gate_token);
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "granted");
    }

    async fn off_and_on_with_a_new_secret_and_off_for_good(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let (id, client_id, _) = ci(&desk).await;
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "granted");
        let path = format!("{KEYS}/{id}");
        let receipt = admin.post(&format!("{path}/block"), json!({})).await;
        assert_eq!(receipt.status(200)["verifiers"][0]["applied"], true);
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "blocked");
        assert_eq!(admin.get(&path).await.status(200)["is_valid"], false);

        let fresh = admin.post(&format!("{path}/regenerate"), json!({"secret": "Another-one-2"})).await;
        assert_eq!(fresh.status(200)["client_id"], client_id.as_str());
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "unknown", "the old secret ended");
        assert_eq!(ask(&gate, &client_id, "Another-one-2").await, "blocked", "a new secret lets nothing go on");
        assert_eq!(admin.post(&format!("{path}/unblock"), json!({})).await.status(200)["is_valid"], true);
        assert_eq!(ask(&gate, &client_id, "Another-one-2").await, "granted");
        // Back to the first: known pairs are no more than what is stored.
        admin.post(&format!("{path}/regenerate"), json!({"secret": CHOSEN})).await.status(200);
        assert_eq!(ask(&gate, &client_id, "Another-one-2").await, "unknown");
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "granted");
        let made = text(&admin.post(&format!("{path}/regenerate"), json!({})).await.status(200)["secret"]);
        assert_eq!(made.len(), 30);
        assert_eq!(ask(&gate, &client_id, &made).await, "granted");

        admin.post(&format!("{ACCOUNTS}/ci/deactivate"), json!({})).await.status(200);
        assert_eq!(ask(&gate, &client_id, &made).await, "owner_inactive");
        admin.post(&format!("{ACCOUNTS}/ci/deactivate"), json!({})).await.problem("conflict");
        admin.post(&format!("{ACCOUNTS}/ci/activate"), json!({})).await.status(200);
        assert_eq!(ask(&gate, &client_id, &made).await, "granted");
        policy_of(&desk.admin, "acme", "access_key", &json!({"level": "read_only"})).await;
        assert_eq!(ask(&gate, &client_id, &made).await, "policy_read_only");
        policy_of(&desk.admin, "acme", "access_key", &json!({"admission": "deny"})).await;
        assert_eq!(ask(&gate, &client_id, &made).await, "policy_denied");
        policy_of(&desk.admin, "acme", "access_key", &json!({})).await;
        assert_eq!(ask(&gate, &client_id, &made).await, "granted");
        admin.post(&format!("{path}/revoke"), json!({})).await.status(200);
        assert_eq!(ask(&gate, &client_id, &made).await, "revoked");
        for verb in ["unblock", "block", "revoke", "regenerate"] {
            admin.post(&format!("{path}/{verb}"), json!({})).await.problem("conflict");
        }
    }

    async fn signing_in_gives_a_credential_for_an_hour(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let (id, client_id, _) = ci(&desk).await;
        let form = json!({"client_id": client_id, "client_secret": CHOSEN});
        let sign_in = async || server.anybody().post("/v1/access-keys/sign-in", form.clone()).await;
        let session = text(&sign_in().await.status(201)["token"]);
        assert!(session.starts_with("tegata_acs_"));
        let reason = async |token: &str| text(&call(&gate, token, "POST", "/acme/blue/tickets").await["reason"]);
        assert_eq!(reason(&session).await, "granted");
        server.anybody().with(&session).get("/v1/me").await.problem("unauthenticated");
        let activity = admin.get("/v1/orgs/acme/activity?limit=1").await;
        let entry = &activity.status(200)["items"][0];
        assert_eq!((&entry["operation"], &entry["actor"]["name"]), (&json!("access.key.sign_in"), &json!("ci")), "{entry}");

        admin.post(&format!("{KEYS}/{id}/block"), json!({})).await.status(200);
        assert_eq!(reason(&session).await, "blocked");
        sign_in().await.problem("forbidden");
        admin.post(&format!("{KEYS}/{id}/unblock"), json!({})).await.status(200);
        assert_eq!(reason(&session).await, "granted");
        server.advance(std::time::Duration::from_secs(3_601));
        assert_eq!(reason(&session).await, "expired");
        let second = text(&sign_in().await.status(201)["token"]);
        assert_eq!(reason(&second).await, "granted");
        admin.post(&format!("{KEYS}/{id}/regenerate"), json!({})).await.status(200);
        assert_eq!(reason(&second).await, "expired", "it ended with the secret that it came from");
        let wrong = json!({"client_id": "nobody", "client_secret": "x"});
        server.anybody().post("/v1/access-keys/sign-in", wrong).await.problem("wrong_credentials");
    }

    async fn guessing_is_slowed_down_and_what_is_known_is_not(server: Server) {
        let desk = Desk::new(&server).await;
        let gate = server.verifier(&desk.root, "desk").await;
        let (_, client_id, _) = ci(&desk).await;
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "granted");
        let mut reasons = Vec::new();
        for number in 0..8 {
            reasons.push(ask(&gate, &client_id, &format!("Guess-number-{number}")).await);
        }
        assert_eq!(&reasons[..5], ["unknown"; 5]);
        assert_eq!(reasons[7], "rate_limited", "{reasons:?}");
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "granted", "it is known already");
        let form = json!({"client_id": client_id, "client_secret": CHOSEN});
        server.anybody().post("/v1/access-keys/sign-in", form).await.problem("too_many_requests");
        server.advance(std::time::Duration::from_mins(20));
        assert_eq!(ask(&gate, &client_id, "Guess-number-9").await, "unknown");
        assert_eq!(ask(&gate, &client_id, CHOSEN).await, "granted");
    }

    async fn nobody_gets_a_secret_beyond_themself(server: Server) {
        let desk = Desk::new(&server).await;
        let admin = &desk.admin.client;
        let (id, ..) = ci(&desk).await;
        let permissions = json!([{"api": "tegata", "permissions": ["access_keys:write"]}]);
        let role = json!({"key": "keys", "name": "Keys", "context_type": "global", "permissions": permissions});
        admin.post("/v1/orgs/acme/roles", role).await.status(201);
        let body = json!({"role": "keys", "principal": {"type": "user", "id": desk.alice.id}});
        admin.post("/v1/orgs/acme/assignments", body).await.status(201);
        // Alice is an agent in the project `blue`, like the account.
        let alice = &desk.alice.client;
        let body = json!({"name": "mine", "service_account": "ci"});
        key(alice, body.clone()).await;
        alice.post(&format!("{KEYS}/{id}/regenerate"), json!({})).await.status(200);
        give(&desk, "desk.agent", "ci", Some("project:key:red")).await;
        alice.post(KEYS, body).await.problem("beyond_own_rights");
        alice.post(&format!("{KEYS}/{id}/regenerate"), json!({})).await.problem("beyond_own_rights");
        alice.post(&format!("{KEYS}/{id}/revoke"), json!({})).await.status(200);
    }

    async fn what_makes_no_access_key(server: Server) {
        let desk = Desk::new(&server).await;
        let admin = &desk.admin.client;
        account(&desk, "ci").await;
        admin.post(ACCOUNTS, json!({"name": "ci"})).await.field("duplicate", "name");
        admin.post(ACCOUNTS, json!({"name": ""})).await.field("invalid", "name");
        admin.post(ACCOUNTS, json!({"name": "x", "owner": "nobody@example.com"})).await.field("invalid", "owner");
        admin.patch(&format!("{ACCOUNTS}/ci"), json!({"owner": "nobody"})).await.field("invalid", "owner");
        let owner = admin.patch(&format!("{ACCOUNTS}/ci"), json!({"name": "ci-2", "owner": desk.admin.id})).await;
        assert_eq!(owner.status(200)["owner"]["id"], desk.admin.id.as_str());
        let with = |field: &str, value: Value| {
            let mut body = json!({"name": "build", "service_account": "ci-2"});
            body[field] = value;
            body
        };
        for secret in ["Short-1", "alllowercase1", "no\u{1}Control-1", &"Aa1-".repeat(8)] {
            admin.post(KEYS, with("secret", json!(secret))).await.field("invalid", "secret");
        }
        admin.post(KEYS, with("name", json!("with space"))).await.field("invalid", "name");
        admin.post(KEYS, with("service_account", json!("nobody"))).await.field("invalid", "service_account");
        admin.post(KEYS, with("expires_at", json!(server.in_days(366)))).await.field("invalid", "expires_at");
        policy_of(&desk.admin, "acme", "access_key", &json!({"without_end": false})).await;
        admin.post(KEYS, with("reason", json!("why"))).await.field("invalid", "expires_at");
        policy_of(&desk.admin, "acme", "access_key", &json!({"admission": "deny", "without_end": true})).await;
        admin.post(KEYS, with("reason", json!("why"))).await.problem("forbidden");
        assert!(admin.get(KEYS).await["items"].as_array().unwrap().is_empty());
        let gate = server.verifier(&desk.root, "desk").await;
        let bad = |body: Value| { let gate = gate.clone(); async move { gate.post("/v1/verify", body).await } };
        let base = json!({"api": "desk", "permission": "tickets:read"});
        let and = |more: Value| { let mut body = base.clone(); body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone()); body };
        bad(base.clone()).await.field("invalid", "token");
        bad(and(json!({"client_id": "x"}))).await.field("invalid", "client_secret");
        bad(and(json!({"client_secret": "x"}))).await.field("invalid", "client_id");
        bad(and(json!({"token": "x", "client_id": "x", "client_secret": "x"}))).await.field("invalid", "token");
    }
}
