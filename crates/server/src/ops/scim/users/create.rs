//! Make somebody a member, with an account where there is none.
//!
//! Whoever has an account with that address joins with it: they get a membership and nothing else changes. Nobody's password, name
//! or address is touched.

use super::settle::{activate, require_free, store, taken};
use super::view;
use super::wanted::Wanted;
use crate::db::assignments::{Assignment, Principal};
use crate::db::feed::Topic;
use crate::db::orgs::Org;
use crate::db::users::User;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::scim::projection::Asked;
use crate::scim::{Kind, Resource, Wrong, schema};
use serde_json::{Map, Value, json};
use tegata_core::ids::{AssignmentId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;
use tegata_core::role::predefined;

/// Make somebody a member.
#[derive(Debug)]
pub struct CreateUser {
    /// The organization.
    pub org: String,
    /// What was sent.
    pub body: Map<String, Value>,
    /// Which attributes are shown.
    pub asked: Asked,
}

impl Mutation for CreateUser {
    const OPERATION: &'static Operation = operations::SCIM_USER_CREATE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let (allowed, base) = crate::ops::scim::allowed(act, Self::OPERATION, &self.org).await?;
        let org = &allowed.org;
        let wanted = Wanted::read(&schema::kept(Resource::User, &self.body))?;
        require_free(act, org.id, None, &wanted.user_name).await?;
        let mut list = Vec::new();
        let user = account(act, org, &wanted, &mut list).await?;
        list.extend(join(act, org, user, &wanted).await?);
        store(act, org.id, user, &wanted).await?;
        let person = super::find(&mut act.tx, org.id, &user.to_string()).await?;
        let mut shown = view::shown(&mut act.tx, org.id, &person, &base).await.map_err(internal)?;
        self.asked.project(Resource::User, &mut shown);
        Ok((shown, Changes { list }))
    }
}

/// The account of whoever joins: the one with the address, or a new one that nobody can sign in with until it gets a password.
async fn account(
    act: &mut Act<'_, WriteTx>,
    org: &Org,
    wanted: &Wanted,
    list: &mut Vec<Change>,
) -> Result<UserId, Problem> {
    if let Some(user) = db::users::by_email(&mut act.tx, &wanted.email).await.map_err(internal)? {
        let visible = db::scim::person(&mut act.tx, org.id, user.id).await.map_err(internal)?;
        if visible.is_some() {
            return Err(taken().into());
        }
        if !user.active {
            let detail = "this person cannot be made a member: ask whoever runs this installation";
            return Err(Wrong::new(Kind::Uniqueness, detail).into());
        }
        return Ok(user.id);
    }
    let user = User {
        id: act.id(UserId::new),
        email: wanted.email.clone(),
        name: wanted.name.clone(),
        active: true,
        created_at: act.now,
    };
    db::users::insert(&mut act.tx, &user, None).await.map_err(internal)?;
    if let Some(publisher) = db::orgs::publisher(&mut act.tx).await.map_err(internal)? {
        let change = Change::new(publisher.id, user.id)
            .told_as(operations::USER_CREATE.id)
            .after(json!({"email": user.email, "name": user.name, "state": "active"}))
            .feed(Topic::User, None, user.id);
        list.push(change);
    }
    Ok(user.id)
}

/// The membership: a new one with the role of members, or one that was ended and begins again.
async fn join(act: &mut Act<'_, WriteTx>, org: &Org, user: UserId, wanted: &Wanted) -> Result<Option<Change>, Problem> {
    if db::members::get(&mut act.tx, org.id, user).await.map_err(internal)?.is_some() {
        // It was deleted here before; it is seen again as soon as something is written about it.
        store(act, org.id, user, wanted).await?;
        let person = super::find(&mut act.tx, org.id, &user.to_string()).await?;
        return if wanted.active { activate(act, org, &person).await } else { Ok(None) };
    }
    db::members::insert(&mut act.tx, org.id, user, act.now).await.map_err(internal)?;
    let role = db::roles::find(&mut act.tx, org.id, predefined::MEMBER).await.map_err(internal)?;
    let role = role.ok_or_else(Problem::internal)?;
    let (by, _) = act.actor.named();
    let assignment = Assignment {
        id: act.id(AssignmentId::new),
        role: role.id,
        principal: Principal::User(user),
        context: None,
        created_at: act.now,
        created_by: by,
    };
    db::assignments::insert(&mut act.tx, org.id, &assignment).await.map_err(internal)?;
    if !wanted.active {
        db::members::set_active(&mut act.tx, org.id, user, false).await.map_err(internal)?;
    }
    let change = Change::new(org.id, user)
        .told_as(operations::MEMBER_ADD.id)
        .after(json!({
            "email": wanted.email, "name": wanted.name, "state": if wanted.active { "active" } else { "inactive" },
            "role": predefined::MEMBER, "scim": wanted.told(),
        }))
        .feed(Topic::Member, Some(org.id), user);
    Ok(Some(change))
}
