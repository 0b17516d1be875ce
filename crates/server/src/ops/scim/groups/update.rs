//! Say anew what a team is called and who is in it (PUT), or change some of it (PATCH).

use super::wanted::Wanted;
use super::{settle, view};
use crate::db::feed::Topic;
use crate::db::teams::Team;
use crate::db::{self, WriteTx};
use crate::ops::act::internal;
use crate::ops::scim::users::update::Update;
use crate::ops::scim::version;
use crate::ops::{Act, Change, Changes, Mutation};
use crate::scim::{Resource, patch, schema};
use serde_json::{Map, Value, json};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// Say anew what a team is.
#[derive(Debug)]
pub struct ReplaceGroup(pub Update);

/// Change what a team is.
#[derive(Debug)]
pub struct UpdateGroup(pub Update);

impl Mutation for ReplaceGroup {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_REPLACE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let replaced = |now: &mut Map<String, Value>| {
            *now = schema::kept(Resource::Group, &self.0.body);
            Ok(())
        };
        change(act, Self::OPERATION, &self.0, replaced).await
    }
}

impl Mutation for UpdateGroup {
    const OPERATION: &'static Operation = operations::SCIM_GROUP_UPDATE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let patched = |now: &mut Map<String, Value>| Ok(patch::apply(Resource::Group, now, &self.0.body)?);
        change(act, Self::OPERATION, &self.0, patched).await
    }
}

async fn change(
    act: &mut Act<'_, WriteTx>,
    operation: &'static Operation,
    update: &Update,
    step: impl FnOnce(&mut Map<String, Value>) -> Result<(), Problem> + Send,
) -> Result<(Value, Changes), Problem> {
    let (allowed, base) = crate::ops::scim::allowed(act, operation, &update.org).await?;
    let org = &allowed.org;
    let team = super::find(&mut act.tx, org.id, &update.id).await?;
    if update.if_match.is_some() {
        let now = view::shown(&mut act.tx, org.id, &team, &base).await.map_err(internal)?;
        version::require(&now, update.if_match.as_deref())?;
    }
    let mut attributes = view::attributes(&mut act.tx, org.id, &team, &base).await.map_err(internal)?;
    let before = Wanted::read(&attributes)?;
    step(&mut attributes)?;
    let wanted = Wanted::read(&attributes)?;
    let mut list = Vec::new();
    if wanted != before {
        settle::require_own(act, org.id, team.id).await?;
    }
    if (&wanted.name, &wanted.external_id) != (&before.name, &before.external_id) {
        db::scim::rename_team(&mut act.tx, org.id, team.id, &wanted.name).await.map_err(internal)?;
        let external_id = wanted.external_id.as_deref();
        db::scim::put_team(&mut act.tx, org.id, team.id, external_id).await.map_err(internal)?;
        let told = |name: &str, external_id: Option<&str>| json!({"name": name, "scim": {"externalId": external_id}});
        let change = Change::new(org.id, team.id)
            .before(told(&before.name, before.external_id.as_deref()))
            .after(told(&wanted.name, external_id))
            .feed(Topic::Team, Some(org.id), team.id);
        list.push(change);
    }
    list.extend(settle::members(act, org, &team, &wanted).await?);
    let team = Team { name: wanted.name, ..team };
    let mut shown = view::shown(&mut act.tx, org.id, &team, &base).await.map_err(internal)?;
    update.asked.project(Resource::Group, &mut shown);
    Ok((shown, Changes { list }))
}
