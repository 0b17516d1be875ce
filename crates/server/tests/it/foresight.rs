//! What a change of policy would break: told before it is made, and true when it is made.

use crate::support::{Client, Server};
use crate::town::{Town, doors_check, text};
use serde_json::{Value, json};

/// The town with credentials of three kinds, and a verifier that asked about them.
struct Past {
    town: Town,
    gate: Client,
    /// The calls that were made, as the verifier asked them.
    calls: Vec<Value>,
}

impl Past {
    async fn lived(server: &Server, rounds: usize) -> Self {
        let town = Town::found(server).await;
        let admin = &town.admin.client;
        let gate = server.verifier(&town.root, "town").await;
        let mut secrets = Vec::new();
        for (number, scopes) in
            [json!(["doors:write"]), json!(["house:key:main:doors:read"]), json!(["room:key:hall:doors:write"])]
                .into_iter()
                .enumerate()
        {
            let body = json!({"name": format!("token-{number}"), "expires_at": server.in_days(10), "reason": "test",
                "grants": [{"organization": "octo", "api": "town", "scopes": scopes}]});
            secrets.push(text(admin.post("/v1/me/tokens", body).await.status(201), "token"));
        }
        let unscoped =
            json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "unscoped": true, "reason": "test"});
        admin.put("/v1/orgs/octo/policies/organization_key", unscoped).await.status(200);
        for body in [json!({"unscoped": true}), json!({"grants": [{"api": "town", "scopes": ["doors:read"]}]})] {
            let mut key = json!({"name": "key", "expires_at": server.in_days(10)});
            key.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            secrets.push(text(admin.post("/v1/orgs/octo/organization-keys", key).await.status(201), "token"));
        }
        let bot = town.make("applications", json!({"name": "Porter"})).await;
        let rights = json!({"rights": [{"api": "town", "scopes": ["house:key:main:doors:write"]}]});
        admin.post(&format!("/v1/orgs/octo/applications/{bot}/rights"), rights).await.status(201);
        let made = admin.post(&format!("/v1/orgs/octo/applications/{bot}/tokens"), json!({"name": "bench"})).await;
        secrets.push(text(made.status(201), "token"));

        // A fixed walk over everything that can be asked of each of them.
        let mut calls = Vec::new();
        for number in 0..rounds {
            let secret = &secrets[number % secrets.len()];
            let mut call = match number / secrets.len() % 5 {
                0 => doors_check(secret),
                1 => json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"}),
                2 => json!({"token": secret, "api": "town", "permission": "doors:write", "context": "room:key:hall"}),
                3 => json!({"token": secret, "api": "town", "permission": "doors:read", "context": "global"}),
                _ => json!({"token": secret, "api": "town", "method": "GET", "path": "/houses/nowhere/doors"}),
            };
            call["organization"] = json!("octo");
            call["ip"] = json!(format!("203.0.113.{}", number % 3));
            calls.push(call);
        }
        let past = Self { town, gate, calls };
        past.allowed().await;
        past
    }

    /// Makes the calls: whether each was allowed.
    async fn allowed(&self) -> Vec<bool> {
        let mut allowed = Vec::new();
        for some in self.calls.chunks(500) {
            let answer = self.gate.post("/v1/verify/batch", json!({"checks": some})).await;
            allowed.extend(answer.status(200)["results"].as_array().unwrap().iter().map(|one| one["allowed"] == true));
        }
        allowed
    }

    async fn thought(&self, kind: &str, body: Value) -> Value {
        let path = format!("/v1/orgs/octo/policies/{kind}/dry-run");
        self.town.admin.client.post(&path, body).await.status(200).clone()
    }

    async fn policy(&self, kind: &str) -> Value {
        let listed = self.town.admin.client.get("/v1/orgs/octo/policies").await;
        let items = listed.status(200)["items"].as_array().unwrap().clone();
        items.into_iter().find(|policy| policy["kind"] == kind).unwrap()
    }

    /// Sets fields of a policy for real.
    async fn set(&self, kind: &str, change: &Value) {
        let mut body = self.policy(kind).await;
        let fields = body.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.remove("kind");
        fields.insert("reason".to_owned(), json!("test"));
        self.town.admin.client.put(&format!("/v1/orgs/octo/policies/{kind}"), body).await.status(200);
    }
}

both_databases! {
    async fn what_is_foreseen_happens(server: Server) {
        let past = Past::lived(&server, 180).await;
        let changes = [
            ("personal_token", json!({"admission": "deny"})),
            ("personal_token", json!({"level": "read_only"})),
            ("personal_token", json!({"admission": "approval"})),
            ("organization_key", json!({"unscoped": false})),
            ("organization_key", json!({"level": "read_only"})),
            ("application_token", json!({"level": "read_only"})),
            ("application_token", json!({"admission": "deny", "level": "read_only"})),
            ("legacy_token", json!({"admission": "allow"})),
        ];
        let began = server.in_days(-1);
        let from = |body: &Value, to: &str| {
            let mut body = body.clone();
            body["from"] = json!(began);
            body["to"] = json!(to);
            body
        };
        // What is asked of later is not part of the span.
        let to = server.in_days(0);
        let mut broke = 0;
        for (kind, change) in changes {
            let before = past.allowed().await;
            let old = past.policy(kind).await;
            let thought = past.thought(kind, from(&change, &to)).await;
            assert_eq!(past.policy(kind).await, old, "nothing was changed");
            assert_eq!(past.allowed().await, before, "nor for checks");
            past.set(kind, &change).await;
            let after = past.allowed().await;
            let denied = before.iter().zip(&after).filter(|(was, is)| **was && !**is).count();
            let allowed = before.iter().zip(&after).filter(|(was, is)| !**was && **is).count();
            assert_eq!((thought["denied_newly"].as_u64(), thought["allowed_newly"].as_u64()), (Some(denied as u64), Some(allowed as u64)), "{kind} {change}: {thought}");
            assert_eq!((thought["partial"].clone(), thought["not_judged"].clone()), (json!(false), json!(0)));
            let told: u64 = thought["examples"].as_array().unwrap().iter().map(|one| one["calls"].as_u64().unwrap()).sum();
            assert_eq!(told, denied as u64, "few enough to be told one by one");
            // The reversal is foreseen as well.
            let back = past.thought(kind, from(&json!({"admission": old["admission"], "level": old["level"]}), &to)).await;
            if change.get("unscoped").is_none() {
                assert_eq!(back["allowed_newly"].as_u64(), Some(denied as u64));
            }
            past.set(kind, &old).await;
            broke += denied;
        }
        assert!(broke > 50, "only {broke} calls were denied");
    }

    async fn it_says_whom_it_would_hit(server: Server) {
        let past = Past::lived(&server, 60).await;
        let thought = past.thought("application_token", json!({"admission": "deny"})).await;
        assert_eq!((thought["calls"].as_u64(), thought["credentials"].as_u64(), thought["principals"].as_u64()), (Some(10), Some(1), Some(1)));
        let example = &thought["examples"][0];
        assert_eq!((text(example, "name"), text(example, "reason")), ("bench".to_owned(), "policy_denied".to_owned()));
        assert!(text(example, "principal").starts_with("app_"));
        assert_eq!((thought["policy"]["admission"].clone(), thought["proposed"]["admission"].clone()), (json!("approval"), json!("deny")));
        // By today's facts: what was revoked meanwhile loses nothing any more.
        let token = past.town.admin.client.get("/v1/orgs/octo/applications").await;
        let bot = text(&token.status(200)["items"][0], "id");
        past.town.admin.client.post(&format!("/v1/orgs/octo/applications/{bot}/uninstall"), json!({})).await.status(200);
        let thought = past.thought("application_token", json!({"admission": "deny"})).await;
        assert_eq!((thought["calls"].as_u64(), thought["denied_newly"].as_u64()), (Some(10), Some(0)));
        // Nothing happened before.
        let empty = past.thought("personal_token", json!({"admission": "deny", "from": server.in_days(-3), "to": server.in_days(-2)})).await;
        assert_eq!((empty["calls"].as_u64(), empty["examples"].clone()), (Some(0), json!([])));
    }

    async fn who_may_ask_and_what(server: Server) {
        let town = Town::found(&server).await;
        let path = "/v1/orgs/octo/policies/personal_token/dry-run";
        let member = town.member(&server, "member", "member").await.client;
        member.post(path, json!({"admission": "deny"})).await.problem("forbidden");
        let admin = &town.admin.client;
        admin.post(path, json!({"unscoped": true})).await.field("invalid", "unscoped");
        admin.post(path, json!({"admission": "maybe"})).await.problem("malformed_body");
        admin.post(path, json!({"from": "yesterday"})).await.field("invalid", "from");
        admin.post(path, json!({"from": server.in_days(1)})).await.field("invalid", "from");
        for kind in ["session", "application", "root_token"] {
            admin.post(&format!("/v1/orgs/octo/policies/{kind}/dry-run"), json!({})).await.problem("not_found");
        }
    }
}
