//! Alerts of GitHub's secret scanning: secrets that it found in public places, signed by GitHub over the very bytes of the body
//! (GitHub Docs, "Secret scanning partner program").

use super::revoke::one;
use super::stop::Finding;
use crate::app::App;
use crate::ops::frame::Meta;
use crate::send::fetch::fetch;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::{Timestamp, days};
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// Most findings of one alert.
const FINDINGS_MAX: usize = 1_000;
/// Most keys that are remembered.
const KEYS_MAX: usize = 50;
/// How often the list of keys is asked for at most, since a key id may be anything.
const ASKED_EVERY: Duration = Duration::from_mins(1);
/// How long keys are believed.
const BELIEVED: Duration = days(1);
/// Longest URL that is told on.
const URL_MAX_CHARS: usize = 500;

/// GitHub's keys, by their ids.
#[derive(Default)]
pub struct Keys(Mutex<Cached>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[derive(Default)]
struct Cached {
    keys: HashMap<String, Vec<u8>>,
    asked: Option<Timestamp>,
    fetched: Option<Timestamp>,
}

#[derive(Deserialize)]
struct KeyList {
    public_keys: Vec<ListedKey>,
}

#[derive(Deserialize)]
struct ListedKey {
    key_identifier: String,
    key: String,
}

/// A secret that GitHub found.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = GithubFinding)]
pub struct Found {
    /// The secret.
    #[schema(value_type = String, format = Password)]
    pub token: SecretString,
    /// What GitHub calls its kind.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it was found.
    #[serde(default)]
    pub url: Option<String>,
    /// In what it was found, such as `content` or `commit`.
    #[serde(default)]
    pub source: Option<String>,
}

/// Whether it was one of ours.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = GithubLabel)]
pub struct Label {
    /// SHA-256 of the secret, in hexadecimal digits.
    pub token_hash: String,
    /// What GitHub calls its kind.
    pub token_type: String,
    /// `true_positive` or `false_positive`.
    pub label: &'static str,
}

/// What came with an alert.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'r> {
    /// `Github-Public-Key-Identifier`.
    pub key: &'r str,
    /// `Github-Public-Key-Signature`.
    pub signature: &'r str,
    /// The very bytes.
    pub body: &'r [u8],
}

/// Stops what GitHub found, once its signature was found right.
pub async fn alert(app: &App, meta: &Meta, signed: Signed<'_>) -> Result<Vec<Label>, Problem> {
    require_signed(app, signed).await?;
    let found: Vec<Found> = serde_json::from_slice(signed.body)
        .map_err(|_| Problem::new(Code::MalformedBody, "send a list of objects with token, type, url and source"))?;
    if found.len() > FINDINGS_MAX {
        return Err(Problem::new(Code::Invalid, "an alert has at most 1,000 findings"));
    }
    let mut labels = Vec::with_capacity(found.len());
    let mut outcome = Ok(());
    // GitHub's address is not that of whoever leaked it: nobody's tries are counted against it.
    let meta = Meta { address: None, ..meta.clone() };
    for finding in found {
        let url = finding.url.map(|url| url.chars().filter(|sign| !sign.is_control()).take(URL_MAX_CHARS).collect());
        let about = Finding { by: "GitHub", url };
        let shown = finding.token.expose_secret();
        let label = match one(app, &meta, shown, &about).await {
            Ok(true) => "true_positive",
            Ok(false) => "false_positive",
            Err(problem) => {
                outcome = Err(problem);
                continue;
            }
        };
        let token_hash = crate::authn::hasher::hex(digest(&SHA256, shown.as_bytes()).as_ref());
        labels.push(Label { token_hash, token_type: finding.kind, label });
    }
    outcome.map(|()| labels)
}

async fn require_signed(app: &App, signed: Signed<'_>) -> Result<(), Problem> {
    let refused = |why| Problem::new(Code::Unauthenticated, why);
    let signature = BASE64_STANDARD.decode(signed.signature);
    let signature = signature.map_err(|_| refused("the signature is not written in base 64"))?;
    let key = key_of(app, signed.key).await?.ok_or_else(|| refused("this key is not on GitHub's list"))?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(signed.body, &signature)
        .map_err(|_| refused("the signature is not that of this key over this body"))
}

/// A key by its id; asked for where it is not known, or was known for long.
async fn key_of(app: &App, id: &str) -> Result<Option<Vec<u8>>, Problem> {
    let Some(there) = &app.leaks.github else { return Err(Problem::not_found("receiver")) };
    let now = app.clock.now();
    let mut cached = app.leaks.keys.0.lock().await;
    let believed = cached.fetched.is_some_and(|at| now < at.plus(BELIEVED));
    if believed && let Some(key) = cached.keys.get(id) {
        return Ok(Some(key.clone()));
    }
    if cached.asked.is_some_and(|at| now < at.plus(ASKED_EVERY)) {
        return Ok(None);
    }
    cached.asked = Some(now);
    let unavailable = |why: String| {
        tracing::warn!(error = why, "GitHub's keys cannot be had, so its alerts are refused");
        Problem {
            retry_after_seconds: Some(60),
            ..Problem::new(Code::Unavailable, "the list of keys cannot be had now")
        }
    };
    let bytes = fetch(&app.streams.sender, there).await.map_err(|error| unavailable(error.to_string()))?;
    let list: KeyList = serde_json::from_slice(&bytes).map_err(|error| unavailable(error.to_string()))?;
    cached.keys = list
        .public_keys
        .into_iter()
        .take(KEYS_MAX)
        .filter_map(|listed| {
            let key = SubjectPublicKeyInfoDer::from_pem_slice(listed.key.as_bytes()).ok()?;
            Some((listed.key_identifier, key.to_vec()))
        })
        .collect();
    cached.fetched = Some(now);
    Ok(cached.keys.get(id).cloned())
}
