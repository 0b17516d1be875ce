//! What organizations and their contexts allow for each kind of credential: from where, for what, and how long; effective on
//! the next check, and taken back as easily.

mod askable;
mod contexts;
mod foreseen;
mod unused;

use crate::support::{Client, Reply, Server};
use crate::town::{Town, doors_check, doors_token, doors_token_body, open_policy, text};
use serde_json::{Value, json};

/// The town with a verifier.
struct Office {
    town: Town,
    gate: Client,
}

impl Office {
    async fn open(server: &Server) -> Self {
        let town = Town::found(server).await;
        let gate = server.verifier(&town.root, "town").await;
        Self { town, gate }
    }

    fn admin(&self) -> &Client {
        &self.town.admin.client
    }

    /// Sets fields of the organization's policy for a kind.
    async fn set(&self, kind: &str, change: Value) -> Reply {
        let mut body = open_policy();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.admin().put(&format!("/v1/orgs/octo/policies/{kind}"), body).await
    }

    /// Tightens the policy for a kind in a context.
    async fn tighten(&self, client: &Client, context: &str, kind: &str, mut change: Value) -> Reply {
        change["reason"] = json!("test");
        client.put(&policy_of(context, kind), change).await
    }

    /// Why the doors of the house may, or may not, be read from an address.
    async fn reason_from(&self, secret: &str, address: Option<&str>) -> String {
        let mut check = doors_check(secret);
        check["ip"] = json!(address);
        text(&self.gate.verify(check).await, "reason")
    }

    async fn reason(&self, secret: &str) -> String {
        self.reason_from(secret, None).await
    }

    /// Why the doors of the house may, or may not, be written.
    async fn reason_of_writing(&self, secret: &str) -> String {
        let check = json!({"token": secret, "api": "town", "method": "POST", "path": "/houses/main/doors"});
        text(&self.gate.verify(check).await, "reason")
    }

    /// Why the doors of a place may, or may not, be read.
    async fn reason_in(&self, secret: &str, context: &str) -> String {
        let check = json!({"token": secret, "api": "town", "permission": "doors:read", "context": context,
            "organization": "octo"});
        text(&self.gate.verify(check).await, "reason")
    }

    /// A token of the administrator for these scopes, with its secret.
    async fn token(&self, server: &Server, scopes: &[&str]) -> (String, String) {
        let body = json!({"name": "made", "expires_at": server.in_days(10), "reason": "test",
            "grants": [{"organization": "octo", "api": "town", "scopes": scopes}]});
        let made = self.admin().post("/v1/me/tokens", body).await;
        let made = made.status(201);
        (text(made, "id"), text(made, "token"))
    }
}

fn policy_of(context: &str, kind: &str) -> String {
    format!("/v1/orgs/octo/contexts/{context}/policies/{kind}")
}

both_databases! {
    async fn addresses_count_on_the_next_check_and_are_taken_back(server: Server) {
        let office = Office::open(&server).await;
        let (id, secret) = doors_token(office.admin(), &server.in_days(10)).await;
        let path = format!("/v1/me/tokens/{id}");
        let before = office.admin().get(&path).await.status(200).clone();
        assert_eq!(office.reason(&secret).await, "granted");
        let set = office.set("personal_token", json!({"addresses": ["203.0.113.9/24", "::ffff:198.51.100.7", "2001:db8::/32"]})).await;
        // As few ranges as say the same, each written one way.
        assert_eq!(set.status(200)["addresses"], json!(["198.51.100.7/32", "203.0.113.0/24", "2001:db8::/32"]));
        for (address, reason) in [
            (Some("203.0.113.200"), "granted"), (Some("198.51.100.7"), "granted"), (Some("2001:db8::1"), "granted"),
            (Some("::ffff:203.0.113.1"), "granted"), (Some("203.0.114.1"), "address_not_allowed"),
            (Some("2001:db9::1"), "address_not_allowed"), (None, "address_not_allowed"),
        ] {
            assert_eq!(office.reason_from(&secret, address).await, reason, "{address:?}");
        }
        // It comes before what is asked for, and of an organization that is not said nobody asks it.
        let nowhere = json!({"token": secret, "api": "town", "method": "GET", "path": "/nowhere"});
        assert_eq!(office.gate.verify(nowhere).await["reason"], "address_not_allowed");
        let elsewhere = json!({"token": secret, "api": "town", "permission": "doors:read", "organization": "nobody"});
        assert_eq!(office.gate.verify(elsewhere).await["reason"], "organization_unknown");
        // Another kind is not meant.
        let key = json!({"name": "key", "expires_at": server.in_days(10), "grants": [{"api": "town", "scopes": ["doors:read"]}]});
        let key = text(office.admin().post("/v1/orgs/octo/organization-keys", key).await.status(201), "token");
        assert_eq!(office.reason(&key).await, "granted");
        // What is left out stays as it is.
        office.set("personal_token", json!({})).await.status(200);
        assert_eq!(office.reason(&secret).await, "address_not_allowed");
        office.set("personal_token", json!({"addresses": []})).await.status(200);
        assert_eq!(office.reason(&secret).await, "granted");
        let after = office.admin().get(&path).await.status(200).clone();
        assert_eq!((&after["state"], &after["grants"], &after["addresses"]), (&before["state"], &before["grants"], &before["addresses"]));
    }

    async fn addresses_count_for_tokens_that_call_this_server(server: Server) {
        let office = Office::open(&server).await;
        let mut body = doors_token_body(&server.in_days(10));
        body["grants"] = json!([{"organization": "octo", "api": "tegata", "scopes": ["own_tokens:read", "organization:read"]}]);
        let secret = text(office.admin().post("/v1/me/tokens", body).await.status(201), "token");
        let robot = office.admin().with(&secret);
        let both = ["/v1/me/tokens", "/v1/orgs/octo/contexts"];
        for path in both {
            robot.get(path).await.status(200);
        }
        office.set("personal_token", json!({"addresses": ["203.0.113.0/24"]})).await.status(200);
        for path in both {
            robot.get(path).await.field("forbidden", "reason");
        }
        office.admin().get("/v1/me/tokens").await.status(200);
        office.set("personal_token", json!({"addresses": ["203.0.113.0/24", "127.0.0.0/8", "::1"]})).await.status(200);
        for path in both {
            robot.get(path).await.status(200);
        }
    }

    async fn what_is_said_is_known_after_a_restart(server: Server) {
        let office = Office::open(&server).await;
        let (_, secret) = doors_token(office.admin(), &server.in_days(10)).await;
        office.set("personal_token", json!({"addresses": ["203.0.113.0/24"]})).await.status(200);
        let house = office.town.house.clone();
        office.tighten(office.admin(), &house, "personal_token", json!({"addresses": ["203.0.113.8/29"]})).await.status(200);
        let gate = office.gate.token.clone().unwrap();
        let server = server.restart().await;
        let gate = server.anybody().with(&gate);
        for (address, reason) in [("203.0.113.9", "granted"), ("203.0.113.1", "address_not_allowed")] {
            let mut check = doors_check(&secret);
            check["ip"] = json!(address);
            assert_eq!(gate.verify(check).await["reason"], reason, "{address}");
        }
    }

    async fn addresses_that_cannot_be_are_named(server: Server) {
        let office = Office::open(&server).await;
        for (addresses, field) in [
            (json!(["203.0.113.0/33"]), "addresses[0]"),
            (json!(["203.0.113.0/24", "here"]), "addresses[1]"),
            (json!(vec!["203.0.113.1"; 51]), "addresses"),
        ] {
            office.set("personal_token", json!({"addresses": addresses})).await.field("invalid", field);
        }
        let listed = office.admin().get("/v1/orgs/octo/policies").await;
        assert!(listed.status(200)["items"].as_array().unwrap().iter().all(|policy| policy["addresses"] == json!([])));
    }
}
