//! Say anew what is known of a member (PUT), or change some of it (PATCH).

use super::settle::settle;
use super::view;
use super::wanted::Wanted;
use crate::db::WriteTx;
use crate::ops::act::internal;
use crate::ops::scim::version;
use crate::ops::{Act, Changes, Mutation};
use crate::scim::projection::Asked;
use crate::scim::{Resource, patch, schema};
use serde_json::{Map, Value};
use tegata_core::operations::{self, Operation};
use tegata_core::problem::Problem;

/// What is to be changed, and how it was sent.
#[derive(Debug)]
pub struct Update {
    /// The organization.
    pub org: String,
    /// The id of the resource.
    pub id: String,
    /// What was sent.
    pub body: Map<String, Value>,
    /// The versions that it may have.
    pub if_match: Option<String>,
    /// Which attributes are shown.
    pub asked: Asked,
}

/// Say anew what is known of a member.
#[derive(Debug)]
pub struct ReplaceUser(pub Update);

/// Change what is known of a member.
#[derive(Debug)]
pub struct UpdateUser(pub Update);

impl Mutation for ReplaceUser {
    const OPERATION: &'static Operation = operations::SCIM_USER_REPLACE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        // What is not said is no longer there; but nobody leaves, or comes back, by not being spoken of.
        let replaced = |now: &mut Map<String, Value>| {
            let mut kept = schema::kept(Resource::User, &self.0.body);
            if let (false, Some(active)) = (kept.contains_key("active"), now.get("active")) {
                kept.insert("active".to_owned(), active.clone());
            }
            *now = kept;
            Ok(())
        };
        change(act, Self::OPERATION, &self.0, replaced).await
    }
}

impl Mutation for UpdateUser {
    const OPERATION: &'static Operation = operations::SCIM_USER_UPDATE;
    type Output = Value;

    async fn apply(&self, act: &mut Act<'_, WriteTx>) -> Result<(Value, Changes), Problem> {
        let patched = |now: &mut Map<String, Value>| Ok(patch::apply(Resource::User, now, &self.0.body)?);
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
    let person = super::find(&mut act.tx, org.id, &update.id).await?;
    if update.if_match.is_some() {
        let now = view::shown(&mut act.tx, org.id, &person, &base).await.map_err(internal)?;
        version::require(&now, update.if_match.as_deref())?;
    }
    let mut attributes = view::attributes(&person);
    step(&mut attributes)?;
    let wanted = Wanted::read(&attributes)?;
    let list = settle(act, org, &person, &wanted).await?;
    let person = super::find(&mut act.tx, org.id, &update.id).await?;
    let mut shown = view::shown(&mut act.tx, org.id, &person, &base).await.map_err(internal)?;
    update.asked.project(Resource::User, &mut shown);
    Ok((shown, Changes { list }))
}
