//! Organization keys: they act for themselves, within their scopes or, where the policy takes it, with everything.

use super::{Desk, call, desk_document, policy_of, text};
use crate::support::{Client, Server};
use serde_json::{Value, json};

const KEYS: &str = "/v1/orgs/acme/organization-keys";
const TICKETS: &str = "/acme/blue/tickets";
const ELSEWHERE: &str = "/acme/red/tickets";

fn key(server: &Server, scopes: &[&str]) -> Value {
    json!({"name": "backup", "expires_at": server.in_days(30), "reason": "nightly",
        "grants": [{"api": "desk", "scopes": scopes}]})
}

fn unscoped(server: &Server) -> Value {
    json!({"name": "all", "expires_at": server.in_days(30), "unscoped": true})
}

async fn made(client: &Client, body: Value) -> (String, String) {
    let reply = client.post(KEYS, body).await;
    let key = reply.status(201);
    (text(&key["id"]), text(&key["token"]))
}

async fn reason(gate: &Client, token: &str, method: &str, path: &str) -> String {
    text(&call(gate, token, method, path).await["reason"])
}

both_databases! {
    async fn a_key_acts_for_its_organization(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let (id, secret) = made(admin, key(&server, &["project:key:blue:tickets:write"])).await;
        let random = secret.strip_prefix("tegata_org_").unwrap().len() - 6;
        assert!((32..=48).contains(&random), "{random}");

        let answer = call(&gate, &secret, "POST", TICKETS).await;
        assert_eq!(answer["reason"], "granted", "{answer}");
        assert_eq!(answer["credential"]["kind"], "organization_key");
        assert_eq!(answer["principal"]["type"], "organization");
        assert_eq!(answer["principal"]["name"], admin.get("/v1/orgs/acme").await["name"]);
        assert_eq!(reason(&gate, &secret, "GET", TICKETS).await, "granted", "writing implies it");
        let denied = call(&gate, &secret, "GET", ELSEWHERE).await;
        assert_eq!(denied["reason"], "insufficient_scope");
        assert!(denied["request"].is_null(), "its list is its maker's word: {denied}");

        // Nobody's rights bound it, and it is its own organization's alone.
        admin.get(&format!("{KEYS}/{id}")).await.status(200);
        desk.second(&server).await;
        assert_eq!(reason(&gate, &secret, "GET", "/other/blue/tickets").await, "organization_unknown");
        server.anybody().with(&secret).get("/v1/me").await.problem("unauthenticated");

        let records = admin.get("/v1/orgs/acme/records?kind=organization_key&decision=allow").await;
        let record = records.status(200)["items"][0].clone();
        assert_eq!(record["principal"], answer["principal"]["id"], "{record}");
        assert_eq!(record["credential"], id.as_str());

        // It survives what its secret does not: a restart reads it again.
        let server = server.restart().await;
        let gate = server.anybody().with(gate.token.as_ref().unwrap());
        assert_eq!(reason(&gate, &secret, "GET", TICKETS).await, "granted");
        server.advance(tegata_core::time::days(31));
        assert_eq!(reason(&gate, &secret, "GET", TICKETS).await, "expired");
    }

    async fn a_key_is_stopped_for_now_and_for_good(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        let (id, secret) = made(admin, key(&server, &["tickets:read"])).await;
        let path = format!("{KEYS}/{id}");
        let receipt = admin.post(&format!("{path}/block"), json!({"reason": "a leak?"})).await;
        assert_eq!(receipt.status(200)["verifiers"][0]["applied"], true);
        assert_eq!(reason(&gate, &secret, "GET", TICKETS).await, "blocked");
        assert_eq!(admin.get(&path).await["state_reason"], "a leak?");
        admin.post(&format!("{path}/block"), json!({})).await.problem("conflict");
        assert_eq!(admin.post(&format!("{path}/unblock"), json!({})).await.status(200)["state"], "active");
        assert_eq!(reason(&gate, &secret, "GET", TICKETS).await, "granted");
        assert_eq!(admin.post(&format!("{path}/revoke"), json!({})).await.status(200)["state"], "revoked");
        assert_eq!(reason(&gate, &secret, "GET", TICKETS).await, "revoked");
        for verb in ["unblock", "block", "revoke"] {
            admin.post(&format!("{path}/{verb}"), json!({})).await.problem("conflict");
        }
        assert_eq!(admin.get(&path).await.status(200)["state"], "revoked", "its tombstone");
        // What is used here names it, too, and whose it is.
        let tokens = admin.get("/v1/orgs/acme/tokens").await;
        assert_eq!(tokens.status(200)["items"][0]["owner"]["type"], "organization");
        let activity = admin.get("/v1/orgs/acme/activity?limit=3").await;
        let done: Vec<_> = activity.status(200)["items"].as_array().unwrap().iter().map(|one| one["operation"].clone()).collect();
        assert_eq!(done, ["organization.key.revoke", "organization.key.unblock", "organization.key.block"]);
    }

    async fn an_unscoped_key_needs_the_policys_word_at_every_check(server: Server) {
        let desk = Desk::new(&server).await;
        let (admin, gate) = (&desk.admin.client, server.verifier(&desk.root, "desk").await);
        admin.post(KEYS, unscoped(&server)).await.problem("forbidden");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"unscoped": true})).await;
        let (id, secret) = made(admin, unscoped(&server)).await;
        made(admin, key(&server, &["tickets:read"])).await;
        assert_eq!(reason(&gate, &secret, "POST", ELSEWHERE).await, "granted");
        let purge = json!({"token": secret, "api": "desk", "permission": "tickets:purge", "context": "project:key:red"});
        assert_eq!(gate.verify(purge.clone()).await["reason"], "granted");

        let report = admin.get(&format!("{KEYS}?unscoped=true")).await;
        let items = report.status(200)["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["id"], id.as_str());
        assert_eq!(items[0]["risks"], json!(["unscoped"]));
        assert_eq!(items[0]["created_by"]["id"], desk.admin.id.as_str());
        assert_eq!(admin.get(&format!("{KEYS}?unscoped=false")).await["items"].as_array().unwrap().len(), 1);
        assert_eq!(admin.get(KEYS).await["items"].as_array().unwrap().len(), 2);
        assert_eq!(admin.get(&format!("/v1/orgs/acme/tokens/{id}")).await["risks"], json!(["unscoped"]));

        // What the API comes to have is covered, and what the policy takes back is not: no key was changed.
        let mut document = desk_document();
        document["permissions"].as_array_mut().unwrap().push(json!({"name": "later:read", "level": "read"}));
        desk.root.post("/v1/apis", json!({"document": document})).await.status(201);
        let later = json!({"token": secret, "api": "desk", "permission": "later:read"});
        assert_eq!(gate.verify(later.clone()).await["reason"], "granted");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"unscoped": true, "level": "read_only"})).await;
        assert_eq!(gate.verify(later.clone()).await["reason"], "granted");
        assert_eq!(gate.verify(purge.clone()).await["reason"], "policy_read_only");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"unscoped": false})).await;
        assert_eq!(gate.verify(later.clone()).await["reason"], "policy_denied");
        // What a change leaves out stays as it is.
        policy_of(&desk.admin, "acme", "organization_key", &json!({})).await;
        assert_eq!(gate.verify(later.clone()).await["reason"], "policy_denied");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"unscoped": true})).await;
        assert_eq!(gate.verify(later).await["reason"], "granted");
    }

    async fn a_dry_run_tells_and_makes_nothing(server: Server) {
        let desk = Desk::new(&server).await;
        let admin = &desk.admin.client;
        let looked = admin.post(&format!("{KEYS}?dry_run=true"), key(&server, &["project:key:blue:tickets:write"])).await;
        let looked = looked.status(200);
        assert_eq!(looked["dry_run"], true);
        assert_eq!(looked["risks"], json!(["writes", "from_anywhere"]));
        assert_eq!(looked["can"], json!([{"api": "desk", "context": "project:key:blue",
            "permissions": ["tickets:read", "tickets:write"]}]));
        assert!(looked["token"].is_null());
        policy_of(&desk.admin, "acme", "organization_key", &json!({"unscoped": true})).await;
        let before = admin.get("/v1/orgs/acme/activity?limit=1").await["items"][0]["id"].clone();
        let all = admin.post(&format!("{KEYS}?dry_run=true"), unscoped(&server)).await;
        assert_eq!(all.status(200)["can"][0]["permissions"].as_array().unwrap().len(), 4);
        let wrong = admin.post(&format!("{KEYS}?dry_run=true"), key(&server, &["tickets:reed"])).await;
        wrong.field("invalid", "grants[0].scopes[0]");
        desk.alice.client.post(&format!("{KEYS}?dry_run=true"), unscoped(&server)).await.problem("forbidden");
        admin.post(&format!("{KEYS}?dry=true"), unscoped(&server)).await.problem("invalid_parameter");
        assert!(admin.get(KEYS).await["items"].as_array().unwrap().is_empty());
        assert_eq!(admin.get("/v1/orgs/acme/activity?limit=1").await["items"][0]["id"], before);
    }

    async fn nobody_makes_a_key_beyond_themself(server: Server) {
        let desk = Desk::new(&server).await;
        let admin = &desk.admin.client;
        policy_of(&desk.admin, "acme", "organization_key", &json!({"unscoped": true})).await;
        // Alice may make keys, and is an agent in the project `blue`.
        let permissions = json!([{"api": "tegata", "permissions": ["organization_keys:write"]}]);
        let role = json!({"key": "keys", "name": "Keys", "context_type": "global", "permissions": permissions});
        admin.post("/v1/orgs/acme/roles", role).await.status(201);
        let body = json!({"role": "keys", "principal": {"type": "user", "id": desk.alice.id}});
        admin.post("/v1/orgs/acme/assignments", body).await.status(201);
        let alice = &desk.alice.client;
        made(alice, key(&server, &["project:key:blue:tickets:write"])).await;
        alice.post(KEYS, key(&server, &["tickets:read"])).await.problem("beyond_own_rights");
        alice.post(KEYS, key(&server, &["project:key:red:tickets:read"])).await.problem("beyond_own_rights");
        alice.post(KEYS, unscoped(&server)).await.problem("beyond_own_rights");

        // A token makes no more than itself, and no unscoped key at all.
        let body = json!({"name": "maker", "expires_at": server.in_days(20), "reason": "test", "grants": [
            {"organization": "acme", "api": "tegata", "scopes": ["organization_keys:write"]},
            {"organization": "acme", "api": "desk", "scopes": ["tickets:read"]}]});
        let token = text(&admin.post("/v1/me/tokens", body).await.status(201)["token"]);
        let maker = admin.with(&token);
        maker.post(KEYS, key(&server, &["tickets:read"])).await.field("invalid", "expires_at");
        let short = |mut body: Value| { body["expires_at"] = json!(server.in_days(10)); body };
        made(&maker, short(key(&server, &["tickets:read"]))).await;
        maker.post(KEYS, short(key(&server, &["tickets:write"]))).await.problem("beyond_own_rights");
        maker.post(KEYS, short(unscoped(&server))).await.problem("beyond_own_rights");
    }

    async fn what_makes_no_key(server: Server) {
        let desk = Desk::new(&server).await;
        let admin = &desk.admin.client;
        let with = |field: &str, value: Value| { let mut body = key(&server, &["tickets:read"]); body[field] = value; body };
        admin.post(KEYS, with("name", json!(""))).await.field("invalid", "name");
        admin.post(KEYS, with("expires_at", json!(server.in_days(366)))).await.field("invalid", "expires_at");
        admin.post(KEYS, with("expires_at", json!("tomorrow"))).await.field("invalid", "expires_at");
        admin.post(KEYS, with("expires_at", Value::Null)).await.field("malformed_body", "expires_at");
        admin.post(KEYS, with("grants", json!([]))).await.field("invalid", "grants");
        admin.post(KEYS, with("unscoped", json!(true))).await.field("invalid", "grants");
        admin.post(KEYS, with("addresses", json!(["here"]))).await.field("invalid", "addresses[0]");
        let own = json!([{"api": "tegata", "scopes": ["members:write"]}]);
        admin.post(KEYS, with("grants", own)).await.field("invalid", "grants[0].scopes[0]");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"max_lifetime_days": 7})).await;
        admin.post(KEYS, key(&server, &["tickets:read"])).await.field("invalid", "expires_at");
        policy_of(&desk.admin, "acme", "organization_key", &json!({"admission": "deny"})).await;
        admin.post(KEYS, key(&server, &["tickets:read"])).await.problem("forbidden");
        assert!(admin.get(KEYS).await["items"].as_array().unwrap().is_empty());
    }
}
