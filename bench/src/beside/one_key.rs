//! Tegata as it is measured beside others: the prepared directory, and in it one token that was asked for over HTTP like any other.

use crate::Fallible;
use crate::beside::asked::Asked;
use crate::fill;
use crate::load::post;
use crate::world::{self, API, Caller, ORG, PERMISSION, ROLE, World, config, field, repository};
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use tegata::serve::{Running, start};
use tegata_core::time::Timestamp;

/// For how long the token lives, in days.
const DAYS: i64 = 30;
/// A well-formed secret that nobody has.
const NOBODY: u64 = u64::MAX;

/// Prepares a directory, and says what its server is asked.
pub fn prepare(directory: &Path) -> Fallible<Asked> {
    let world = world::prepare(directory)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let running = start(&config(directory, 1)?).await?;
        let token = make(&running, &world).await;
        running.stop().await;
        let (right, wrong) = (request(&world, &token?), request(&world, &fill::secret(NOBODY)));
        Ok(Asked { right, wrong, yes: b"{\"allowed\":true,".to_vec(), no: b"{\"allowed\":false,".to_vec() })
    })
}

/// Root's own token, for the first repository.
async fn make(running: &Running, world: &World) -> Fallible<String> {
    let root = Caller::root(running).await?;
    let me = root.send(Method::GET, "/v1/me", json!({})).await?;
    let context = world.contexts.first().ok_or("no repository was made")?.to_string();
    let assignment = json!({"role": ROLE, "principal": {"type": "user", "id": me["user"]["id"]}, "context": context});
    root.send(Method::POST, &format!("/v1/orgs/{ORG}/assignments"), assignment).await?;
    let expires_at = Timestamp::from_micros(running.app.clock.now().as_micros() + DAYS * 86_400_000_000);
    let scope = format!("repository:key:{}:{PERMISSION}", repository(0));
    let body = json!({"name": "ci", "expires_at": expires_at.to_string(), "reason": "benchmark",
        "grants": [{"organization": ORG, "api": API, "scopes": [scope]}]});
    field(&root.send(Method::POST, "/v1/me/tokens", body).await?["token"])
}

fn request(world: &World, token: &str) -> Vec<u8> {
    let body = json!({"token": token, "api": API, "method": "GET", "path": format!("/repos/{}/issues", repository(0)),
        "ip": "203.0.113.9", "user_agent": "octokit-rest.js/21.0.2", "request_id": "0f6c7a52b4d14a7f"});
    let authorization = format!("Bearer {}", world.verifier);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    post("/v1/verify", &headers, &body.to_string())
}
