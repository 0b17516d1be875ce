//! SCIM 2.0: people and teams as identity providers make, find, change and delete them, in the shapes that Entra ID and Okta send.

mod groups;
mod people;
mod protocol;

use crate::support::{Client, Reply, Server};
use crate::town::{Town, scim_key_body, text};
use serde_json::{Value, json};

/// Where people are.
pub const USERS: &str = "/scim/v2/orgs/octo/Users";
/// Where teams are.
pub const GROUPS: &str = "/scim/v2/orgs/octo/Groups";

/// A patch of one operation.
#[expect(clippy::needless_pass_by_value, reason = "tests write it where they send it")]
pub fn patch(operation: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

/// The word for what is wrong, of an answer in SCIM's form.
#[track_caller]
pub fn wrong(reply: &Reply, status: u16) -> String {
    let body = reply.status(status);
    assert_eq!(reply.headers["content-type"], "application/scim+json");
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(body["status"], status.to_string());
    body["scimType"].as_str().unwrap_or_default().to_owned()
}

/// Makes somebody.
pub async fn made(provider: &Client, body: Value) -> Value {
    provider.post(USERS, body).await.status(201).clone()
}

/// How many a filter finds.
pub async fn found(provider: &Client, path: &str, filter: &str) -> Vec<String> {
    let mut url = reqwest::Url::parse("http://x").unwrap();
    url.query_pairs_mut().append_pair("filter", filter);
    let listed = provider.get(&format!("{path}?{}", url.query().unwrap())).await;
    let list = listed.status(200);
    let items: Vec<_> = list["Resources"].as_array().unwrap().iter().map(|item| text(item, "id")).collect();
    assert_eq!(list["totalResults"], items.len());
    items
}

/// A key with the permission `scim` of another organization.
pub async fn elsewhere(server: &Server, town: &Town) -> (Client, Client) {
    let admin = server.org(&town.root, "acme").await.client;
    let key = admin.post("/v1/orgs/acme/organization-keys", scim_key_body(&server.in_days(10))).await;
    let provider = admin.with(&text(key.status(201), "token"));
    (admin, provider)
}
