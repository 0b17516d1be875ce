//! Have a secret stopped that one has: without signing in, whoever one is. What is answered, and when, is the same whether or not
//! anybody knows it.

use super::Leaks;
use super::stop::{Finding, stop};
use crate::app::App;
use crate::ops::act::internal;
use crate::ops::frame::Meta;
use crate::verify::clients;
use crate::verify::leaked::Whose;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;
use tegata_core::problem::{Code, Problem};
use tegata_core::time::Timestamp;
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;

/// Most secrets of one call.
const SECRETS_MAX: usize = 20;
/// Longest secret, in bytes.
const SECRET_MAX_BYTES: usize = 512;
/// When an answer leaves at the earliest: what was looked up and stopped meanwhile does not show.
const ANSWERED_AFTER: Duration = Duration::from_millis(300);

/// Secrets that leaked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LeakedSecrets)]
pub struct Body {
    /// Tokens and keys of every kind: 1 to 20 with the pairs.
    #[serde(default)]
    #[schema(value_type = Vec<String>, format = Password)]
    pub secrets: Vec<SecretString>,
    /// Client ids with their secrets.
    #[serde(default)]
    pub access_keys: Vec<Pair>,
}

/// An access key as it is shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LeakedAccessKey)]
pub struct Pair {
    /// The client id.
    pub client_id: String,
    /// The secret.
    #[schema(value_type = String, format = Password)]
    pub client_secret: SecretString,
}

/// That they were taken; nothing of what they open.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LeakedSecretsTaken)]
pub struct Taken {
    /// How many were sent.
    pub received: usize,
}

impl Leaks {
    /// Takes so many secrets of an address, or says when to come again.
    fn take(&self, address: Option<IpAddr>, count: usize, now: Timestamp) -> Result<(), Problem> {
        let network = match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
            Some(IpAddr::V6(address)) => address.to_bits() >> 64 << 64,
            None => 0,
        };
        for _ in 0..count {
            let taken = self.of_one.take(&network, now).and_then(|_| self.of_all.take(&(), now));
            if let Err(after) = taken {
                return Err(wait(after));
            }
        }
        Ok(())
    }
}

/// That it was too much.
pub(super) fn wait(after: Duration) -> Problem {
    Problem {
        retry_after_seconds: Some(after.as_secs() + u64::from(after.subsec_nanos() > 0)),
        ..Problem::new(Code::TooManyRequests, "too many secrets were sent of late; wait, and send the rest")
    }
}

/// Stops what each secret opens.
pub async fn revoke(app: &App, meta: &Meta, body: Body) -> Result<Taken, Problem> {
    let received = body.secrets.len() + body.access_keys.len();
    if received == 0 || received > SECRETS_MAX {
        return Err(Problem::field("secrets", "send 1 to 20 secrets, those of access keys included"));
    }
    app.leaks.take(meta.address, received, app.clock.now())?;
    let leaves = Instant::now() + ANSWERED_AFTER;
    let finding = Finding { by: "holder", url: None };
    let pairs = body.access_keys.iter().map(|pair| clients::pair(&pair.client_id, pair.client_secret.expose_secret()));
    let secrets = body.secrets.iter().map(|secret| secret.expose_secret().to_owned());
    let mut outcome = Ok(());
    for shown in secrets.chain(pairs).map(SecretString::from) {
        // The others are stopped whatever became of one.
        outcome = outcome.and(one(app, meta, shown.expose_secret(), &finding).await.map(drop));
    }
    sleep_until(leaves).await;
    outcome.map(|()| Taken { received })
}

/// Stops what a secret opens. Whether it opened anything.
pub(super) async fn one(app: &App, meta: &Meta, shown: &str, finding: &Finding) -> Result<bool, Problem> {
    if shown.is_empty() || shown.len() > SECRET_MAX_BYTES {
        return Ok(false);
    }
    match app.verify.whose(shown, meta.address).await.map_err(internal)? {
        Whose::Of(leaked) => stop(app, meta, leaked, finding).await.map(|_| true),
        Whose::Nobody => Ok(false),
        Whose::Wait(after) => Err(wait(after)),
    }
}
