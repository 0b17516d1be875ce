//! Moving a context: who may, where to, and which rights begin and cease to reach it.

use super::create::fits;
use super::kinds::kinds_of;
use super::place;
use super::view::{MovedPolicy, MovedRight};
use crate::db;
use crate::db::contexts::Context;
use crate::db::orgs::Org;
use crate::ops::Act;
use crate::ops::act::{Reading, internal};
use crate::ops::assignments::authority::must_administer;
use crate::ops::assignments::names::Names;
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;

/// A move that is allowed.
pub(super) struct Planned {
    /// The new parent; none for the organization itself.
    pub parent: Option<ContextId>,
    /// Rights that will reach the context.
    pub gained: Vec<MovedRight>,
    /// Rights that will no longer.
    pub lost: Vec<MovedRight>,
    /// What will tighten it.
    pub policies_gained: Vec<MovedPolicy>,
    /// What will no longer.
    pub policies_lost: Vec<MovedPolicy>,
}

/// Plans a move. It needs the operation's permission in the context, where it is and where it goes, and
/// administrators of both parents: what they may do reaches the context before or after.
pub(super) async fn plan<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: &Org,
    context: &Context,
    parent: &str,
) -> Result<Planned, Problem> {
    act.require_in(operation, org.clone(), context.parent).await?;
    let (allowed, parent) = place::require_in_field(act, operation, org.clone(), "parent", Some(parent)).await?;
    let parent_id = parent.as_ref().map(|parent| parent.id);
    let old = place::chain(act, org.id, context.parent).await?;
    let new = place::chain(act, org.id, parent_id).await?;
    for chain in [&old, &new] {
        must_administer(act, &allowed, chain)
            .await
            .map_err(|problem| problem.with("parent", "moving a context needs an administrator of both parents"))?;
    }
    if new.contains(&context.id) {
        return Err(Problem::field("parent", "a context cannot lie in itself or in what lies in it"));
    }
    let app = act.app;
    let kinds = kinds_of(app, act.tx(), org.id).await.map_err(internal)?;
    let kind = kinds.get(&context.kind).ok_or_else(|| {
        Problem::field("parent", "no API of this organization declares the context's type any more; it cannot be moved")
    })?;
    fits(kind, parent.as_ref())?;
    let gained = rights_of(act, org.id, new.iter().filter(|id| !old.contains(id))).await?;
    let lost = rights_of(act, org.id, old.iter().filter(|id| !new.contains(id))).await?;
    let said = db::policies::of_contexts(act.tx(), org.id).await.map_err(internal)?;
    let said_by = |of: &[ContextId], but: &[ContextId]| {
        let theirs = said.iter().filter(|(context, ..)| of.contains(context) && !but.contains(context));
        theirs.map(|(context, kind)| MovedPolicy { context: context.to_string(), kind: kind.to_string() }).collect()
    };
    let (policies_gained, policies_lost) = (said_by(&new, &old), said_by(&old, &new));
    Ok(Planned { parent: parent_id, gained, lost, policies_gained, policies_lost })
}

async fn rights_of<T: Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    contexts: impl Iterator<Item = &ContextId> + Send,
) -> Result<Vec<MovedRight>, Problem> {
    let mut names = Names::new(org);
    let mut rights = Vec::new();
    for context in contexts {
        for assignment in db::assignments::in_context(act.tx(), org, *context).await.map_err(internal)? {
            let role = names.role(act.tx(), assignment.role).await.map_err(internal)?;
            rights.push(MovedRight {
                assignment: assignment.id.to_string(),
                kind: assignment.principal.kind().to_owned(),
                principal: assignment.principal.id(),
                name: names.principal(act.tx(), assignment.principal).await.map_err(internal)?,
                role: role.map(|role| role.key).unwrap_or_default(),
                context: context.to_string(),
            });
        }
    }
    Ok(rights)
}
