//! Trade an application's client id and secret for a token that counts for an hour, with everything that the application
//! was granted in one organization. Unknown ids and wrong secrets look alike.

use crate::app::App;
use crate::authn::mint::mint;
use crate::db::applications::{Application, Install};
use crate::db::feed::Topic;
use crate::db::{self, Tx, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Caller, Change, Changes, Mutation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tegata_core::credential::{CredentialKind, PartState};
use tegata_core::operations::{self, Operation};
use tegata_core::policy::Admission;
use tegata_core::problem::{Code, Problem};
use tegata_core::secret::{SecretKind, classify};
use utoipa::ToSchema;

/// How long such a token counts.
const LIFE: Duration = Duration::from_hours(1);
/// Most of one installation at a time.
const LIVE_MAX: usize = 100;

/// What signs an application in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationSignInForm)]
pub struct Form {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    #[schema(value_type = String, format = Password)]
    pub client_secret: SecretString,
    /// Key or id of the organization where it shall act; may be left out where it is installed in one only.
    #[serde(default)]
    pub organization: Option<String>,
}

/// Signs in an application.
#[derive(Debug)]
pub struct SignInApplication {
    form: Form,
}

/// A token that counts for a while.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApplicationSession)]
pub struct SignedInApplication {
    /// The id of the application.
    pub id: String,
    /// The key of the organization where it acts.
    pub organization: String,
    /// The secret, shown once: verifiers ask about it like about any token.
    pub token: String,
    /// When it ends by itself.
    pub expires_at: String,
}

impl SignInApplication {
    /// Looks at the secret before a transaction that writes is begun: junk costs a reading at most.
    pub async fn prepare(app: &App, caller: &Caller, form: Form) -> Result<Self, Problem> {
        let refused = || {
            tracing::info!(address = ?caller.meta.address, "a sign-in of an application was refused");
            wrong()
        };
        if classify(&app.product, form.client_secret.expose_secret()) != Some(SecretKind::ClientSecret) {
            return Err(refused());
        }
        let mut tx = app.db.read().await.map_err(internal)?;
        match authenticated(app, &mut tx, &form, app.clock.now()).await? {
            Some(_) => Ok(Self { form }),
            None => Err(refused()),
        }
    }
}

/// The application that this form shows.
async fn authenticated(
    app: &App,
    tx: &mut Tx,
    form: &Form,
    now: tegata_core::time::Timestamp,
) -> Result<Option<Application>, Problem> {
    let secret = form.client_secret.expose_secret();
    let mut holder = db::secrets::find(tx, app.hasher.digest(secret)).await.map_err(internal)?;
    if holder.is_none()
        && let Some(previous) = app.hasher.previous_digest(secret)
    {
        holder = db::secrets::find(tx, previous).await.map_err(internal)?;
    }
    let Some(holder) = holder.filter(|holder| holder.valid_until.is_none_or(|until| now < until)) else {
        return Ok(None);
    };
    let found = db::applications::by_client(tx, &form.client_id).await.map_err(internal)?;
    Ok(found.filter(|found| found.id.to_string() == holder.subject))
}

impl Mutation for SignInApplication {
    const OPERATION: &'static Operation = operations::APPLICATION_SIGN_IN;
    type Output = SignedInApplication;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Self::Output, Changes), Problem> {
        let (app, now) = (act.app, act.now);
        let found = authenticated(app, &mut act.tx, &self.form, now).await?;
        let application = found.ok_or_else(wrong)?;
        let (install, org) = self.installed(act, &application).await?;
        // Whoever knows the secret may know what became of its application.
        let refused = |why: &str| Err(Problem::new(Code::Forbidden, why));
        let part = db::tokens::part(act.tx(), install.org, install.token).await.map_err(internal)?;
        match part.map(|part| part.state) {
            Some(PartState::Active) => {}
            Some(PartState::Blocked) => return refused("the organization has blocked this application"),
            Some(PartState::Revoked) | None => return refused("the organization has removed this application"),
        }
        let policy = db::policies::get(act.tx(), install.org, CredentialKind::Application).await.map_err(internal)?;
        if policy.admission == Admission::Deny {
            return refused("the organization admits no applications");
        }
        if !policy.admits_address(act.meta.address) {
            return refused("the organization admits no applications from this address");
        }
        let subject = install.token.to_string();
        db::secrets::forget_ended(&mut act.tx, &subject, now).await.map_err(internal)?;
        if db::secrets::of_subject(act.tx(), &subject).await.map_err(internal)?.len() >= LIVE_MAX {
            let detail = "this application has signed in too often within the hour; use what it was given, or wait";
            return Err(Problem::new(Code::TooManyRequests, detail));
        }
        let until = now.plus(LIFE);
        let minted = mint(&app.hasher, &app.entropy, &app.product, SecretKind::ApplicationToken);
        db::secrets::insert_until(&mut act.tx, minted.digest, minted.key_id, &subject, now, until)
            .await
            .map_err(internal)?;
        let change = Change::new(install.org, install.token)
            .after(json!({"application": application.name, "client_id": application.client_id,
                "expires_at": until.to_string()}))
            .feed(Topic::Token, None, install.token)
            .by_other(application.id, &application.name);
        let token = minted.text.expose_secret().to_owned();
        let id = application.id.to_string();
        Ok((SignedInApplication { id, organization: org, token, expires_at: until.to_string() }, change.into()))
    }
}

impl SignInApplication {
    /// The installation that is meant, and the key of its organization.
    async fn installed(
        &self,
        act: &mut Act<'_, WriteTx>,
        application: &Application,
    ) -> Result<(Install, String), Problem> {
        let mut live = Vec::new();
        for install in db::applications::installs(act.tx(), application.id).await.map_err(internal)? {
            let org = db::orgs::find(act.tx(), &install.org.to_string()).await.map_err(internal)?;
            let Some(org) = org else { continue };
            if let Some(named) = &self.form.organization {
                if *named == org.key || *named == org.id.to_string() {
                    return Ok((install, org.key));
                }
                continue;
            }
            let part = db::tokens::part(act.tx(), install.org, install.token).await.map_err(internal)?;
            if part.is_some_and(|part| part.state != PartState::Revoked) {
                live.push((install, org.key));
            }
        }
        if self.form.organization.is_some() {
            return Err(Problem::field("organization", "this application is not installed in such an organization"));
        }
        match <[(Install, String); 1]>::try_from(live) {
            Ok([only]) => Ok(only),
            Err(none) if none.is_empty() => Err(Problem::new(Code::Forbidden, "this application is installed nowhere")),
            Err(_) => Err(Problem::field("organization", "this application is installed in several: name one")),
        }
    }
}

fn wrong() -> Problem {
    Problem::new(Code::WrongCredentials, "no application has this client id and client secret")
}
