//! Deactivate an account, everywhere: its sessions end, and nothing it owns is answered until it is reactivated.

use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::{administrators, passing_on};
use crate::ops::receipt::Receipt;
use crate::ops::sessions::issue::end_others;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Deactivates an account.
#[derive(Debug)]
pub struct DeactivateUser {
    /// Its id.
    pub user: String,
}

impl Mutation for DeactivateUser {
    const OPERATION: &'static Operation = operations::USER_DEACTIVATE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let allowed = act.require_publisher(Self::OPERATION).await?;
        let user = super::find(&mut act.tx, &self.user).await?;
        if user.id == act.actor.user.id {
            return Err(Problem::new(Code::Conflict, "nobody deactivates themself; ask another administrator"));
        }
        if !user.active {
            return Err(Problem::new(Code::Conflict, "this account is inactive already"));
        }
        if db::assignments::administers(&mut act.tx, allowed.org.id, user.id).await.map_err(internal)? {
            passing_on::require_administrator(act, &allowed).await?;
        }
        let memberships = db::members::of_user(&mut act.tx, user.id).await.map_err(internal)?;
        let mut before = Vec::with_capacity(memberships.len());
        for (org, _) in &memberships {
            before.push((*org, administrators::count(&mut act.tx, *org).await?));
        }
        db::users::set_active(&mut act.tx, user.id, false).await.map_err(internal)?;
        for (org, count) in before {
            let found = db::orgs::find(&mut act.tx, &org.to_string()).await.map_err(internal)?;
            let named = found.map(|org| org.key).unwrap_or_default();
            administrators::require_one_left(&mut act.tx, count, &named).await?;
        }
        let ended = end_others(&mut act.tx, user.id, None, act.now).await.map_err(internal)?;

        let mut change = Change::new(allowed.org.id, user.id)
            .before(json!({"state": "active"}))
            .after(json!({"state": "inactive", "sessions_ended": ended.len()}))
            .feed(Topic::User, None, user.id);
        for (org, _) in memberships {
            change = change.feed(Topic::Member, Some(org), user.id);
        }
        for session in ended {
            change = change.feed(Topic::Session, None, session);
        }
        Ok((Receipt::of(user.id, "inactive"), change.into()))
    }
}
