//! Organizations know nothing of each other. The calls are made out of `/openapi.json`, so that an operation that is
//! added is tried as well: the administrator of another organization is told 404 for whatever belongs to the first.

use crate::support::{Client, Server};
use crate::town::{Town, doors_token, made, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The ids and keys of what an organization has, by the name that paths give them.
type Things = BTreeMap<&'static str, Vec<String>>;

/// Parameters of paths that are nobody's in particular.
const SHARED: [&str; 4] = ["api", "kind", "type", "schema"];

/// What `octo` has; nothing of it has a key that another organization uses too.
/// One key that was made elsewhere.
fn import(digit: char, expires_at: &str) -> Value {
    let row = json!({"kind": "organization_key", "name": "old", "expires_at": expires_at, "api": "town", "scopes": "doors:read",
        "algorithm": "sha-256", "hash": digit.to_string().repeat(64)});
    json!({"format": "jsonl", "content": row.to_string()})
}

async fn things_of_octo(server: &Server, town: &Town) -> Things {
    let admin = &town.admin.client;
    let holder = town.member(server, "holder", "member").await;
    let role = town.doors_role().await;
    let assignment = town.give(&role, &holder.id).await;
    let team = town.make("teams", json!({"key": "crew", "name": "Crew"})).await;
    admin.put(&format!("/v1/orgs/octo/teams/{team}/members/{}", holder.id), json!({})).await.status(200);
    let (token, _) = doors_token(&holder.client, &server.in_days(10)).await;
    let records = admin.get("/v1/orgs/octo/records?limit=1").await;
    let record = text(&records.status(200)["items"][0], "id");
    let sessions = holder.client.get("/v1/sessions").await;
    let session = text(&sessions.status(200)["items"][0], "id");
    let org = text(admin.get("/v1/orgs/octo").await.status(200), "id");
    let limit = json!({"name": "calls", "quota": 1_000_000, "window_seconds": 60, "per": "credential"});
    let limit = town.make("limits", limit).await;
    let stream = town.make("record-streams", stream()).await;
    let webhook = town.make("webhooks", webhook()).await;
    let delivery = "whd_00000000000000000000000001".to_owned();
    let key = town.make("organization-keys", key(&server.in_days(10))).await;
    let account = town.make("service-accounts", json!({"name": "ci-octo"})).await;
    let access_key = town.make("access-keys", json!({"name": "ci", "service_account": account})).await;
    let application = town.make("applications", application("Porter")).await;
    let access_policy = town.make("access-policies", ceiling()).await;
    let request =
        request(server, admin, &holder.client, "octo", json!({"api": "town", "scopes": ["house:key:main:doors:read"]}))
            .await;
    // Which tells whoever decides it.
    let notice = text(&admin.get("/v1/me/inbox?limit=1").await.status(200)["items"][0], "id");
    let task = task(server, town, &holder.client).await;
    let verifier = made(&town.root.post("/v1/verifiers", json!({"name": "Gate", "apis": ["town"]})).await);
    let succession = succession(admin, "octo", &town.silent_member().await).await;
    Things::from([
        ("org", vec!["octo".to_owned(), org]),
        ("user", vec![holder.id]),
        ("role", vec![role, "doors".to_owned()]),
        ("assignment", vec![assignment]),
        ("team", vec![team, "crew".to_owned()]),
        ("context", vec![town.house.clone(), "house:key:main".to_owned(), town.room.clone()]),
        ("token", vec![token]),
        ("record", vec![record]),
        ("limit", vec![limit, "calls".to_owned()]),
        ("stream", vec![stream]),
        ("webhook", vec![webhook]),
        ("delivery", vec![delivery]),
        ("notice", vec![notice]),
        ("key", vec![key]),
        ("import", vec![town.make("credential-imports", import('a', &server.in_days(10))).await]),
        ("account", vec![account, "ci-octo".to_owned()]),
        ("access_key", vec![access_key]),
        ("application", vec![application, "Porter".to_owned()]),
        ("request", vec![request]),
        ("task", vec![task]),
        ("access_policy", vec![access_policy, "Ceiling".to_owned()]),
        ("session", vec![session]),
        ("verifier", vec![verifier]),
        ("api", vec!["town".to_owned()]),
        ("kind", vec!["personal_token".to_owned()]),
        ("succession", vec![succession]),
        ("type", vec!["User".to_owned()]),
        ("schema", vec!["urn:ietf:params:scim:schemas:core:2.0:User".to_owned()]),
    ])
}

fn key(expires_at: &str) -> Value {
    json!({"name": "backup", "expires_at": expires_at, "grants": [{"api": "town", "scopes": ["doors:read"]}]})
}

fn stream() -> Value {
    json!({"name": "siem", "kind": "webhook", "url": "https://siem.invalid/in"})
}

fn webhook() -> Value {
    json!({"name": "desk", "url": "https://desk.invalid/in"})
}

fn application(name: &str) -> Value {
    json!({"name": name})
}

fn ceiling() -> Value {
    json!({"name": "Ceiling", "admits": []})
}

/// What somebody who left answered for.
async fn succession(admin: &Client, org: &str, leaver: &str) -> String {
    let body = json!({"name": format!("left-{org}"), "owner": leaver});
    admin.post(&format!("/v1/orgs/{org}/service-accounts"), body).await.status(201);
    admin.post(&format!("/v1/orgs/{org}/members/{leaver}/deactivate"), json!({})).await.status(200);
    let listed = admin.get(&format!("/v1/orgs/{org}/successions")).await;
    text(&listed.status(200)["items"][0], "id")
}

/// A request that waits: under four eyes even of whoever administers.
async fn request(server: &Server, admin: &Client, owner: &Client, org: &str, mut grant: Value) -> String {
    let policy = format!("/v1/orgs/{org}/policies/personal_token");
    let mut word = crate::town::open_policy();
    word["admission"] = json!("approval");
    word["four_eyes"] = json!(true);
    admin.put(&policy, word).await.status(200);
    grant["organization"] = json!(org);
    let body = json!({"name": "asking", "expires_at": server.in_days(10), "reason": "test", "grants": [grant]});
    let made = owner.post("/v1/me/tokens", body).await;
    admin.put(&policy, crate::town::open_policy()).await.status(200);
    made.status(201)["requests"][0].as_str().unwrap().to_owned()
}

/// An access request that waits.
async fn task(server: &Server, town: &Town, owner: &Client) -> String {
    let mut body = crate::town::doors_token_body(&server.in_days(10));
    body["grants"][0]["scopes"] = json!(["room:key:hall:doors:read"]);
    let secret = text(owner.post("/v1/me/tokens", body).await.status(201), "token");
    let gate = server.verifier(&town.root, "town").await;
    let descriptor = text(&gate.verify(crate::town::doors_check(&secret)).await, "request");
    let policy = "/v1/orgs/octo/policies/personal_token";
    let mut word = crate::town::open_policy();
    word["admission"] = json!("approval");
    town.admin.client.put(policy, word).await.status(200);
    let request = json!({"subject": {"type": "token", "id": secret}, "action": {"name": "GET"},
        "resource": {"type": "endpoint", "id": "/houses/main/doors"},
        "denial": {"binding_token": descriptor, "expires_at": server.in_days(1)}});
    let filed = owner.post("/access/v1/requests", request).await;
    town.admin.client.put(policy, crate::town::open_policy()).await.status(200);
    text(&filed.status(202)["task"], "id")
}

/// The same of the organization `acme`, whose administrator tries.
async fn things_of_acme(server: &Server, town: &Town, admin: &Client) -> Things {
    let post = |what: &'static str, body: Value| {
        let client = admin.clone();
        async move { made(&client.post(&format!("/v1/orgs/acme/{what}"), body).await) }
    };
    let user = server.member(&town.root, admin, "acme", "own", "member").await.id;
    let permissions = json!([{"api": "tegata", "permissions": ["organization:read"]}]);
    let role = json!({"key": "own", "name": "Own", "context_type": "global", "permissions": permissions});
    let role = post("roles", role).await;
    let principal = json!({"type": "user", "id": user});
    let assignment = post("assignments", json!({"role": role, "principal": principal})).await;
    let team = post("teams", json!({"key": "own", "name": "Own"})).await;
    let context = post("contexts", json!({"type": "house", "key": "own"})).await;
    let body = json!({"name": "own", "expires_at": server.in_days(10), "reason": "test",
        "grants": [{"organization": "acme", "api": "tegata", "scopes": ["organization:read"]}]});
    let token = made(&admin.post("/v1/me/tokens", body).await);
    let records = admin.get("/v1/orgs/acme/records?limit=1").await;
    let record = text(&records.status(200)["items"][0], "id");
    let limit = json!({"name": "own", "quota": 1_000_000, "window_seconds": 60, "per": "credential"});
    let limit = post("limits", limit).await;
    let account = post("service-accounts", json!({"name": "ci-acme"})).await;
    let access_key = post("access-keys", json!({"name": "ci", "service_account": account})).await;
    let leaver = server.member(&town.root, admin, "acme", "leaver", "member").await.id;
    let succession = succession(admin, "acme", &leaver).await;
    let one = |thing: String| vec![thing];
    Things::from([
        ("org", one("acme".to_owned())),
        ("user", one(user)),
        ("role", one(role)),
        ("assignment", one(assignment)),
        ("team", one(team)),
        ("context", one(context)),
        ("token", one(token)),
        ("record", one(record)),
        ("limit", one(limit)),
        ("stream", one(post("record-streams", stream()).await)),
        ("webhook", one(post("webhooks", webhook()).await)),
        ("delivery", one("whd_00000000000000000000000002".to_owned())),
        ("notice", one("ntc_00000000000000000000000002".to_owned())),
        ("account", one(account)),
        ("access_key", one(access_key)),
        ("application", one(post("applications", application("Own")).await)),
        ("import", one(post("credential-imports", import('b', &server.in_days(10))).await)),
        ("key", one(post("organization-keys", key(&server.in_days(10))).await)),
        (
            "request",
            one(request(server, admin, admin, "acme", json!({"api": "tegata", "scopes": ["organization:read"]})).await),
        ),
        ("access_policy", one(post("access-policies", json!({"name": "Own", "admits": []})).await)),
        ("api", one("town".to_owned())),
        ("kind", one("personal_token".to_owned())),
        ("succession", one(succession)),
        ("type", one("User".to_owned())),
        ("schema", one("urn:ietf:params:scim:schemas:core:2.0:User".to_owned())),
    ])
}

/// One operation of the document.
struct Operation<'a> {
    path: &'a str,
    method: Method,
    object: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, object) in methods.as_object().unwrap() {
            operations.push(Operation { path, method: method.to_uppercase().parse().unwrap(), object });
        }
    }
    operations
}

impl Operation<'_> {
    fn parameters(&self) -> Vec<&str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// The parameters that name something of an organization, besides the organization itself.
    fn owned(&self) -> Vec<&str> {
        self.parameters().into_iter().filter(|name| *name != "org" && !SHARED.contains(name)).collect()
    }

    /// The path with these things in it, and with every query parameter that has to be there.
    fn address(&self, thing: impl Fn(&str) -> String) -> String {
        let mut address = self.path.to_owned();
        for name in self.parameters() {
            address = address.replace(&format!("{{{name}}}"), &thing(name));
        }
        let parameters = self.object["parameters"].as_array().into_iter().flatten();
        let query: Vec<_> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .filter(|parameter| parameter["required"] == true || parameter["name"] == "seconds")
            .map(|parameter| {
                let value = match parameter["name"].as_str().unwrap() {
                    // What follows ends at once.
                    "seconds" => "0".to_owned(),
                    "by" => "reason".to_owned(),
                    "api" => "town".to_owned(),
                    "permission" => "doors:read".to_owned(),
                    "of" => thing("user"),
                    _ => "global".to_owned(),
                };
                format!("{}={value}", parameter["name"].as_str().unwrap())
            })
            .collect();
        if query.is_empty() { address } else { format!("{address}?{}", query.join("&")) }
    }

    /// A body that the schema admits.
    fn body(&self, document: &Value) -> Option<Value> {
        let media = if self.is_scim() { "application/scim+json" } else { "application/json" };
        let schema = &self.object["requestBody"]["content"][media]["schema"];
        match self.method {
            Method::GET | Method::DELETE => None,
            _ if schema.is_null() => Some(json!({})),
            _ => Some(sample(document, schema)),
        }
    }

    /// Whether it is for identity providers, who show an organization key.
    fn is_scim(&self) -> bool {
        self.path.starts_with("/scim/")
    }

    /// Calls it and expects to be told that there is no such thing.
    async fn is_hidden(&self, document: &Value, client: &Client, thing: impl Fn(&str) -> String) {
        let address = self.address(thing);
        let reply = client.send(self.method.clone(), &address, self.body(document), &[]).await;
        assert_eq!(reply.status, 404, "{} {address}: {}", self.method, reply.body);
        if self.is_scim() {
            assert_eq!(reply["status"], "404", "{}", reply.body);
        } else {
            reply.problem("not_found");
        }
    }
}

/// The least that a schema admits.
fn sample(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return sample(document, document.pointer(reference.trim_start_matches('#')).unwrap());
    }
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    if let Some(first) = schema["enum"].get(0).or_else(|| schema.get("const")) {
        return first.clone();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let real = |schema: &&Value| schema["type"] != "null";
        if let Some(first) = schema[choice].as_array().and_then(|list| list.iter().find(real)) {
            return sample(document, first);
        }
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind.unwrap_or(if schema["properties"].is_object() { "object" } else { "string" }) {
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), sample(document, &schema["properties"][name]))).collect()
        }
        "array" => json!([sample(document, &schema["items"])]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(false),
        _ if schema["format"] == "date-time" => json!("2099-01-01T00:00:00Z"),
        _ => json!("x"),
    }
}

fn one_of(things: &Things, name: &str, alias: usize) -> String {
    let names = things.get(name).unwrap_or_else(|| panic!("this test does not know what {{{name}}} is: teach it"));
    names.get(alias).unwrap_or(&names[0]).clone()
}

async fn newest_activity(town: &Town) -> Value {
    let reply = town.admin.client.get("/v1/orgs/octo/activity?limit=1").await;
    reply.status(200)["items"][0]["id"].clone()
}

both_databases! {
    async fn nothing_of_another_organization_exists(server: Server) {
        let town = Town::found(&server).await;
        let octo = things_of_octo(&server, &town).await;
        let outsider = server.org(&town.root, "acme").await.client;
        outsider.put("/v1/orgs/acme/apis/town", json!({})).await.status(200);
        let acme = things_of_acme(&server, &town, &outsider).await;
        server.signed().await;
        let document = server.anybody().get("/openapi.json").await.status(200).clone();
        let provider = town.provider(&server).await;
        let body = crate::town::scim_key_body(&server.in_days(10));
        let key = outsider.post("/v1/orgs/acme/organization-keys", body).await;
        let outer_provider = outsider.with(&text(key.status(201), "token"));
        let before = newest_activity(&town).await;
        let mut calls = 0;

        for operation in operations(&document).iter().filter(|operation| operation.path.contains("{org}")) {
            // The first organization, by key and by id, with everything of it by every name.
            let (outsider, insider) =
                if operation.is_scim() { (&outer_provider, &provider) } else { (&outsider, &town.admin.client) };
            for alias in 0..3 {
                operation.is_hidden(&document, outsider, |name| one_of(&octo, name, alias)).await;
                calls += 1;
            }
            // One's own organization, with one or more things of the first among one's own.
            let owned = operation.owned();
            for mixed in 1..1_u32 << owned.len() {
                let foreign = |name: &str| owned.iter().position(|other| *other == name)
                    .is_some_and(|place| mixed & (1 << place) != 0);
                for alias in 0..3 {
                    let thing = |name: &str| one_of(if foreign(name) { &octo } else { &acme }, name, alias);
                    operation.is_hidden(&document, outsider, thing).await;
                    calls += 1;
                }
            }
            // What is asked is right: whoever it belongs to sees it.
            if operation.method == Method::GET {
                let address = operation.address(|name| one_of(&octo, name, 0));
                insider.get(&address).await.status(200);
            }
        }
        assert!(calls > 150, "only {calls} calls were made out of the document");
        assert_eq!(newest_activity(&town).await, before, "something was changed");
    }

    async fn nothing_of_another_person_or_of_the_installation_is_shown(server: Server) {
        let town = Town::found(&server).await;
        let octo = things_of_octo(&server, &town).await;
        let outsider = server.org(&town.root, "acme").await.client;
        let document = server.anybody().get("/openapi.json").await.status(200).clone();
        let mut calls = 0;
        for operation in operations(&document) {
            let owned = operation.owned();
            if operation.path.contains("{org}") || owned.is_empty() {
                continue;
            }
            let address = operation.address(|name| one_of(&octo, name, 0));
            let reply = outsider.send(operation.method.clone(), &address, operation.body(&document), &[]).await;
            if owned == ["task"] {
                assert_eq!(reply.status, 404);
                assert_eq!(reply["type"], "urn:openid:authzen:access-request:error:unknown_task");
                calls += 1;
                continue;
            }
            let expected = match owned.as_slice() {
                ["token" | "session" | "request" | "notice"] => "not_found",
                ["user" | "verifier" | "limit"] => "forbidden",
                others => panic!("{}: this test does not know whose {others:?} are: teach it", operation.path),
            };
            reply.problem(expected);
            calls += 1;
        }
        assert!(calls >= 10, "only {calls} calls were made out of the document");
    }

    async fn nothing_of_another_organization_can_be_named_in_a_body(server: Server) {
        let town = Town::found(&server).await;
        let octo = things_of_octo(&server, &town).await;
        let outsider = server.org(&town.root, "acme").await.client;
        outsider.put("/v1/orgs/acme/apis/town", json!({})).await.status(200);
        let acme = things_of_acme(&server, &town, &outsider).await;
        let mine = |name: &str| acme[name][0].clone();
        let before = newest_activity(&town).await;
        let user = json!({"type": "user", "id": mine("user")});
        for alias in 0..2 {
            let theirs = |name: &str| one_of(&octo, name, alias);
            let post = |what: &'static str, body: Value| {
                let client = outsider.clone();
                async move { client.post(&format!("/v1/orgs/acme/{what}"), body).await }
            };
            post("assignments", json!({"role": theirs("role"), "principal": user})).await.field("invalid", "role");
            let principal = json!({"type": "team", "id": theirs("team")});
            post("assignments", json!({"role": mine("role"), "principal": principal})).await.field("invalid", "principal.id");
            let principal = json!({"type": "user", "id": theirs("user")});
            post("assignments", json!({"role": mine("role"), "principal": principal})).await.field("invalid", "principal.id");
            let body = json!({"role": "context-administrator", "principal": user, "context": theirs("context")});
            post("assignments", body).await.field("invalid", "context");
            let principal = json!({"type": "service_account", "id": theirs("account")});
            post("assignments", json!({"role": mine("role"), "principal": principal})).await.field("invalid", "principal.id");
            let body = json!({"name": "ci", "service_account": theirs("account")});
            post("access-keys", body).await.field("invalid", "service_account");
            post("service-accounts", json!({"name": "x", "owner": theirs("user")})).await.field("invalid", "owner");
            let body = json!({"type": "room", "key": "r", "parent": theirs("context")});
            post("contexts", body).await.field("invalid", "parent");
            let body = json!({"parent": theirs("context")});
            let path = format!("/v1/orgs/acme/contexts/{}", mine("context"));
            outsider.patch(&path, body).await.field("invalid", "parent");
            let body = json!({"name": "x", "expires_at": server.in_days(1), "reason": "test",
                "grants": [{"organization": theirs("org"), "api": "town", "scopes": ["doors:read"]}]});
            outsider.post("/v1/me/tokens", body).await.field("invalid", "grants[0].organization");
        }
        let body = json!({"name": "x", "expires_at": server.in_days(1), "reason": "test",
            "grants": [{"organization": "acme", "api": "town", "scopes": [format!("house:{}:doors:read", octo["context"][0])]}]});
        outsider.post("/v1/me/tokens", body).await.field("invalid", "grants[0].scopes[0]");
        assert_eq!(newest_activity(&town).await, before, "something was changed");
    }
}
