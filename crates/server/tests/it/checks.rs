//! Checks: the product's job, from a token to a decision that is recorded, and to its end.

use crate::support::Server;
use serde_json::{Value, json};

/// What every test here begins with: GitHub's catalogue, an organization with two repositories, a writer.
struct World {
    root: crate::support::Client,
    admin: crate::support::Person,
    alice: crate::support::Person,
    gateway: crate::support::Client,
    hello: String,
    assignment: String,
}

async fn world(server: &Server) -> World {
    let root = server.admin().await;
    server.catalogue(&root, "github").await;
    let admin = server.org(&root, "octo").await;
    admin.client.put("/v1/orgs/octo/apis/github", json!({})).await.status(200);
    let alice = server.member(&root, &admin.client, "octo", "alice", "member").await;
    let context = |key: &'static str| {
        let client = admin.client.clone();
        async move {
            let body = json!({"type": "repository", "key": key, "name": key});
            let reply = client.post("/v1/orgs/octo/contexts", body).await;
            reply.status(201)["id"].as_str().unwrap().to_owned()
        }
    };
    let hello = context("octo/hello").await;
    context("octo/other").await;
    let body = json!({"key": "issue-writer", "name": "Issue writer", "context_type": "repository",
        "permissions": [{"api": "github", "permissions": ["issues:write"]}]});
    admin.client.post("/v1/orgs/octo/roles", body).await.status(201);
    let body = json!({"role": "issue-writer", "principal": {"type": "user", "id": alice.id}, "context": hello});
    let reply = admin.client.post("/v1/orgs/octo/assignments", body).await;
    let assignment = reply.status(201)["id"].as_str().unwrap().to_owned();
    let policy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "trial"});
    admin.client.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
    let gateway = server.verifier(&root, "github").await;
    World { root, admin, alice, gateway, hello, assignment }
}

impl World {
    async fn token(&self, server: &Server, scopes: &str) -> (String, String) {
        let body = json!({"name": "ci", "expires_at": server.in_days(30), "reason": "test",
            "grants": [{"organization": "octo", "api": "github", "scopes": [scopes]}]});
        let reply = self.alice.client.post("/v1/me/tokens", body).await;
        let body = reply.status(201);
        (body["id"].as_str().unwrap().to_owned(), body["token"].as_str().unwrap().to_owned())
    }

    async fn call(&self, token: &str, method: &str, path: &str) -> Value {
        let body = json!({"token": token, "api": "github", "method": method, "path": path, "ip": "203.0.113.9"});
        self.gateway.verify(body).await
    }
}

const SCOPE: &str = "repository:key:octo/hello:issues:read";
const ISSUES: &str = "/repos/octo/hello/issues";

both_databases! {
    async fn a_token_does_its_job_and_ends(server: Server) {
        let world = world(&server).await;
        let (id, token) = world.token(&server, SCOPE).await;

        let allowed = world.call(&token, "GET", ISSUES).await;
        assert_eq!(allowed["reason"], "granted", "{allowed}");
        assert_eq!(allowed["permission"], "issues:read");
        assert_eq!(allowed["context"], "repository:key:octo/hello");
        assert_eq!(allowed["credential"]["id"], id.as_str());
        assert_eq!(allowed["principal"]["id"], world.alice.id.as_str());

        let denied = world.call(&token, "POST", ISSUES).await;
        assert_eq!(denied["reason"], "insufficient_scope", "{denied}");
        assert_eq!(denied["missing"], json!(["repository:key:octo/hello:issues:write"]));
        assert_eq!(world.call(&token, "GET", "/repos/octo/other/issues").await["reason"], "insufficient_scope");
        assert_eq!(world.call(&token, "GET", "/repos/octo/nowhere/issues").await["reason"], "no_such_context");
        assert_eq!(world.call(&token, "GET", "/repos/octo/hello/../other/issues").await["reason"], "no_such_endpoint");
        assert_eq!(world.call(&token, "GET", "/repos/acme/hello/issues").await["reason"], "organization_unknown");

        let assignment = format!("/v1/orgs/octo/assignments/{}", world.assignment);
        world.admin.client.delete(&assignment).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "owner_lacks_permission");
        let body = json!({"role": "issue-writer", "principal": {"type": "user", "id": world.alice.id}, "context": world.hello});
        world.admin.client.post("/v1/orgs/octo/assignments", body).await.status(201);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "granted");

        let receipt = world.alice.client.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await;
        assert_eq!(receipt.status(200)["verifiers"][0]["applied"], true);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "revoked");
        assert_eq!(world.call("not a token", "GET", ISSUES).await["reason"], "malformed");
        let other = token.replace("tegata_pat_", "tegata_pbt_");
        assert_eq!(world.call(&other, "GET", ISSUES).await["reason"], "malformed");

        let records = world.admin.client.get("/v1/orgs/octo/records?api=github&limit=200").await;
        let reasons: Vec<_> = records.status(200)["items"].as_array().unwrap().iter()
            .map(|record| record["reason"].as_str().unwrap().to_owned()).collect();
        assert_eq!(reasons, [
            "malformed", "malformed", "revoked", "granted", "owner_lacks_permission", "no_such_endpoint", "no_such_context",
            "insufficient_scope", "insufficient_scope", "granted",
        ]);
    }

    async fn a_verifier_asks_about_its_own_apis_only(server: Server) {
        let world = world(&server).await;
        server.catalogue(&world.root, "esa").await;
        let (_, token) = world.token(&server, SCOPE).await;
        let esa = server.verifier(&world.root, "esa").await;
        let body = json!({"token": token, "api": "github", "method": "GET", "path": ISSUES});
        assert_eq!(esa.verify(body.clone()).await["reason"], "verifier_not_allowed");
        server.anybody().post("/v1/verify", body.clone()).await.problem("unauthenticated");
        world.alice.client.post("/v1/verify", body.clone()).await.problem("unauthenticated");
        world.gateway.with(&token).post("/v1/verify", body).await.problem("unauthenticated");
    }

    async fn an_account_that_is_stopped_stops_its_tokens(server: Server) {
        let world = world(&server).await;
        let (_, token) = world.token(&server, SCOPE).await;
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "granted");
        world.root.post(&format!("/v1/users/{}/deactivate", world.alice.id), json!({})).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "owner_inactive");
        world.root.post(&format!("/v1/users/{}/activate", world.alice.id), json!({})).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "granted");
    }

    async fn the_organization_has_the_last_word(server: Server) {
        let world = world(&server).await;
        let (id, token) = world.token(&server, SCOPE).await;
        let policy = |admission: &str, level: &str| json!({"admission": admission, "level": level, "max_lifetime_days": 365, "reason": "x"});
        let path = "/v1/orgs/octo/policies/personal_token";
        world.admin.client.put(path, policy("deny", "all")).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "policy_denied");
        world.admin.client.put(path, policy("allow", "read_only")).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "granted");
        assert_eq!(world.call(&token, "POST", ISSUES).await["reason"], "policy_read_only");
        world.admin.client.put(path, policy("allow", "all")).await.status(200);
        world.admin.client.post(&format!("/v1/orgs/octo/tokens/{id}/block"), json!({})).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "blocked");
        world.admin.client.post(&format!("/v1/orgs/octo/tokens/{id}/unblock"), json!({})).await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "granted");
        world.admin.client.delete("/v1/orgs/octo/apis/github").await.status(200);
        assert_eq!(world.call(&token, "GET", ISSUES).await["reason"], "organization_unknown");
    }

    async fn time_ends_tokens_and_overlaps(server: Server) {
        let world = world(&server).await;
        let (id, old) = world.token(&server, SCOPE).await;
        let reply = world.alice.client.post(&format!("/v1/me/tokens/{id}/regenerate"), json!({"overlap_seconds": 60})).await;
        let fresh = reply.status(200)["token"].as_str().unwrap().to_owned();
        assert_eq!(world.call(&old, "GET", ISSUES).await["reason"], "granted");
        assert_eq!(world.call(&fresh, "GET", ISSUES).await["reason"], "granted");
        server.advance(std::time::Duration::from_secs(61));
        assert_eq!(world.call(&old, "GET", ISSUES).await["reason"], "expired");
        assert_eq!(world.call(&fresh, "GET", ISSUES).await["reason"], "granted");
        server.advance(tegata_core::time::days(30));
        assert_eq!(world.call(&fresh, "GET", ISSUES).await["reason"], "expired");
    }

    async fn a_token_counts_from_its_addresses_alone(server: Server) {
        let world = world(&server).await;
        let body = json!({"name": "office", "expires_at": server.in_days(30), "addresses": ["203.0.113.0/28", "2001:db8::1"],
            "grants": [{"organization": "octo", "api": "github", "scopes": [SCOPE]}]});
        let reply = world.alice.client.post("/v1/me/tokens", body).await;
        let token = reply.status(201)["token"].as_str().unwrap().to_owned();
        for (address, reason) in [
            (json!("203.0.113.9"), "granted"),
            (json!("2001:db8::1"), "granted"),
            (json!("::ffff:203.0.113.9"), "granted"),
            (json!("203.0.113.99"), "address_not_allowed"),
            (json!("2001:db8::2"), "address_not_allowed"),
            // Nobody says where it comes from.
            (Value::Null, "address_not_allowed"),
        ] {
            let mut check = json!({"token": token, "api": "github", "method": "GET", "path": ISSUES});
            if !address.is_null() {
                check["ip"] = address.clone();
            }
            assert_eq!(world.gateway.verify(check).await["reason"], reason, "{address}");
        }
    }

    async fn memory_survives_a_restart_and_a_batch_keeps_its_order(server: Server) {
        let world = world(&server).await;
        let (id, token) = world.token(&server, SCOPE).await;
        let (_, second) = world.token(&server, SCOPE).await;
        world.alice.client.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await.status(200);
        let secret = world.gateway.token.clone().unwrap();
        let server = server.restart().await;
        let gateway = server.anybody().with(&secret);
        let check = |token: &str| json!({"token": token, "api": "github", "method": "GET", "path": ISSUES});
        let body = json!({"checks": [check(&token), check(&second), check("junk")]});
        let reply = gateway.post("/v1/verify/batch", body).await;
        let reasons: Vec<_> = reply.status(200)["results"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
        assert_eq!(reasons, ["revoked", "granted", "malformed"]);
    }

    async fn questions_that_cannot_be_asked(server: Server) {
        let world = world(&server).await;
        let base = json!({"token": "x", "api": "github"});
        let with = |more: Value| {
            let mut body = base.clone();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let ask = |more: Value| { let body = with(more); let gateway = world.gateway.clone(); async move { gateway.post("/v1/verify", body).await } };
        ask(json!({"method": "GET"})).await.field("invalid", "path");
        ask(json!({"path": "/"})).await.field("invalid", "method");
        ask(json!({})).await.field("invalid", "permission");
        ask(json!({"method": "GET", "path": "/", "context": "global"})).await.field("invalid", "context");
        ask(json!({"method": "GET", "path": "/", "ip": "nowhere"})).await.field("invalid", "ip");
        ask(json!({"method": 7, "path": "/"})).await.field("malformed_body", "method");
        ask(json!({"metod": "GET"})).await.problem("malformed_body");
        let many = json!({"checks": vec![with(json!({"permission": "issues:read"})); 1001]});
        world.gateway.post("/v1/verify/batch", many).await.field("invalid", "checks");
        let large = json!({"token": "x".repeat(40_000), "api": "github", "permission": "issues:read"});
        world.gateway.post("/v1/verify", large).await.problem("body_too_large");
        world.gateway.get("/v1/verify").await.problem("method_not_allowed");
    }
}
