//! Waiting for a decision: answered as soon as there is one.

use super::*;
use reqwest::Method;
use std::time::Duration;
use tokio::time::timeout;

/// Longer than any of this takes, and shorter than what is waited for.
const PATIENCE: Duration = Duration::from_secs(25);

both_databases! {
    async fn whoever_waits_is_answered_when_it_is_decided(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, task) = scenario.filed("delete_hard", "record-1").await;
        let request = scenario.open_request().await;
        let (robot, alice) = (scenario.robot(), server.sign_in("alice@example.com").await);
        let by_parameter = tokio::spawn({
            let (client, path) = (robot.clone(), format!("{}?wait=30", place_of(&task)));
            async move { client.get(&path).await }
        });
        let by_header = tokio::spawn({
            let (client, path) = (alice.clone(), place_of(&task));
            async move { client.send(Method::GET, &path, None, &[("prefer", "wait=30")]).await }
        });
        let own = tokio::spawn({
            let (client, path) = (alice.clone(), format!("/v1/me/requests/{request}?wait=30"));
            async move { client.get(&path).await }
        });
        // They do wait; something else that happens to the credential does not end it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let id = text(&scenario.task(&task).await["task"], "id");
        let token = alice.get("/v1/me/tokens").await;
        let token = text(&token.status(200)["items"][0], "id");
        for verb in ["block", "unblock"] {
            scenario.admin.post(&format!("/v1/orgs/octo/tokens/{token}/{verb}"), json!({})).await.status(200);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!by_parameter.is_finished() && !by_header.is_finished() && !own.is_finished());
        scenario.decide(json!({"approve_all": true})).await.status(200);
        for waiting in [by_parameter, by_header] {
            let reply = timeout(PATIENCE, waiting).await.expect("the wait ends").unwrap();
            assert_eq!((reply.status(200)["task"]["status"].as_str(), reply["task"]["id"].as_str()), (Some("approved"), Some(id.as_str())));
            assert!(!reply.headers.contains_key("retry-after"));
        }
        let reply = timeout(PATIENCE, own).await.expect("the wait ends").unwrap();
        assert_eq!((reply.status(200)["state"].as_str(), reply["lines"][0]["state"].as_str()), (Some("closed"), Some("granted")));
        // What is decided is not waited for.
        let reply = timeout(PATIENCE, robot.get(&format!("{}?wait=60", place_of(&task)))).await.expect("at once");
        assert_eq!(reply.status(200)["task"]["status"], "approved");
    }

    async fn a_wait_ends_with_its_time_and_with_the_right_to_it(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, task) = scenario.filed("delete_hard", "record-1").await;
        let robot = scenario.robot();
        let reply = robot.get(&format!("{}?wait=1", place_of(&task))).await;
        assert_eq!((reply.status(200)["task"]["status"].as_str(), reply.headers["retry-after"].to_str().unwrap()), (Some("pending"), "5"));
        for wrong in ["61", "-1", "x"] {
            robot.get(&format!("{}?wait={wrong}", place_of(&task))).await.problem("invalid_parameter");
        }
        let alice = server.sign_in("alice@example.com").await;
        alice.get(&format!("/v1/me/requests/{}?wait=61", scenario.open_request().await)).await.problem("invalid_parameter");
        refused(&scenario.bob_himself.get(&format!("{}?wait=30", place_of(&task))).await, 404, "unknown_task");
        let waiting = tokio::spawn({
            let (client, path) = (robot.clone(), format!("{}?wait=30", place_of(&task)));
            async move { client.get(&path).await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let tokens = alice.get("/v1/me/tokens").await;
        let path = format!("/v1/me/tokens/{}/revoke", text(&tokens.status(200)["items"][0], "id"));
        alice.post(&path, json!({})).await.status(200);
        let reply = timeout(PATIENCE, waiting).await.expect("the wait ends").unwrap();
        reply.problem("unauthenticated");
        assert_eq!(alice.get(&place_of(&task)).await.status(200)["task"]["status"], "cancelled");
    }

    async fn nobody_keeps_the_server_from_stopping(server: Server) {
        let scenario = Scenario::open(&server).await;
        ask_for_words(&scenario.admin, false).await;
        let (_, task) = scenario.filed("delete_hard", "record-1").await;
        let waiting = tokio::spawn({
            let (client, path) = (scenario.robot(), format!("{}?wait=60", place_of(&task)));
            async move { client.get(&path).await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        timeout(PATIENCE, server.running.stop()).await.expect("it stops");
        let reply = timeout(PATIENCE, waiting).await.expect("the wait ends").unwrap();
        assert_eq!(reply.status(200)["task"]["status"], "pending", "it is told how it stands");
    }
}
