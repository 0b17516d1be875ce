//! "No one passes on what they do not have", as every use case asks it that gives somebody a role: by adding a member,
//! by putting somebody into a team, by reviving a membership.

use crate::app::App;
use crate::db::assignments::Assignment;
use crate::db::{self, Tx};
use crate::ops::act::internal;
use crate::ops::rights::{OwnRights, RoleContent, content_of_role};
use tegata_core::authority::Beyond;
use tegata_core::ids::{ContextId, OrgId, RoleId};
use tegata_core::problem::{Code, Problem};

/// Refuses to pass on a role, in a place (none for the whole organization), beyond the actor's own rights there.
pub async fn require_role(
    app: &App,
    tx: &mut Tx,
    rights: &OwnRights,
    org: OrgId,
    role: RoleId,
    context: Option<ContextId>,
) -> Result<(), Problem> {
    let chain = match context {
        Some(context) => db::contexts::chain(tx, org, context).await.map_err(internal)?,
        None => Vec::new(),
    };
    let held = content_of_role(app, tx, org, role).await.map_err(internal)?;
    let covered = rights.with_authority(|authority| match &held {
        RoleContent::Everything => authority.covers_everything(&chain),
        RoleContent::Listed(list) => {
            list.iter().try_for_each(|(api, permissions)| authority.covers_all(*api, permissions, &chain))
        }
    });
    match covered {
        Ok(()) => Ok(()),
        Err(beyond) => Err(refusal(app, tx, beyond).await),
    }
}

/// Refuses to pass on any of these assignments beyond the actor's own rights.
pub async fn require_assignments(
    app: &App,
    tx: &mut Tx,
    rights: &OwnRights,
    org: OrgId,
    assignments: &[Assignment],
) -> Result<(), Problem> {
    for assignment in assignments {
        require_role(app, tx, rights, org, assignment.role, assignment.context).await?;
    }
    Ok(())
}

/// Refuses to touch an administrator unless the actor is one, signed in as themself: a lesser person must not stop
/// whoever they answer to.
pub fn require_administrator(rights: &OwnRights) -> Result<(), Problem> {
    let covered = rights.with_authority(|authority| authority.covers_everything(&[]));
    covered.map_err(|_| {
        Problem::new(
            Code::BeyondOwnRights,
            "this concerns an administrator of the organization; only an administrator who is signed in may do it",
        )
    })
}

async fn refusal(app: &App, tx: &mut Tx, beyond: Beyond) -> Problem {
    let what = match beyond {
        Beyond::Everything => "everything, as an administrator who is signed in has it".to_owned(),
        Beyond::Permission(api, number) => match app.catalogues.of(tx, &api.to_string()).await {
            Err(error) => return internal(error),
            Ok(loaded) => {
                let name = loaded.as_ref().and_then(|loaded| loaded.catalogue.permission(number));
                let name = name.map(|found| found.name.clone()).unwrap_or_default();
                format!("`{name}` of the API `{}`", loaded.map(|loaded| loaded.key.clone()).unwrap_or_default())
            }
        },
    };
    Problem::new(Code::BeyondOwnRights, format!("this would pass on {what}, which you do not have in that place"))
}
