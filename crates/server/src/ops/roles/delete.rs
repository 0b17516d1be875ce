//! Delete a role that is given to nobody.

use super::update::must_be_own;
use super::view::RoleView;
use crate::db::feed::Topic;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::assignments::names::Names;
use crate::ops::receipt::Receipt;
use crate::ops::{Act, Change, Changes, Mutation};
use serde_json::json;
use tegata_core::operations::{self, Operation};
use tegata_core::problem::{Code, Problem};

/// Delete a role.
#[derive(Debug, Clone)]
pub struct DeleteRole {
    /// The organization.
    pub org: String,
    /// The role.
    pub role: String,
}

impl Mutation for DeleteRole {
    const OPERATION: &'static Operation = operations::ROLE_DELETE;
    type Output = Receipt;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Receipt, Changes), Problem> {
        let org = act.require(Self::OPERATION, &self.org).await?.org.id;
        let role = db::roles::find(act.tx(), org, &self.role).await.map_err(internal)?;
        let role = role.ok_or_else(|| Problem::not_found("role"))?;
        must_be_own(&role)?;
        let id = role.id;
        let given = db::assignments::of_role(act.tx(), org, id).await.map_err(internal)?.len();
        if given > 0 {
            let message =
                format!("the role is given {given} time{}; take it away first", if given == 1 { "" } else { "s" });
            return Err(Problem::new(Code::InUse, message));
        }
        let app = act.app;
        let before = RoleView::of(app, act.tx(), org, &mut Names::new(org), role).await.map_err(internal)?;
        db::roles::delete(&mut act.tx, org, id).await.map_err(internal)?;
        let change = Change::new(org, id).before(json!(before)).feed(Topic::Role, Some(org), id);
        Ok((Receipt::of(id, "deleted"), change.into()))
    }
}
