//! Applications that the publisher offers, and several organizations have: each on its own.

use super::*;

/// The publisher offers an application; `acme` and `octo` install it.
async fn offered(server: &Server) -> (Workshop, Client, String, String, String) {
    let shop = Workshop::open(server).await;
    let root = &shop.town.root;
    root.put("/v1/orgs/publisher/apis/town", json!({})).await.status(200);
    let body = json!({"name": "Courier", "description": "for everybody", "shared": true,
        "required": [{"api": "town", "permissions": ["doors:read"]}]});
    let registered = root.post("/v1/orgs/publisher/applications", body).await;
    let body = registered.status(201);
    let (id, client, secret) = (text(body, "id"), text(body, "client_id"), text(body, "client_secret"));
    let acme = server.org(root, "acme").await.client;
    acme.put("/v1/orgs/acme/apis/town", json!({})).await.status(200);
    acme.post("/v1/orgs/acme/contexts", json!({"type": "house", "key": "main"})).await.status(201);
    for (client, org) in [(&shop.town.admin.client, "octo"), (&acme, "acme")] {
        let offers = client.get(&format!("/v1/orgs/{org}/application-offers")).await;
        assert_eq!(offers.status(200)["items"][0]["installed"], false);
        client
            .post(&format!("/v1/orgs/{org}/applications/{id}/install"), json!({"reason": "deliveries"}))
            .await
            .status(201);
        client.post(&format!("/v1/orgs/{org}/applications/{id}/install"), json!({})).await.problem("duplicate");
        let offers = client.get(&format!("/v1/orgs/{org}/application-offers")).await;
        assert_eq!(offers.status(200)["items"][0]["installed"], true);
    }
    (shop, acme, id, client, secret)
}

async fn signed_in(server: &Server, client: &str, secret: &str, org: &str) -> Reply {
    let body = json!({"client_id": client, "client_secret": secret, "organization": org});
    server.anybody().post("/v1/applications/sign-in", body).await
}

both_databases! {
    async fn each_organization_has_its_own_part(server: Server) {
        let (shop, acme, id, client, secret) = offered(&server).await;
        let octo = &shop.town.admin.client;
        let body = json!({"client_id": client, "client_secret": secret});
        server.anybody().post("/v1/applications/sign-in", body).await.field("invalid", "organization");
        let here = text(signed_in(&server, &client, &secret, "octo").await.status(201), "token");
        let there = text(signed_in(&server, &client, &secret, "acme").await.status(201), "token");
        signed_in(&server, &client, &secret, "nowhere").await.field("invalid", "organization");
        // Granted in one, it is granted in that one.
        let places = json!({"contexts": ["house:key:main"]});
        octo.post(&format!("{APPLICATIONS}/{id}/contexts"), places).await.status(201);
        assert_eq!((shop.reason(&here).await.as_str(), shop.reason(&there).await.as_str()), ("granted", "insufficient_scope"));
        // Each sees its own rights only, and changes nothing of what it is.
        let theirs = acme.get(&format!("/v1/orgs/acme/applications/{id}")).await;
        assert_eq!((theirs.status(200)["contexts"].clone(), text(&theirs.body, "registered_in")), (json!([]), "publisher".to_owned()));
        acme.patch(&format!("/v1/orgs/acme/applications/{id}"), json!({"name": "Mine"})).await.field("invalid", "name");
        acme.put(&format!("/v1/orgs/acme/applications/{id}/required"), json!({"required": []})).await.problem("forbidden");
        acme.post(&format!("/v1/orgs/acme/applications/{id}/secret/regenerate"), json!({})).await.problem("forbidden");
        // One blocks it: the other does not notice.
        acme.post(&format!("/v1/orgs/acme/applications/{id}/block"), json!({})).await.status(200);
        assert_eq!((shop.reason(&here).await.as_str(), shop.reason(&there).await.as_str()), ("granted", "blocked"));
    }

    async fn what_it_needs_anew_is_asked_for_in_each(server: Server) {
        let (shop, acme, id, _, _) = offered(&server).await;
        for (client, org) in [(&shop.town.admin.client, "octo"), (&acme, "acme")] {
            let body = json!({"contexts": ["house:key:main"]});
            client.post(&format!("/v1/orgs/{org}/applications/{id}/contexts"), body).await.status(201);
        }
        let body = json!({"required": [{"api": "town", "permissions": ["doors:read", "doors:write"]}], "reason": "parcels"});
        let said = shop.town.root.put(&format!("/v1/orgs/publisher/applications/{id}/required"), body).await;
        assert_eq!(said.status(200)["asked"]["rights"], json!([]), "the publisher itself let it in nowhere");
        for (client, org) in [(&shop.town.admin.client, "octo"), (&acme, "acme")] {
            let open = client.get(&format!("/v1/orgs/{org}/requests?state=open")).await;
            let request = open.status(200)["items"][0].clone();
            assert_eq!((text(&request["lines"][0], "scope"), text(&request, "reason")), ("house:key:main:doors:write".to_owned(), "parcels".to_owned()));
            assert_eq!(request["requester"]["name"], format!("{org}-admin"), "who answers for it there, and nobody from elsewhere");
            let activity = client.get(&format!("/v1/orgs/{org}/activity?limit=1")).await;
            assert_eq!(activity.status(200)["items"][0]["actor"]["name"], "Courier");
        }
    }

    async fn where_it_ends_it_ends_everywhere_and_nothing_old_revives(server: Server) {
        let (shop, acme, id, client, secret) = offered(&server).await;
        let octo = &shop.town.admin.client;
        let path = format!("{APPLICATIONS}/{id}");
        octo.post(&format!("{path}/contexts"), json!({"contexts": ["house:key:main"]})).await.status(201);
        let old = text(octo.post(&format!("{path}/tokens"), json!({"name": "old"})).await.status(201), "token");
        assert_eq!(shop.reason(&old).await, "granted");
        octo.post(&format!("{path}/uninstall"), json!({})).await.status(200);
        octo.post(&format!("{path}/install"), json!({})).await.status(201);
        octo.post(&format!("{path}/contexts"), json!({"contexts": ["house:key:main"]})).await.status(201);
        assert_eq!(shop.reason(&old).await, "revoked", "what was removed stays removed");
        let here = text(signed_in(&server, &client, &secret, "octo").await.status(201), "token");
        assert_eq!(shop.reason(&here).await, "granted");
        // Nor where what carries its rights was revoked like any credential.
        let second = text(octo.post(&format!("{path}/tokens"), json!({"name": "second"})).await.status(201), "token");
        let carrier = text(octo.get(&path).await.status(200), "credential");
        octo.post(&format!("/v1/orgs/octo/tokens/{carrier}/revoke"), json!({})).await.status(200);
        assert_eq!((shop.reason(&here).await.as_str(), shop.reason(&second).await.as_str()), ("revoked", "owner_inactive"));
        octo.post(&format!("{path}/install"), json!({})).await.status(201);
        octo.post(&format!("{path}/contexts"), json!({"contexts": ["house:key:main"]})).await.status(201);
        for gone in [&old, &second, &here] {
            assert_eq!(shop.reason(gone).await, "revoked");
        }
        let here = text(signed_in(&server, &client, &secret, "octo").await.status(201), "token");
        assert_eq!(shop.reason(&here).await, "granted");
        shop.town.root.post(&format!("/v1/orgs/publisher/applications/{id}/uninstall"), json!({"reason": "over"})).await.status(200);
        assert_eq!(shop.reason(&here).await, "revoked");
        signed_in(&server, &client, &secret, "octo").await.problem("wrong_credentials");
        assert_eq!(acme.get(&format!("/v1/orgs/acme/applications/{id}")).await.status(200)["state"], "uninstalled");
        octo.post(&format!("{path}/install"), json!({})).await.problem("not_found");
        assert_eq!(octo.get("/v1/orgs/octo/application-offers").await.status(200)["items"], json!([]));
        let activity = acme.get("/v1/orgs/acme/activity?limit=1").await;
        assert_eq!(activity.status(200)["items"][0]["actor"]["name"], "Courier", "nobody of the publisher's people is named");
    }
}
