//! Make an account.

use super::view::UserView;
use crate::app::App;
use crate::authn::password;
use crate::db::feed::Topic;
use crate::db::users::User;
use crate::db::{self, DbError, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Caller, Change, Changes, Mutation, frame};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::UserId;
use tegata_core::name;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use utoipa::ToSchema;

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Where mail reaches the person, and what they sign in with.
    #[schema(max_length = 254)]
    pub email: String,
    /// What they are called.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Their first password; without one they cannot sign in.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 1024)]
    pub password: Option<SecretString>,
}

/// Makes an account whose password has been hashed.
#[derive(Debug)]
pub struct CreateUser {
    email: String,
    name: String,
    /// The hash, or why there cannot be one: told when it is known that the caller may ask at all.
    password: Result<Option<String>, &'static str>,
}

impl CreateUser {
    /// Hashes the password, outside of any transaction, for callers who are known.
    pub async fn prepare(app: &App, caller: &Caller, new: NewUser) -> Result<Self, Problem> {
        frame::identify_caller(app, caller).await?;
        let NewUser { email, name, password } = new;
        let password = match password {
            None => Ok(None),
            Some(text) => match password::check(&text) {
                Err(error) => Err(error),
                Ok(()) => Ok(Some(password::hash(text, &app.entropy).await.map_err(|_| Problem::internal())?)),
            },
        };
        Ok(Self { email, name, password })
    }
}

impl Mutation for CreateUser {
    const OPERATION: &'static Operation = operations::USER_CREATE;
    type Output = UserView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(UserView, Changes), Problem> {
        let publisher = act.require_publisher(Self::OPERATION).await?.org;
        check_person(&self.email, &self.name)?;
        let password = self.password.as_ref().map_err(|error| Problem::field("password", error))?;
        let user = User {
            id: act.id(UserId::new),
            email: self.email.clone(),
            name: self.name.clone(),
            active: true,
            created_at: act.now,
        };
        db::users::insert(&mut act.tx, &user, password.as_deref()).await.map_err(taken)?;
        let change = Change::new(publisher.id, user.id)
            .after(json!({"email": user.email, "name": user.name, "state": "active"}))
            .feed(Topic::User, None, user.id);
        Ok((UserView::from(&user), change.into()))
    }
}

/// Checks the fields of a person.
pub fn check_person(email: &str, name: &str) -> Result<(), Problem> {
    name::check_email(email).map_err(|error| Problem::field("email", error))?;
    name::check_title(name).map_err(|error| Problem::field("name", error))
}

/// Tells that an address belongs to somebody already.
pub fn taken(error: DbError) -> Problem {
    match error {
        DbError::Duplicate => {
            let problem = Problem::new(Code::Duplicate, "an account has this e-mail address already");
            problem.with("email", "the address is taken")
        }
        other => internal(other),
    }
}
