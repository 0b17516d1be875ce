//! Who is told of a request, and what.

use super::Bureau;
use crate::streams::until;
use crate::support::Client;
use serde_json::{Value, json};
use std::time::Duration;

/// What somebody was told of requests: kind, title and data, newest first.
async fn told(client: &Client) -> Vec<(String, String, Value)> {
    let inbox = client.get("/v1/me/inbox?lang=en&limit=200").await;
    let items = inbox.status(200)["items"].as_array().unwrap().clone();
    let word = |notice: &Value, name: &str| notice[name].as_str().unwrap().to_owned();
    let mine = items.iter().filter(|notice| word(notice, "kind").starts_with("request_"));
    mine.map(|notice| (word(notice, "kind"), word(notice, "title"), notice["data"].clone())).collect()
}

both_databases! {
    async fn deciders_learn_that_something_waits_and_the_requester_what_became_of_it(server: Server) {
        let bureau = Bureau::open(&server).await;
        let body = Bureau::wide(&server, &["house:key:main:doors:read", "house:key:main:doors:write"]);
        let (_, _, request) = bureau.ask_as(&bureau.holder.client, body).await;
        for client in [&bureau.keeper.client, &bureau.town.admin.client] {
            let (kind, title, data) = told(client).await.remove(0);
            assert_eq!((kind.as_str(), title.contains("holder asks for permissions")), ("request_filed", true), "{title}");
            assert_eq!((&data["request"], &data["lines"], &data["credential"]), (&json!(request), &json!(2), &json!("wide")));
            assert_eq!(data["reason"], "nightly build");
        }
        assert_eq!(told(&bureau.holder.client).await, []);
        assert_eq!(told(&bureau.town.root).await, [], "nobody of another organization");
        let lines = json!([{"line": 1, "decision": "grant"}, {"line": 2, "decision": "reject"}]);
        let decided = bureau.decide(&bureau.keeper.client, &request, json!({"lines": lines, "comment": "reading only"})).await;
        decided.status(200);
        let (kind, title, data) = told(&bureau.holder.client).await.remove(0);
        assert_eq!((kind.as_str(), title.starts_with("Granted in part: “wide”")), ("request_decided", true), "{title}");
        assert_eq!((&data["granted"], &data["rejected"], &data["narrowed"]), (&json!(1), &json!(1), &json!(0)));
        assert_eq!((&data["decider"], &data["comment"]), (&json!("keeper"), &json!("reading only")));
        // What is refused tells nobody.
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.problem("conflict");
        assert_eq!(told(&bureau.holder.client).await.len(), 1);
    }

    async fn whoever_asked_is_told_of_what_is_taken_away(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, _, request) = bureau.ask(&server).await;
        bureau.decide(&bureau.keeper.client, &request, json!({"approve_all": true})).await.status(200);
        let path = format!("/v1/orgs/octo/requests/{request}/ungrant");
        bureau.keeper.client.post(&path, json!({"reason": "moved out"})).await.status(200);
        let (kind, title, data) = told(&bureau.holder.client).await.remove(0);
        assert_eq!((kind.as_str(), title.starts_with("Taken away: “doors”")), ("request_ungranted", true), "{title}");
        assert_eq!((&data["lines"], &data["by"], &data["reason"]), (&json!(1), &json!("keeper"), &json!("moved out")));
    }

    async fn what_is_withdrawn_or_expires_is_told(server: Server) {
        let bureau = Bureau::open(&server).await;
        let (_, _, request) = bureau.ask(&server).await;
        bureau.holder.client.post(&format!("/v1/me/requests/{request}/withdraw"), json!({})).await.status(200);
        let (kind, _, data) = told(&bureau.keeper.client).await.remove(0);
        assert_eq!((kind.as_str(), &data["request"]), ("request_withdrawn", &json!(request)));
        let (_, _, second) = bureau.ask(&server).await;
        server.advance(Duration::from_hours(24 * 60));
        tegata::ops::requests::expire::overdue(&server.running.app).await.unwrap();
        let holder = server.sign_in("holder@example.com").await;
        until("it is told", async || !told(&holder).await.is_empty()).await;
        let (kind, _, data) = told(&holder).await.remove(0);
        assert_eq!((kind.as_str(), &data["request"]), ("request_expired", &json!(second)));
    }
}
