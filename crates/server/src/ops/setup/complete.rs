//! Make the first administrator with the one-time set-up token, and sign them in. It works exactly once, also when
//! several try at the same moment.

use super::first;
use super::token::matching;
use crate::app::App;
use crate::authn::password;
use crate::db::feed::Topic;
use crate::db::{DbError, WriteTx, installation};
use crate::ops::act::internal;
use crate::ops::sessions::issue::issue;
use crate::ops::users::create::check_person;
use crate::ops::view::PersonView;
use crate::ops::{Act, Change, Changes, Mutation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// The first administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupForm {
    /// The token that the server printed when it started.
    #[schema(value_type = String)]
    pub token: SecretString,
    /// Where mail reaches the person, and what they sign in with.
    #[schema(max_length = 254)]
    pub email: String,
    /// What they are called.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Their password: at least 12 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    pub password: SecretString,
}

/// Makes the first administrator, whose token was found right and whose password has been hashed.
#[derive(Debug)]
pub struct CompleteSetup {
    token: SecretString,
    email: String,
    name: String,
    password: String,
}

/// The first administrator, signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SetupView {
    /// The person.
    pub user: PersonView,
    /// The secret of a session, shown once: send it as `Authorization: Bearer …`.
    pub token: String,
    /// When the session ends by itself.
    pub expires_at: String,
}

impl CompleteSetup {
    /// Compares the token and hashes the password, outside of any changing transaction.
    pub async fn prepare(app: &App, form: SetupForm) -> Result<Self, Problem> {
        let known = {
            let mut tx = app.db.read().await.map_err(internal)?;
            matching(app, &mut tx, form.token.expose_secret()).await.map_err(internal)?
        };
        if known.is_none() {
            return Err(refused());
        }
        check_person(&form.email, &form.name)?;
        password::check(&form.password).map_err(|error| Problem::field("password", error))?;
        let password = password::hash(form.password, &app.entropy).await.map_err(|_| Problem::internal())?;
        Ok(Self { token: form.token, email: form.email, name: form.name, password })
    }
}

impl Mutation for CompleteSetup {
    const OPERATION: &'static Operation = operations::SETUP;
    type Output = SetupView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(SetupView, Changes), Problem> {
        // Anew, within the transaction: whoever came first has taken it away.
        let digest = matching(act.app, &mut act.tx, self.token.expose_secret()).await.map_err(internal)?;
        let digest = digest.ok_or_else(refused)?;
        installation::take(&mut act.tx, installation::SETUP_DIGEST, &digest).await.map_err(|error| match error {
            DbError::Changed => refused(),
            other => internal(other),
        })?;
        let first = first::make(act.app, &mut act.tx, &self.email, &self.name, &self.password).await?;
        let made = issue(act.app, &mut act.tx, first.user.id, act.meta, act.now).await;
        let (session, secret) = made.map_err(internal)?;

        let mut list: Vec<Change> = first
            .orgs
            .iter()
            .map(|org| Change::new(org.id, first.user.id).after(first.after()).by(&first.user))
            .collect();
        if let Some(change) = list.first_mut() {
            change.feed.extend(first.feed);
            change.feed.push((Topic::Session, None, session.id.to_string()));
        }
        let view = SetupView {
            user: PersonView::from(&first.user),
            token: secret.expose_secret().to_owned(),
            expires_at: session.expires_at.to_string(),
        };
        Ok((view, Changes { list }))
    }
}

fn refused() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "this is not the set-up token: the server prints one when it starts, while nobody administers it, and it works once",
    )
}
