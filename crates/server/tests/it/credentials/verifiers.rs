//! Verifiers: made, renewed and stopped by the publisher, each for its own APIs.

use super::*;
use reqwest::Method;
use std::time::Duration;

fn question(token: &str) -> Value {
    json!({"token": token, "api": "desk", "method": "GET", "path": "/acme/blue/tickets"})
}

both_databases! {
    async fn a_verifier_asks_about_its_own_apis_only(server: Server) {
        let desk_ = Desk::new(&server).await;
        let mut wiki = desk_document();
        wiki["api"] = json!("wiki");
        desk_.root.post("/v1/apis", json!({"document": wiki})).await.status(201);
        let made = desk_.alice.client.post("/v1/me/tokens", token(&server, &json!([desk("acme", &["project:key:blue:tickets:read"])]))).await;
        let secret = text(&made.status(201)["token"]);
        let gate = server.verifier(&desk_.root, "desk").await;
        assert_eq!(gate.verify(question(&secret)).await["reason"], "granted");
        let stranger = server.verifier(&desk_.root, "wiki").await;
        let answer = stranger.verify(question(&secret)).await;
        assert_eq!((answer["allowed"].as_bool(), answer["reason"].as_str()), (Some(false), Some("verifier_not_allowed")));
        // Its credential opens no other door, and other credentials do not open its own.
        gate.get("/v1/apis").await.problem("unauthenticated");
        desk_.root.post("/v1/verify", question(&secret)).await.problem("unauthenticated");
    }

    async fn a_new_credential_may_overlap_with_the_old(server: Server) {
        let desk_ = Desk::new(&server).await;
        let made = desk_.root.post("/v1/verifiers", json!({"name": "gate", "apis": ["desk"]})).await;
        let id = text(&made.status(201)["id"]);
        let path = format!("/v1/verifiers/{id}");
        assert!(text(&made["token"]).starts_with("tegata_ver_"));
        assert_eq!(made["apis"], json!(["desk"]));
        for shown in [desk_.root.get(&path).await, desk_.root.get("/v1/verifiers").await] {
            assert!(!shown.status(200).to_string().contains("tegata_ver_"));
        }
        let first = desk_.root.with(&text(&made["token"]));
        let body = json!({"overlap_seconds": 60});
        let key = [("idempotency-key", "renew")];
        let renewed = desk_.root.send(Method::POST, &format!("{path}/regenerate"), Some(body.clone()), &key).await;
        let again = desk_.root.send(Method::POST, &format!("{path}/regenerate"), Some(body), &key).await;
        assert!(again.status(200).get("token").is_none());
        let second = desk_.root.with(&text(&renewed.status(200)["token"]));
        let junk = question("tegata_pat_junk");
        assert_eq!(first.verify(junk.clone()).await["reason"], "malformed");
        assert_eq!(second.verify(junk.clone()).await["reason"], "malformed");
        server.advance(Duration::from_secs(61));
        first.post("/v1/verify", junk.clone()).await.problem("unauthenticated");
        second.verify(junk.clone()).await;

        let receipt = desk_.root.post(&format!("{path}/revoke"), json!({"reason": "moved"})).await;
        assert_eq!(receipt.status(200)["state"], "revoked");
        second.post("/v1/verify", junk).await.problem("unauthenticated");
        desk_.root.post(&format!("{path}/revoke"), json!({})).await.problem("conflict");
        desk_.root.post(&format!("{path}/regenerate"), json!({})).await.problem("conflict");
        assert_eq!(desk_.root.get(&path).await["state"], "revoked");
    }

    async fn verifiers_are_the_publishers(server: Server) {
        let desk_ = Desk::new(&server).await;
        let made = desk_.root.post("/v1/verifiers", json!({"name": "gate", "apis": ["desk"]})).await;
        let path = format!("/v1/verifiers/{}", text(&made.status(201)["id"]));
        for somebody in [&desk_.admin.client, &desk_.alice.client] {
            somebody.post("/v1/verifiers", json!({"name": "mine", "apis": ["desk"]})).await.problem("forbidden");
            somebody.get("/v1/verifiers").await.problem("forbidden");
            somebody.get(&path).await.problem("forbidden");
            somebody.post(&format!("{path}/regenerate"), json!({})).await.problem("forbidden");
            somebody.post(&format!("{path}/revoke"), json!({})).await.problem("forbidden");
        }
        server.anybody().get(&path).await.problem("unauthenticated");
        desk_.root.get("/v1/verifiers/ver_nothing").await.problem("not_found");
    }
}
