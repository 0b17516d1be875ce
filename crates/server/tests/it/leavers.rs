//! Leaving: what stops, what waits for a successor, what happens when nobody takes it over; by hand, on the command line and through
//! an identity provider alike.

use crate::streams::until;
use crate::support::{Client, Person, Server};
use crate::town::{Town, doors_check, doors_token, text};
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody in `octo` with everything that a leaver can have, and how to ask about it.
pub struct Leaver {
    pub person: Person,
    /// The secret of a personal token for the doors.
    pub token: String,
    /// The secret of a legacy token.
    pub legacy: String,
    /// The id and the secret of an organization key that they made.
    pub key: (String, String),
    /// A service account that they answer for, with an access key: its id, and what to show.
    pub account: (String, Value),
    /// A request of theirs that waits.
    pub request: String,
}

/// A key that may read every door.
fn key_body(server: &Server) -> Value {
    json!({"name": "backup", "expires_at": server.in_days(20), "grants": [{"api": "town", "scopes": ["doors:read"]}]})
}

fn policy(town: &Town, kind: &str, more: &Value) -> (Client, String, Value) {
    let mut body = crate::town::open_policy();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    (town.admin.client.clone(), format!("/v1/orgs/octo/policies/{kind}"), body)
}

pub async fn set_policy(town: &Town, kind: &str, more: Value) {
    let (client, path, body) = policy(town, kind, &more);
    client.put(&path, body).await.status(200);
}

impl Leaver {
    pub async fn set(server: &Server, town: &Town, name: &str) -> Self {
        let admin = &town.admin.client;
        set_policy(town, "legacy_token", json!({})).await;
        let person = town.member(server, name, "administrator").await;
        let (_, token) = doors_token(&person.client, &server.in_days(20)).await;
        let body =
            json!({"name": "old", "levels": "read", "organizations": ["octo"], "expires_at": server.in_days(20)});
        let legacy = text(person.client.post("/v1/me/legacy-tokens", body).await.status(201), "token");
        let key = person.client.post("/v1/orgs/octo/organization-keys", key_body(server)).await;
        let key = (text(key.status(201), "id"), text(&key.body, "token"));
        let account = json!({"name": format!("ci-{name}"), "owner": person.id});
        let account = town.make("service-accounts", account).await;
        let role = json!({"role": town_doors(town).await, "principal": {"type": "service_account", "id": account},
            "context": town.house});
        town.make("assignments", role).await;
        let access = admin.post("/v1/orgs/octo/access-keys", json!({"name": "ci", "service_account": account})).await;
        let shown = json!({"client_id": access.status(201)["client_id"], "client_secret": access["secret"]});
        let asking = json!({"admission": "approval", "four_eyes": true});
        set_policy(town, "personal_token", asking).await;
        let asked = person.client.post("/v1/me/tokens", crate::town::doors_token_body(&server.in_days(20))).await;
        let request = asked.status(201)["requests"][0].as_str().unwrap().to_owned();
        set_policy(town, "personal_token", json!({"four_eyes": false})).await;
        Self { person, token, legacy, key, account: (account, shown), request }
    }

    /// What checks say of the personal token, the legacy token, the organization key and the access key.
    pub async fn reasons(&self, gate: &Client) -> [String; 4] {
        let mut access = doors_check("");
        access.as_object_mut().unwrap().remove("token");
        access.as_object_mut().unwrap().extend(self.account.1.as_object().unwrap().clone());
        let mut reasons = [const { String::new() }; 4];
        let checks = [doors_check(&self.token), doors_check(&self.legacy), doors_check(&self.key.1), access];
        for (reason, mut check) in reasons.iter_mut().zip(checks) {
            check["organization"] = json!("octo");
            *reason = text(&gate.verify(check).await, "reason");
        }
        reasons
    }

    pub fn path(&self) -> String {
        format!("/v1/orgs/octo/members/{}", self.person.id)
    }

    /// All that the leaver had has stopped or waits, and one entry of activity says so.
    pub async fn has_left(&self, town: &Town, gate: &Client, actor: &str) {
        assert_eq!(self.reasons(gate).await, ["revoked", "revoked", "granted", "granted"]);
        let admin = &town.admin.client;
        let request = admin.get(&format!("/v1/orgs/octo/requests/{}", self.request)).await;
        assert_eq!(request.status(200)["state"], "closed", "{}", request.body);
        let entries =
            admin.get(&format!("/v1/orgs/octo/activity?operation=member.deactivate&subject={}", self.person.id)).await;
        let entry = &entries.status(200)["items"][0];
        assert_eq!(entry["actor"]["type"], actor, "{entry}");
        let after = &entry["after"];
        assert_eq!(after["state"], "inactive");
        assert_eq!(after["tokens_revoked_here"].as_array().unwrap().len(), 3, "{after}");
        assert_eq!(after["organization_keys_kept"][0]["id"], self.key.0.as_str());
        assert_eq!(after["organization_keys_revoked"], json!([]));
        assert_eq!(after["successions"][0]["subject"], self.account.0.as_str());
    }
}

/// The role `doors`, made once.
async fn town_doors(town: &Town) -> String {
    let found = town.admin.client.get("/v1/orgs/octo/roles/doors").await;
    if found.status == 200 { text(&found.body, "id") } else { town.doors_role().await }
}

both_databases! {
    async fn leaving_stops_what_one_had_and_lists_what_one_answered_for(server: Server) {
        let town = Town::found(&server).await;
        let gate = server.verifier(&town.root, "town").await;
        let admin = &town.admin.client;
        set_policy(&town, "organization_key", json!({"leaver": "keep"})).await;
        let leaver = Leaver::set(&server, &town, "ann").await;
        assert_eq!(leaver.reasons(&gate).await, ["granted", "granted", "granted", "granted"]);
        admin.post(&format!("{}/deactivate", leaver.path()), json!({})).await.status(200);
        leaver.has_left(&town, &gate, "user").await;

        // The leaver is told, and whoever can name a successor.
        let inbox = admin.get("/v1/me/inbox?limit=1").await;
        assert_eq!(inbox.status(200)["items"][0]["kind"], "succession_opened", "{}", inbox.body);

        // What waits is handed over to an active member by name, once.
        let listed = admin.get("/v1/orgs/octo/successions?state=waiting").await;
        let succession = listed.status(200)["items"][0].clone();
        assert_eq!(succession["leaver"]["id"], leaver.person.id.as_str());
        assert_eq!(succession["subject"]["id"], leaver.account.0.as_str());
        let path = format!("/v1/orgs/octo/successions/{}/hand-over", text(&succession, "id"));
        let bob = town.member(&server, "bob", "member").await;
        admin.post(&path, json!({"successor": leaver.person.id})).await.field("invalid", "successor");
        bob.client.post(&path, json!({"successor": bob.id})).await.problem("forbidden");
        let handed = admin.post(&path, json!({"successor": "bob@example.com"})).await;
        assert_eq!((&handed.status(200)["state"], &handed["successor"]["id"]), (&json!("handed_over"), &json!(bob.id)));
        admin.post(&path, json!({"successor": bob.id})).await.problem("conflict");
        let account = admin.get(&format!("/v1/orgs/octo/service-accounts/{}", leaver.account.0)).await;
        assert_eq!(account.status(200)["owner"]["id"], bob.id.as_str());
        let inbox = bob.client.get("/v1/me/inbox?limit=1").await;
        assert_eq!(inbox.status(200)["items"][0]["kind"], "succession_handed_over");
        admin.get("/v1/orgs/octo/successions?state=gone").await.field("invalid_parameter", "state");

        // Coming back revives nothing.
        admin.post(&format!("{}/activate", leaver.path()), json!({})).await.status(200);
        assert_eq!(leaver.reasons(&gate).await[..2], ["revoked", "revoked"]);
        let account = admin.get(&format!("/v1/orgs/octo/service-accounts/{}", leaver.account.0)).await;
        assert_eq!(account.status(200)["owner"]["id"], bob.id.as_str());
    }

    async fn organization_keys_follow_the_policy(server: Server) {
        let town = Town::found(&server).await;
        let gate = server.verifier(&town.root, "town").await;
        let admin = &town.admin.client;
        let (client, path, body) = policy(&town, "personal_token", &json!({"leaver": "revoke"}));
        client.put(&path, body).await.field("invalid", "leaver");
        let (client, path, body) = policy(&town, "organization_key", &json!({"succession_days": 5}));
        client.put(&path, body).await.field("invalid", "succession_days");
        let (client, path, body) = policy(&town, "access_key", &json!({"succession_days": 366}));
        client.put(&path, body).await.field("invalid", "succession_days");
        // So it is in a fresh organization.
        let leaver = Leaver::set(&server, &town, "ann").await;
        let other = town.member(&server, "bob", "administrator").await;
        let kept = other.client.post("/v1/orgs/octo/organization-keys", key_body(&server)).await;
        let kept = text(kept.status(201), "token");
        admin.post(&format!("{}/deactivate", leaver.path()), json!({})).await.status(200);
        assert_eq!(leaver.reasons(&gate).await, ["revoked", "revoked", "revoked", "granted"]);
        let mut check = doors_check(&kept);
        check["organization"] = json!("octo");
        assert_eq!(gate.verify(check).await["reason"], "granted");
        // The key's own history shows it, too.
        let activity = format!("/v1/orgs/octo/activity?operation=organization.key.revoke&subject={}", leaver.key.0);
        assert_eq!(admin.get(&activity).await.status(200)["items"][0]["after"]["because"], "left");
        admin.post(&format!("{}/activate", leaver.path()), json!({})).await.status(200);
        assert_eq!(leaver.reasons(&gate).await[2], "revoked");
    }

    async fn what_nobody_takes_over_stops_at_its_deadline(server: Server) {
        let town = Town::found(&server).await;
        let gate = server.verifier(&town.root, "town").await;
        let admin = &town.admin.client;
        set_policy(&town, "access_key", json!({"succession_days": 10})).await;
        let leaver = Leaver::set(&server, &town, "ann").await;
        admin.post(&format!("{}/deactivate", leaver.path()), json!({})).await.status(200);
        let listed = admin.get("/v1/orgs/octo/successions").await;
        let id = text(&listed.status(200)["items"][0], "id");
        let path = format!("/v1/orgs/octo/successions/{id}");

        // Told beforehand, once for each warning.
        server.advance(Duration::from_hours(24 * 4));
        for _ in 0..2 {
            tegata::ops::successions::lapse::overdue(&server.running.app).await.unwrap();
        }
        let admin = server.sign_in("octo-admin@example.com").await;
        let told = admin.get("/v1/me/inbox").await;
        let kinds: Vec<_> = told.status(200)["items"].as_array().unwrap().iter().map(|item| text(item, "kind")).collect();
        assert_eq!(kinds.iter().filter(|kind| *kind == "succession_due").count(), 1, "{kinds:?}");
        assert_eq!(leaver.reasons(&gate).await[3], "granted");

        server.advance(Duration::from_hours(24 * 6 + 1));
        tegata::ops::successions::lapse::overdue(&server.running.app).await.unwrap();
        let admin = server.sign_in("octo-admin@example.com").await;
        assert_eq!(admin.get(&path).await.status(200)["state"], "lapsed");
        assert_eq!(leaver.reasons(&gate).await[3], "owner_inactive");
        let entries = admin.get(&format!("/v1/orgs/octo/activity?subject={id}")).await;
        let operations: Vec<_> =
            entries.status(200)["items"].as_array().unwrap().iter().map(|entry| text(entry, "operation")).collect();
        assert_eq!(operations, ["succession.lapse", "succession.due", "succession.open"]);
        admin.post(&format!("{path}/hand-over"), json!({"successor": "octo-admin@example.com"})).await.problem("conflict");
        // A restore from an older backup would find the stop in the stops file.
        let stops = tegata::maintenance::stops::read(&server.config.data_dir).unwrap();
        assert!(stops.stops.iter().any(|stop| stop.id == leaver.account.0), "{stops:?}");

        // Another owner, and it goes on.
        let account = format!("/v1/orgs/octo/service-accounts/{}", leaver.account.0);
        admin.patch(&account, json!({"owner": "octo-admin@example.com"})).await.status(200);
        admin.post(&format!("{account}/activate"), json!({})).await.status(200);
        until("the key is let in again", async || leaver.reasons(&gate).await[3] == "granted").await;
    }

    async fn another_owner_by_hand_takes_over_as_well(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let leaver = town.silent_member().await;
        let account = town.make("service-accounts", json!({"name": "ci", "owner": leaver})).await;
        let path = format!("/v1/orgs/octo/members/{leaver}");
        admin.post(&format!("{path}/deactivate"), json!({})).await.status(200);
        admin.patch(&format!("/v1/orgs/octo/service-accounts/{account}"), json!({"name": "ci-2"})).await.status(200);
        let waiting = admin.get("/v1/orgs/octo/successions?state=waiting").await;
        assert_eq!(waiting.status(200)["items"].as_array().unwrap().len(), 1);
        let owner = json!({"owner": town.admin.id});
        admin.patch(&format!("/v1/orgs/octo/service-accounts/{account}"), owner).await.status(200);
        let settled = admin.get("/v1/orgs/octo/successions").await;
        assert_eq!(settled.status(200)["items"][0]["state"], "handed_over");
    }

    async fn applications_wait_for_a_successor_as_well(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let ann = town.silent_member().await;
        let porter = town.make("applications", json!({"name": "Porter", "owner": ann})).await;
        let guard = town.make("applications", json!({"name": "Guard", "owner": ann})).await;
        admin.post(&format!("/v1/orgs/octo/members/{ann}/deactivate"), json!({})).await.status(200);
        let listed = admin.get("/v1/orgs/octo/successions?state=waiting").await;
        let listed = listed.status(200)["items"].as_array().unwrap().clone();
        let of = |id: &str| listed.iter().find(|item| item["subject"]["id"] == id).unwrap().clone();
        assert_eq!((listed.len(), &of(&porter)["subject"]["type"]), (2, &json!("application")));

        // Whoever may change service accounts only, takes no application over.
        let permissions = json!([{"api": "tegata", "permissions": ["service_accounts:write", "organization:read"]}]);
        town.make("roles", json!({"key": "keepers", "name": "Keepers", "context_type": "global", "permissions": permissions})).await;
        let keeper = town.member(&server, "keeper", "keepers").await;
        let path = format!("/v1/orgs/octo/successions/{}/hand-over", text(&of(&porter), "id"));
        keeper.client.post(&path, json!({"successor": keeper.id})).await.problem("forbidden");
        let handed = admin.post(&path, json!({"successor": keeper.id})).await;
        assert_eq!((&handed.status(200)["state"], &handed["successor"]["id"]), (&json!("handed_over"), &json!(keeper.id)));
        let shown = admin.get(&format!("/v1/orgs/octo/applications/{porter}")).await;
        assert_eq!(shown.status(200)["owner"]["id"], keeper.id.as_str());

        server.advance(Duration::from_hours(24 * 30 + 1));
        tegata::ops::successions::lapse::overdue(&server.running.app).await.unwrap();
        let admin = server.sign_in("octo-admin@example.com").await;
        let lapsed = admin.get(&format!("/v1/orgs/octo/successions/{}", text(&of(&guard), "id"))).await;
        assert_eq!(lapsed.status(200)["state"], "lapsed");
        let shown = admin.get(&format!("/v1/orgs/octo/applications/{guard}")).await;
        assert_eq!(shown.status(200)["state"], "blocked", "{}", shown.body);
        let stops = tegata::maintenance::stops::read(&server.config.data_dir).unwrap();
        assert!(stops.stops.iter().any(|stop| stop.operation == "application.block"), "{stops:?}");
        // Another owner by hand, and it goes on.
        admin.patch(&format!("/v1/orgs/octo/applications/{guard}"), json!({"owner": keeper.id})).await.status(200);
        admin.post(&format!("/v1/orgs/octo/applications/{guard}/unblock"), json!({})).await.status(200);
    }

    async fn the_last_administrator_stays(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let provider = town.provider(&server).await;
        admin.post(&format!("/v1/orgs/octo/members/{}/deactivate", town.admin.id), json!({})).await.problem("conflict");
        let path = format!("/scim/v2/orgs/octo/Users/{}", town.admin.id);
        provider.delete(&path).await.status(409);
        provider.patch(&path, json!({"Operations": [{"op": "replace", "path": "active", "value": false}]})).await.status(409);
        admin.get("/v1/orgs/octo").await.status(200);
        assert_eq!(provider.get(&path).await.status(200)["active"], true);
    }
}
