//! The harness: a server on a spare port with its own database, and people who call it.
//!
//! `both_databases! { async fn name(server: Server) { … } }` runs a test on SQLite and on PostgreSQL. PostgreSQL is
//! found by `TEGATA_TEST_POSTGRES`, which `scripts/test` sets; each test makes a database of its own there.

use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::ops::Index;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;
use tegata::app::Clock;
use tegata::serve::{Config, Running, start};
use tempfile::TempDir;

/// On which database a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

macro_rules! both_databases {
    ($(#[$meta:meta])* async fn $name:ident($server:ident: Server) $body:block $($rest:tt)*) => {
        mod $name {
            #[allow(unused_imports, reason = "tests use what they need of their file")]
            use super::*;
            $(#[$meta])*
            async fn run($server: $crate::support::Server) {
                $body
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run($crate::support::Server::start($crate::support::Database::Sqlite).await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run($crate::support::Server::start($crate::support::Database::Postgres).await).await;
            }
        }
        both_databases! { $($rest)* }
    };
    () => {};
}

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// A server at work, with a directory and a database of its own.
pub struct Server {
    pub running: Running,
    pub config: Config,
    pub database: Database,
    pub base: String,
    shift: Arc<AtomicI64>,
    /// Removed when the test ends.
    pub directory: TempDir,
    setup: Option<String>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A fresh, empty database.
pub async fn fresh_database(database: Database, directory: &TempDir) -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    match database {
        Database::Sqlite => directory.path().join(format!("tegata-{number}.db")).display().to_string(),
        Database::Postgres => {
            let base = std::env::var("TEGATA_TEST_POSTGRES").expect(
                "TEGATA_TEST_POSTGRES names a PostgreSQL server for tests; scripts/test starts one and sets it",
            );
            let name = format!("t_{}_{number}", std::process::id());
            sqlx::any::install_default_drivers();
            let pool = sqlx::AnyPool::connect(&base).await.expect("the PostgreSQL server for tests answers");
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
            pool.close().await;
            let (server, _) = base.rsplit_once('/').unwrap();
            format!("{server}/{name}")
        }
    }
}

impl Server {
    /// Starts a fresh server.
    pub async fn start(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = fresh_database(database, &directory).await;
        Self::start_on(database, directory, url).await
    }

    /// Starts a server on a database that may have been used before.
    pub async fn start_on(database: Database, directory: TempDir, url: String) -> Self {
        Self::start_as(database, directory, url, |_| {}).await
    }

    /// The same, with another configuration.
    pub async fn start_as(
        database: Database,
        directory: TempDir,
        url: String,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let shift = Arc::new(AtomicI64::new(0));
        let mut config = Config::new(directory.path().join("data"), "127.0.0.1:0".parse().unwrap());
        config.database = Some(url);
        config.clock = Clock::Shifted(Arc::clone(&shift));
        // Receivers of tests are on this machine, and nobody waits for them.
        config.sending.allowed = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        config.sending.insecure = true;
        config.sending.patience = Duration::from_secs(3);
        config.sending.backoff.shortest = Duration::from_millis(100);
        config.sending.backoff.longest = Duration::from_millis(400);
        config.webhooks.backoff = config.sending.backoff;
        // Sooner than a test would wait.
        config.uses_every = Duration::from_millis(100);
        change(&mut config);
        let running = start(&config).await.expect("the server starts");
        let setup = running.setup.as_ref().map(|token| token.expose_secret().to_owned());
        let base = format!("http://{}", running.address);
        Self { running, config, database, base, shift, directory, setup }
    }

    /// Stops the server and starts it again on the same data.
    pub async fn restart(self) -> Self {
        let Self { running, database, directory, config, .. } = self;
        running.stop().await;
        Self::start_on(database, directory, config.database.unwrap()).await
    }

    /// Waits until everything that was recorded so far is signed, which takes a second or so.
    pub async fn signed(&self) {
        let last = self.running.app.verify.journal().last_sequence();
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while self.running.app.proofs.signed_through() < last {
            assert!(std::time::Instant::now() < until, "the access log is not signed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Puts the server's clock back, before anything is made: access records tell the time of the machine, and what they are
    /// compared with has to be older.
    pub fn begin_earlier(&self, by: Duration) {
        self.shift.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::AcqRel);
    }

    /// Moves the server's clock on.
    pub fn advance(&self, by: Duration) {
        self.shift.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::AcqRel);
    }

    /// The moment as the server sees it, shifted by so many days, as RFC 3339.
    pub fn in_days(&self, days: i64) -> String {
        let now = self.running.app.clock.now().as_micros() + days * 86_400_000_000;
        tegata_core::time::Timestamp::from_micros(now).to_string()
    }

    /// Somebody without a credential.
    pub fn anybody(&self) -> Client {
        Client::new(&self.base, None)
    }

    /// The set-up token of a fresh server.
    pub fn setup_token(&self) -> &str {
        self.setup.as_deref().expect("the server was fresh")
    }

    /// The first administrator: of the publisher and of the organization `default`. Once per server.
    pub async fn admin(&self) -> Client {
        let body =
            json!({"token": self.setup_token(), "email": "root@example.com", "name": "Root", "password": PASSWORD});
        let reply = self.anybody().post("/v1/setup", body).await;
        Client::new(&self.base, Some(reply.status(201)["token"].as_str().unwrap()))
    }

    /// Makes an account and signs in with it. `admin` is the publisher's administrator.
    pub async fn user(&self, admin: &Client, name: &str) -> Person {
        let email = format!("{name}@example.com");
        let reply = admin.post("/v1/users", json!({"email": email, "name": name, "password": PASSWORD})).await;
        let id = reply.status(201)["id"].as_str().unwrap().to_owned();
        Person { id, client: self.sign_in(&email).await }
    }

    /// Signs in.
    pub async fn sign_in(&self, email: &str) -> Client {
        let reply = self.anybody().post("/v1/sessions", json!({"email": email, "password": PASSWORD})).await;
        Client::new(&self.base, Some(reply.status(201)["token"].as_str().unwrap()))
    }

    /// Makes an organization whose administrator is a fresh person, `<key>-admin`.
    pub async fn org(&self, admin: &Client, key: &str) -> Person {
        let person = self.user(admin, &format!("{key}-admin")).await;
        admin.post("/v1/orgs", json!({"key": key, "name": key, "administrator": person.id})).await.status(201);
        person
    }

    /// Makes somebody a member of an organization with a role (`member`, `none`, …).
    pub async fn member(&self, admin: &Client, org_admin: &Client, org: &str, name: &str, role: &str) -> Person {
        let person = self.user(admin, name).await;
        let body = json!({"user": person.id, "role": role});
        org_admin.post(&format!("/v1/orgs/{org}/members"), body).await.status(201);
        person
    }

    /// Imports a shipped catalogue and lets an organization use it.
    pub async fn catalogue(&self, admin: &Client, api: &str) {
        let path = format!("{}/../../catalogues/{api}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        admin.post("/v1/apis", json!({"document": text, "format": "yaml"})).await.status(201);
    }

    /// Makes a verifier for an API.
    pub async fn verifier(&self, admin: &Client, api: &str) -> Client {
        let reply = admin.post("/v1/verifiers", json!({"name": format!("{api} gateway"), "apis": [api]})).await;
        Client::new(&self.base, Some(reply.status(201)["token"].as_str().unwrap()))
    }
}

/// A person with an account.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub client: Client,
}

/// Somebody who calls the server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    pub token: Option<String>,
}

impl Client {
    pub fn new(base: &str, token: Option<&str>) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: token.map(str::to_owned) }
    }

    /// The URL of the server.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same server with another credential.
    pub fn with(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None, &[]).await
    }

    /// An answer that is read piece by piece.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.base));
        let response = request.bearer_auth(self.token.as_deref().unwrap()).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(body), &[]).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(body), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// Sends a request with more headers.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Reply {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Self::read(format!("{method} {path}"), request.send().await.unwrap()).await
    }

    /// Asks a check; `self` is a verifier. The answer is always 200.
    pub async fn verify(&self, body: Value) -> Value {
        self.post("/v1/verify", body).await.status(200).clone()
    }

    async fn read(what: String, response: reqwest::Response) -> Reply {
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Reply { what, status, headers, body }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    what: String,
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The body, provided that the status is this one.
    #[track_caller]
    pub fn status(&self, expected: u16) -> &Value {
        assert_eq!(self.status.as_u16(), expected, "{}: {}", self.what, self.body);
        &self.body
    }

    /// A refusal of this class, such as `not_found`, with its own status.
    #[track_caller]
    pub fn problem(&self, code: &str) -> &Value {
        assert_eq!(self.body["type"], format!("/problems/{code}"), "{}: {} {}", self.what, self.status, self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.what);
        assert_eq!(self.body["status"], self.status.as_u16());
        &self.body
    }

    /// A refusal that names a field.
    #[track_caller]
    pub fn field(&self, code: &str, field: &str) {
        let body = self.problem(code);
        let named = body["errors"].as_array().is_some_and(|errors| errors.iter().any(|error| error["field"] == field));
        assert!(named, "{}: no error names {field}: {body}", self.what);
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}
