//! The protocol: who may speak it, versions, lists, searches, mistakes.

use super::{GROUPS, USERS, made, patch, wrong};
use crate::town::{Town, scim_key_body, text};
use reqwest::Method;
use serde_json::json;

const BASE: &str = "/scim/v2/orgs/octo";

both_databases! {
    async fn only_a_key_that_was_given_it_speaks_scim(server: Server) {
        let town = Town::found(&server).await;
        let admin = &town.admin.client;
        let keys = "/v1/orgs/octo/organization-keys";
        let provider = town.provider(&server).await;
        provider.get(USERS).await.status(200);
        // No session, no token, no other key; and the key opens nothing else.
        wrong(&server.anybody().get(USERS).await, 401);
        wrong(&admin.get(USERS).await, 401);
        provider.get("/v1/orgs/octo/members").await.problem("unauthenticated");
        provider.get("/v1/me").await.problem("unauthenticated");
        let plain = json!({"name": "plain", "expires_at": server.in_days(10), "grants": [{"api": "town", "scopes": ["doors:read"]}]});
        let plain = text(admin.post(keys, plain).await.status(201), "token");
        wrong(&admin.with(&plain).get(USERS).await, 403);
        let mut policy = crate::town::open_policy();
        policy["unscoped"] = json!(true);
        admin.put("/v1/orgs/octo/policies/organization_key", policy).await.status(200);
        let unscoped = json!({"name": "all", "expires_at": server.in_days(10), "unscoped": true});
        let unscoped = text(admin.post(keys, unscoped).await.status(201), "token");
        wrong(&admin.with(&unscoped).get(USERS).await, 403);
        // Of Tegata's own API a key can have nothing else, and nothing else can have this.
        let mut body = scim_key_body(&server.in_days(10));
        body["grants"][0]["scopes"] = json!(["members:write"]);
        admin.post(keys, body.clone()).await.field("invalid", "grants[0].scopes[0]");
        body["grants"][0]["organization"] = json!("octo");
        body["grants"][0]["scopes"] = json!(["scim"]);
        admin.post("/v1/me/tokens", body).await.field("invalid", "grants[0].scopes[0]");
        // Nobody passes it on who does not have it.
        let permissions = json!([{"api": "tegata", "permissions": ["organization_keys:write", "organization:read"]}]);
        town.make("roles", json!({"key": "keys", "name": "Keys", "context_type": "global", "permissions": permissions})).await;
        let clerk = town.member(&server, "clerk", "keys").await;
        clerk.client.post(keys, scim_key_body(&server.in_days(10))).await.problem("beyond_own_rights");
        // What stops a key stops it here.
        let key = admin.get(&format!("{keys}?limit=200")).await;
        let named = key.status(200)["items"].as_array().unwrap().iter().find(|key| key["name"] == "identity provider");
        let key = text(named.unwrap(), "id");
        admin.post(&format!("{keys}/{key}/block"), json!({})).await.status(200);
        wrong(&provider.get(USERS).await, 403);
        admin.post(&format!("{keys}/{key}/unblock"), json!({})).await.status(200);
        provider.get(USERS).await.status(200);
        let mut policy = crate::town::open_policy();
        policy["level"] = json!("read_only");
        admin.put("/v1/orgs/octo/policies/organization_key", policy).await.status(200);
        wrong(&provider.get(USERS).await, 403);
        // The access log names the organization, and nobody whom it acted for.
        let records = admin.get("/v1/orgs/octo/records?limit=50&api=tegata").await;
        let record = records.status(200)["items"].as_array().unwrap().iter().find(|record| record["permission"] == "scim").cloned();
        let record = record.unwrap();
        assert!(record.to_string().contains("organization_key"), "{record}");
    }

    async fn a_change_says_which_version_it_is_about(server: Server) {
        let town = Town::found(&server).await;
        let provider = town.provider(&server).await;
        let ann = made(&provider, json!({"userName": "ann@example.com"})).await;
        let path = format!("{USERS}/{}", text(&ann, "id"));
        let version = text(&ann["meta"], "version");
        let change = |name: &str| Some(patch(json!({"op": "replace", "path": "displayName", "value": name})));
        let send = async |method: Method, body, header: (&str, &str)| provider.send(method, &path, body, &[header]).await;
        send(Method::GET, None, ("if-none-match", &version)).await.status(304);
        let changed = send(Method::PATCH, change("Ann"), ("if-match", &version)).await;
        let newer = text(&changed.status(200)["meta"], "version");
        assert_ne!(newer, version);
        wrong(&send(Method::PATCH, change("Eve"), ("if-match", &version)).await, 412);
        wrong(&send(Method::PUT, Some(json!({"userName": "ann"})), ("if-match", &version)).await, 412);
        wrong(&send(Method::DELETE, None, ("if-match", &version)).await, 412);
        let shown = send(Method::GET, None, ("if-none-match", &version)).await;
        assert_eq!((&shown.status(200)["displayName"], shown.headers["etag"].to_str().unwrap()), (&json!("Ann"), newer.as_str()));
        // What is done by hand is a change as well.
        let member = format!("/v1/orgs/octo/members/{}/deactivate", text(&ann, "id"));
        town.admin.client.post(&member, json!({})).await.status(200);
        wrong(&send(Method::DELETE, None, ("if-match", &newer)).await, 412);
        send(Method::DELETE, None, ("if-match", "*")).await.status(204);
        let group = provider.post(GROUPS, json!({"displayName": "Crew"})).await;
        let (path, version) = (format!("{GROUPS}/{}", text(group.status(201), "id")), text(&group["meta"], "version"));
        let renamed = patch(json!({"op": "replace", "path": "displayName", "value": "Heads"}));
        provider.send(Method::PATCH, &path, Some(renamed), &[("if-match", &version)]).await.status(200);
        wrong(&provider.send(Method::DELETE, &path, None, &[("if-match", &version)]).await, 412);
    }

    async fn lists_come_in_pages_and_searches_find_both(server: Server) {
        let town = Town::found(&server).await;
        let provider = town.provider(&server).await;
        for number in 0..5 {
            made(&provider, json!({"userName": format!("person-{number}@example.com"), "displayName": "Person"})).await;
        }
        provider.post(GROUPS, json!({"displayName": "Person"})).await.status(201);
        // The administrator is a member, too.
        let mut seen = std::collections::BTreeSet::new();
        for start in [1, 3, 5] {
            let page = provider.get(&format!("{USERS}?startIndex={start}&count=2")).await;
            let page = page.status(200);
            assert_eq!((&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]), (&json!(6), &json!(start), &json!(2)));
            seen.extend(page["Resources"].as_array().unwrap().iter().map(|person| text(person, "id")));
        }
        assert_eq!(seen.len(), 6);
        let none = provider.get(&format!("{USERS}?count=0&startIndex=-4")).await;
        assert_eq!((&none.status(200)["totalResults"], &none["Resources"]), (&json!(6), &json!([])));
        let named = provider.get(&format!("{USERS}?filter=displayName%20eq%20%22person%22&count=2&startIndex=4&attributes=userName")).await;
        let page = named.status(200);
        assert_eq!((&page["totalResults"], &page["itemsPerPage"]), (&json!(5), &json!(2)));
        let mut fields: Vec<_> = page["Resources"][0].as_object().unwrap().keys().cloned().collect();
        fields.sort();
        assert_eq!(fields, ["id", "schemas", "userName"]);
        let search = json!({"filter": "displayName eq \"Person\"", "count": 10, "excludedAttributes": ["meta"]});
        let both = provider.post(&format!("{BASE}/.search"), search.clone()).await;
        assert_eq!(both.status(200)["totalResults"], 6);
        assert!(both["Resources"][0].get("meta").is_none());
        assert_eq!(provider.post(&format!("{USERS}/.search"), search.clone()).await.status(200)["totalResults"], 5);
        assert_eq!(provider.post(&format!("{GROUPS}/.search"), search).await.status(200)["totalResults"], 1);
        let last = json!({"filter": "displayName eq \"Person\"", "startIndex": 6});
        let last = provider.post(&format!("{BASE}/.search"), last).await;
        assert_eq!(last.status(200)["Resources"][0]["meta"]["resourceType"], "Group");
    }

    async fn mistakes_have_their_words_and_change_nothing(server: Server) {
        let town = Town::found(&server).await;
        let provider = town.provider(&server).await;
        let ann = made(&provider, json!({"userName": "ann@example.com"})).await;
        let bob = made(&provider, json!({"userName": "bob@example.com"})).await;
        let path = format!("{USERS}/{}", text(&ann, "id"));
        for (body, word) in [
            (json!({}), "invalidValue"),
            (json!({"userName": "no-address"}), "invalidValue"),
            (json!({"userName": "eve@example.com", "active": "perhaps"}), "invalidValue"),
            (json!({"userName": "eve@example.com", "emails": [{"value": "nowhere"}]}), "invalidValue"),
            (json!({"userName": "eve\u{0}@example.com"}), "invalidSyntax"),
            (json!([]), "invalidSyntax"),
        ] {
            assert_eq!(wrong(&provider.post(USERS, body.clone()).await, 400), word, "{body}");
        }
        for (operation, word) in [
            (json!({"op": "replace", "path": "shoeSize", "value": 42}), "invalidPath"),
            (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
            (json!({"op": "remove", "path": "userName"}), "mutability"),
            (json!({"op": "remove"}), "noTarget"),
            (json!({"op": "swap", "path": "active"}), "invalidSyntax"),
            (json!({"op": "replace", "path": "active", "value": 1}), "invalidValue"),
        ] {
            assert_eq!(wrong(&provider.patch(&path, patch(operation.clone())).await, 400), word, "{operation}");
        }
        let taken = patch(json!({"op": "replace", "path": "userName", "value": "BOB@example.com"}));
        assert_eq!(wrong(&provider.patch(&path, taken).await, 409), "uniqueness");
        for filter in ["userName", "shoeSize%20pr", "userName%20eq%20bob", "groups%20pr"] {
            assert_eq!(wrong(&provider.get(&format!("{USERS}?filter={filter}")).await, 400), "invalidFilter");
        }
        assert_eq!(wrong(&provider.post(&format!("{BASE}/.search"), json!({"filter": "shoeSize pr"})).await, 400), "invalidFilter");
        wrong(&provider.get(&format!("{BASE}/Shoes")).await, 404);
        wrong(&provider.post(&format!("{BASE}/Schemas"), json!({})).await, 405);
        wrong(&provider.get(&format!("{BASE}/Schemas/urn:x")).await, 404);
        wrong(&provider.get(&format!("{BASE}/ResourceTypes/Shoe")).await, 404);
        assert_eq!(provider.get(&path).await.status(200), &ann);
        assert_eq!(provider.get(&format!("{USERS}/{}", text(&bob, "id"))).await.status(200), &bob);
        let config = provider.get(&format!("{BASE}/ServiceProviderConfig")).await;
        assert_eq!((&config.status(200)["bulk"]["supported"], &config["etag"]["supported"]), (&json!(false), &json!(true)));
    }
}
