//! Trade client id and secret for a credential that ends after an hour and is checked like any token. Unknown ids and wrong
//! secrets look alike, in words and in time.

use crate::app::App;
use crate::authn::mint::mint;
use crate::db::access_keys::AccessKey;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::tokens::show::part_state;
use crate::ops::{Act, Caller, Change, Changes, Mutation};
use crate::verify::clients::Compared;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tegata_core::credential::CredentialKind;
use tegata_core::operations::{self, Operation};
use tegata_core::owner::Owner;
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::SecretKind;
use utoipa::ToSchema;

/// How long such a credential counts.
const LIFE: Duration = Duration::from_hours(1);
/// Most of one key at a time.
const LIVE_MAX: usize = 100;

/// What signs a service account in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessKeySignInForm)]
pub struct Form {
    /// The client id of an access key.
    pub client_id: String,
    /// Its secret.
    #[schema(value_type = String, format = Password)]
    pub client_secret: SecretString,
}

/// Signs in with a secret that was found right.
#[derive(Debug)]
pub struct SignInWithKey {
    key: AccessKey,
}

/// A credential that counts for a while.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessKeySession)]
pub struct SignedInWithKey {
    /// The id of the access key, which checks and records tell.
    pub id: String,
    /// The secret, shown once: verifiers ask about it like about any token.
    pub token: String,
    /// When it ends by itself.
    pub expires_at: String,
}

impl SignInWithKey {
    /// Compares the secret, outside of any transaction.
    pub async fn prepare(app: &App, caller: &Caller, form: Form) -> Result<Self, Problem> {
        let compared = app
            .verify
            .compare_client(&form.client_id, form.client_secret.expose_secret(), caller.meta.address)
            .await
            .map_err(internal)?;
        match compared {
            Compared::Right(key) => Ok(Self { key }),
            Compared::Wrong => {
                tracing::info!(address = ?caller.meta.address, "a sign-in with an access key was refused");
                Err(wrong())
            }
            Compared::Wait(wait) => Err(Problem {
                retry_after_seconds: Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
                ..Problem::new(Code::TooManyRequests, "too many wrong secrets of late; wait before the next try")
            }),
        }
    }
}

impl Mutation for SignInWithKey {
    const OPERATION: &'static Operation = operations::ACCESS_KEY_SIGN_IN;
    type Output = SignedInWithKey;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let (app, now, id) = (act.app, act.now, self.key.token);
        let stored = db::access_keys::of_token(&mut act.tx, id).await.map_err(internal)?;
        let key = stored.filter(|stored| stored.secret_hash == self.key.secret_hash).ok_or_else(wrong)?;
        let token = db::tokens::get(&mut act.tx, id).await.map_err(internal)?.ok_or_else(wrong)?;
        let part = db::tokens::part(&mut act.tx, key.org, id).await.map_err(internal)?.ok_or_else(wrong)?;
        let Owner::ServiceAccount(account) = token.owner else { return Err(wrong()) };
        let account = db::service_accounts::find(&mut act.tx, key.org, &account.to_string()).await.map_err(internal)?;
        let account = account.ok_or_else(wrong)?;
        // Whoever knows the secret may know what became of its key.
        let refused = |why: String| Err(Problem::new(Code::Forbidden, why));
        match part_state(&token, &part, now) {
            "active" => {}
            state => return refused(format!("this access key is {state}")),
        }
        if !account.active {
            return refused("the service account is not active".to_owned());
        }
        let policy = db::policies::get(&mut act.tx, key.org, CredentialKind::AccessKey).await.map_err(internal)?;
        if policy.admission == Admission::Deny {
            return refused("the organization admits no access keys".to_owned());
        }
        let inside = |address| token.addresses.iter().any(|range| range.contains(&address));
        if !token.addresses.is_empty() && !act.meta.address.is_some_and(inside) {
            return refused("this access key does not count from this address".to_owned());
        }
        if !policy.admits_address(act.meta.address) {
            return refused("the organization admits no access keys from this address".to_owned());
        }
        let subject = id.to_string();
        db::secrets::forget_ended(&mut act.tx, &subject, now).await.map_err(internal)?;
        if db::secrets::of_subject(&mut act.tx, &subject).await.map_err(internal)?.len() >= LIVE_MAX {
            let detail = "this access key has signed in too often within the hour; use what it was given, or wait";
            return Err(Problem::new(Code::TooManyRequests, detail));
        }
        let until = now.plus(LIFE).min(token.expires_at);
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::AccessSession);
        db::secrets::insert_until(&mut act.tx, minted.digest, minted.key_id, &subject, now, until)
            .await
            .map_err(internal)?;
        let mut change = Change::new(key.org, id)
            .after(json!({"client_id": key.client_id, "expires_at": until.to_string()}))
            .feed(Topic::Token, None, id);
        change.by = Some((account.id.to_string(), account.name));
        let token = minted.text.expose_secret().to_owned();
        Ok((SignedInWithKey { id: subject, token, expires_at: until.to_string() }, change.into()))
    }
}

fn wrong() -> Problem {
    Problem::new(Code::WrongCredentials, "no access key has this client id and secret")
}
