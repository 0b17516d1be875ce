//! Change one's own password. Whoever else is signed in with the account is signed out.

use super::create::{account_name, wait_over};
use super::issue::end_others;
use crate::app::App;
use crate::authn::password;
use crate::db::feed::Topic;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Caller, Change, Changes, Mutation, frame};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tegata_core::ids::UserId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// The old password and the new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    /// The password as it is.
    #[schema(value_type = String, format = Password)]
    pub old_password: SecretString,
    /// The password from now on: at least 12 characters.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 1024)]
    pub new_password: SecretString,
}

/// Stores a new password whose old one was found right.
#[derive(Debug)]
pub struct ChangePassword {
    user: UserId,
    old: String,
    new: String,
}

/// What the change did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PasswordChangedView {
    /// Since when the new password counts.
    pub changed_at: String,
    /// How many other sessions were ended.
    pub sessions_ended: usize,
}

impl ChangePassword {
    /// Compares the old password and hashes the new one, outside of any transaction.
    pub async fn prepare(app: &App, caller: &Caller, form: PasswordForm) -> Result<Self, Problem> {
        let actor = frame::identify_caller(app, caller).await?;
        super::require_session(&actor)?;
        password::check(&form.new_password).map_err(|error| Problem::field("new_password", error))?;
        let account = account_name(&actor.user.email);
        wait_over(app, &[&account])?;
        let stored = {
            let mut tx = app.db.read().await.map_err(internal)?;
            db::users::password(&mut tx, actor.user.id).await.map_err(internal)?
        };
        let too_long = form.old_password.expose_secret().len() > password::PASSWORD_MAX_BYTES;
        let compared = stored.clone().filter(|_| !too_long);
        let fits = password::verify(form.old_password, compared).await.map_err(|_| Problem::internal())?;
        wait_over(app, &[&account])?;
        let Some(old) = stored.filter(|_| fits) else {
            app.throttle.failed(&[&account], app.clock.now());
            return Err(Problem::field("old_password", "this is not the password of the account"));
        };
        app.throttle.succeeded(&account);
        let new = password::hash(form.new_password, &app.entropy).await.map_err(|_| Problem::internal())?;
        Ok(Self { user: actor.user.id, old, new })
    }
}

impl Mutation for ChangePassword {
    const OPERATION: &'static Operation = operations::ME_PASSWORD;
    type Output = PasswordChangedView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(PasswordChangedView, Changes), Problem> {
        super::require_session(&act.actor)?;
        if act.actor.user.id != self.user {
            return Err(Problem::internal());
        }
        db::users::set_password(&mut act.tx, self.user, Some(&self.old), &self.new).await.map_err(
            |error| match error {
                DbError::Changed => Problem::new(Code::Conflict, "the password was changed meanwhile"),
                other => internal(other),
            },
        )?;
        let ended = end_others(&mut act.tx, self.user, act.actor.session, act.now).await.map_err(internal)?;
        let publisher = db::orgs::publisher(&mut act.tx).await.map_err(internal)?.ok_or_else(Problem::internal)?;
        let mut change = Change::new(publisher.id, self.user)
            .after(json!({"password": "changed", "sessions_ended": ended.len()}))
            .feed(Topic::User, None, self.user);
        for session in &ended {
            change = change.feed(Topic::Session, None, session);
        }
        Ok((PasswordChangedView { changed_at: act.now.to_string(), sessions_ended: ended.len() }, change.into()))
    }
}
