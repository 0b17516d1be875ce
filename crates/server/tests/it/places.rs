//! Contexts, roles, assignments, policies and activity: what they do, and everything that they refuse.

use crate::support::{Client, Person, Server};
use serde_json::{Value, json};

/// Regions with stores, and vaults whose keys mind case.
const SHOP: &str = r#"
api: shop
title: {en: Shop}
context_types:
  - {name: region, case_sensitive: false}
  - {name: store, parent: region, case_sensitive: false}
  - {name: vault}
permissions:
  - {name: "orders:read", level: read, contexts: [global, region, store]}
  - {name: "orders:write", contexts: [global, region, store], implies: ["orders:read"]}
  - {name: "prices:write", level: admin, contexts: [global]}
  - {name: "gold:take", contexts: [vault]}
roles:
  - {key: clerk, context_type: store, permissions: ["orders:write"], title: {en: Clerk}}
endpoints:
  - {method: GET, path: "/stores/{store}/orders", any_of: [["orders:read"]], context: "store:key:{store}"}
  - {method: POST, path: "/vaults/{vault}/gold", any_of: [["gold:take"]], context: "vault:key:{vault}"}
"#;

const ORG: &str = "/v1/orgs/acme";

/// An organization with the shop's API, its administrator, and the publisher's.
struct Acme {
    root: Client,
    admin: Client,
    admin_id: String,
}

fn id(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

fn keys<'a>(body: &'a Value, field: &str) -> Vec<&'a str> {
    body["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap()).collect()
}

impl Acme {
    async fn new(server: &Server) -> Self {
        let root = server.admin().await;
        root.post("/v1/apis", json!({"document": SHOP, "format": "yaml"})).await.status(201);
        let Person { id: admin_id, client: admin } = server.org(&root, "acme").await;
        admin.put(&format!("{ORG}/apis/shop"), json!({})).await.status(200);
        Self { root, admin, admin_id }
    }

    async fn member(&self, server: &Server, name: &str) -> Person {
        server.member(&self.root, &self.admin, "acme", name, "member").await
    }

    async fn context(&self, kind: &str, key: &str, parent: Option<&str>) -> String {
        let mut body = json!({"type": kind, "key": key});
        if let Some(parent) = parent {
            body["parent"] = parent.into();
        }
        id(self.admin.post(&format!("{ORG}/contexts"), body).await.status(201))
    }

    async fn role(&self, key: &str, kind: &str, api: &str, permissions: &[&str]) -> String {
        let permissions = json!([{"api": api, "permissions": permissions}]);
        let body = json!({"key": key, "name": key, "context_type": kind, "permissions": permissions});
        id(self.admin.post(&format!("{ORG}/roles"), body).await.status(201))
    }

    async fn give(&self, role: &str, user: &str, context: Option<&str>) -> String {
        let body = giving(role, user, context);
        id(self.admin.post(&format!("{ORG}/assignments"), body).await.status(201))
    }

    /// Somebody with these permissions of Tegata's own API in the whole organization.
    async fn with_own(&self, server: &Server, name: &str, permissions: &[&str]) -> Person {
        let person = self.member(server, name).await;
        let role = format!("role-of-{name}");
        self.role(&role, "global", "tegata", permissions).await;
        self.give(&role, &person.id, None).await;
        person
    }
}

fn giving(role: &str, user: &str, context: Option<&str>) -> Value {
    let mut body = json!({"role": role, "principal": {"type": "user", "id": user}});
    if let Some(context) = context {
        body["context"] = context.into();
    }
    body
}

both_databases! {
    async fn whoever_registers_a_context_administers_it(server: Server) {
        let acme = Acme::new(&server).await;
        let bob = acme.with_own(&server, "bob", &["contexts:write"]).await;
        let body = json!({"type": "region", "key": "North", "name": "The north", "external_id": "r-1"});
        let reply = bob.client.post(&format!("{ORG}/contexts"), body).await;
        let north = id(reply.status(201));
        assert_eq!(reply["type"], "region");
        assert_eq!(reply["parent"], Value::Null);
        assert_eq!(reply["created_by"], bob.id.as_str());

        let shown = acme.admin.get(&format!("{ORG}/contexts/{north}")).await;
        assert_eq!(shown.status(200)["administrators"][0]["id"], bob.id.as_str());
        assert_eq!(shown["administrators"][0]["role"], "context-administrator");

        // Administering the region, he may give roles in it and in what lies below, and nowhere else.
        let body = json!({"type": "store", "key": "Harbour", "parent": "region:key:north"});
        let harbour = id(bob.client.post(&format!("{ORG}/contexts"), body).await.status(201));
        let carol = acme.member(&server, "carol").await;
        let assignments = format!("{ORG}/assignments");
        bob.client.post(&assignments, giving("shop.clerk", &carol.id, Some(&harbour))).await.status(201);
        let south = acme.context("region", "South", None).await;
        bob.client.post(&assignments, giving("context-administrator", &carol.id, Some(&south))).await.problem("forbidden");
        bob.client.post(&assignments, giving("member", &carol.id, None)).await.problem("forbidden");
        bob.client.patch(&format!("{ORG}/contexts/{harbour}"), json!({"name": "Old harbour"})).await.status(200);

        // Who may not register contexts registers none.
        let body = json!({"type": "region", "key": "East"});
        carol.client.post(&format!("{ORG}/contexts"), body).await.problem("forbidden");
        carol.client.patch(&format!("{ORG}/contexts/{harbour}"), json!({"name": "Mine"})).await.problem("forbidden");
    }

    async fn contexts_are_found_by_key_id_and_type(server: Server) {
        let acme = Acme::new(&server).await;
        let north = acme.context("region", "North", None).await;
        let harbour = acme.context("store", "Harbour", Some(&north)).await;
        acme.context("vault", "Gold", None).await;
        acme.context("vault", "gold", None).await;
        let get = async |path: &str| acme.admin.get(&format!("{ORG}{path}")).await;

        assert_eq!(get("/contexts?type=vault").await["items"].as_array().unwrap().len(), 2);
        assert_eq!(keys(&get("/contexts?parent=region:key:NORTH").await.body, "key"), ["Harbour"]);
        assert_eq!(keys(&get("/contexts?parent=global&type=region").await.body, "key"), ["North"]);
        assert_eq!(get("/contexts/store:key:harbour").await.status(200)["id"], harbour.as_str());
        assert_eq!(get("/contexts/vault:key:Gold").await.status(200)["key"], "Gold");
        get("/contexts/vault:key:GOLD").await.problem("not_found");
        get("/contexts/global").await.problem("not_found");
        get("/contexts/ctx_00000000000000000000000000").await.problem("not_found");
        get("/contexts?parent=region:key:nowhere").await.field("invalid", "parent");
        let first = get("/contexts?limit=1").await;
        let next = format!("/contexts?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
        assert_ne!(get(&next).await["items"][0]["id"], first["items"][0]["id"]);
        get("/contexts?cursor=zzz").await.problem("malformed_cursor");
        get("/contexts?limit=0").await.problem("invalid_parameter");
    }

    async fn a_context_that_breaks_a_rule_is_refused(server: Server) {
        let acme = Acme::new(&server).await;
        acme.context("region", "North", None).await;
        let make = async |body: Value| acme.admin.post(&format!("{ORG}/contexts"), body).await;
        make(json!({"type": "planet", "key": "Mars"})).await.field("invalid", "type");
        make(json!({"type": "global", "key": "x"})).await.field("invalid", "type");
        make(json!({"type": "region", "key": ""})).await.field("invalid", "key");
        make(json!({"type": "region", "key": "x".repeat(201)})).await.field("invalid", "key");
        make(json!({"type": "region", "key": "East", "name": ""})).await.field("invalid", "name");
        make(json!({"type": "region", "key": "East", "external_id": "key"})).await.field("invalid", "external_id");
        make(json!({"type": "store", "key": "Harbour"})).await.field("invalid", "parent");
        make(json!({"type": "region", "key": "East", "parent": "region:key:North"})).await.field("invalid", "parent");
        make(json!({"type": "store", "key": "Harbour", "parent": "region:key:Nowhere"})).await.field("invalid", "parent");
        make(json!({"type": "region", "key": "NORTH"})).await.field("duplicate", "key");
        make(json!({"type": "region", "key": "West", "external_id": "7"})).await.status(201);
        make(json!({"type": "region", "key": "East", "external_id": "7"})).await.field("duplicate", "external_id");
        make(json!({"type": "region", "key": "East", "colour": "red"})).await.problem("malformed_body");
        make(json!({"type": "region", "key": 7})).await.field("malformed_body", "key");
        assert_eq!(acme.admin.get(&format!("{ORG}/contexts")).await["items"].as_array().unwrap().len(), 2);
    }

    async fn keys_that_differ_in_case_are_different_places_where_their_type_says_so(server: Server) {
        let acme = Acme::new(&server).await;
        let policy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        acme.admin.put(&format!("{ORG}/policies/personal_token"), policy).await.status(200);
        acme.context("vault", "gold", None).await;
        // Registered later, and administered by somebody else.
        let bob = acme.with_own(&server, "bob", &["contexts:write"]).await;
        bob.client.post(&format!("{ORG}/contexts"), json!({"type": "vault", "key": "GOLD"})).await.status(201);
        let token = async |client: &Client, scope: &str| {
            let body = json!({"name": "taker", "expires_at": server.in_days(10), "reason": "test",
                "grants": [{"organization": "acme", "api": "shop", "scopes": [scope]}]});
            client.post("/v1/me/tokens", body).await.status(201)["token"].as_str().unwrap().to_owned()
        };
        let lower = token(&acme.admin, "vault:key:gold:gold:take").await;
        let upper = token(&bob.client, "vault:key:GOLD:gold:take").await;
        let gateway = server.verifier(&acme.root, "shop").await;
        for (token, path, allowed) in [
            (&lower, "/vaults/gold/gold", true),
            (&lower, "/vaults/GOLD/gold", false),
            (&upper, "/vaults/GOLD/gold", true),
            (&upper, "/vaults/gold/gold", false),
        ] {
            let answer = gateway.verify(json!({"token": token, "api": "shop", "method": "POST", "path": path,
                "organization": "acme"})).await;
            assert_eq!(answer["allowed"], allowed, "{path}: {answer}");
        }
        acme.admin.get(&format!("{ORG}/contexts/vault:key:Gold")).await.problem("not_found");
    }

    async fn texts_that_no_database_can_hold_are_found_nowhere(server: Server) {
        let acme = Acme::new(&server).await;
        for path in ["roles/%00", "contexts/%00", "contexts/region:key:a%00", "records/%00"] {
            acme.admin.get(&format!("{ORG}/{path}")).await.problem("not_found");
        }
    }

    async fn moving_a_context_shows_what_it_gives_and_needs_both_administrators(server: Server) {
        let acme = Acme::new(&server).await;
        let north = acme.context("region", "North", None).await;
        let south = acme.context("region", "South", None).await;
        let harbour = acme.context("store", "Harbour", Some(&north)).await;
        let (bob, carol) = (acme.member(&server, "bob").await, acme.member(&server, "carol").await);
        acme.give("context-administrator", &bob.id, Some(&north)).await;
        acme.give("context-administrator", &carol.id, Some(&south)).await;
        let path = format!("{ORG}/contexts/{harbour}");

        let preview = acme.admin.get(&format!("{path}/move-preview?parent={south}")).await;
        let gained = preview.status(200)["gained"].as_array().unwrap();
        assert!(gained.iter().any(|right| right["principal"] == carol.id.as_str()), "{preview:?}");
        assert!(gained.iter().all(|right| right["context"] == south.as_str()));
        assert!(preview["lost"].as_array().unwrap().iter().any(|right| right["principal"] == bob.id.as_str()));
        assert_eq!(acme.admin.get(&path).await["parent"], north.as_str(), "a preview changes nothing");

        // Bob administers where it is, Carol where it goes; neither may do it alone.
        bob.client.patch(&path, json!({"parent": south})).await.problem("forbidden");
        carol.client.patch(&path, json!({"parent": south})).await.problem("forbidden");
        bob.client.get(&format!("{path}/move-preview?parent={south}")).await.problem("forbidden");
        acme.role("mover", "any", "tegata", &["contexts:write"]).await;
        acme.give("mover", &bob.id, Some(&south)).await;
        bob.client.patch(&path, json!({"parent": south})).await.problem("beyond_own_rights");

        acme.admin.patch(&path, json!({"parent": "global"})).await.field("invalid", "parent");
        acme.admin.patch(&path, json!({"parent": harbour})).await.field("invalid", "parent");
        acme.admin.patch(&path, json!({"parent": "region:key:nowhere"})).await.field("invalid", "parent");
        acme.admin.patch(&path, json!({"name": "x".repeat(101)})).await.field("invalid", "name");

        let moved = acme.admin.patch(&path, json!({"parent": "region:key:south", "name": "Quay"})).await;
        assert_eq!(moved.status(200)["parent"], south.as_str());
        assert_eq!(moved["gained"].as_array().unwrap().len(), preview["gained"].as_array().unwrap().len() + 1);
        let body = giving("shop.clerk", &carol.id, Some(&harbour));
        bob.client.post(&format!("{ORG}/assignments"), body.clone()).await.problem("forbidden");
        carol.client.post(&format!("{ORG}/assignments"), body).await.status(201);
    }

    async fn roles_hold_what_exists_and_fits(server: Server) {
        let acme = Acme::new(&server).await;
        let make = async |kind: &str, api: &str, permission: &str| {
            let permissions = json!([{"api": api, "permissions": [permission]}]);
            let body = json!({"key": "tester", "name": "Tester", "context_type": kind, "permissions": permissions});
            acme.admin.post(&format!("{ORG}/roles"), body).await
        };
        make("store", "shop", "orders:eat").await.field("invalid", "permissions[0].permissions[0]");
        make("store", "shop", "prices:write").await.field("invalid", "permissions[0].permissions[0]");
        make("any", "shop", "prices:write").await.field("invalid", "permissions[0].permissions[0]");
        make("global", "nothing", "orders:read").await.field("invalid", "permissions[0].api");
        make("planet", "shop", "orders:read").await.field("invalid", "context_type");
        make("global", "tegata", "users:write").await.field("invalid", "permissions[0].permissions[0]");
        let role = make("store", "shop", "orders:read").await;
        assert_eq!(role.status(201)["permissions"], json!([{"api": "shop", "permissions": ["orders:read"]}]));
        make("store", "shop", "orders:read").await.field("duplicate", "key");
        let body = json!({"key": "Bad Key", "name": "x", "context_type": "any", "permissions": []});
        acme.admin.post(&format!("{ORG}/roles"), body).await.field("invalid", "key");
        let body = json!({"key": role["id"], "name": "x", "context_type": "any", "permissions": []});
        acme.admin.post(&format!("{ORG}/roles"), body).await.field("invalid", "key");

        let path = format!("{ORG}/roles/tester");
        let permissions = json!([{"api": "shop", "permissions": ["orders:write"]}]);
        let changed = acme.admin.patch(&path, json!({"name": "Writer", "permissions": permissions})).await;
        assert_eq!(changed.status(200)["permissions"][0]["permissions"], json!(["orders:write"]));
        assert_eq!(acme.admin.get(&path).await.status(200)["name"], "Writer");
        acme.admin.patch(&path, json!({"name": ""})).await.field("invalid", "name");
        acme.admin.patch(&format!("{ORG}/roles/nobody"), json!({"name": "x"})).await.problem("not_found");
        for given in ["administrator", "shop.clerk"] {
            acme.admin.patch(&format!("{ORG}/roles/{given}"), json!({"name": "x"})).await.problem("conflict");
            acme.admin.delete(&format!("{ORG}/roles/{given}")).await.problem("conflict");
        }

        let north = acme.context("region", "North", None).await;
        let harbour = acme.context("store", "Harbour", Some(&north)).await;
        let assignment = acme.give("tester", &acme.admin_id, Some(&harbour)).await;
        acme.admin.delete(&path).await.problem("in_use");
        acme.admin.delete(&format!("{ORG}/assignments/{assignment}")).await.status(200);
        acme.admin.delete(&path).await.status(200);
        acme.admin.get(&path).await.problem("not_found");

        let bob = acme.member(&server, "bob").await;
        let body = json!({"key": "mine", "name": "Mine", "context_type": "any", "permissions": []});
        bob.client.post(&format!("{ORG}/roles"), body).await.problem("forbidden");
        bob.client.patch(&format!("{ORG}/roles/shop.clerk"), json!({"name": "x"})).await.problem("forbidden");
        bob.client.delete(&format!("{ORG}/roles/shop.clerk")).await.problem("forbidden");
        assert!(keys(&bob.client.get(&format!("{ORG}/roles")).await.body, "key").contains(&"shop.clerk"));
    }

    async fn nobody_defines_or_edits_a_role_beyond_themselves(server: Server) {
        let acme = Acme::new(&server).await;
        let bob = acme.with_own(&server, "bob", &["roles:write", "assignments:write", "teams:write"]).await;
        acme.role("reader", "global", "shop", &["orders:read"]).await;
        acme.give("reader", &bob.id, None).await;
        let roles = format!("{ORG}/roles");
        let listing = |api: &str, names: &[&str]| json!([{"api": api, "permissions": names}]);

        // A role above one's own, by its permissions or by what they imply.
        for (api, names) in [("shop", ["orders:write"]), ("shop", ["prices:write"]), ("tegata", ["organization:write"])] {
            let body = json!({"key": "up", "name": "Up", "context_type": "global", "permissions": listing(api, &names)});
            bob.client.post(&roles, body).await.problem("beyond_own_rights");
        }
        let body = json!({"key": "same", "name": "Same", "context_type": "global",
            "permissions": listing("shop", &["orders:read"])});
        bob.client.post(&roles, body).await.status(201);
        let more = json!({"permissions": listing("shop", &["orders:write"])});
        bob.client.patch(&format!("{roles}/same"), more.clone()).await.problem("beyond_own_rights");

        // A role that one holds, directly or through a team; not even to make it less.
        let own = json!({"permissions": listing("tegata", &["roles:write"])});
        bob.client.patch(&format!("{roles}/role-of-bob"), own).await.problem("beyond_own_rights");
        bob.client.patch(&format!("{roles}/reader"), json!({"permissions": []})).await.problem("beyond_own_rights");
        acme.role("team-role", "global", "shop", &["orders:read"]).await;
        acme.admin.post(&format!("{ORG}/teams"), json!({"key": "crew", "name": "Crew"})).await.status(201);
        let body = json!({"role": "team-role", "principal": {"type": "team", "id": "crew"}});
        acme.admin.post(&format!("{ORG}/assignments"), body).await.status(201);
        bob.client.patch(&format!("{roles}/team-role"), json!({"permissions": []})).await.status(200);
        acme.admin.put(&format!("{ORG}/teams/crew/members/{}", bob.id), json!({})).await.status(200);
        bob.client.patch(&format!("{roles}/team-role"), json!({"permissions": []})).await.problem("beyond_own_rights");
        assert_eq!(bob.client.get(&format!("{roles}/same")).await["permissions"], listing("shop", &["orders:read"]));
    }

    async fn nobody_gives_a_role_above_their_own(server: Server) {
        let acme = Acme::new(&server).await;
        let bob = acme.with_own(&server, "bob", &["assignments:write"]).await;
        let carol = acme.member(&server, "carol").await;
        let north = acme.context("region", "North", None).await;
        let harbour = acme.context("store", "Harbour", Some(&north)).await;
        let path = format!("{ORG}/assignments");
        let give = async |role: &str, to: &Person, place: Option<&str>| {
            bob.client.post(&path, giving(role, &to.id, place)).await
        };
        // Themself or somebody else: an administrator, of the whole or of a part, or a role with more than one has.
        for to in [&bob, &carol] {
            give("administrator", to, None).await.problem("beyond_own_rights");
            give("context-administrator", to, Some(&north)).await.problem("beyond_own_rights");
            give("shop.clerk", to, Some(&harbour)).await.problem("beyond_own_rights");
            give("auditor", to, None).await.problem("beyond_own_rights");
        }
        give("role-of-bob", &carol, None).await.status(201);
        // What one has in one place is not there to be given in another.
        acme.give("shop.clerk", &bob.id, Some(&harbour)).await;
        give("shop.clerk", &carol, Some(&harbour)).await.status(201);
        let quay = acme.context("store", "Quay", Some(&north)).await;
        give("shop.clerk", &carol, Some(&quay)).await.problem("beyond_own_rights");
        // Nor does anybody stop an administrator who is not one.
        let theirs = acme.admin.get(&format!("{path}?role=administrator")).await;
        let theirs = theirs["items"][0]["id"].as_str().unwrap();
        bob.client.delete(&format!("{path}/{theirs}")).await.problem("beyond_own_rights");
    }

    async fn a_token_passes_on_what_it_was_given_and_no_more(server: Server) {
        let acme = Acme::new(&server).await;
        let carol = acme.member(&server, "carol").await;
        let body = json!({"name": "admin tool", "expires_at": server.in_days(10), "reason": "test", "grants": [
            {"organization": "acme", "api": "tegata", "scopes": ["assignments:write", "organization:read"]}]});
        let reply = acme.admin.post("/v1/me/tokens", body).await;
        let tool = acme.admin.with(reply.status(201)["token"].as_str().unwrap());
        let path = format!("{ORG}/assignments");
        tool.post(&path, giving("administrator", &carol.id, None)).await.problem("beyond_own_rights");
        tool.post(&path, giving("auditor", &carol.id, None)).await.problem("beyond_own_rights");
        acme.role("looker", "global", "tegata", &["organization:read"]).await;
        tool.post(&path, giving("looker", &carol.id, None)).await.status(201);
        let body = json!({"key": "up", "name": "Up", "context_type": "any", "permissions": []});
        tool.post(&format!("{ORG}/roles"), body).await.problem("forbidden");
    }

    async fn assignments_are_listed_and_taken_away(server: Server) {
        let acme = Acme::new(&server).await;
        let bob = acme.member(&server, "bob").await;
        let north = acme.context("region", "North", None).await;
        let harbour = acme.context("store", "Harbour", Some(&north)).await;
        let path = format!("{ORG}/assignments");
        let bob_by_address = json!({"type": "user", "id": "bob@example.com"});
        let body = json!({"role": "shop.clerk", "principal": bob_by_address, "context": "store:key:harbour"});
        let made = acme.admin.post(&path, body.clone()).await;
        assert_eq!(made.status(201)["principal"]["name"], "bob");
        assert_eq!(made["context"]["id"], harbour.as_str());
        assert_eq!(made["role"]["key"], "shop.clerk");
        acme.admin.post(&path, body).await.problem("duplicate");

        let give = async |role: &str, to: &str, place: Option<&str>| acme.admin.post(&path, giving(role, to, place)).await;
        give("shop.clerk", &bob.id, Some(&north)).await.field("invalid", "context");
        give("shop.clerk", &bob.id, None).await.field("invalid", "context");
        give("administrator", &bob.id, Some(&north)).await.field("invalid", "context");
        give("context-administrator", &bob.id, None).await.field("invalid", "context");
        give("nothing", &bob.id, None).await.field("invalid", "role");
        give("auditor", &bob.id, Some("store:key:nowhere")).await.field("invalid", "context");
        let stranger = server.user(&acme.root, "stranger").await;
        give("auditor", &stranger.id, None).await.field("invalid", "principal.id");
        give("auditor", "nobody@example.com", None).await.field("invalid", "principal.id");
        let body = json!({"role": "auditor", "principal": {"type": "team", "id": "nothing"}});
        acme.admin.post(&path, body).await.field("invalid", "principal.id");
        let body = json!({"role": "auditor", "principal": {"type": "robot", "id": bob.id}});
        acme.admin.post(&path, body).await.problem("malformed_body");

        let list = async |query: &str| {
            let reply = acme.admin.get(&format!("{path}?{query}")).await;
            reply.status(200)["items"].as_array().unwrap().len()
        };
        assert_eq!(list("principal=bob@example.com").await, 2);
        assert_eq!(list("principal=bob@example.com&context=global").await, 1);
        assert_eq!(list("context=store:key:Harbour&role=shop.clerk").await, 1);
        assert_eq!(list("principal=stranger@example.com").await, 0);
        acme.admin.get(&format!("{path}?role=nothing")).await.field("invalid", "role");

        let made = id(&made.body);
        bob.client.delete(&format!("{path}/{made}")).await.problem("forbidden");
        let receipt = acme.admin.delete(&format!("{path}/{made}")).await;
        assert_eq!(receipt.status(200)["verifiers"][0]["applied"], true);
        acme.admin.delete(&format!("{path}/{made}")).await.problem("not_found");
        acme.admin.delete(&format!("{path}/nonsense")).await.problem("not_found");
    }

    async fn the_last_administrator_stays(server: Server) {
        let acme = Acme::new(&server).await;
        let path = format!("{ORG}/assignments");
        let last = acme.admin.get(&format!("{path}?role=administrator")).await;
        let last = last["items"][0]["id"].as_str().unwrap().to_owned();
        acme.admin.delete(&format!("{path}/{last}")).await.problem("conflict");
        let bob = acme.member(&server, "bob").await;
        acme.give("administrator", &bob.id, None).await;
        bob.client.delete(&format!("{path}/{last}")).await.status(200);
        acme.admin.delete(&format!("{path}/{last}")).await.problem("not_found");
        acme.admin.get(&format!("{ORG}/policies")).await.problem("forbidden");
    }

    async fn policies_are_set_with_a_reason(server: Server) {
        let acme = Acme::new(&server).await;
        let path = format!("{ORG}/policies");
        let fresh = acme.admin.get(&path).await;
        let kinds = ["personal_token", "legacy_token", "organization_key", "access_key", "application_token"];
        assert_eq!(keys(fresh.status(200), "kind"), kinds);
        assert_eq!(keys(fresh.status(200), "admission"), ["approval", "deny", "allow", "allow", "approval"]);
        let set = async |kind: &str, days: u64, reason: &str| {
            let body = json!({"admission": "deny", "level": "read_only", "max_lifetime_days": days, "reason": reason});
            acme.admin.put(&format!("{path}/{kind}"), body).await
        };
        set("personal_token", 0, "x").await.field("invalid", "max_lifetime_days");
        set("personal_token", 366, "x").await.field("invalid", "max_lifetime_days");
        set("personal_token", 30, " ").await.field("invalid", "reason");
        set("personal_token", 30, &"x".repeat(1001)).await.field("invalid", "reason");
        set("session", 30, "x").await.problem("not_found");
        set("nothing", 30, "x").await.problem("not_found");
        let set_for = async |kind: &str, field: &str, value: Value| {
            let mut body = json!({"admission": "allow", "level": "all", "max_lifetime_days": 30, "reason": "x"});
            body[field] = value;
            acme.admin.put(&format!("{path}/{kind}"), body).await
        };
        set_for("organization_key", "admission", json!("approval")).await.field("invalid", "admission");
        set_for("personal_token", "unscoped", json!(true)).await.field("invalid", "unscoped");
        set_for("organization_key", "without_end", json!(true)).await.field("invalid", "without_end");
        assert_eq!(set_for("organization_key", "unscoped", json!(true)).await.status(200)["unscoped"], true);
        assert_eq!(set_for("legacy_token", "without_end", json!(true)).await.status(200)["without_end"], true);
        let body = json!({"admission": "maybe", "level": "all", "max_lifetime_days": 1, "reason": "x"});
        acme.admin.put(&format!("{path}/personal_token"), body).await.field("malformed_body", "admission");
        assert_eq!(set("personal_token", 30, "audit").await.status(200)["max_lifetime_days"], 30);
        assert_eq!(acme.admin.get(&path).await["items"][0]["level"], "read_only");
        let seen = acme.admin.get(&format!("{ORG}/activity?operation=policy.set")).await;
        assert_eq!(seen["items"][0]["reason"], "audit");
        assert_eq!(seen["items"][0]["before"]["admission"], "approval");
        assert_eq!(seen["items"][0]["after"]["admission"], "deny");

        let bob = acme.member(&server, "bob").await;
        bob.client.get(&path).await.status(200);
        let body = json!({"admission": "allow", "level": "all", "max_lifetime_days": 1, "reason": "x"});
        bob.client.put(&format!("{path}/personal_token"), body).await.problem("forbidden");
    }

    async fn activity_tells_who_changed_what(server: Server) {
        let acme = Acme::new(&server).await;
        let north = acme.context("region", "North", None).await;
        acme.admin.patch(&format!("{ORG}/contexts/{north}"), json!({"name": "Cold"})).await.status(200);
        acme.admin.post(&format!("{ORG}/contexts"), json!({"type": "planet", "key": "x"})).await.problem("invalid");
        let get = async |query: &str| acme.admin.get(&format!("{ORG}/activity?{query}")).await;
        let seen = get(&format!("subject={north}")).await;
        assert_eq!(keys(seen.status(200), "operation"), ["context.update", "context.create"]);
        assert_eq!(seen["items"][0]["before"]["name"], "North");
        assert_eq!(seen["items"][0]["after"]["context"]["name"], "Cold");
        assert_eq!(seen["items"][0]["actor"]["id"], acme.admin_id.as_str());
        assert!(seen["items"][0]["request_id"].is_string() && seen["items"][0]["address"].is_string());
        let mine = get("actor=acme-admin@example.com&limit=1").await;
        let next = get(&format!("actor={}&limit=1&cursor={}", acme.admin_id, mine["next_cursor"].as_str().unwrap())).await;
        assert_ne!(next.status(200)["items"][0]["id"], mine["items"][0]["id"]);
        assert_eq!(get("from=2999-01-01T00:00:00Z").await["items"], json!([]));
        assert_eq!(get("to=1999-01-01T00:00:00Z").await["items"], json!([]));
        get("from=yesterday").await.field("invalid_parameter", "from");
        get("cursor=0011").await.problem("malformed_cursor");
        let elsewhere = acme.admin.get(&format!("{ORG}/roles?limit=1")).await;
        get(&format!("cursor={}", elsewhere["next_cursor"].as_str().unwrap())).await.problem("malformed_cursor");

        let bob = acme.member(&server, "bob").await;
        bob.client.get(&format!("{ORG}/activity")).await.problem("forbidden");
        acme.give("auditor", &bob.id, None).await;
        bob.client.get(&format!("{ORG}/activity")).await.status(200);
    }

    async fn another_organization_sees_and_touches_nothing(server: Server) {
        let acme = Acme::new(&server).await;
        let other = server.org(&acme.root, "other").await;
        other.client.put("/v1/orgs/other/apis/shop", json!({})).await.status(200);
        let north = acme.context("region", "North", None).await;
        let role = acme.role("tester", "any", "shop", &["orders:read"]).await;
        let assignment = acme.give("tester", &acme.admin_id, Some(&north)).await;
        for org in [ORG, "/v1/orgs/other"] {
            let client = &other.client;
            client.get(&format!("{org}/contexts/{north}")).await.problem("not_found");
            client.get(&format!("{org}/contexts/{north}/move-preview")).await.problem("not_found");
            client.patch(&format!("{org}/contexts/{north}"), json!({"name": "x"})).await.problem("not_found");
            client.get(&format!("{org}/roles/{role}")).await.problem("not_found");
            client.patch(&format!("{org}/roles/{role}"), json!({"name": "x"})).await.problem("not_found");
            client.delete(&format!("{org}/roles/{role}")).await.problem("not_found");
            client.delete(&format!("{org}/assignments/{assignment}")).await.problem("not_found");
        }
        let body = giving("shop.clerk", &other.id, Some(&north));
        other.client.post("/v1/orgs/other/assignments", body).await.field("invalid", "context");
        let body = giving(&role, &other.id, None);
        other.client.post("/v1/orgs/other/assignments", body).await.field("invalid", "role");
        let body = giving("member", &acme.admin_id, None);
        other.client.post("/v1/orgs/other/assignments", body).await.field("invalid", "principal.id");
        let body = json!({"type": "store", "key": "x", "parent": north});
        other.client.post("/v1/orgs/other/contexts", body).await.field("invalid", "parent");
        for list in ["contexts", "roles", "assignments", "policies", "activity"] {
            other.client.get(&format!("{ORG}/{list}")).await.problem("not_found");
        }
        assert_eq!(other.client.get("/v1/orgs/other/contexts").await["items"], json!([]));
    }
}
