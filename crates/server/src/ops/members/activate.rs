//! Reactivate a membership. Nothing that was stopped comes back; the roles that the person still has do, so whoever
//! reactivates passes them on and has to have them.

use super::view::MemberView;
use super::{passing_on, show};
use crate::db::feed::Topic;
use crate::db::members::Member;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Reactivates a membership.
#[derive(Debug)]
pub struct ActivateMember {
    /// The organization's key or id.
    pub org: String,
    /// The id of the person.
    pub user: String,
}

impl Mutation for ActivateMember {
    const OPERATION: &'static Operation = operations::MEMBER_ACTIVATE;
    type Output = MemberView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(MemberView, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let member = show::find(&mut act.tx, org, &self.user).await?;
        if member.active {
            return Err(Problem::new(Code::Conflict, "this membership is active already"));
        }
        let roles = db::assignments::reaching_user(&mut act.tx, org, member.user).await.map_err(internal)?;
        passing_on::require_assignments(act, &allowed, &roles).await?;
        db::members::set_active(&mut act.tx, org, member.user, true).await.map_err(internal)?;
        let change = Change::new(org, member.user)
            .before(json!({"state": "inactive"}))
            .after(json!({"state": "active"}))
            .feed(Topic::Member, Some(org), member.user);
        let member = Member { active: true, ..member };
        Ok((MemberView::from(&member), change.into()))
    }
}
