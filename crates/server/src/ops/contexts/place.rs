//! Places as callers write them: `ctx_…`, or a place as in scopes (`project:key:MY-APP`, `project:42`, `global`).

use super::kinds::{self, Resolved};
use crate::db;
use crate::db::contexts::Context;
use crate::db::orgs::Org;
use crate::ops::act::{Reading, internal};
use crate::ops::{Act, Allowed};
use tegata_core::ids::{ContextId, OrgId};
use tegata_core::operations::Operation;
use tegata_core::problem::Problem;
use tegata_core::scope::Place;

/// Why a text leads to no context.
enum Lost {
    /// It is no place at all.
    Unreadable(String),
    /// Nobody registered it.
    Nowhere,
}

impl Lost {
    fn at(self, field: &str) -> Problem {
        match self {
            Self::Unreadable(why) => Problem::field(field, why),
            Self::Nowhere => Problem::field(field, "nobody registered such a context here"),
        }
    }
}

async fn find<T: Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    text: &str,
) -> Result<Result<Option<Context>, Lost>, Problem> {
    if let Ok(id) = text.parse::<ContextId>() {
        let found = db::contexts::get(act.tx(), org, id).await.map_err(internal)?;
        return Ok(found.map(Some).ok_or(Lost::Nowhere));
    }
    let app = act.app;
    let declared = kinds::kinds_of(app, act.tx(), org).await.map_err(internal)?;
    let place = match Place::parse(text, &|word| declared.is_type(word)) {
        Ok(place) => place,
        Err(error) => return Ok(Err(Lost::Unreadable(format!("{error}, or a context's id")))),
    };
    let resolved = kinds::resolve_among(&declared, act.tx(), org, &place).await.map_err(internal)?;
    Ok(match resolved {
        Resolved::Global => Ok(None),
        Resolved::Context(context) => Ok(Some(context)),
        Resolved::Unregistered | Resolved::UnknownType => Err(Lost::Nowhere),
    })
}

/// The context that a path names; whatever leads nowhere does not exist.
pub async fn of_path<T: Reading>(act: &mut Act<'_, T>, org: OrgId, text: &str) -> Result<Context, Problem> {
    find(act, org, text).await?.ok().flatten().ok_or_else(|| Problem::not_found("context"))
}

/// The context that a field names; none for the organization itself, also when the field is left out.
pub async fn of_field<T: Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    field: &str,
    text: Option<&str>,
) -> Result<Option<Context>, Problem> {
    match text {
        None => Ok(None),
        Some(text) => find(act, org, text).await?.map_err(|lost| lost.at(field)),
    }
}

/// Asks for the right to an operation in the context that a field names. Who names no place that exists is asked for
/// the right in the whole organization before they learn of it.
pub async fn require_in_field<T: Reading>(
    act: &mut Act<'_, T>,
    operation: &Operation,
    org: Org,
    field: &str,
    text: Option<&str>,
) -> Result<(Allowed, Option<Context>), Problem> {
    match of_field(act, org.id, field, text).await {
        Ok(context) => {
            let allowed = act.require_in(operation, org, context.as_ref().map(|context| context.id)).await?;
            Ok((allowed, context))
        }
        Err(problem) => {
            act.require_in(operation, org, None).await?;
            Err(problem)
        }
    }
}

/// The ids of a context and of those above it, innermost first; empty for the organization itself.
pub async fn chain<T: Reading>(
    act: &mut Act<'_, T>,
    org: OrgId,
    context: Option<ContextId>,
) -> Result<Vec<ContextId>, Problem> {
    match context {
        None => Ok(Vec::new()),
        Some(id) => db::contexts::chain(act.tx(), org, id).await.map_err(internal),
    }
}
