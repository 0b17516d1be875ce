//! What the use cases of several nouns share: views of people and of the roles they have, and the reading of fields
//! that name people.

use crate::db::assignments::{Assignment, Principal};
use crate::db::members::Member;
use crate::db::users::User;
use crate::db::{self, DbError, Tx};
use crate::ops::act::internal;
use serde::Serialize;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::str::FromStr;
use tegata_core::ids::{OrgId, UserId};
use tegata_core::name;
use tegata_core::problem::Problem;
use utoipa::ToSchema;

/// A person, as others see them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PersonView {
    /// The id of the account.
    pub id: String,
    /// Where mail reaches them.
    pub email: String,
    /// What they are called.
    pub name: String,
}

impl From<&User> for PersonView {
    fn from(user: &User) -> Self {
        Self { id: user.id.to_string(), email: user.email.clone(), name: user.name.clone() }
    }
}

impl From<&Member> for PersonView {
    fn from(member: &Member) -> Self {
        Self { id: member.user.to_string(), email: member.email.clone(), name: member.name.clone() }
    }
}

/// A role that a person or team has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HeldRoleView {
    /// The id of the assignment.
    pub assignment: String,
    /// The role's key.
    pub role: String,
    /// The role's name for people.
    pub name: String,
    /// The id of the context in which it holds; absent for the whole organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The id of the team through which a person has it; absent where it was given directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// Assignments as callers see them.
pub async fn held_roles(tx: &mut Tx, org: OrgId, assignments: &[Assignment]) -> Result<Vec<HeldRoleView>, DbError> {
    let mut names = HashMap::new();
    let mut views = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let (role, name) = match names.entry(assignment.role) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = db::roles::find(tx, org, &assignment.role.to_string()).await?;
                unknown.insert(found.map(|role| (role.key, role.name)).unwrap_or_default())
            }
        };
        views.push(HeldRoleView {
            assignment: assignment.id.to_string(),
            role: role.clone(),
            name: name.clone(),
            context: assignment.context.map(|context| context.to_string()),
            team: match assignment.principal {
                Principal::User(_) | Principal::ServiceAccount(_) => None,
                Principal::Team(team) => Some(team.to_string()),
            },
        });
    }
    Ok(views)
}

/// `active` or `inactive`.
pub fn state_word(active: bool) -> String {
    if active { "active" } else { "inactive" }.to_owned()
}

/// The active account that a field names, by id or e-mail address.
pub async fn active_user(tx: &mut Tx, field: &str, id_or_email: &str) -> Result<User, Problem> {
    let found = match id_or_email.parse::<UserId>() {
        Ok(id) => db::users::get(tx, id).await,
        Err(_) => db::users::by_email(tx, id_or_email).await,
    };
    match found.map_err(internal)? {
        Some(user) if user.active => Ok(user),
        Some(_) => Err(Problem::field(field, "this account is not active")),
        None => Err(Problem::field(field, "nobody has an account with this id or e-mail address")),
    }
}

/// Checks the key of something new, whose ids are of the type `I`. A key that reads like an id could stand for another
/// thing in a URL.
pub fn check_new_key<I: FromStr>(key: &str) -> Result<(), Problem> {
    name::check_key(key).map_err(|error| Problem::field("key", error))?;
    if key.parse::<I>().is_ok() {
        return Err(Problem::field("key", "a key does not have the form of an id"));
    }
    Ok(())
}
