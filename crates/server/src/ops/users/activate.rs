//! Reactivate an account. Its roles count again: those in the publisher's organization are passed on by whoever
//! reactivates it; those elsewhere were given by others, who can still deactivate the membership.

use super::view::UserView;
use crate::db::feed::Topic;
use crate::db::users::User;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::passing_on;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Reactivates an account.
#[derive(Debug)]
pub struct ActivateUser {
    /// Its id.
    pub user: String,
}

impl Mutation for ActivateUser {
    const OPERATION: &'static Operation = operations::USER_ACTIVATE;
    type Output = UserView;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(UserView, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        let publisher = allowed.org.id;
        let user = super::find(&mut act.tx, &self.user).await?;
        if user.active {
            return Err(Problem::new(Code::Conflict, "this account is active already"));
        }
        let membership = db::members::get(&mut act.tx, publisher, user.id).await.map_err(internal)?;
        if membership.is_some_and(|member| member.active) {
            let roles = db::assignments::reaching_user(&mut act.tx, publisher, user.id).await.map_err(internal)?;
            passing_on::require_assignments(act, &allowed, &roles).await?;
        }
        db::users::set_active(&mut act.tx, user.id, true).await.map_err(internal)?;
        let mut change = Change::new(publisher, user.id)
            .before(json!({"state": "inactive"}))
            .after(json!({"state": "active"}))
            .feed(Topic::User, None, user.id);
        for (org, _) in db::members::of_user(&mut act.tx, user.id).await.map_err(internal)? {
            change = change.feed(Topic::Member, Some(org), user.id);
        }
        let user = User { active: true, ..user };
        Ok((UserView::from(&user), change.into()))
    }
}
