//! `tegata request wait`.

use super::*;
use crate::town::{Town, doors_token_body};
use serde_json::json;

both_databases! {
    async fn waiting_ends_with_the_decision_and_tells_how(server: Server) {
        let town = Town::found(&server).await;
        let policy = json!({"admission": "approval", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        town.admin.client.put("/v1/orgs/octo/policies/personal_token", policy).await.status(200);
        let holder = town.member(&server, "holder", "member").await;
        let doors = town.doors_role().await;
        town.give(&doors, &holder.id).await;
        let session = holder.client.token.clone().unwrap();
        let shell = || Shell::at(&server.base).with("TEGATA_TOKEN", &session);
        let ask = async || {
            let made = holder.client.post("/v1/me/tokens", doors_token_body(&server.in_days(10))).await;
            made.status(201)["requests"][0].as_str().unwrap().to_owned()
        };
        let request = ask().await;
        let waited = shell().run(&format!("--json request wait {request} --timeout 1s")).code(9);
        assert_eq!(serde_json::from_str::<Value>(&waited.out).unwrap()["state"], "open");
        let waiting = tokio::spawn({
            let (shell, line) = (shell(), format!("--json request wait {request} --timeout 5m"));
            async move { shell.run(&line) }
        });
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert!(!waiting.is_finished());
        let decide = |request: &str| format!("/v1/orgs/octo/requests/{request}/decide");
        town.admin.client.post(&decide(&request), json!({"approve_all": true})).await.status(200);
        let granted = waiting.await.unwrap().json();
        assert_eq!((granted["id"].as_str(), granted["lines"][0]["state"].as_str()), (Some(request.as_str()), Some("granted")));
        let request = ask().await;
        town.admin.client.post(&decide(&request), json!({"reject_all": true})).await.status(200);
        let rejected = shell().run(&format!("request wait {request}")).code(7);
        assert!(rejected.out.contains("rejected") && rejected.err.is_empty(), "{}{}", rejected.out, rejected.err);
        shell().run("request wait req_00000000000000000000000001").code(3);
        shell().run(&format!("request wait {request} --timeout soon")).code(2);
    }
}
