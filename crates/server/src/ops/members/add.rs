//! Add a person to the organization, with a first role.

use super::passing_on;
use super::view::MemberView;
use crate::db::assignments::{Assignment, Principal};
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::{Allowed, internal};
use crate::ops::view::active_user;
use crate::ops::{Act, Change, Changes, Mutation};
use serde::Deserialize;
use serde_json::json;
use tegata_core::ids::{AssignmentId, UserId};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};
use tegata_core::role::predefined;
use utoipa::ToSchema;

/// The word for "no role".
const NO_ROLE: &str = "none";

/// Adds a member.
#[derive(Debug)]
pub struct AddMember {
    /// The organization's key or id.
    pub org: String,
    /// What was sent.
    pub body: NewMember,
}

/// A new member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The person, by id or e-mail address.
    pub user: String,
    /// The key of the role they get in the whole organization: `member` if nothing is said, `none` for none.
    #[serde(default)]
    pub role: Option<String>,
}

impl Mutation for AddMember {
    const OPERATION: &'static Operation = operations::MEMBER_ADD;
    type Output = MemberView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(MemberView, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let user = active_user(&mut act.tx, "user", &self.body.user).await?;
        if let Some(member) = db::members::get(&mut act.tx, org, user.id).await.map_err(internal)? {
            return Err(if member.active {
                Problem::new(Code::Duplicate, "this person is a member already").with("user", "a member already")
            } else {
                Problem::new(Code::Conflict, "this person's membership is inactive: activate it")
            });
        }
        db::members::insert(&mut act.tx, org, user.id, act.now).await.map_err(internal)?;
        let role = self.body.role.as_deref().unwrap_or(predefined::MEMBER);
        if role != NO_ROLE {
            give(act, &allowed, user.id, role).await?;
        }
        let member = db::members::get(&mut act.tx, org, user.id).await.map_err(internal)?;
        let member = member.ok_or_else(Problem::internal)?;
        let change = Change::new(org, user.id)
            .after(json!({"email": user.email, "name": user.name, "state": "active", "role": role}))
            .feed(Topic::Member, Some(org), user.id);
        Ok((MemberView::from(&member), change.into()))
    }
}

async fn give(act: &mut Act<'_, WriteTx>, allowed: &Allowed, user: UserId, key: &str) -> Result<(), Problem> {
    let org = allowed.org.id;
    let role = db::roles::find(&mut act.tx, org, key).await.map_err(internal)?;
    let role = role.ok_or_else(|| Problem::field("role", "the organization has no role with this key"))?;
    if !matches!(role.context_type.as_str(), "global" | "any") {
        let message = format!("this role is given in a {}, by an assignment", role.context_type);
        return Err(Problem::field("role", message));
    }
    passing_on::require_role(act, allowed, role.id, None).await?;
    let assignment = Assignment {
        id: act.id(AssignmentId::new),
        role: role.id,
        principal: Principal::User(user),
        context: None,
        created_at: act.now,
        created_by: act.actor.user.id.to_string(),
    };
    db::assignments::insert(&mut act.tx, org, &assignment).await.map_err(internal)
}
