//! People: joining, changing, leaving.

use super::{USERS, elsewhere, found, made, patch, wrong};
use crate::leavers::{Leaver, set_policy};
use crate::support::PASSWORD;
use crate::town::{Town, text};
use serde_json::json;

both_databases! {
    async fn somebody_is_made_found_changed_and_leaves(server: Server) {
        let town = Town::found(&server).await;
        let (admin, provider) = (&town.admin.client, town.provider(&server).await);
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "Ann@Example.com", "externalId": "00u1",
            "name": {"givenName": "Ann", "familyName": "Berg"},
            "emails": [{"value": "ann@example.com", "type": "work", "primary": true}],
            "active": true, "password": "never kept", "title": "Engineer",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R"},
        });
        let reply = provider.post(USERS, body.clone()).await;
        let ann = reply.status(201).clone();
        let id = text(&ann, "id");
        assert_eq!(reply.headers["content-type"], "application/scim+json");
        assert!(reply.headers["location"].to_str().unwrap().ends_with(&format!("{USERS}/{id}")));
        assert_eq!(reply.headers["etag"].to_str().unwrap(), text(&ann["meta"], "version"));
        assert_eq!((&ann["userName"], &ann["name"]["familyName"]), (&json!("Ann@Example.com"), &json!("Berg")));
        assert!(ann.get("password").is_none() && ann.get("title").is_none(), "{ann}");
        // An account and a membership with the role of members; no password, so nobody signs in with one.
        let member = admin.get(&format!("/v1/orgs/octo/members/{id}")).await;
        assert_eq!((&member.status(200)["email"], &member["name"]), (&json!("ann@example.com"), &json!("Ann Berg")));
        assert_eq!(member["roles"][0]["role"], "member");
        let sign_in = json!({"email": "ann@example.com", "password": "never kept"});
        server.anybody().post("/v1/sessions", sign_in).await.problem("wrong_credentials");
        // The same once more.
        assert_eq!(wrong(&provider.post(USERS, body).await, 409), "uniqueness");
        let same = json!({"userName": "ann-2", "emails": [{"value": "ANN@example.com"}]});
        assert_eq!(wrong(&provider.post(USERS, same).await, 409), "uniqueness");

        for filter in [
            r#"userName eq "ann@example.com""#, r#"externalId eq "00u1""#, r#"emails.value eq "ann@example.com""#,
            r#"emails[type eq "work" and value co "ann"] and name.givenName eq "ann""#, &format!(r#"id eq "{id}""#),
        ] {
            assert_eq!(found(&provider, USERS, filter).await, [id.as_str()], "{filter}");
        }
        assert!(found(&provider, USERS, r#"userName eq "nobody""#).await.is_empty());

        // Changing: the account follows, since it is this organization's alone.
        let path = format!("{USERS}/{id}");
        let renamed = json!({"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "berg@example.com"});
        assert_eq!(provider.patch(&path, patch(renamed)).await.status(200)["emails"][0]["value"], "berg@example.com");
        let named = patch(json!({"op": "replace", "value": {"displayName": "Ann B."}}));
        provider.patch(&path, named).await.status(200);
        let member = admin.get(&format!("/v1/orgs/octo/members/{id}")).await;
        assert_eq!((&member.status(200)["email"], &member["name"]), (&json!("berg@example.com"), &json!("Ann B.")));
        let replaced = provider.put(&path, json!({"userName": "ann", "emails": [{"value": "berg@example.com"}]})).await;
        assert_eq!((&replaced.status(200)["active"], &replaced["externalId"]), (&json!(true), &json!(null)));

        provider.delete(&path).await.status(204);
        assert_eq!(wrong(&provider.get(&path).await, 404), "");
        wrong(&provider.delete(&path).await, 404);
        wrong(&provider.patch(&path, patch(json!({"op": "replace", "path": "active", "value": true}))).await, 404);
        assert!(found(&provider, USERS, r#"userName eq "ann""#).await.is_empty());
        assert_eq!(admin.get(&format!("/v1/orgs/octo/members/{id}")).await.status(200)["state"], "inactive");
        // Back again, as the same person.
        let again = made(&provider, json!({"userName": "ann", "emails": [{"value": "berg@example.com"}]})).await;
        assert_eq!((&again["id"], &again["active"]), (&json!(id), &json!(true)));

        // Activity names the key, and no person.
        let entries = admin.get(&format!("/v1/orgs/octo/activity?subject={id}")).await;
        let entries = entries.status(200)["items"].as_array().unwrap().clone();
        let operations: Vec<_> = entries.iter().map(|entry| text(entry, "operation")).collect();
        for expected in ["member.add", "scim.user.update", "scim.user.replace", "member.deactivate", "member.activate"] {
            assert!(operations.iter().any(|operation| operation == expected), "{expected}: {operations:?}");
        }
        for entry in &entries {
            assert_eq!(entry["actor"]["type"], "organization_key", "{entry}");
            assert_eq!((&entry["actor"]["name"], &entry["actor"]["id"]), (&json!("identity provider"), &entry["credential"]));
        }
    }

    async fn leaving_through_an_identity_provider_is_leaving(server: Server) {
        let town = Town::found(&server).await;
        let (admin, provider) = (&town.admin.client, town.provider(&server).await);
        let gate = server.verifier(&town.root, "town").await;
        set_policy(&town, "organization_key", json!({"leaver": "keep"})).await;
        for (number, operation) in [
            Some(json!({"op": "Replace", "path": "active", "value": "False"})),
            Some(json!({"op": "replace", "value": {"active": false}})),
            None,
        ].into_iter().enumerate() {
            let leaver = Leaver::set(&server, &town, &format!("leaver-{number}")).await;
            let path = format!("{USERS}/{}", leaver.person.id);
            match operation {
                Some(operation) => {
                    assert_eq!(provider.patch(&path, patch(operation)).await.status(200)["active"], false);
                }
                None => drop(provider.delete(&path).await.status(204)),
            }
            leaver.has_left(&town, &gate, "organization_key").await;
            leaver.person.client.get("/v1/orgs/octo").await.problem("not_found");
            // Said twice changes nothing; and whoever administered comes back by an administrator's hand only.
            if number == 0 {
                let again = patch(json!({"op": "replace", "path": "active", "value": false}));
                provider.patch(&path, again).await.status(200);
                let back = patch(json!({"op": "replace", "path": "active", "value": true}));
                wrong(&provider.patch(&path, back.clone()).await, 403);
                admin.post(&format!("{}/activate", leaver.path()), json!({})).await.status(200);
                assert_eq!(provider.get(&path).await.status(200)["active"], true);
                assert_eq!(leaver.reasons(&gate).await[..2], ["revoked", "revoked"]);
            }
        }
        // A member comes back through it; nothing of theirs does.
        let bob = town.member(&server, "bob", "member").await;
        let path = format!("{USERS}/{}", bob.id);
        for active in [false, true] {
            let body = patch(json!({"op": "replace", "path": "active", "value": active}));
            assert_eq!(provider.patch(&path, body).await.status(200)["active"], active);
        }
        bob.client.get("/v1/orgs/octo").await.status(200);
        // A restore of an older backup finds the stops under the names that they have when done by hand.
        let stops = tegata::maintenance::stops::read(&server.config.data_dir).unwrap();
        assert!(stops.stops.iter().any(|stop| stop.id == bob.id && stop.operation == "member.deactivate"));
    }

    async fn one_organization_changes_nothing_of_another(server: Server) {
        let town = Town::found(&server).await;
        let provider = town.provider(&server).await;
        let (acme, other) = elsewhere(&server, &town).await;
        // Whoever has an account joins with it, and keeps their name, address and password.
        let ann = town.member(&server, "ann", "member").await;
        let body = json!({"userName": "ann@example.com", "displayName": "Somebody Else", "active": true});
        let joined = other.post("/scim/v2/orgs/acme/Users", body).await;
        assert_eq!(joined.status(201)["id"], ann.id.as_str());
        let path = format!("/scim/v2/orgs/acme/Users/{}", ann.id);
        let change = patch(json!({"op": "replace", "value": {"displayName": "X", "emails": [{"value": "x@example.com"}]}}));
        assert_eq!(other.patch(&path, change).await.status(200)["displayName"], "X");
        let me = ann.client.get("/v1/me").await;
        assert_eq!((&me.status(200)["user"]["name"], &me["user"]["email"]), (&json!("ann"), &json!("ann@example.com")));
        server.sign_in("ann@example.com").await;
        assert_eq!(provider.get(&format!("{USERS}/{}", ann.id)).await.status(200)["displayName"], "ann");
        // Their leaving there is none here.
        other.delete(&path).await.status(204);
        ann.client.get("/v1/orgs/octo").await.status(200);
        ann.client.get("/v1/orgs/acme").await.problem("not_found");
        // An address that somebody elsewhere has is not taken from them.
        let bob = made(&provider, json!({"userName": "bob@example.com"})).await;
        let change = patch(json!({"op": "replace", "path": "emails", "value": [{"value": "acme-admin@example.com"}]}));
        provider.patch(&format!("{USERS}/{}", text(&bob, "id")), change).await.status(200);
        let member = town.admin.client.get(&format!("/v1/orgs/octo/members/{}", text(&bob, "id"))).await;
        assert_eq!(member.status(200)["email"], "bob@example.com");
        let body = json!({"email": "acme-admin@example.com", "password": PASSWORD});
        server.anybody().post("/v1/sessions", body).await.status(201);
        acme.get("/v1/orgs/acme").await.status(200);
        // A key opens no door of another organization.
        wrong(&other.get(USERS).await, 404);
        wrong(&other.delete(&format!("{USERS}/{}", ann.id)).await, 404);
    }
}
