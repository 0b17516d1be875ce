//! Take a role away. The last administrator of an organization keeps theirs.

use super::authority::must_administer;
use super::create::reaching;
use super::names::Names;
use super::view::AssignmentView;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::contexts::place;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::ids::AssignmentId;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Take a role away.
#[derive(Debug, Clone)]
pub struct DeleteAssignment {
    /// The organization.
    pub org: String,
    /// The assignment.
    pub assignment: AssignmentId,
}

impl Mutation for DeleteAssignment {
    const OPERATION: &'static Operation = operations::ASSIGNMENT_DELETE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let org = act.visible_org(&self.org).await?;
        let found = db::assignments::get(act.tx(), org.id, self.assignment).await.map_err(internal)?;
        let assignment = found.ok_or_else(|| Problem::not_found("assignment"))?;
        let allowed = act.require_in(Self::OPERATION, org, assignment.context).await?;
        let org = allowed.org.id;
        let mut names = Names::new(org);
        let role = names.role(act.tx(), assignment.role).await.map_err(internal)?;
        let administers = role.is_some_and(|role| role.everything);
        if administers {
            let chain = place::chain(act, org, assignment.context).await?;
            must_administer(act, &allowed, &chain).await?;
        }
        let before = AssignmentView::of(act.tx(), &mut names, &assignment).await.map_err(internal)?;
        db::assignments::delete(&mut act.tx, org, assignment.id).await.map_err(internal)?;
        if administers && assignment.context.is_none() {
            let left = db::assignments::count_administrators(act.tx(), org).await.map_err(internal)?;
            if left == 0 {
                let message = "nobody would administer the organization any more; name another administrator first";
                return Err(Problem::new(Code::Conflict, message));
            }
        }
        let change = reaching(Change::new(org, assignment.id), org, assignment.principal).before(json!(before));
        Ok((Receipt::of(assignment.id, "deleted"), change.into()))
    }
}
