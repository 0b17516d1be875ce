//! End a membership: the person leaves, and the identity provider sees them no longer. The account stays, as do the memberships
//! of others.

use super::settle::member;
use super::view;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::members::leave::leave;
use crate::ops::scim::version;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::{Value, json};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// End a membership.
#[derive(Debug)]
pub struct DeleteUser {
    /// The organization.
    pub org: String,
    /// The id of the person.
    pub user: String,
    /// The versions that it may have.
    pub if_match: Option<String>,
}

impl Mutation for DeleteUser {
    const OPERATION: &'static Operation = operations::SCIM_USER_DELETE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let (allowed, base) = crate::ops::scim::allowed(act, Self::OPERATION, &self.org).await?;
        let org = &allowed.org;
        let person = super::find(&mut act.tx, org.id, &self.user).await?;
        if self.if_match.is_some() {
            let now = view::shown(&mut act.tx, org.id, &person, &base).await.map_err(internal)?;
            version::require(&now, self.if_match.as_deref())?;
        }
        let list = if person.active {
            leave(act, org, &member(&person)).await?
        } else {
            let change = Change::new(org.id, person.user)
                .before(json!({"state": "inactive", "scim": view::attributes(&person)}))
                .after(json!({"state": "deleted"}))
                .feed(Topic::Member, Some(org.id), person.user);
            vec![change]
        };
        db::scim::delete_person(&mut act.tx, org.id, person.user, act.now).await.map_err(internal)?;
        Ok((Value::Null, Changes { list }))
    }
}
