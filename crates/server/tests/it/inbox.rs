//! What people are told in their inbox, in which language, and that nobody else reads it.

use crate::streams::receiver::Hook;
use crate::streams::until;
use crate::support::{Client, Person, Server};
use reqwest::Method;
use serde_json::{Value, json};

const INBOX: &str = "/v1/me/inbox";

async fn own_token(server: &Server, client: &Client, org: &str, name: &str) -> Value {
    let body = json!({"name": name, "expires_at": server.in_days(10), "reason": "test",
        "grants": [{"organization": org, "api": "tegata", "scopes": ["organization:read"]}]});
    client.post("/v1/me/tokens", body).await.status(201).clone()
}

async fn inbox(client: &Client, query: &str) -> Value {
    client.get(&format!("{INBOX}{query}")).await.status(200).clone()
}

fn kinds(inbox: &Value) -> Vec<&str> {
    inbox["items"].as_array().unwrap().iter().map(|notice| notice["kind"].as_str().unwrap()).collect()
}

/// An organization with a member who has a token, which an administrator stopped `times` times.
async fn stopped(server: &Server, times: usize) -> (Client, Person, Person, String) {
    let root = server.admin().await;
    let admin = server.org(&root, "acme").await;
    let ann = server.member(&root, &admin.client, "acme", "Ann", "member").await;
    admin
        .client
        .put(
            "/v1/orgs/acme/policies/personal_token",
            json!({"admission": "allow", "level": "all", "max_lifetime_seconds": 8_640_000, "reason": "test"}),
        )
        .await;
    let token = own_token(server, &ann.client, "acme", "CI").await["id"].as_str().unwrap().to_owned();
    for _ in 0..times {
        let path = format!("/v1/orgs/acme/tokens/{token}");
        admin.client.post(&format!("{path}/block"), json!({"reason": "seen in a\nlog"})).await.status(200);
        admin.client.post(&format!("{path}/unblock"), json!({})).await.status(200);
    }
    (root, admin, ann, token)
}

both_databases! {
    async fn whoever_owns_what_is_stopped_is_told_in_their_language(server: Server) {
        let (_, admin, ann, token) = stopped(&server, 1).await;
        let shown = inbox(&ann.client, "").await;
        assert_eq!((kinds(&shown), &shown["unread"]), (vec!["credential_stopped"], &json!(1)));
        let notice = &shown["items"][0];
        assert_eq!((&notice["about"], &notice["language"], &notice["read_at"]), (&json!(token), &json!("en"), &Value::Null));
        assert_eq!(notice["title"], "acme has blocked “CI”");
        assert_eq!(notice["data"]["by"], "acme-admin");
        assert!(notice["body"].as_str().unwrap().ends_with("\nReason: seen in a log"));
        let ja = "acmeが「CI」を停止しました";
        assert_eq!(inbox(&ann.client, "?lang=ja").await["items"][0]["title"], ja);
        let header = [("accept-language", "fr, ja;q=0.9, en;q=0.1")];
        let spoken = ann.client.send(Method::GET, INBOX, None, &header).await;
        assert_eq!(spoken.status(200)["items"][0]["title"], ja);
        ann.client.get(&format!("{INBOX}?lang=fr")).await.field("invalid_parameter", "lang");
        // What somebody prefers wins over what a program accepts.
        assert_eq!(ann.client.get("/v1/me/preferences").await.status(200)["language"], Value::Null);
        let set = ann.client.patch("/v1/me/preferences", json!({"language": "ja"})).await;
        assert_eq!(set.status(200)["language"], "ja");
        let header = [("accept-language", "en")];
        let spoken = ann.client.send(Method::GET, INBOX, None, &header).await;
        assert_eq!(spoken.status(200)["items"][0]["title"], ja);
        ann.client.patch("/v1/me/preferences", json!({"language": "fr"})).await.problem("malformed_body");
        // For good; and who stops their own knows it.
        admin.client.post(&format!("/v1/orgs/acme/tokens/{token}/revoke"), json!({})).await.status(200);
        let shown = inbox(&ann.client, "?lang=en").await;
        assert_eq!(shown["items"][0]["title"], "acme has revoked “CI”");
        let own = own_token(&server, &admin.client, "acme", "own").await;
        let path = format!("/v1/orgs/acme/tokens/{}/block", own["id"].as_str().unwrap());
        admin.client.post(&path, json!({})).await.status(200);
        assert!(!kinds(&inbox(&admin.client, "").await).contains(&"credential_stopped"));
    }

    async fn notices_are_marked_page_by_page(server: Server) {
        let (_, _, ann, _) = stopped(&server, 3).await;
        let first = inbox(&ann.client, "?limit=2").await;
        assert_eq!((first["items"].as_array().unwrap().len(), &first["unread"]), (2, &json!(3)));
        let rest = inbox(&ann.client, &format!("?limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await;
        assert_eq!((rest["items"].as_array().unwrap().len(), rest.get("next_cursor")), (1, None));
        let path = format!("{INBOX}/{}", first["items"][0]["id"].as_str().unwrap());
        assert_eq!(ann.client.post(&format!("{path}/read"), json!({})).await.status(200)["unread"], 2);
        let read = ann.client.get(&path).await.status(200)["read_at"].clone();
        assert!(read.is_string());
        assert_eq!(ann.client.post(&format!("{path}/read"), json!({})).await.status(200)["unread"], 2);
        assert_eq!(ann.client.get(&path).await.status(200)["read_at"], read, "it was read when it was read first");
        assert_eq!(inbox(&ann.client, "?unread=true").await["items"].as_array().unwrap().len(), 2);
        assert_eq!(ann.client.post(&format!("{path}/unread"), json!({})).await.status(200)["unread"], 3);
        assert_eq!(ann.client.post(&format!("{INBOX}/read"), json!({})).await.status(200)["unread"], 0);
        assert_eq!(inbox(&ann.client, "?unread=true").await["items"], json!([]));
        assert_eq!(inbox(&ann.client, "").await["items"].as_array().unwrap().len(), 3);
    }

    async fn an_inbox_is_for_one_person_who_is_there(server: Server) {
        let (_, admin, ann, _) = stopped(&server, 1).await;
        let token = own_token(&server, &ann.client, "acme", "reader").await;
        let with_token = ann.client.with(token["token"].as_str().unwrap());
        with_token.get(INBOX).await.problem("forbidden");
        with_token.post(&format!("{INBOX}/read"), json!({})).await.problem("forbidden");
        with_token.get("/v1/me/preferences").await.problem("forbidden");
        let notice = inbox(&ann.client, "").await["items"][0]["id"].as_str().unwrap().to_owned();
        admin.client.get(&format!("{INBOX}/{notice}")).await.problem("not_found");
        admin.client.post(&format!("{INBOX}/{notice}/read"), json!({})).await.problem("not_found");
        assert_eq!(admin.client.post(&format!("{INBOX}/read"), json!({})).await.status(200)["unread"], 0);
        assert_eq!(inbox(&ann.client, "").await["unread"], 1);
        server.anybody().get(INBOX).await.problem("unauthenticated");
        // A change that is refused tells nobody.
        let before = inbox(&ann.client, "").await["items"].as_array().unwrap().len();
        admin.client.post("/v1/orgs/acme/members/usr_00000000000000000000000000/deactivate", json!({})).await.problem("not_found");
        assert_eq!(inbox(&ann.client, "").await["items"].as_array().unwrap().len(), before);
    }

    async fn whoever_has_to_leave_and_whoever_answers_for_a_webhook_are_told(server: Server) {
        let root = server.admin().await;
        let admin = server.org(&root, "acme").await;
        let ann = server.member(&root, &admin.client, "acme", "Ann", "member").await;
        let path = format!("/v1/orgs/acme/members/{}/deactivate", ann.id);
        admin.client.post(&path, json!({})).await.status(200);
        let shown = inbox(&ann.client, "").await;
        assert_eq!(shown["items"][0]["title"], "Your membership in acme has ended");
        let hook = Hook::open().await;
        hook.answers(410);
        let body = json!({"name": "desk", "url": hook.url()});
        let webhook = admin.client.post("/v1/orgs/acme/webhooks", body).await.status(201).clone();
        admin.client.post("/v1/orgs/acme/teams", json!({"key": "crew", "name": "Crew"})).await.status(201);
        until("it is told", async || kinds(&inbox(&admin.client, "").await) == ["webhook_disabled"]).await;
        let shown = inbox(&admin.client, "").await;
        assert_eq!((&shown["items"][0]["about"], &shown["items"][0]["data"]["reason"]), (&webhook["id"], &json!("receiver_gone")));
        assert_eq!(inbox(&root, "").await["items"], json!([]));
        assert_eq!(inbox(&ann.client, "").await["unread"], 1);
    }
}
