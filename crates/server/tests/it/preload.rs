//! What a server reads into memory by itself when it starts.

use serde_json::json;
use std::time::Duration;

both_databases! {
    async fn the_newest_live_tokens_are_in_memory_before_anybody_asks(server: Server) {
        let root = server.admin().await;
        server.catalogue(&root, "github").await;
        root.put("/v1/orgs/default/apis/github", json!({})).await.status(200);
        let gateway = server.verifier(&root, "github").await;
        let mut tokens = Vec::new();
        for number in 0..50 {
            let body = json!({"name": format!("token {number}"), "expires_at": server.in_days(30), "reason": "test",
                "grants": [{"organization": "default", "api": "github", "scopes": ["issues:read"]}]});
            let reply = root.post("/v1/me/tokens", body).await;
            let body = reply.status(201);
            tokens.push((body["id"].as_str().unwrap().to_owned(), body["token"].as_str().unwrap().to_owned()));
        }
        let (dead, dead_secret) = &tokens[49];
        root.post(&format!("/v1/me/tokens/{dead}/revoke"), json!({})).await.status(200);

        let server = server.restart().await;
        for _ in 0..500 {
            if server.running.app.verify.tokens_in_memory() >= 49 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.running.app.verify.tokens_in_memory(), 49, "all but the one that was revoked");

        // What was read ahead follows the feed like everything else, and what was not is read when it is shown.
        let (id, secret) = &tokens[0];
        let gateway = server.anybody().with(gateway.token.as_deref().unwrap());
        let ask = |secret: &str| json!({"token": secret, "api": "github", "permission": "issues:read", "organization": "default"});
        let answer = gateway.verify(ask(secret)).await;
        assert_eq!(answer["reason"], "granted", "{answer}");
        assert_eq!(gateway.verify(ask(dead_secret)).await["reason"], "revoked");
        let root = server.anybody().with(root.token.as_deref().unwrap());
        root.post(&format!("/v1/me/tokens/{id}/revoke"), json!({})).await.status(200);
        assert_eq!(gateway.verify(ask(secret)).await["reason"], "revoked");
    }
}
