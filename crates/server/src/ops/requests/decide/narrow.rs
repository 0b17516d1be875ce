//! What an approver lays on a line that they grant: a narrower scope, an end, an access policy.

use super::{Choice, Deciding};
use crate::db::grants::StoredGrant;
use crate::db::{self, WriteTx};
use crate::ops::Act;
use crate::ops::act::internal;
use crate::ops::tokens::broken::Broken;
use crate::ops::tokens::create::scopes::{self, Places};
use crate::ops::tokens::create::wishes::Wish;
use crate::ops::tokens::create::world::World;
use crate::ops::tokens::show::Names;
use tegata_core::ids::AccessPolicyId;
use tegata_core::problem::Problem;
use tegata_core::scope::Scope;
use tegata_core::time::Timestamp;

/// What is laid on it.
#[derive(Default)]
pub struct Terms {
    /// The narrower scope.
    pub wish: Option<Wish>,
    /// The scope that was asked for, where there is a narrower one.
    pub asked: Option<String>,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// What bounds it.
    pub access_policy: Option<AccessPolicyId>,
}

/// Reads it; what cannot be is noted. None for what is rejected.
pub async fn terms(
    act: &mut Act<'_, WriteTx>,
    world: &World,
    deciding: &Deciding,
    broken: &mut Broken,
) -> Result<Option<Terms>, Problem> {
    let (said, at) = (&deciding.said, &deciding.field);
    if said.decision == Choice::Reject {
        return Ok(None);
    }
    let mut terms = Terms::default();
    if let Some(until) = &said.until {
        terms.until = broken.take(format!("{at}.until"), until.parse::<Timestamp>());
        if terms.until.is_some_and(|until| until <= act.now) {
            broken.note(format!("{at}.until"), "this moment is over; what is granted ends in the future");
        }
    }
    if let Some(policy) = &said.access_policy {
        let found = db::access_policies::find(act.tx(), world.org.id, policy).await.map_err(internal)?;
        terms.access_policy = broken
            .take(format!("{at}.access_policy"), found.ok_or("there is no such access policy here"))
            .map(|found| found.id);
    }
    let api = world.apis.iter().find(|api| api.id == deciding.line.api);
    if let (Some(text), Some(api)) = (&said.scope, api) {
        let field = format!("{at}.scope");
        if text == "**" {
            broken.note(field, "name the one permission that is granted of this line");
            return Ok(Some(terms));
        }
        let wishes = scopes::read(act, world, api, text, &field, &mut Places::default(), broken).await?;
        let line = &deciding.line;
        let place = Names::default().place(act.tx(), line.org, line.context).await.map_err(internal)?;
        let permission = line.permissions.first().cloned().unwrap_or_default();
        let same = wishes.first().is_some_and(|wish| {
            wish.context == line.context && wish.api.catalogue.number(&permission) == Some(wish.permission)
        });
        if !same {
            terms.wish = wishes.into_iter().next();
            terms.asked = Some(Scope::Permission { place, permission }.to_string());
        }
    }
    Ok(Some(terms))
}

/// Writes a narrower scope into a line.
pub fn narrowed(line: &mut StoredGrant, wish: &Wish, asked: Option<String>) {
    line.context = wish.context;
    line.permissions =
        wish.api.catalogue.permission(wish.permission).map(|known| known.name.clone()).into_iter().collect();
    line.asked = asked;
}
