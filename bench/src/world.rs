//! What every measurement begins with: GitHub's catalogue, one organization with 1,000 repositories as contexts, and
//! 1,000 people with one role each in one repository. Made once and copied for each server.

use crate::Fallible;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tegata::app::App;
use tegata::db::{self, DbError};
use tegata::serve::{Config, Running, start};
use tegata::verify::bytes::OF_A_SLOT;
use tegata_core::ids::{ApiId, AssignmentId, ContextId, OrgId, UserId};

/// The organization.
pub const ORG: &str = "octo";
/// The API.
pub const API: &str = "github";
/// What every token is granted, in the repository of its owner.
pub const PERMISSION: &str = "issues:read";
/// Repositories, and people.
pub const PLACES: u64 = 1_000;

/// The role that everybody has, in their own repository.
pub const ROLE: &str = "issue-reader";
const ROOT: &str = "root@example.com";
const PASSWORD: &str = "a long word for the benchmark";

/// What a prepared directory holds.
#[derive(Debug, Clone)]
pub struct World {
    /// The organization.
    pub org: OrgId,
    /// The API.
    pub api: ApiId,
    /// The secret of a verifier for the API.
    pub verifier: String,
    /// The people.
    pub users: Vec<UserId>,
    /// The repositories.
    pub contexts: Vec<ContextId>,
}

/// The key of a repository.
pub fn repository(number: u64) -> String {
    format!("{ORG}/repo-{:04}", number % PLACES)
}

/// A server's configuration over a prepared directory, with room for this many tokens.
pub fn config(directory: &Path, tokens: u64) -> Fallible<Config> {
    let mut config = Config::new(directory.join("data"), "127.0.0.1:0".parse()?);
    config.cache_bytes = (usize::try_from(tokens)? + 10_000) * OF_A_SLOT;
    config.preload = 0;
    Ok(config)
}

/// Prepares a directory.
pub fn prepare(directory: &Path) -> Fallible<World> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let running = start(&config(directory, 0)?).await?;
        let made = make(&running).await;
        running.stop().await;
        let world = made?;
        std::fs::write(directory.join("world.json"), world.to_json().to_string())?;
        Ok(world)
    })
}

/// Copies a prepared directory, so that another server may have it.
pub fn copy(from: &Path, to: &Path) -> Fallible<PathBuf> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(to.to_owned())
}

impl World {
    fn to_json(&self) -> Value {
        json!({
            "org": self.org.to_string(),
            "api": self.api.to_string(),
            "verifier": self.verifier,
            "users": self.users.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "contexts": self.contexts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    /// Reads what [`prepare`] wrote.
    pub fn read(directory: &Path) -> Fallible<Self> {
        let value: Value = serde_json::from_str(&std::fs::read_to_string(directory.join("world.json"))?)?;
        Ok(Self {
            org: field(&value["org"])?,
            api: field(&value["api"])?,
            verifier: field(&value["verifier"])?,
            users: list(&value["users"])?,
            contexts: list(&value["contexts"])?,
        })
    }
}

/// A field of an answer.
pub fn field<T: FromStr>(value: &Value) -> Fallible<T> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| format!("not as expected: {value}").into())
}

fn list<T: FromStr>(value: &Value) -> Fallible<Vec<T>> {
    value.as_array().ok_or("not a list")?.iter().map(field).collect()
}

async fn make(running: &Running) -> Fallible<World> {
    let setup = running.setup.as_ref().ok_or("the directory has been used before")?.expose_secret();
    let mut caller = Caller::new(running);
    let body = json!({"token": setup, "email": ROOT, "name": "Root", "password": PASSWORD});
    let root = caller.send(Method::POST, "/v1/setup", body).await?;
    caller.token = Some(field(&root["token"])?);
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../catalogues/github.yaml"))?;
    caller.send(Method::POST, "/v1/apis", json!({"document": document, "format": "yaml"})).await?;
    let body = json!({"key": ORG, "name": ORG, "administrator": root["user"]["id"]});
    let org = caller.send(Method::POST, "/v1/orgs", body).await?;
    caller.send(Method::PUT, &format!("/v1/orgs/{ORG}/apis/{API}"), json!({})).await?;
    let policy = json!({"admission": "allow", "level": "all", "max_lifetime_days": 365, "reason": "benchmark"});
    caller.send(Method::PUT, &format!("/v1/orgs/{ORG}/policies/personal_token"), policy).await?;
    let role = json!({"key": ROLE, "name": "Issue reader", "context_type": "repository",
        "permissions": [{"api": API, "permissions": [PERMISSION]}]});
    caller.send(Method::POST, &format!("/v1/orgs/{ORG}/roles"), role).await?;
    let verifier = caller.send(Method::POST, "/v1/verifiers", json!({"name": "gateway", "apis": [API]})).await?;
    let org = field(&org["id"])?;
    let (users, contexts) = populate(&running.app, org).await?;
    let mut tx = running.app.db.read().await?;
    let (api, _) = db::apis::version(&mut tx, API).await?.ok_or("the catalogue was not imported")?;
    Ok(World { org, api, verifier: field(&verifier["token"])?, users, contexts })
}

/// People and places in one transaction: one call each would take minutes, for the passwords alone. The feed is not
/// told, since the server is started anew before anybody asks it.
async fn populate(app: &App, org: OrgId) -> Result<(Vec<UserId>, Vec<ContextId>), DbError> {
    let (now, entropy) = (app.clock.now(), &app.entropy);
    let mut tx = app.db.write().await?;
    let role = db::roles::find(&mut tx, org, ROLE).await?;
    let role = role.ok_or_else(|| DbError::Corrupt("the role was not made".to_owned()))?.id;
    let (mut users, mut contexts) = (Vec::new(), Vec::new());
    for number in 0..PLACES {
        let key = repository(number);
        let context = db::contexts::Context {
            id: ContextId::new(now.as_millis(), entropy.bytes()),
            kind: "repository".to_owned(),
            key: key.clone(),
            external_id: None,
            name: key.clone(),
            parent: None,
            created_at: now,
            created_by: "benchmark".to_owned(),
        };
        db::contexts::insert(&mut tx, org, &context, &tegata_core::name::fold(&key)).await?;
        let user = db::users::User {
            id: UserId::new(now.as_millis(), entropy.bytes()),
            email: format!("person-{number}@example.com"),
            name: format!("Person {number}"),
            active: true,
            created_at: now,
        };
        db::users::insert(&mut tx, &user, None).await?;
        db::members::insert(&mut tx, org, user.id, now).await?;
        let assignment = db::assignments::Assignment {
            id: AssignmentId::new(now.as_millis(), entropy.bytes()),
            role,
            principal: db::assignments::Principal::User(user.id),
            context: Some(context.id),
            created_at: now,
            created_by: "benchmark".to_owned(),
        };
        db::assignments::insert(&mut tx, org, &assignment).await?;
        users.push(user.id);
        contexts.push(context.id);
    }
    tx.commit().await?;
    Ok((users, contexts))
}

/// Somebody who calls the server.
pub struct Caller {
    client: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Caller {
    fn new(running: &Running) -> Self {
        let base = format!("http://{}", running.address);
        Self { client: reqwest::Client::new(), base, token: None }
    }

    /// Whoever set up the server of a prepared directory, signed in.
    pub async fn root(running: &Running) -> Fallible<Self> {
        let mut caller = Self::new(running);
        let session = caller.send(Method::POST, "/v1/sessions", json!({"email": ROOT, "password": PASSWORD})).await?;
        caller.token = Some(field(&session["token"])?);
        Ok(caller)
    }

    /// Calls, and returns the answer's body.
    pub async fn send(&self, method: Method, path: &str, body: Value) -> Fallible<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let body: Value = response.json().await?;
        if status.is_success() { Ok(body) } else { Err(format!("{path}: {status}: {body}").into()) }
    }
}
