//! From what somebody is to what an identity provider wants them to be.

use super::view;
use super::wanted::Wanted;
use crate::db::feed::Topic;
use crate::db::members::Member;
use crate::db::orgs::Org;
use crate::db::scim::Person;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::leave::leave;
use crate::ops::{Act, Change};
use crate::scim::{Kind, Wrong};
use serde_json::json;
use tegata_core::ids::{OrgId, UserId};
use tegata_core::operations;
use tegata_core::problem::{Code, Problem};

/// Makes somebody what is wanted. Tells what had to change; nothing, where all of it was so.
pub async fn settle(
    act: &mut Act<'_, WriteTx>,
    org: &Org,
    person: &Person,
    wanted: &Wanted,
) -> Result<Vec<Change>, Problem> {
    let mut changes = Vec::new();
    let mut before = view::attributes(person);
    before.remove("active");
    if before != wanted.attributes {
        require_free(act, org.id, Some(person.user), &wanted.user_name).await?;
        store(act, org.id, person.user, wanted).await?;
        let mut change = Change::new(org.id, person.user).before(json!(before)).after(wanted.told()).feed(
            Topic::Member,
            Some(org.id),
            person.user,
        );
        if follow(act, org.id, person, wanted).await? {
            change = change.feed(Topic::User, None, person.user);
        }
        changes.push(change);
    }
    if wanted.active != view::is_active(person) {
        if wanted.active {
            changes.extend(activate(act, org, person).await?);
        } else if person.active {
            changes.extend(leave(act, org, &member(person)).await?);
        }
    }
    Ok(changes)
}

/// A member as other rooms know them.
pub fn member(person: &Person) -> Member {
    Member {
        user: person.user,
        email: person.email.clone(),
        name: person.name.clone(),
        active: person.active,
        account_active: person.account_active,
        created_at: person.created_at,
    }
}

/// Keeps what was written.
pub async fn store(act: &mut Act<'_, WriteTx>, org: OrgId, user: UserId, wanted: &Wanted) -> Result<(), Problem> {
    let external_id = wanted.external_id.as_deref();
    db::scim::put_person(&mut act.tx, org, user, &wanted.user_name, external_id, &wanted.stored()).await.map_err(
        |error| match error {
            db::DbError::Duplicate => taken().into(),
            other => internal(other),
        },
    )
}

/// Refuses a user name that another member has.
pub async fn require_free(
    act: &mut Act<'_, WriteTx>,
    org: OrgId,
    own: Option<UserId>,
    user_name: &str,
) -> Result<(), Problem> {
    let found = db::scim::by_user_name(&mut act.tx, org, user_name).await.map_err(internal)?;
    if found.iter().any(|person| Some(person.user) != own) { Err(taken().into()) } else { Ok(()) }
}

/// A user name that somebody else has.
pub fn taken() -> Wrong {
    Wrong::new(Kind::Uniqueness, "another member of this organization has this user name or address")
}

/// Lets the account follow, where it is this organization's alone and the address is free; whoever administers signs in as
/// before. What cannot follow stays this organization's note.
async fn follow(act: &mut Act<'_, WriteTx>, org: OrgId, person: &Person, wanted: &Wanted) -> Result<bool, Problem> {
    let (from, to) = ((person.email.as_str(), person.name.as_str()), (wanted.email.as_str(), wanted.name.as_str()));
    if from == to || !db::scim::belongs_here_alone(&mut act.tx, org, person.user).await.map_err(internal)? {
        return Ok(false);
    }
    if db::assignments::administers(&mut act.tx, org, person.user).await.map_err(internal)? {
        return Ok(false);
    }
    let holder = db::users::by_email(&mut act.tx, &wanted.email).await.map_err(internal)?;
    if holder.is_some_and(|holder| holder.id != person.user) {
        return Ok(false);
    }
    db::scim::rename_account(&mut act.tx, person.user, from, to).await.map_err(internal)?;
    Ok(true)
}

/// Reactivates a membership. The roles that the person has count again; whoever administered is reactivated by an
/// administrator.
pub async fn activate(act: &mut Act<'_, WriteTx>, org: &Org, person: &Person) -> Result<Option<Change>, Problem> {
    if person.active {
        // The account is stopped, which is nothing that an organization changes.
        return Ok(None);
    }
    if db::assignments::administers(&mut act.tx, org.id, person.user).await.map_err(internal)? {
        let detail = "whoever administers the organization is reactivated by an administrator, signed in as themself";
        return Err(Problem::new(Code::BeyondOwnRights, detail));
    }
    db::members::set_active(&mut act.tx, org.id, person.user, true).await.map_err(internal)?;
    let change = Change::new(org.id, person.user)
        .told_as(operations::MEMBER_ACTIVATE.id)
        .before(json!({"state": "inactive"}))
        .after(json!({"state": "active"}))
        .feed(Topic::Member, Some(org.id), person.user);
    Ok(Some(change))
}
