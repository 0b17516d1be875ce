//! Deactivate a membership: the person leaves; see [`super::leave`].

use super::leave::leave;
use super::{passing_on, show};
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Changes, Mutation};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Deactivates a membership.
#[derive(Debug)]
pub struct DeactivateMember {
    /// The organization's key or id.
    pub org: String,
    /// The id of the person.
    pub user: String,
}

impl Mutation for DeactivateMember {
    const OPERATION: &'static Operation = operations::MEMBER_DEACTIVATE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let allowed = act.require(Self::OPERATION, &self.org).await?;
        let org = allowed.org.id;
        let member = show::find(&mut act.tx, org, &self.user).await?;
        if !member.active {
            return Err(Problem::new(Code::Conflict, "this membership is inactive already"));
        }
        if db::assignments::administers(&mut act.tx, org, member.user).await.map_err(internal)? {
            passing_on::require_administrator(act, &allowed).await?;
        }
        let list = leave(act, &allowed.org, &member).await?;
        Ok((Receipt::of(member.user, "inactive"), Changes { list }))
    }
}
