//! Who passes the guard of which operation: every operation is called by everybody for real, and the outcome is
//! compared with `docs/permissions-matrix.md`. An operation that refuses nobody fails, and so does one that this file
//! does not know how to call.

use crate::generated::{blessing, current, row, table};
use crate::streams::until;
use crate::support::{Client, Database, PASSWORD, Server};
use crate::town::{CATALOGUE, Town, doors_token, made, text};
use reqwest::Method;
use serde_json::{Value, json};
use tegata_core::operations::{Guard, OPERATIONS, Operation};

/// Somebody who calls everything.
struct Caller {
    title: &'static str,
    client: Client,
    /// A token of theirs, to look at, renew and revoke; somebody else's where they can have none.
    token: String,
    /// A session of theirs, to end.
    session: String,
}

impl Caller {
    /// A notice of theirs; nobody's where they have none.
    async fn notice(&self) -> String {
        let inbox = self.client.get("/v1/me/inbox?limit=1").await;
        inbox.body["items"][0]["id"].as_str().unwrap_or("ntc_00000000000000000000000001").to_owned()
    }
}

const NOBODY: &str = "nobody";
const STRANGER: &str = "stranger";
const MEMBER: &str = "member";
const NEIGHBOUR: &str = "another context's administrator";
const ADMINISTRATOR: &str = "administrator";
const PUBLISHER: &str = "publisher's administrator";
const OUTSIDER: &str = "another organization's administrator";
const KEY: &str = "organization key for SCIM";
const READING_TOKEN: &str = "administrator's token, reading only";

/// The scopes of the token that may read only.
const READING: [&str; 7] = [
    "organization:read",
    "own_tokens:read",
    "tokens:read",
    "policies:read",
    "records:read",
    "activity:read",
    "limits:read",
];

/// The town with what the calls are about.
struct Stage {
    town: Town,
    expires_at: String,
    holder: String,
    holder_client: Client,
    token: String,
    record: String,
    team: String,
    role: String,
    limit: String,
    installation_limit: String,
    webhook: String,
    delivery: String,
    /// An organization key.
    key: String,
    /// An import.
    import: String,
    /// A service account with an access key.
    account: String,
    access_key: String,
    access_policy: String,
    application: String,
    gate: Client,
    /// Whoever shows an organization key with the permission `scim`.
    provider: Client,
}

/// One key that was made elsewhere.
fn import_body(number: u32, expires_at: &str) -> Value {
    let hash = format!("{number:064x}");
    let row = json!({"kind": "organization_key", "name": "old", "expires_at": expires_at, "api": "town", "scopes": "doors:read",
        "algorithm": "sha-256", "hash": hash});
    json!({"format": "jsonl", "content": row.to_string()})
}

/// A limit that holds nobody back.
fn limit_body(number: u32) -> Value {
    json!({"name": format!("limit-{number}"), "quota": 1_000_000, "window_seconds": 60, "per": "credential"})
}

async fn own_token(client: &Client, organization: &str, expires_at: &str, scopes: &[&str]) -> Value {
    let body = json!({"name": "own", "expires_at": expires_at, "reason": "test",
        "grants": [{"organization": organization, "api": "tegata", "scopes": scopes}]});
    client.post("/v1/me/tokens", body).await.status(201).clone()
}

async fn second_session(server: &Server, email: &str) -> String {
    let reply = server.anybody().post("/v1/sessions", json!({"email": email, "password": PASSWORD})).await;
    made(&reply)
}

impl Stage {
    async fn set(server: &Server) -> Self {
        let town = Town::found(server).await;
        let expires_at = server.in_days(10);
        let holder = town.member(server, "holder", "member").await;
        let doors = town.doors_role().await;
        town.give(&doors, &holder.id).await;
        let (token, _) = doors_token(&holder.client, &expires_at).await;
        let team = town.make("teams", json!({"key": "crew", "name": "Crew"})).await;
        let records = town.admin.client.get("/v1/orgs/octo/records?limit=1").await;
        let record = text(&records.status(200)["items"][0], "id");
        server.signed().await;
        let key = town.make("organization-keys", key_body(&expires_at)).await;
        let import = town.make("credential-imports", import_body(town.number(), &expires_at)).await;
        let account = town.make("service-accounts", json!({"name": "ci"})).await;
        let access_key = town.make("access-keys", access_key_body(&account)).await;
        let legacy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "test"});
        town.admin.client.put("/v1/orgs/octo/policies/legacy_token", legacy).await.status(200);
        let limit = town.make("limits", limit_body(town.number())).await;
        let installation_limit = made(&town.root.post("/v1/limits", limit_body(town.number())).await);
        let (webhook, delivery) = webhook_with_delivery(&town).await;
        let access_policy = town.make("access-policies", json!({"name": "Ceiling", "admits": []})).await;
        let provider = town.provider(server).await;
        let application = town.make("applications", json!({"name": "Porter"})).await;
        let (holder_client, root) = (holder.client.clone(), town.root.clone());
        Self {
            webhook,
            delivery,
            town,
            expires_at,
            holder: holder.id,
            holder_client,
            token,
            record,
            team,
            role: doors,
            limit,
            installation_limit,
            import,
            key,
            account,
            access_key,
            access_policy,
            application,
            gate: server.verifier(&root, "town").await,
            provider,
        }
    }

    async fn callers(&self, server: &Server) -> Vec<Caller> {
        let (town, expires_at) = (&self.town, self.expires_at.as_str());
        let stranger = server.user(&town.root, "stranger").await.client;
        let member = town.member(server, "member", "member").await.client;
        let auditor = town.member(server, "auditor", "auditor").await.client;
        let keeper = town.member(server, "keeper", "member").await;
        town.give("context-administrator", &keeper.id).await;
        let neighbour = town.member(server, "neighbour", "member").await;
        let next_door = town.make("contexts", json!({"type": "house", "key": "next-door"})).await;
        let principal = json!({"type": "user", "id": neighbour.id});
        let body = json!({"role": "context-administrator", "principal": principal, "context": next_door});
        town.make("assignments", body).await;
        let outsider = server.org(&town.root, "acme").await.client;
        let admin = &town.admin.client;
        let reading = own_token(admin, "octo", expires_at, &READING).await;
        let reading = admin.with(&text(&reading, "token"));
        let people = [
            (MEMBER, member, Some("octo"), "member"),
            ("auditor", auditor, Some("octo"), "auditor"),
            ("context administrator", keeper.client, Some("octo"), "keeper"),
            (NEIGHBOUR, neighbour.client, Some("octo"), "neighbour"),
            (ADMINISTRATOR, admin.clone(), Some("octo"), "octo-admin"),
            (PUBLISHER, town.root.clone(), Some("default"), "root"),
            (OUTSIDER, outsider, Some("acme"), "acme-admin"),
            (STRANGER, stranger, None, "stranger"),
        ];
        let mut callers = Vec::new();
        for (title, client, org, name) in people {
            let token = match org {
                // An auditor has no right to tokens of their own; what they may read they may also put into one.
                Some(org) => text(&own_token(&client, org, expires_at, &["organization:read"]).await, "id"),
                None => self.token.clone(),
            };
            if title == MEMBER {
                // Which their inbox says.
                for verb in ["block", "unblock"] {
                    admin.post(&format!("/v1/orgs/octo/tokens/{token}/{verb}"), json!({})).await.status(200);
                }
            }
            let session = second_session(server, &format!("{name}@example.com")).await;
            callers.push(Caller { title, client, token, session });
        }
        let (token, session) = (self.token.clone(), text(&second_session_of_root(server).await, "id"));
        callers.insert(0, Caller { title: NOBODY, client: server.anybody(), token, session });
        let stranger = callers.pop().unwrap();
        callers.insert(1, stranger);
        let token = text(&own_token(admin, "octo", expires_at, &["organization:read"]).await, "id");
        let session = second_session(server, "octo-admin@example.com").await;
        callers.push(Caller { title: READING_TOKEN, client: reading, token, session });
        let (token, session) = (self.token.clone(), text(&second_session_of_root(server).await, "id"));
        callers.push(Caller { title: KEY, client: self.provider.clone(), token, session });
        callers
    }

    /// A member with the role in the house that is to be taken away.
    async fn given(&self) -> String {
        let user = self.town.silent_member().await;
        self.town.give(&self.role, &user).await
    }

    async fn stopped_account(&self) -> String {
        let user = self.town.account().await;
        self.town.root.post(&format!("/v1/users/{user}/deactivate"), json!({})).await.status(200);
        user
    }

    async fn stopped_member(&self) -> String {
        let user = self.town.silent_member().await;
        self.town.admin.client.post(&format!("/v1/orgs/octo/members/{user}/deactivate"), json!({})).await.status(200);
        user
    }

    async fn fresh_team(&self) -> String {
        let key = format!("team-{}", self.town.number());
        self.town.make("teams", json!({"key": key, "name": "Team"})).await
    }

    async fn fresh_role(&self) -> String {
        self.town.make("roles", self.role_body()).await
    }

    fn role_body(&self) -> Value {
        let permissions = json!([{"api": "tegata", "permissions": ["organization:read"]}]);
        let key = format!("role-{}", self.town.number());
        json!({"key": key, "name": "Role", "context_type": "global", "permissions": permissions})
    }

    /// An organization key, blocked or not.
    async fn fresh_key(&self, blocked: bool) -> String {
        let key = self.town.make("organization-keys", key_body(&self.expires_at)).await;
        if blocked {
            let path = format!("/v1/orgs/octo/organization-keys/{key}/block");
            self.town.admin.client.post(&path, json!({})).await.status(200);
        }
        key
    }

    /// A service account, active or not.
    async fn fresh_account(&self, active: bool) -> String {
        let name = format!("account-{}", self.town.number());
        let account = self.town.make("service-accounts", json!({"name": name})).await;
        if !active {
            let path = format!("/v1/orgs/octo/service-accounts/{account}/deactivate");
            self.town.admin.client.post(&path, json!({})).await.status(200);
        }
        account
    }

    /// An access key, blocked or not.
    async fn fresh_access_key(&self, blocked: bool) -> String {
        let account = self.fresh_account(true).await;
        let key = self.town.make("access-keys", access_key_body(&account)).await;
        if blocked {
            let path = format!("/v1/orgs/octo/access-keys/{key}/block");
            self.town.admin.client.post(&path, json!({})).await.status(200);
        }
        key
    }

    /// An application, as an operation needs it.
    async fn fresh_application(&self, operation: &str) -> String {
        let (town, name) = (&self.town, format!("application-{}", self.town.number()));
        let admin = &town.admin.client;
        if operation == "application.install" {
            return made(
                &town.root.post("/v1/orgs/publisher/applications", json!({"name": name, "shared": true})).await,
            );
        }
        let application = town.make("applications", json!({"name": name, "required": needs()})).await;
        let path = format!("/v1/orgs/octo/applications/{application}");
        match operation {
            "application.unblock" => {
                admin.post(&format!("{path}/block"), json!({})).await.status(200);
            }
            "application.context.remove" => {
                admin.post(&format!("{path}/contexts"), json!({"contexts": [town.house]})).await.status(201);
            }
            _ => {}
        }
        application
    }

    async fn fresh_application_token(&self) -> String {
        let path = format!("applications/{}/tokens", self.application);
        self.town.make(&path, json!({"name": "bench"})).await
    }

    async fn fresh_verifier(&self) -> String {
        made(&self.town.root.post("/v1/verifiers", json!({"name": "Gate", "apis": ["town"]})).await)
    }

    async fn fresh_installation_limit(&self) -> String {
        made(&self.town.root.post("/v1/limits", limit_body(self.town.number())).await)
    }

    /// A record stream, and no other: an organization has few.
    async fn fresh_stream(&self, paused: bool) -> String {
        let (admin, streams) = (&self.town.admin.client, "/v1/orgs/octo/record-streams");
        for old in admin.get(streams).await.status(200)["items"].as_array().unwrap() {
            admin.delete(&format!("{streams}/{}", text(old, "id"))).await.status(200);
        }
        let stream = self.town.make("record-streams", stream_body()).await;
        if paused {
            admin.post(&format!("{streams}/{stream}/pause"), json!({})).await.status(200);
        }
        stream
    }

    /// A webhook, and no other but that of the delivery: an organization has few.
    async fn fresh_webhook(&self, paused: bool) -> String {
        let (admin, webhooks) = (&self.town.admin.client, "/v1/orgs/octo/webhooks");
        for old in admin.get(webhooks).await.status(200)["items"].as_array().unwrap() {
            if text(old, "id") != self.webhook {
                admin.delete(&format!("{webhooks}/{}", text(old, "id"))).await.status(200);
            }
        }
        let webhook = self.town.make("webhooks", webhook_body()).await;
        if paused {
            admin.post(&format!("{webhooks}/{webhook}/pause"), json!({})).await.status(200);
        }
        webhook
    }

    /// A request about the house: of the caller where it is to be theirs, and otherwise of the holder; granted where it is
    /// to be taken away.
    async fn fresh_request(&self, caller: &Caller, operation: &str) -> String {
        let (admin, policy) = (&self.town.admin.client, "/v1/orgs/octo/policies/personal_token");
        let mut word = crate::town::open_policy();
        word["admission"] = json!("approval");
        word["four_eyes"] = json!(true);
        admin.put(policy, word).await.status(200);
        let own = operation.starts_with("request.own") || operation == "request.withdraw";
        let mut body = crate::town::doors_token_body(&self.expires_at);
        if own {
            body["grants"] = json!([{"organization": "octo", "api": "tegata", "scopes": ["organization:read"]}]);
        }
        let client = if own { &caller.client } else { &self.holder_client };
        let made = client.post("/v1/me/tokens", body.clone()).await;
        // Whoever can ask for nothing has no request of theirs.
        let made = if made.status == 201 { made } else { self.holder_client.post("/v1/me/tokens", body).await };
        let request = made.status(201)["requests"][0].as_str().unwrap().to_owned();
        let mut open = crate::town::open_policy();
        open["four_eyes"] = json!(false);
        admin.put(policy, open).await.status(200);
        if operation == "request.ungrant" {
            let path = format!("/v1/orgs/octo/requests/{request}/decide");
            admin.post(&path, json!({"approve_all": true})).await.status(200);
        }
        request
    }

    /// A descriptor of what a token of the administrator lacks.
    async fn descriptor(&self) -> String {
        self.denied().await.1
    }

    /// The same in AuthZEN's words.
    async fn access_request(&self) -> Value {
        let (secret, descriptor) = self.denied().await;
        json!({"subject": {"type": "token", "id": secret}, "action": {"name": "GET"},
            "resource": {"type": "endpoint", "id": "/houses/main/doors"},
            "denial": {"binding_token": descriptor, "expires_at": self.expires_at}})
    }

    /// An access request of the administrator's that waits.
    async fn fresh_task(&self) -> String {
        let (admin, policy) = (&self.town.admin.client, "/v1/orgs/octo/policies/personal_token");
        let request = self.access_request().await;
        let mut word = crate::town::open_policy();
        word["admission"] = json!("approval");
        word["four_eyes"] = json!(true);
        admin.put(policy, word).await.status(200);
        let filed = admin.post("/access/v1/requests", request).await;
        let mut open = crate::town::open_policy();
        open["four_eyes"] = json!(false);
        admin.put(policy, open).await.status(200);
        text(&filed.status(202)["task"], "id")
    }

    /// The secret of a token of the administrator, and a descriptor of what it lacks.
    async fn denied(&self) -> (String, String) {
        let mut body = crate::town::doors_token_body(&self.expires_at);
        body["grants"][0]["scopes"] = json!(["room:key:hall:doors:read"]);
        let made = self.town.admin.client.post("/v1/me/tokens", body).await;
        let secret = text(made.status(201), "token");
        let descriptor = text(&self.gate.verify(crate::town::doors_check(&secret)).await, "request");
        (secret, descriptor)
    }

    async fn fresh_access_policy(&self) -> String {
        let name = format!("Ceiling {}", self.town.number());
        self.town.make("access-policies", json!({"name": name, "admits": []})).await
    }

    /// What somebody who left answered for.
    async fn fresh_succession(&self) -> String {
        let (admin, leaver) = (&self.town.admin.client, self.town.silent_member().await);
        let name = format!("left-{}", self.town.number());
        self.town.make("service-accounts", json!({"name": name, "owner": leaver})).await;
        admin.post(&format!("/v1/orgs/octo/members/{leaver}/deactivate"), json!({})).await.status(200);
        let listed = admin.get("/v1/orgs/octo/successions?limit=1").await;
        text(&listed.status(200)["items"][0], "id")
    }

    /// A team that an identity provider made.
    async fn fresh_group(&self) -> String {
        made(&self.provider.post("/scim/v2/orgs/octo/Groups", json!({"displayName": "Made"})).await)
    }

    async fn team_member(&self, team: &str) -> String {
        let user = self.town.silent_member().await;
        let path = format!("/v1/orgs/octo/teams/{team}/members/{user}");
        self.town.admin.client.put(&path, json!({})).await.status(200);
        user
    }

    /// What stands in the path of an operation, made for this call where the operation uses it up.
    async fn place(&self, operation: &Operation, caller: &Caller, name: &str) -> String {
        let town = &self.town;
        match (name, operation.id) {
            ("org", _) => "octo".to_owned(),
            ("session", _) => caller.session.clone(),
            ("token", id) if id.starts_with("org.") => self.token.clone(),
            ("token", "application.token.revoke") => self.fresh_application_token().await,
            ("token", _) => caller.token.clone(),
            (
                "application",
                id @ ("application.install"
                | "application.block"
                | "application.unblock"
                | "application.uninstall"
                | "application.context.add"
                | "application.context.remove"),
            ) => self.fresh_application(id).await,
            ("application", _) => self.application.clone(),
            ("user", "user.deactivate") => town.account().await,
            ("user", "user.activate") => self.stopped_account().await,
            ("user", "member.deactivate" | "team.member.add") => town.silent_member().await,
            ("user", "member.activate") => self.stopped_member().await,
            ("user", "team.member.remove") => self.team_member(&self.team).await,
            ("user", id) if id.starts_with("scim.") => town.silent_member().await,
            ("user", _) => self.holder.clone(),
            ("succession", _) => self.fresh_succession().await,
            ("type", _) => "User".to_owned(),
            ("schema", _) => "urn:ietf:params:scim:schemas:core:2.0:Group".to_owned(),
            ("team", id) if id.starts_with("scim.") => self.fresh_group().await,
            ("api", "org.api.enable") => {
                // Whether it was in use or not, it is not now.
                town.admin.client.delete("/v1/orgs/octo/apis/spare").await;
                "spare".to_owned()
            }
            ("api", "org.api.disable") => {
                town.admin.client.put("/v1/orgs/octo/apis/spare", json!({})).await;
                "spare".to_owned()
            }
            ("api", _) => "town".to_owned(),
            ("verifier", _) => self.fresh_verifier().await,
            ("team", "team.delete") => self.fresh_team().await,
            ("team", _) => self.team.clone(),
            ("context", "context.move.preview") => town.room.clone(),
            ("context", _) => town.house.clone(),
            ("role", "role.delete") => self.fresh_role().await,
            ("role", _) => self.role.clone(),
            ("assignment", _) => self.given().await,
            ("kind", _) => "personal_token".to_owned(),
            ("account", "service.account.show" | "service.account.update") => self.account.clone(),
            ("account", id) => self.fresh_account(id == "service.account.deactivate").await,
            ("access_key", "access.key.show") => self.access_key.clone(),
            ("access_key", id) => self.fresh_access_key(id == "access.key.unblock").await,
            ("key", "organization.key.show") => self.key.clone(),
            ("key", id) => self.fresh_key(id == "organization.key.unblock").await,
            ("limit", "limit.delete") => self.town.make("limits", limit_body(town.number())).await,
            ("limit", "installation.limit.delete") => self.fresh_installation_limit().await,
            ("limit", id) if id.starts_with("installation.") => self.installation_limit.clone(),
            ("limit", _) => self.limit.clone(),
            ("request", id) => self.fresh_request(caller, id).await,
            ("task", _) => self.fresh_task().await,
            ("access_policy", "access_policy.delete") => self.fresh_access_policy().await,
            ("access_policy", _) => self.access_policy.clone(),
            ("record", _) => self.record.clone(),
            ("webhook", "webhook.delivery.replay") => self.webhook.clone(),
            ("import", _) => self.import.clone(),
            ("notice", _) => caller.notice().await,
            ("delivery", _) => self.delivery.clone(),
            ("webhook", id) => self.fresh_webhook(id == "webhook.resume").await,
            ("stream", id) => self.fresh_stream(id == "record.stream.resume").await,
            (name, id) => panic!("the matrix does not know what {{{name}}} of {id} is: teach it"),
        }
    }

    /// What to send.
    async fn body(&self, operation: &Operation) -> Value {
        let (town, number) = (&self.town, self.town.number());
        match operation.id {
            "me.password" => json!({"old_password": PASSWORD, "new_password": PASSWORD}),
            "token.create" => json!({"name": "own", "expires_at": self.expires_at, "reason": "test",
                "grants": [{"organization": "octo", "api": "tegata", "scopes": ["organization:read"]}]}),
            "token.legacy.create" => json!({"name": "old", "levels": "read", "organizations": ["octo"],
                "expires_at": self.expires_at}),
            "service.account.create" | "application.create" => json!({"name": format!("made-{number}")}),
            "service.account.update" => json!({"name": "ci"}),
            "application.own.file" => json!({"request": "x"}),
            "application.require" => json!({"required": needs()}),
            "application.ask" | "application.own.ask" => {
                json!({"rights": [{"api": "town", "scopes": ["house:key:main:doors:read"]}]})
            }
            "application.context.add" => json!({"contexts": [town.house]}),
            "application.token.create" => json!({"name": "bench"}),
            "access.key.create" => access_key_body(&self.fresh_account(true).await),
            "organization.key.create" => key_body(&self.expires_at),
            "credential.import.create" => import_body(number, &self.expires_at),
            "user.create" => json!({"email": format!("made-{number}@example.com"), "name": "Made"}),
            "api.import" => json!({"document": CATALOGUE, "format": "yaml"}),
            "verifier.create" => json!({"name": "Gate", "apis": ["town"]}),
            "org.update" => json!({"name": "Octo"}),
            "member.add" => json!({"user": town.account().await}),
            "org.create" | "team.create" => json!({"key": format!("made-{number}"), "name": "Made"}),
            "context.create" => json!({"type": "room", "key": format!("made-{number}"), "parent": town.house}),
            "context.update" => json!({"name": "Main"}),
            "role.create" => self.role_body(),
            "role.update" => json!({"name": "Doors"}),
            "assignment.create" => {
                let principal = json!({"type": "user", "id": town.silent_member().await});
                json!({"role": self.role, "principal": principal, "context": town.house})
            }
            "record.stream.create" => {
                self.fresh_stream(false).await;
                stream_body()
            }
            "webhook.create" => {
                self.fresh_webhook(false).await;
                webhook_body()
            }
            "notice_settings.set" => json!({"expiry_days": [30, 7, 1]}),
            "webhook.replay" => json!({"since": "2026-01-01T00:00:00Z"}),
            "record.stream.replay" => json!({"from": "2026-01-01T00:00:00Z"}),
            "record.sql" => json!({"statement": "SELECT 1"}),
            "rights.shrink" => json!({"credential": self.token, "days": 1}),
            "record.retention.set" => json!({"days": 180, "hold": false, "reason": "test"}),
            "limit.create" | "installation.limit.create" => limit_body(number),
            "limit.update" | "installation.limit.update" => json!({"quota": 1_000_000}),
            "request.file" => json!({"request": self.descriptor().await}),
            "authzen.request.file" => self.access_request().await,
            "request.decide" => json!({"approve_all": true}),
            "access_policy.create" => json!({"name": format!("Made {number}"), "admits": []}),
            "access_policy.update" => json!({"position": 1}),
            "policy.set" => crate::town::open_policy(),
            "context.policy.set" => json!({"max_lifetime_days": 365, "reason": "test"}),
            "succession.hand_over" => json!({"successor": self.holder}),
            "scim.user.create" | "scim.user.replace" => json!({"userName": format!("scim-{number}@example.com")}),
            "scim.group.create" | "scim.group.replace" => json!({"displayName": "Made"}),
            "scim.user.update" | "scim.group.update" => {
                json!({"Operations": [{"op": "replace", "path": "displayName", "value": "Changed"}]})
            }
            "verify.one" => crate::town::doors_check("junk"),
            "authzen.evaluation" | "authzen.evaluations" => {
                json!({"subject": {"type": "token", "id": "junk"}, "action": {"name": "doors:read"}, "resource": {"type": "house", "id": "main"}})
            }
            "verify.batch" => json!({"checks": [crate::town::doors_check("junk")]}),
            _ => json!({}),
        }
    }

    async fn status(&self, operation: &Operation, caller: &Caller) -> u16 {
        let mut path = String::new();
        for segment in operation.path.split('/').skip(1) {
            path.push('/');
            match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
                Some(name) => path.push_str(&self.place(operation, caller, name).await),
                None => path.push_str(segment),
            }
        }
        match operation.id {
            "context.move.preview" => path = format!("{path}?parent={}", self.town.house),
            "record.top" => path.push_str("?by=reason"),
            "rights.who_can" => path.push_str("?api=town&permission=doors:read"),
            "rights.what_can" => path = format!("{path}?of={}", self.token),
            "record.tail" => path.push_str("?seconds=0"),
            _ => {}
        }
        let method: Method = operation.method.parse().unwrap();
        let body = if method == Method::GET { None } else { Some(self.body(operation).await) };
        let reply = caller.client.send(method, &path, body, &[]).await;
        let status = reply.status.as_u16();
        let plausible = matches!(status, 200..=299 | 401 | 403 | 404 | 409 | 422);
        assert!(plausible, "{} by {}: {status} {}", operation.id, caller.title, reply.body);
        let scim = matches!(operation.guard, Guard::Provisioning(_));
        if status >= 400 && scim {
            assert_eq!(reply["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error", "{}", reply.body);
        } else if status == 404 && operation.id.starts_with("authzen.") {
            assert_eq!(reply["type"], "urn:openid:authzen:access-request:error:unknown_task");
        } else if status >= 400 {
            reply.problem(reply["type"].as_str().unwrap_or_default().trim_start_matches("/problems/"));
        }
        status
    }
}

/// What an application needs.
fn needs() -> Value {
    json!([{"api": "town", "permissions": ["doors:read"]}])
}

/// A key that may read every door.
fn key_body(expires_at: &str) -> Value {
    json!({"name": "backup", "expires_at": expires_at, "grants": [{"api": "town", "scopes": ["doors:read"]}]})
}

fn access_key_body(account: &str) -> Value {
    json!({"name": "ci", "service_account": account})
}

/// A receiver that nothing reaches: names of this kind lead nowhere (RFC 6761).
fn stream_body() -> Value {
    json!({"name": "siem", "kind": "webhook", "url": "https://siem.invalid/in"})
}

fn webhook_body() -> Value {
    json!({"name": "desk", "url": "https://desk.invalid/in", "events": ["context.*"]})
}

/// A webhook with a delivery that was made.
async fn webhook_with_delivery(town: &Town) -> (String, String) {
    let webhook = town.make("webhooks", webhook_body()).await;
    town.make("contexts", json!({"type": "house", "key": "told"})).await;
    let path = format!("/v1/orgs/octo/webhooks/{webhook}/deliveries");
    let mut delivery = String::new();
    until("there is a delivery", async || !deliveries(town, &path).await.is_empty()).await;
    for item in deliveries(town, &path).await {
        delivery = text(&item, "id");
    }
    (webhook, delivery)
}

async fn deliveries(town: &Town, path: &str) -> Vec<Value> {
    town.admin.client.get(path).await.status(200)["items"].as_array().unwrap().clone()
}

async fn second_session_of_root(server: &Server) -> Value {
    let body = json!({"email": "root@example.com", "password": PASSWORD});
    server.anybody().post("/v1/sessions", body).await.status(201).clone()
}

const fn is_refused(status: u16) -> bool {
    matches!(status, 401 | 403 | 404)
}

/// What has to hold of every row, whoever changes the golden file.
fn check_row(operation: &Operation, callers: &[Caller], statuses: &[u16]) {
    let of = |title: &str| statuses[callers.iter().position(|caller| caller.title == title).unwrap()];
    let id = operation.id;
    assert_eq!(of(NOBODY), 401, "{id}: whoever shows nothing learns nothing");
    assert!(statuses.iter().any(|status| is_refused(*status)), "{id} refuses nobody");
    if matches!(operation.guard, Guard::Verifier | Guard::Application) {
        assert!(
            statuses.iter().all(|status| *status == 401),
            "{id} is for verifiers, or applications, only: {statuses:?}"
        );
        return;
    }
    // Nothing here is old enough to be unused: that it is done, its own tests show.
    let done = |status: &u16| (200..300).contains(status) || (id == "rights.shrink" && *status == 409);
    assert!(statuses.iter().any(done), "{id} was never done: {statuses:?}");
    if matches!(operation.guard, Guard::Provisioning(_)) {
        let others = callers.iter().zip(statuses).filter(|(caller, _)| caller.title != KEY);
        assert!(
            others.into_iter().all(|(_, status)| *status == 401),
            "{id} is for organization keys only: {statuses:?}"
        );
        assert!((200..300).contains(&of(KEY)), "{id} by the {KEY}: {statuses:?}");
        return;
    }
    assert_eq!(of(KEY), 401, "{id} by the {KEY}, which is for SCIM only");
    match operation.guard {
        Guard::Public
        | Guard::Verifier
        | Guard::Application
        | Guard::Holder
        | Guard::SignedIn
        | Guard::Provisioning(_) => {}
        Guard::Publisher(_) => {
            for title in [STRANGER, MEMBER, ADMINISTRATOR, OUTSIDER, READING_TOKEN] {
                assert_eq!(of(title), 403, "{id} by the {title}");
            }
        }
        Guard::Organization(_) | Guard::Context(_) => {
            for title in [STRANGER, OUTSIDER, PUBLISHER] {
                assert_eq!(of(title), 404, "{id} by the {title}");
            }
            assert!(!is_refused(of(ADMINISTRATOR)), "{id} by the organization's administrator");
            // Whoever administers another place is a member like others in this one.
            assert_eq!(of(NEIGHBOUR), of(MEMBER), "{id} by the {NEIGHBOUR}");
        }
    }
    if operation.changes && operation.scope.is_some() {
        assert_eq!(of(READING_TOKEN), 403, "{id} by a token that may read only");
    }
}

fn cell(status: u16) -> String {
    if is_refused(status) { status.to_string() } else { "✓".to_owned() }
}

both_databases! {
    async fn every_operation_is_guarded_as_the_matrix_says(server: Server) {
        let stage = Stage::set(&server).await;
        let callers = stage.callers(&server).await;
        let mut rows = Vec::new();
        for operation in OPERATIONS.iter().filter(|operation| operation.guard != Guard::Public) {
            let mut statuses = Vec::new();
            for caller in &callers {
                statuses.push(stage.status(operation, caller).await);
            }
            check_row(operation, &callers, &statuses);
            if !matches!(operation.guard, Guard::Verifier | Guard::Application) {
                let permission = operation.scope.map(|scope| format!("`{scope}`")).unwrap_or_default();
                let mut cells = row(&[&format!("`{}`", operation.id), &permission]);
                cells.extend(statuses.into_iter().map(cell));
                rows.push(cells);
            }
        }
        let mut head = row(&["operation", "permission"]);
        head.extend(callers.iter().map(|caller| caller.title.to_owned()));
        let page = format!(
            "# Who passes the guard of which operation\n\n\
             Made by `scripts/gen`: each operation was called by everybody; do not edit. ✓ passes the guard; 401, 403 and \
             404 are refusals (404: the caller may not know that it exists). Everybody but the stranger and the two \
             administrators from elsewhere belongs to the organization of the call; the context administrator \
             administers the context of the call. Operations for anybody, for verifiers and for applications are not listed.\n\n{}",
            table(&head, &rows),
        );
        // Both databases are compared; one of them writes.
        if !blessing() || server.database == Database::Sqlite {
            current("docs/permissions-matrix.md", &page);
        }
    }
}
